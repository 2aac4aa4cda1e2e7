/** All threads of the node, keyed by tid. Parent, child and process links are made by `ProcessTree`. Never does I/O. */
import { FdTable, type FdTableOwner } from './fd-table.ts';
import { TableCounters } from './table-counters.ts';
import { ThreadInfo } from './thread-info.ts';
import type { UndoLog } from './undo-log.ts';

export interface ThreadTableLimits {
  /** Threads kept; a new one beyond is refused and counted. */
  readonly threadsMax: number;
  /** Fds kept per process. */
  readonly fdsPerProcessMax: number;
}

export class ThreadTable implements FdTableOwner {
  readonly undo: UndoLog;
  readonly counters: TableCounters;
  readonly fdCounters: TableCounters;
  readonly fdsPerProcessMax: number;
  private readonly limits: ThreadTableLimits;
  /** Refuses every fd: the table of threads whose main thread is unknown, as the fds are the main thread's. */
  readonly orphanFds: FdTable;
  private readonly rows: Map<number, ThreadInfo>;

  constructor(limits: ThreadTableLimits, undo: UndoLog) {
    this.limits = limits;
    this.undo = undo;
    this.counters = new TableCounters();
    this.fdCounters = new TableCounters();
    this.fdsPerProcessMax = limits.fdsPerProcessMax;
    this.orphanFds = new FdTable({ undo, fdCounters: this.fdCounters, fdsPerProcessMax: 0 });
    this.rows = new Map();
  }

  get size(): number {
    return this.rows.size;
  }

  find(tid: number): ThreadInfo | undefined {
    return this.rows.get(tid);
  }

  values(): IterableIterator<ThreadInfo> {
    return this.rows.values();
  }

  /** A row that is not in the table yet, with an fd table of its own. */
  newThread(tid: number, pid: number): ThreadInfo {
    return new ThreadInfo(tid, pid, new FdTable(this));
  }

  /** Adds or replaces a row. Returns false when the table is full and the tid is new. */
  set(row: ThreadInfo): boolean {
    const old = this.rows.get(row.tid);
    if (old === undefined && this.rows.size >= this.limits.threadsMax) {
      this.counters.refused++;
      return false;
    }
    if (this.undo.enabled) this.undo.push(this, row.tid, old);
    this.rows.set(row.tid, row);
    this.counters.added++;
    return true;
  }

  delete(tid: number): boolean {
    const old = this.rows.get(tid);
    if (old === undefined) return false;
    if (this.undo.enabled) this.undo.push(this, tid, old);
    this.rows.delete(tid);
    this.counters.removed++;
    return true;
  }

  /**
   * Must be called before a row that is in the table is changed: keeps its old version for events that are still
   * retained. The row object stays the same.
   */
  touch(row: ThreadInfo): void {
    if (!this.undo.enabled || row.touchedAt === this.undo.eventNumber) return;
    this.undo.push(this, row.tid, row.copy());
    row.touchedAt = this.undo.eventNumber;
  }
}
