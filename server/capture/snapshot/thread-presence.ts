/** Whether threads of the table still live on the node: their exit may have been lost for want of room. */
import { existsSync } from 'node:fs';

/** Answers by the thread's entry in /proc; when not all entries can be seen (hidepid), every thread counts as alive. */
export function presenceOf(hostRoot: string): (tid: number) => boolean {
  const proc = `${hostRoot}/proc`;
  return (tid) => existsSync(`${proc}/${tid}`) || !existsSync(`${proc}/1`);
}

/** What is looked at of a thread's row. */
export interface PresentRow {
  readonly tid: number;
  /** Tells a thread from a later one with its tid. */
  readonly cloneTsNs: bigint;
}

export interface LostExitsCounters {
  checked: number;
  /** Threads that had ended without the event. */
  gone: number;
}

/** Rows looked at in one go, and how often at most. */
const CHECKS_PER_SWEEP = 32;
const SWEEP_MS = 100;
/** A thread is given up when it has been away for so long: the event of its exit may only be late. */
const AWAY_MS = 10_000;
const MISSING_MAX = 65_536;

/** Goes round the table, a few rows at a time. */
export class LostExits {
  readonly counters: LostExitsCounters;
  private readonly isAlive: (tid: number) => boolean;
  /** By row: since when its thread has been away. */
  private readonly missing: Map<number, { readonly cloneTsNs: bigint; readonly sinceMs: number }>;
  private round: Iterator<PresentRow> | undefined;
  private nextMs: number;

  constructor(isAlive: (tid: number) => boolean) {
    this.counters = { checked: 0, gone: 0 };
    this.isAlive = isAlive;
    this.missing = new Map();
    this.round = undefined;
    this.nextMs = Number.NEGATIVE_INFINITY;
  }

  /** Looks at the next rows; `rows` starts another round. Returns the tids of threads that have been away for long. */
  sweep(nowMs: number, rows: () => Iterator<PresentRow>): number[] {
    const gone: number[] = [];
    if (nowMs < this.nextMs) return gone;
    this.nextMs = nowMs + SWEEP_MS;
    this.round ??= rows();
    for (let i = 0; i < CHECKS_PER_SWEEP; i++) {
      const { done, value } = this.round.next();
      if (done === true) {
        this.round = undefined;
        break;
      }
      this.counters.checked++;
      if (this.hasLeft(value, nowMs)) gone.push(value.tid);
    }
    this.counters.gone += gone.length;
    return gone;
  }

  private hasLeft({ tid, cloneTsNs }: PresentRow, nowMs: number): boolean {
    if (this.isAlive(tid)) {
      this.missing.delete(tid);
      return false;
    }
    const known = this.missing.get(tid);
    if (known === undefined || known.cloneTsNs !== cloneTsNs) {
      if (this.missing.size >= MISSING_MAX) this.missing.clear();
      this.missing.set(tid, { cloneTsNs, sinceMs: nowMs });
      return false;
    }
    if (nowMs - known.sinceMs < AWAY_MS) return false;
    this.missing.delete(tid);
    return true;
  }
}
