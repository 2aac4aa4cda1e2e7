/** The open fds of one process, keyed by fd number. Threads of a process share the table of their main thread. */
import type { FdInfo } from './fd-info.ts';
import { BUCKETS_MIN, type FdOrder, forkedOrder, nextBucketCount, walkOf } from './fd-order.ts';
import type { TableCounters } from './table-counters.ts';
import type { UndoLog } from './undo-log.ts';

/** Limit and bookkeeping that all fd tables share. */
export interface FdTableOwner {
  readonly undo: UndoLog;
  readonly fdCounters: TableCounters;
  /** Fds one process may have in its table; more are refused and counted. */
  readonly fdsPerProcessMax: number;
}

export class FdTable {
  private readonly owner: FdTableOwner;
  private rows: Map<number, FdInfo>;
  /** Rows shared with a forked relative: they are copied before a change. */
  private shared: boolean;
  /** How many forks lie between the table that made the shared rows and this one: each one changes the order. */
  private forks: number;
  /** Buckets of the table that made the rows, for their order. */
  private bucketCount: number;
  /** False until the first change: no older event can ask about a table that was always empty. */
  private isUsed: boolean;

  constructor(owner: FdTableOwner) {
    this.owner = owner;
    this.rows = new Map();
    this.shared = false;
    this.forks = 0;
    this.bucketCount = BUCKETS_MIN;
    this.isUsed = false;
  }

  get size(): number {
    return this.rows.size;
  }

  /** The fd's row, or undefined. Callers that change it take it from `write`. */
  find(fd: number): FdInfo | undefined {
    return this.rows.get(fd);
  }

  values(): IterableIterator<FdInfo> {
    return this.rows.values();
  }

  entries(): IterableIterator<[number, FdInfo]> {
    return this.rows.entries();
  }

  /** The fd numbers in the order in which lists show them. */
  walk(): number[] {
    return walkOf(this.order());
  }

  /** Buckets of the table that gives the order, after what forks have made of it. */
  get buckets(): number {
    return this.order().bucketCount;
  }

  /**
   * Puts the rows into the order of another table: `fds` oldest first. Fds that are not named go last. For initial state only:
   * the order is not versioned.
   */
  arrange(fds: readonly number[], bucketCount: number): void {
    this.unshare();
    const rows = new Map<number, FdInfo>();
    for (const fd of [...fds, ...this.rows.keys()]) {
      const row = this.rows.get(fd);
      if (row !== undefined) rows.set(fd, row);
    }
    this.rows = rows;
    this.bucketCount = Math.max(BUCKETS_MIN, bucketCount);
  }

  /** Adds or replaces a row. Returns false when the table is full and the fd is new: the row is refused and counted. */
  set(fd: number, row: FdInfo): boolean {
    const old = this.rows.get(fd);
    if (old === undefined && this.rows.size >= this.owner.fdsPerProcessMax) {
      this.owner.fdCounters.refused++;
      return false;
    }
    if (this.owner.undo.enabled) this.owner.undo.push(this, fd, old);
    this.unshare();
    this.isUsed = true;
    if (old === undefined && this.rows.size === this.bucketCount) this.grow();
    this.rows.set(fd, row);
    this.owner.fdCounters.added++;
    return true;
  }

  /** The row to change in place: a private copy when it is shared or an older event may still ask for it. */
  write(fd: number): FdInfo | undefined {
    const row = this.rows.get(fd);
    if (row === undefined) return undefined;
    const logged = this.owner.undo.enabled;
    if (!logged && !this.shared) return row;
    if (logged) this.owner.undo.push(this, fd, row);
    // A copied row may still be shared by a relative that forked earlier, so `shared` stays as it is.
    if (this.shared) this.unshare();
    const copy = (this.rows.get(fd) as FdInfo).copy();
    this.rows.set(fd, copy);
    return copy;
  }

  delete(fd: number): boolean {
    const old = this.rows.get(fd);
    if (old === undefined) return false;
    if (this.owner.undo.enabled) this.owner.undo.push(this, fd, old);
    this.unshare();
    this.rows.delete(fd);
    this.owner.fdCounters.removed++;
    return true;
  }

  clear(): void {
    if (this.owner.undo.enabled) {
      for (const [fd, row] of this.rows) this.owner.undo.push(this, fd, row);
    }
    this.owner.fdCounters.removed += this.rows.size;
    this.rows = new Map();
    this.shared = false;
    this.forks = 0;
  }

  /** Replaces all rows by those of `other` (a fork's child). Rows are shared until either side changes one. */
  copyFrom(other: FdTable): void {
    if (this.owner.undo.enabled && this.isUsed) {
      for (const [fd, row] of this.rows) this.owner.undo.push(this, fd, row);
      for (const fd of other.rows.keys()) {
        if (!this.rows.has(fd)) this.owner.undo.push(this, fd, undefined);
      }
    }
    this.owner.fdCounters.removed += this.rows.size;
    this.owner.fdCounters.added += other.rows.size;
    this.rows = other.rows;
    this.isUsed = true;
    this.shared = true;
    this.forks = other.forks + 1;
    this.bucketCount = other.bucketCount;
    other.shared = true;
  }

  /** Gives this table its own map with its own rows: cheap for the many forks that exec or exit at once. */
  private unshare(): void {
    if (!this.shared) return;
    const { fds, bucketCount } = this.order();
    const rows = new Map<number, FdInfo>();
    for (const fd of fds) rows.set(fd, (this.rows.get(fd) as FdInfo).copy());
    this.bucketCount = bucketCount;
    this.rows = rows;
    this.shared = false;
    this.forks = 0;
  }

  private order(): FdOrder {
    let order: FdOrder = { fds: [...this.rows.keys()], bucketCount: this.bucketCount };
    for (let i = 0; i < this.forks; i++) order = forkedOrder(order);
    return order;
  }

  /** More buckets: from then on the rows are ordered as if they had come in as they were walked. */
  private grow(): void {
    const rows = new Map<number, FdInfo>();
    for (const fd of this.walk()) rows.set(fd, this.rows.get(fd) as FdInfo);
    this.rows = rows;
    this.bucketCount = nextBucketCount(this.bucketCount);
  }
}
