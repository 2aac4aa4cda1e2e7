/**
 * One ring of the kernel, read in place. The ring's bytes are mapped twice in a row, so that a record that wraps is still one
 * piece. Each entry is a header of 8 bytes (length and two state bits), the probe's prefix, and a scap record.
 */
import { EVENT_HEADER_BYTES } from '../../event/event-record.ts';
import { PPM_EVENT_MAX } from '../../event/event-types.ts';
import { RING_PREFIX_BYTES } from './probe-abi.ts';

/** A ring's memory: mapped from the kernel, or plain in tests. */
export interface RingMemory {
  /** One element: bytes consumed since the start. Written by us. */
  readonly consumer: BigUint64Array;
  /** Low and high half of the bytes reserved since the start. Written by the kernel. */
  readonly producer: Uint32Array;
  /** Twice the ring's size: the second half shows the first again. */
  readonly data: Buffer;
}

const ENTRY_HEADER_BYTES = 8;
const BUSY = 0x80000000 | 0;
const DISCARDED = 0x40000000;
const LENGTH_MASK = 0x3fffffff;
const TWO_32 = 4294967296;

export class Ring {
  /** Pre-made views for the event record: none is allocated per event. */
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Time of the next record, ns after the merge's base; Infinity while there is none to see. */
  headAt: number;
  /** Where the next record's header starts in `bytes`, and the cpu that wrote it. */
  headOffset: number;
  headCpu: number;
  /** Records that are not what a probe writes: skipped. */
  malformed: number;
  /** Most bytes that waited at the start of a round. */
  usedBytesMax: number;
  private readonly memory: RingMemory;
  private readonly words: Int32Array;
  private readonly mask: number;
  private readonly publishEvery: number;
  /** Offset in the ring of the entry to read next, and the same as bytes since the start, also modulo 2^32. */
  private offset: number;
  private position: number;
  private positionLo: number;
  private published: number;
  /** Bytes of this round not yet consumed. */
  private available: number;
  private entryBytes: number;

  constructor(memory: RingMemory) {
    const { data } = memory;
    const size = data.length / 2;
    this.memory = memory;
    this.bytes = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.words = new Int32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
    this.mask = size - 1;
    this.publishEvery = size / 4;
    this.position = Number(memory.consumer[0]);
    this.positionLo = this.position % TWO_32;
    this.offset = this.position % size;
    this.published = this.position;
    this.available = 0;
    this.entryBytes = 0;
    this.headAt = Infinity;
    this.headOffset = 0;
    this.headCpu = 0;
    this.malformed = 0;
    this.usedBytesMax = 0;
  }

  get capacityBytes(): number {
    return this.mask + 1;
  }

  /** Bytes waiting in the ring, whether or not this round covers them. */
  get usedBytes(): number {
    return (Atomics.load(this.memory.producer, 0) - this.positionLo) >>> 0;
  }

  /** Whether this round has records left: not yet committed, or newer than its limit. */
  get hasMore(): boolean {
    return this.available > 0;
  }

  /** Gives the room of what was read back to the kernel, and takes note of what is there now. */
  beginRound(baseHi: number): void {
    this.publish();
    this.available = this.usedBytes;
    if (this.available > this.usedBytesMax) this.usedBytesMax = this.available;
    this.peek(baseHi);
  }

  /** Looks at the next record. Leaves `headAt` at Infinity when there is none, or its writer is not done. */
  peek(baseHi: number): void {
    this.headAt = Infinity;
    while (this.available > 0) {
      const word = Atomics.load(this.words, this.offset >> 2);
      if ((word & BUSY) !== 0) return;
      const length = word & LENGTH_MASK;
      this.entryBytes = (length + ENTRY_HEADER_BYTES + 7) & ~7;
      if ((word & DISCARDED) === 0 && this.isRecord(length)) {
        const at = this.offset + ENTRY_HEADER_BYTES + RING_PREFIX_BYTES;
        const words = this.words;
        this.headOffset = at;
        this.headCpu = words[(at >> 2) - 2] as number;
        // Relative to a base near now, so that a double holds it exactly.
        this.headAt =
          (((words[(at >> 2) + 1] as number) >>> 0) - baseHi) * TWO_32 + ((words[at >> 2] as number) >>> 0);
        return;
      }
      this.advance();
    }
  }

  /** Leaves the record that `peek` found; its bytes stay valid until the room is given back. */
  advance(): void {
    const n = this.entryBytes;
    this.offset = (this.offset + n) & this.mask;
    this.position += n;
    this.positionLo = (this.positionLo + n) >>> 0;
    this.available -= n;
  }

  /** In a long round, gives room back before its end. Nothing handed out may be in use any more. */
  publishIfMuch(): void {
    if (this.position - this.published >= this.publishEvery) this.publish();
  }

  private publish(): void {
    if (this.position === this.published) return;
    this.published = this.position;
    Atomics.store(this.memory.consumer, 0, BigInt(this.position));
  }

  private isRecord(length: number): boolean {
    const at = this.offset + ENTRY_HEADER_BYTES + RING_PREFIX_BYTES;
    const bytes = length - RING_PREFIX_BYTES;
    if (bytes >= EVENT_HEADER_BYTES) {
      const recordBytes = this.view.getUint32(at + 16, true);
      const isWhole = recordBytes >= EVENT_HEADER_BYTES && recordBytes <= bytes;
      if (isWhole && this.view.getUint16(at + 20, true) < PPM_EVENT_MAX) return true;
    }
    this.malformed++;
    return false;
  }
}
