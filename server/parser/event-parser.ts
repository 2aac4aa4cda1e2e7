/**
 * From event to state. The inspector calls, for every event and in this order: `begin` (find the thread and fd, decode the
 * result), `parse` (apply the change so that all readers see the state after the event), then the readers run, then
 * `finish` (removals and other verdicts that must wait until all have looked).
 */
import {
  PPM_EVENT_MAX,
  PPME_ASYNCEVENT_E,
  PPME_PLUGINEVENT_E,
  PPME_SCHEDSWITCH_6_E,
} from '../event/event-types.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { OsState } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { CLONE_HANDLERS } from './clone-events.ts';
import { CONTAINER_HANDLERS } from './container-events.ts';
import { DIRECTORY_HANDLERS } from './directory-events.ts';
import {
  FD_PARAM,
  HAS_RESULT,
  IS_FD_EVENT,
  LOOKUP_FIND,
  LOOKUP_NONE,
  THREAD_LOOKUP,
} from './event-traits.ts';
import { EXEC_HANDLERS } from './exec-events.ts';
import { EXIT_HANDLERS } from './exit-events.ts';
import { FD_HANDLERS } from './fd-events.ts';
import { IDENTITY_HANDLERS } from './identity-events.ts';
import { IO_HANDLERS } from './io-events.ts';
import { ITERATOR_HANDLERS } from './iterator-events.ts';
import { OPEN_HANDLERS } from './open-events.ts';
import { type EventHandler, ParserContext, type ParserOptions } from './parser-context.ts';
import { RESOURCE_HANDLERS } from './resource-events.ts';
import { SOCKET_HANDLERS } from './socket-events.ts';

export interface ParserCounters {
  /** Placeholder rows made for tids nobody introduced. */
  placeholders: number;
  /** Events whose stored enter half was used / was missing. */
  storedEventsUsed: number;
  storedEventsMissing: number;
  /** Container events whose JSON could not be read. */
  containerJsonInvalid: number;
  /** Pod events whose JSON could not be read. */
  podJsonInvalid: number;
}

const HANDLERS: readonly (EventHandler | undefined)[] = handlerTable();

function handlerTable(): (EventHandler | undefined)[] {
  const table = new Array<EventHandler | undefined>(PPM_EVENT_MAX).fill(undefined);
  const families = [
    OPEN_HANDLERS,
    FD_HANDLERS,
    SOCKET_HANDLERS,
    IO_HANDLERS,
    CLONE_HANDLERS,
    EXEC_HANDLERS,
    EXIT_HANDLERS,
    DIRECTORY_HANDLERS,
    IDENTITY_HANDLERS,
    RESOURCE_HANDLERS,
    CONTAINER_HANDLERS,
    ITERATOR_HANDLERS,
  ];
  for (const [type, handler] of families.flat()) table[type] = handler;
  return table;
}

/** 1 for every event type whose parsing may change the state. */
export const HANDLED_TYPES: Uint8Array = Uint8Array.from(HANDLERS, (handler) =>
  handler === undefined ? 0 : 1,
);

export class EventParser {
  readonly counters: ParserCounters;
  private readonly context: ParserContext;

  constructor(state: OsState, options: ParserOptions = {}) {
    this.counters = {
      placeholders: 0,
      storedEventsUsed: 0,
      storedEventsMissing: 0,
      containerJsonInvalid: 0,
      podJsonInvalid: 0,
    };
    this.context = new ParserContext(state, this.counters, options);
  }

  begin(event: InspectedEvent): void {
    const { record } = event;
    const { type } = record;
    event.thread = undefined;
    event.fd = undefined;
    event.fdNumber = -1;
    event.errorCode = 0;
    event.fdNameChanged = false;
    event.source = 'syscall';
    const lookup = THREAD_LOOKUP[type] as number;
    if (lookup === LOOKUP_NONE) {
      // Whose event it is, the host of the plugins knows.
      if (type === PPME_PLUGINEVENT_E || type === PPME_ASYNCEVENT_E) {
        if (record.unsignedNumber(0) !== 0) event.source = '';
      }
      return;
    }
    const { context } = this;
    const thread = lookup === LOOKUP_FIND ? context.threads.find(record.tid) : context.getThread(record.tid);
    if (thread === undefined) return;
    event.thread = thread;
    if (HAS_RESULT[type] === 1) {
      const result = record.number(0);
      if (result < 0) event.errorCode = -result;
    }
    const fdParam = FD_PARAM[type] as number;
    if (fdParam >= 0 && !record.isEmpty(fdParam)) {
      const fd = record.number(fdParam);
      event.fdNumber = fd;
      if (fd >= 0) this.findFd(event, thread, fd);
    }
    if (record.info.isEnter && type !== PPME_SCHEDSWITCH_6_E) thread.lastEventType = type;
  }

  private findFd(event: InspectedEvent, thread: ThreadInfo, fd: number): void {
    const { fdCounters } = this.context.threads;
    event.fd = thread.fds.find(fd);
    if (event.fd === undefined) fdCounters.misses++;
    else fdCounters.hits++;
  }

  parse(event: InspectedEvent): void {
    const { type } = event.record;
    const handler = HANDLERS[type];
    if (handler === undefined) return;
    const { context } = this;
    context.fdNameBefore = event.fd === undefined ? '' : event.fd.name;
    handler(context, event);
    if (event.fd !== undefined) {
      event.fdNameChanged = event.fd.name !== context.fdNameBefore;
    } else if (event.fdNumber >= 0 && IS_FD_EVENT[type] === 1) {
      event.fd = event.thread?.fds.find(event.fdNumber);
    }
  }

  /** Drops what is kept to recognize these containers. */
  forgetContainers(ids: ReadonlySet<string>): void {
    this.context.cgroups.forget(ids);
  }

  finish(event: InspectedEvent): void {
    const { context } = this;
    if (context.removeTid !== -1) {
      context.tree.remove(context.removeTid);
      context.removeTid = -1;
    }
    if (context.removeContainer !== undefined) {
      context.deleteContainer(context.removeContainer);
      context.removeContainer = undefined;
    }
    if (context.removePod !== undefined) {
      context.state.pods.delete(context.removePod);
      context.removePod = undefined;
    }
    if (context.removeFdTable !== undefined) {
      context.removeFdTable.delete(context.removeFd);
      context.removeFdTable = undefined;
    }
    const { thread, record } = event;
    if (thread === undefined || record.type === PPME_SCHEDSWITCH_6_E) return;
    if (!record.info.isEnter) thread.storedEvent = undefined;
    thread.lastEventTsHi = record.tsHi;
    thread.lastEventTsLo = record.tsLo;
  }
}
