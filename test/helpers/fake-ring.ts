/** A ring in plain memory, written as the kernel writes one. */
import type { RingMemory } from '../../server/capture/ebpf/ring.ts';
import { EVENT_HEADER_BYTES } from '../../server/event/event-record.ts';

const BUSY = 0x80000000;
const DISCARDED = 0x40000000;
const ENTRY_HEADER_BYTES = 8;
const PREFIX_BYTES = 8;

export class FakeRing {
  readonly memory: RingMemory;
  private readonly size: number;
  private position: bigint;

  /** `start`: bytes that have gone through the ring before. */
  constructor(size = 4096, start = 0n) {
    this.size = size;
    this.position = start;
    this.memory = {
      consumer: new BigUint64Array([start]),
      producer: new Uint32Array(2),
      data: Buffer.alloc(2 * size),
    };
    this.publish();
  }

  /** Bytes the reader has given back. */
  get consumed(): bigint {
    return this.memory.consumer[0] as bigint;
  }

  get produced(): bigint {
    return this.position;
  }

  /** A record without parameters; returns where its entry starts, for `commit`. */
  write(
    tsNs: bigint,
    options: {
      readonly type?: number;
      readonly tid?: number;
      readonly cpu?: number;
      readonly isBusy?: boolean;
    } = {},
  ): number {
    const payload = Buffer.alloc(PREFIX_BYTES + EVENT_HEADER_BYTES);
    payload.writeUInt32LE(options.cpu ?? 0, 0);
    payload.writeBigUInt64LE(tsNs, PREFIX_BYTES);
    payload.writeBigUInt64LE(BigInt(options.tid ?? 1), PREFIX_BYTES + 8);
    payload.writeUInt32LE(EVENT_HEADER_BYTES, PREFIX_BYTES + 16);
    payload.writeUInt16LE(options.type ?? 3, PREFIX_BYTES + 20);
    return this.reserve(payload, options.isBusy === true ? BUSY : 0);
  }

  discard(bytes: number): void {
    this.reserve(Buffer.alloc(bytes), DISCARDED);
  }

  commit(at: number): void {
    for (const half of [at, (at + this.size) % (2 * this.size)]) {
      this.memory.data.writeUInt32LE((this.memory.data.readUInt32LE(half) & 0x7fffffff) >>> 0, half);
    }
  }

  private reserve(payload: Buffer, bits: number): number {
    const entry = Buffer.alloc((ENTRY_HEADER_BYTES + payload.length + 7) & ~7);
    entry.writeUInt32LE((payload.length | bits) >>> 0, 0);
    payload.copy(entry, ENTRY_HEADER_BYTES);
    const at = Number(this.position % BigInt(this.size));
    for (const [i, byte] of entry.entries()) {
      const offset = (at + i) % this.size;
      this.memory.data[offset] = byte;
      this.memory.data[offset + this.size] = byte;
    }
    this.position += BigInt(entry.length);
    this.publish();
    return at;
  }

  private publish(): void {
    this.memory.producer[0] = Number(this.position & 0xffffffffn);
    this.memory.producer[1] = Number(this.position >> 32n);
  }
}
