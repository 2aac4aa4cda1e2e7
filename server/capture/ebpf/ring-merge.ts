/**
 * Merges the rings into one stream in order of time. A cpu stamps a record a little before the record is visible, so a round hands
 * out only what is older than a limit, by which all older records have become visible. What still comes late is handed out and
 * counted.
 */
import type { EventRecord } from '../../event/event-record.ts';
import type { Ring } from './ring.ts';

export class RingMerge {
  /** High half of the base that times are relative to. */
  readonly baseHi: number;
  readonly rings: readonly Ring[];
  /** Records older than one handed out before, and by how many ns at most. */
  late: number;
  lateNsMax: number;
  private limit: number;
  private current: Ring | undefined;
  /** How far `current` may go on before another ring's turn. */
  private currentUntil: number;
  private lastAt: number;

  /** `baseHi`: high half of a time near now, ns since the epoch. */
  constructor(rings: readonly Ring[], baseHi: number) {
    this.rings = rings;
    this.baseHi = baseHi;
    this.late = 0;
    this.lateNsMax = 0;
    this.limit = -Infinity;
    this.current = undefined;
    this.currentUntil = -Infinity;
    this.lastAt = -Infinity;
  }

  /** Starts a round: records up to `limit` (ns after the base) are handed out. */
  beginRound(limit: number): void {
    this.limit = limit;
    this.current = undefined;
    for (const ring of this.rings) ring.beginRound(this.baseHi);
  }

  /** Points `record` at the next record of the round; false at its end. The record is valid until the next call. */
  next(record: EventRecord): boolean {
    let ring = this.current;
    if (ring !== undefined) ring.publishIfMuch();
    if (ring === undefined || ring.headAt > this.currentUntil) {
      ring = this.pick();
      this.current = ring;
      if (ring === undefined) return false;
    }
    const at = ring.headAt;
    record.bytes = ring.bytes;
    record.view = ring.view;
    record.load(ring.headOffset, ring.headCpu, 0);
    if (at < this.lastAt) {
      this.late++;
      if (this.lastAt - at > this.lateNsMax) this.lateNsMax = this.lastAt - at;
    } else {
      this.lastAt = at;
    }
    ring.advance();
    ring.peek(this.baseHi);
    return true;
  }

  /** Whether a round that has ended left records behind: too new, or not complete. */
  get hasMore(): boolean {
    for (const ring of this.rings) {
      if (ring.hasMore) return true;
    }
    return false;
  }

  /** Time of the oldest record left behind, ns after the base; -Infinity while the next of a ring is not complete. */
  get oldestAt(): number {
    let oldest = Infinity;
    for (const ring of this.rings) {
      if (ring.hasMore) oldest = Math.min(oldest, ring.headAt === Infinity ? -Infinity : ring.headAt);
    }
    return oldest;
  }

  /** Whether anything waits in a ring now. */
  get hasInput(): boolean {
    for (const ring of this.rings) {
      if (ring.usedBytes > 0) return true;
    }
    return false;
  }

  /** The ring with the oldest head within the limit. */
  private pick(): Ring | undefined {
    let first: Ring | undefined;
    let firstAt = Infinity;
    let secondAt = Infinity;
    for (const ring of this.rings) {
      // A writer that was not done may be by now.
      if (ring.headAt === Infinity && ring.hasMore) ring.peek(this.baseHi);
      const at = ring.headAt;
      if (at < firstAt) {
        secondAt = firstAt;
        firstAt = at;
        first = ring;
      } else if (at < secondAt) {
        secondAt = at;
      }
    }
    if (firstAt > this.limit) return undefined;
    this.currentUntil = Math.min(secondAt, this.limit);
    return first;
  }
}
