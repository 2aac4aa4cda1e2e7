/** What is remembered of an event that outlives its turn in the loop, beside its bytes, and how it is put together again. */
import type { EventRecord } from '../event/event-record.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { StateView } from '../state/os-state.ts';

export interface EventMeta {
  num: number;
  cpu: number;
  flags: number;
  /** Whether the event was shown with a thread and an fd: not every event of a known tid or fd number is. */
  hasThread: boolean;
  hasFd: boolean;
  /** Not always the record's: events of task iterators are about another thread. */
  threadTid: number;
  fdNumber: number;
  errorCode: number;
  fdNameChanged: boolean;
  source: string;
  firstTsHi: number;
  firstTsLo: number;
  previousTsHi: number;
  previousTsLo: number;
}

export function emptyMeta(): EventMeta {
  return {
    num: 0,
    cpu: 0,
    flags: 0,
    hasThread: false,
    hasFd: false,
    threadTid: -1,
    fdNumber: -1,
    errorCode: 0,
    fdNameChanged: false,
    source: 'syscall',
    firstTsHi: 0,
    firstTsLo: 0,
    previousTsHi: 0,
    previousTsLo: 0,
  };
}

/** Takes down what parsing found out about the event. Called after it was parsed and before its verdicts are applied. */
export function fillMeta(meta: EventMeta, event: InspectedEvent): void {
  const { record } = event;
  meta.num = record.num;
  meta.cpu = record.cpu;
  meta.flags = record.flags;
  meta.hasThread = event.thread !== undefined;
  meta.threadTid = event.thread === undefined ? -1 : event.thread.tid;
  meta.hasFd = event.fd !== undefined;
  meta.fdNumber = event.fdNumber;
  meta.errorCode = event.errorCode;
  meta.fdNameChanged = event.fdNameChanged;
  meta.source = event.source;
  meta.firstTsHi = event.firstTsHi;
  meta.firstTsLo = event.firstTsLo;
  meta.previousTsHi = event.previousTsHi;
  meta.previousTsLo = event.previousTsLo;
}

/** Makes `target` the event again, read with `state`. `record` is its record and points at the bytes already. */
export function restoreMeta(
  meta: EventMeta,
  target: InspectedEvent,
  record: EventRecord,
  state: StateView,
): void {
  record.num = meta.num;
  target.state = state;
  target.source = meta.source;
  const thread = meta.hasThread ? state.findThread(meta.threadTid) : undefined;
  target.thread = thread;
  target.fdNumber = meta.fdNumber;
  target.fd = thread === undefined || !meta.hasFd ? undefined : state.findFd(thread.fds, meta.fdNumber);
  target.errorCode = meta.errorCode;
  target.fdNameChanged = meta.fdNameChanged;
  target.firstTsHi = meta.firstTsHi;
  target.firstTsLo = meta.firstTsLo;
  target.previousTsHi = meta.previousTsHi;
  target.previousTsLo = meta.previousTsLo;
  target.scratch.clear();
}
