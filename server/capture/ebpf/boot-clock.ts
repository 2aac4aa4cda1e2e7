/** The clock that records are stamped with: time since boot, made ns since the epoch by a constant taken at the start. */
import { libc } from './libc.ts';
import { allocateNative } from './native-memory.ts';

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;
const TRIES = 16;
const TWO_32 = 4294967296;

export class BootClock {
  /** Add to time since boot for ns since the epoch. Fixed: a later step of the wall clock does not reorder events. */
  readonly bootEpochNs: bigint;
  /** High half of a time near the start: what relative times count from. */
  readonly baseHi: number;
  private readonly address: number;
  private readonly words: Uint32Array;
  private readonly offsetNs: number;

  constructor() {
    const memory = allocateNative(16);
    this.address = memory.address;
    this.words = new Uint32Array(memory.bytes.buffer, memory.bytes.byteOffset, 4);
    this.bootEpochNs = this.measureEpoch();
    const nowNs = this.bootEpochNs + BigInt(this.read(CLOCK_BOOTTIME));
    this.baseHi = Number(nowNs >> 32n);
    this.offsetNs = Number(this.bootEpochNs - (BigInt(this.baseHi) << 32n));
  }

  /** Now, in ns after `baseHi` * 2^32. */
  now(): number {
    return this.read(CLOCK_BOOTTIME) + this.offsetNs;
  }

  /** Now, ns since the epoch, on the records' clock. */
  nowNs(): bigint {
    return this.bootEpochNs + BigInt(this.read(CLOCK_BOOTTIME));
  }

  /** The pair of readings closest together says best how the two clocks relate. */
  private measureEpoch(): bigint {
    let best = 0n;
    let bestGap = Infinity;
    for (let i = 0; i < TRIES; i++) {
      const before = this.read(CLOCK_BOOTTIME);
      const wall = this.readExact(CLOCK_REALTIME);
      const after = this.read(CLOCK_BOOTTIME);
      if (after - before >= bestGap) continue;
      bestGap = after - before;
      best = wall - BigInt(Math.round((before + after) / 2));
    }
    return best;
  }

  /** Exact below 2^53 ns, 104 days; a few ns off after that. */
  private read(clock: number): number {
    libc().clockGettime(clock, this.address);
    const [secLo = 0, secHi = 0, nsec = 0] = this.words;
    return (secHi * TWO_32 + secLo) * 1e9 + nsec;
  }

  private readExact(clock: number): bigint {
    libc().clockGettime(clock, this.address);
    const [secLo = 0, secHi = 0, nsec = 0] = this.words;
    return BigInt(secHi * TWO_32 + secLo) * 1_000_000_000n + BigInt(nsec);
  }
}
