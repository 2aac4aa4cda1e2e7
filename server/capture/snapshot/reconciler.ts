/**
 * Joins the snapshot with the events. Capture starts first, so every change is in the events, in the snapshot, or in both; what
 * is in both must not be applied to rows that are newer than it: a late clone would make a living child anew, without what it
 * has opened since. Use, with all times those of the events' clock:
 *
 *     const reconciler = new Reconciler({ hostRoot, clock, onGone: (tids) => sink.onThreadsGone?.(tids) });
 *     await collectSnapshot(sink, { hostRoot, clock, reads: reconciler });
 *     next():  if (!reconciler.isSettled && reconciler.shouldSkip(record)) -> drop the record, take the next
 *     idle:    if (!reconciler.isSettled) reconciler.advance(clock.nowNs()), once the rings are empty
 *
 * The rule, from the time each row was read (events carry the time a call returned, so its effect came before):
 * - An event older than the reading of its thread (of its process's fds, if it is about fds) is contained in the rows.
 * - A thread the snapshot does not hold and that did something before the last listing has ended since: nothing of it is left.
 * - A clone whose child the snapshot holds is contained; an exit always counts, unless it is that of an earlier thread with the tid.
 * - A program executed between the reading of the row and of the fds counts, and with it all that happened to its fds since.
 * - What is applied twice does no harm: events set what they are about, and all that follow are applied too.
 * Some seconds after the snapshot no event can be older any more. Then threads whose exit got lost are looked for, once, and
 * `isSettled` becomes true.
 */
import type { EventRecord } from '../../event/event-record.ts';
import {
  EF_CREATES_FD,
  EF_DESTROYS_FD,
  EF_USES_FD,
  EVENT_TABLE,
  type EventInfo,
} from '../../event/event-table.ts';
import {
  PPM_EVENT_MAX,
  PPME_PROCEXIT_1_E,
  PPME_SYSCALL_CLONE_20_X,
  PPME_SYSCALL_CLONE3_X,
  PPME_SYSCALL_EXECVE_19_X,
  PPME_SYSCALL_EXECVEAT_X,
  PPME_SYSCALL_FORK_20_X,
  PPME_SYSCALL_VFORK_20_X,
} from '../../event/event-types.ts';
import type { ReadTimes } from './collect-snapshot.ts';
import type { EventClock } from './node-facts.ts';
import { presenceOf } from './thread-presence.ts';

export interface ReconcilerOptions {
  readonly hostRoot: string;
  readonly clock: EventClock;
  /** Told between events: threads that ended without an event. */
  readonly onGone: (tids: readonly number[]) => void;
  /** Whether a thread lives; default: it has an entry in /proc. */
  readonly isAlive?: ((tid: number) => boolean) | undefined;
}

export interface ReconcilerCounters {
  /** Events that the snapshot contained. */
  skipped: number;
  /** Threads removed because they had ended unseen. */
  gone: number;
}

/** Not about a thread of the node. */
const KIND_NONE = 0;
const KIND_THREAD = 1;
const KIND_FD = 2;
const KIND_CLONE = 3;
const KIND_EXEC = 4;
const KIND_EXIT = 5;

const CLONES: ReadonlySet<number> = new Set([
  PPME_SYSCALL_CLONE_20_X,
  PPME_SYSCALL_CLONE3_X,
  PPME_SYSCALL_FORK_20_X,
  PPME_SYSCALL_VFORK_20_X,
]);

function kindOf(info: EventInfo): number {
  if (info.id === PPME_PROCEXIT_1_E) return KIND_EXIT;
  if (CLONES.has(info.id)) return KIND_CLONE;
  if (info.id === PPME_SYSCALL_EXECVE_19_X || info.id === PPME_SYSCALL_EXECVEAT_X) return KIND_EXEC;
  if (info.source !== 'SYSCALL' && info.source !== 'TRACEPOINT') return KIND_NONE;
  return (info.flags & (EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD)) === 0 ? KIND_THREAD : KIND_FD;
}

function kindTable(): Uint8Array {
  const table = new Uint8Array(PPM_EVENT_MAX);
  for (const info of EVENT_TABLE) table[info.id] = kindOf(info);
  return table;
}

const KINDS = kindTable();
const TWO_32 = 4294967296;
const NS_PER_MS = 1e6;
/** Reading times may be late by what two clocks differ. */
const CLOCK_MARGIN_NS = 2 * NS_PER_MS;
/** How long a call may take from what it does to its event: the caller of clone may wait for its turn. */
const GRACE_NS = 2000 * NS_PER_MS;
/** Threads looked up in one go. */
const CHECKS_PER_TURN = 128;

interface Row {
  readonly pid: number;
  readonly startNs: number;
  readonly readNs: number;
}

export class Reconciler implements ReadTimes {
  /** Nothing is left to do: `shouldSkip` would answer false for ever. */
  isSettled: boolean;
  readonly counters: ReconcilerCounters;
  private readonly options: ReconcilerOptions;
  private readonly startedNs: number;
  /** What the snapshot holds and no event has changed hands of. */
  private readonly rows: Map<number, Row>;
  /** By owner of the fd table. */
  private readonly fdReads: Map<number, number>;
  private listedNs: number;
  private endedNs: number;
  /** Rows still to be looked up; undefined before the stream has caught up. */
  private unchecked: number[] | undefined;
  private readonly missing: Set<number>;
  private checkedNs: number;

