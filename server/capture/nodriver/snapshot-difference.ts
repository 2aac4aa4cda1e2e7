/** What is new, different or gone between two readings of a node. */
import type { FdEntry, ThreadChange, ThreadEntry } from '../../event/snapshot.ts';

export interface SnapshotChanges {
  /** Main threads before the others. */
  readonly changed: readonly ThreadChange[];
  readonly gone: readonly number[];
}

interface Reading {
  readonly thread: ThreadEntry;
  fds: readonly FdEntry[] | undefined;
}

/** Fill with `add` and `addFds`, then `finish`: the differences to what was there at the `finish` before. */
export class SnapshotDifference {
  private before: Map<number, Reading>;
  private now: Map<number, Reading>;

  constructor() {
    this.before = new Map();
    this.now = new Map();
  }

  add(thread: ThreadEntry): void {
    this.now.set(thread.tid, { thread, fds: undefined });
  }

  /** After the thread's `add`. */
  addFds(tid: number, fds: readonly FdEntry[]): void {
    const reading = this.now.get(tid);
    if (reading !== undefined) reading.fds = fds;
  }

  finish(): SnapshotChanges {
    const changed: ThreadChange[] = [];
    const others: ThreadChange[] = [];
    for (const [tid, reading] of this.now) {
      const old = this.before.get(tid);
      if (old !== undefined && isSameRow(old.thread, reading.thread) && areSameFds(old.fds, reading.fds))
        continue;
      (reading.thread.tid === reading.thread.pid ? changed : others).push(reading);
    }
    const gone = [...this.before.keys()].filter((tid) => !this.now.has(tid));
    this.before = this.now;
    this.now = new Map();
    return { changed: [...changed, ...others], gone };
  }
}

function areSameFds(a: readonly FdEntry[] | undefined, b: readonly FdEntry[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.length !== b.length) return false;
  return a.every((entry, index) => isSameRow(entry, b[index] as FdEntry));
}

/** Rows are flat. */
function isSameRow<Row extends object>(a: Row, b: Row): boolean {
  for (const key of Object.keys(a) as (keyof Row)[]) {
    if (a[key] !== b[key]) return false;
  }
  return true;
}
