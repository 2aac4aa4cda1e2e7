/** A state made by hand and events read against it, without a parser: what a field extractor sees. */
import { EventRecord } from '../../server/event/event-record.ts';
import { FdInfo } from '../../server/state/fd-info.ts';
import { InspectedEvent } from '../../server/state/inspected-event.ts';
import { OsState } from '../../server/state/os-state.ts';
import type { ThreadInfo } from '../../server/state/thread-info.ts';
import { buildEventBytes, type EventOptions, loadEvent, type ParamValue } from './event-builder.ts';

export class EventContext {
  readonly state: OsState;
  readonly event: InspectedEvent;

  constructor() {
    this.state = new OsState();
    this.event = new InspectedEvent(new EventRecord(), this.state);
  }

  /** Adds a main thread. */
  process(tid: number, comm: string, cwd = '/home/'): ThreadInfo {
    const row = this.state.threads.newThread(tid, tid);
    row.ptid = 1;
    row.comm = comm;
    row.cwd = cwd;
    this.state.threads.set(row);
    this.state.tree.link(row);
    return row;
  }

  /** An event of the thread `tid` (1000 when not given), acting on the fd `fdNumber`. */
  show(
    code: string,
    params: Readonly<Record<string, ParamValue>> = {},
    options: EventOptions & { readonly fdNumber?: number } = {},
  ): InspectedEvent {
    const { event, state } = this;
    loadEvent(event.record, buildEventBytes(code, params, options), options);
    event.thread = state.threads.find(Number(options.tid ?? 1000));
    event.fdNumber = options.fdNumber ?? -1;
    event.fd = event.thread?.fds.find(event.fdNumber);
    event.firstTsHi = event.record.tsHi;
    event.firstTsLo = event.record.tsLo;
    event.previousTsHi = event.record.tsHi;
    event.previousTsLo = event.record.tsLo;
    return event;
  }
}

/** An fd of a kind with a name and whatever else is given. */
export function fdOf(type: number, name: string, rest: Partial<FdInfo> = {}): FdInfo {
  return Object.assign(new FdInfo(type), { name }, rest);
}