  constructor(options: ReconcilerOptions) {
    this.isSettled = false;
    this.counters = { skipped: 0, gone: 0 };
    this.options = options;
    this.startedNs = Number(options.clock.nowNs());
    this.rows = new Map();
    this.fdReads = new Map();
    this.listedNs = Number.POSITIVE_INFINITY;
    this.endedNs = Number.POSITIVE_INFINITY;
    this.unchecked = undefined;
    this.missing = new Set();
    this.checkedNs = Number.POSITIVE_INFINITY;
  }

  onThreadRead(tid: number, pid: number, startNs: number, readNs: number): void {
    this.rows.set(tid, { pid, startNs, readNs });
  }

  onFdsRead(tid: number, readNs: number): void {
    this.fdReads.set(tid, readNs);
  }

  onComplete(listedNs: number, endedNs: number): void {
    this.listedNs = listedNs - CLOCK_MARGIN_NS;
    this.endedNs = endedNs;
  }

  /** Whether the snapshot contains the event. To be asked of every event, in order, until `isSettled`. */
  shouldSkip(record: EventRecord): boolean {
    if (this.isSettled) return false;
    const tsNs = record.tsHi * TWO_32 + record.tsLo;
    this.progress(tsNs);
    if (!this.isContained(record, tsNs)) return false;
    this.counters.skipped++;
    return true;
  }

  /** Every event older than `nowNs` has been handed out: for times in which no events come. */
  advance(nowNs: bigint): void {
    if (!this.isSettled) this.progress(Number(nowNs));
  }

  private isContained(record: EventRecord, tsNs: number): boolean {
    const { tid } = record;
    switch (KINDS[record.type]) {
      case KIND_NONE:
        return false;
      case KIND_EXIT:
        return this.isExitContained(tid, tsNs);
      case KIND_CLONE:
        return this.isCloneContained(record, tsNs);
      case KIND_EXEC:
        return this.isExecContained(tid, tsNs);
      case KIND_FD:
        return this.isFdEventContained(tid, tsNs);
      default:
        return this.isThreadEventContained(tid, tsNs);
    }
  }

  private isThreadEventContained(tid: number, tsNs: number): boolean {
    const row = this.rows.get(tid);
    return tsNs < (row === undefined ? this.listedNs : row.readNs - CLOCK_MARGIN_NS);
  }

  private isFdEventContained(tid: number, tsNs: number): boolean {
    const row = this.rows.get(tid);
    if (row === undefined) return tsNs < this.listedNs;
    const readNs = this.fdReads.get(this.ownerOf(tid)) ?? row.readNs;
    return tsNs < readNs - CLOCK_MARGIN_NS;
  }

  /** Whose fds the thread has: its own, or its main thread's. */
  private ownerOf(tid: number): number {
    return this.fdReads.has(tid) ? tid : (this.rows.get(tid)?.pid ?? tid);
  }

  private isExecContained(tid: number, tsNs: number): boolean {
    if (this.isThreadEventContained(tid, tsNs)) return true;
    // It closes what is marked so, also what the new program opened before its fds were read: all since then counts again.
    if (this.isFdEventContained(tid, tsNs)) this.fdReads.set(this.ownerOf(tid), tsNs);
    return false;
  }

  private isExitContained(tid: number, tsNs: number): boolean {
    const row = this.rows.get(tid);
    if (row === undefined) return tsNs < this.listedNs;
    if (tsNs < row.startNs - CLOCK_MARGIN_NS) return true;
    this.forget(tid);
    return false;
  }

  private isCloneContained(record: EventRecord, tsNs: number): boolean {
    const result = record.number(0);
    if (result < 0) return this.isThreadEventContained(record.tid, tsNs);
    // In a pid namespace the result is not the tid we know; the parser leaves those to the child's own event.
    const childTid = result === 0 ? record.tid : result;
    if (tsNs < this.listedNs) return true;
    const row = this.rows.get(childTid);
    if (row === undefined) return false;
    // Made since capture began: it is this child, or a later one with the tid. An old row means that its exit was lost.
    if (row.startNs >= this.startedNs - GRACE_NS) return true;
    this.forget(childTid);
    return false;
  }

  private forget(tid: number): void {
    this.rows.delete(tid);
    this.fdReads.delete(tid);
    this.missing.delete(tid);
  }

  /** `watermarkNs`: every older event has been handed out. */
  private progress(watermarkNs: number): void {
    if (watermarkNs <= this.endedNs + GRACE_NS) return;
    this.unchecked ??= [...this.rows.keys()];
    if (this.unchecked.length > 0) this.checkSome(this.unchecked);
    if (watermarkNs <= this.checkedNs + CLOCK_MARGIN_NS) return;
    const gone = [...this.missing];
    this.counters.gone += gone.length;
    this.settle();
    if (gone.length > 0) this.options.onGone(gone);
  }

  /** Rows whose thread is no more; the event of its exit may still be on its way. */
  private checkSome(unchecked: number[]): void {
    const isAlive = this.options.isAlive ?? presenceOf(this.options.hostRoot);
    for (const tid of unchecked.splice(-CHECKS_PER_TURN)) {
      if (this.rows.has(tid) && !isAlive(tid)) this.missing.add(tid);
    }
    if (unchecked.length === 0) this.checkedNs = Number(this.options.clock.nowNs());
  }

  private settle(): void {
    this.isSettled = true;
    this.rows.clear();
    this.fdReads.clear();
    this.missing.clear();
  }
}
