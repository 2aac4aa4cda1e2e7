/**
 * Threads that exited a moment ago. The parent's half of a clone may come after the child's exit (always with vfork):
 * it must not bring the child back.
 */
import { u64Difference } from '../event/u64.ts';

const EXITS_MAX = 128;
const AGE_MAX_NS = 2_000_000_000;

export class RecentExits {
  private readonly tids: Float64Array;
  private readonly ptids: Float64Array;
  private readonly tsHi: Float64Array;
  private readonly tsLo: Float64Array;
  private next: number;

  constructor() {
    this.tids = new Float64Array(EXITS_MAX).fill(-1);
    this.ptids = new Float64Array(EXITS_MAX);
    this.tsHi = new Float64Array(EXITS_MAX);
    this.tsLo = new Float64Array(EXITS_MAX);
    this.next = 0;
  }

  add(tid: number, ptid: number, tsHi: number, tsLo: number): void {
    const at = this.next;
    this.tids[at] = tid;
    this.ptids[at] = ptid;
    this.tsHi[at] = tsHi;
    this.tsLo[at] = tsLo;
    this.next = (at + 1) % EXITS_MAX;
  }

  /** Whether the child of `ptid` exited within the last two seconds. A recycled tid has another parent, or is older. */
  has(tid: number, ptid: number, tsHi: number, tsLo: number): boolean {
    for (let i = 0; i < EXITS_MAX; i++) {
      if (this.tids[i] !== tid || this.ptids[i] !== ptid) continue;
      const age = u64Difference(tsHi, tsLo, this.tsHi[i] as number, this.tsLo[i] as number);
      if (age >= 0 && age < AGE_MAX_NS) return true;
    }
    return false;
  }
}
