/** The return value of a call: the first parameter of every system call's exit event. */
import type { EventRecord } from '../event/event-record.ts';
import { EVENT_TABLE } from '../event/event-table.ts';
import { PPME_GENERIC_X } from '../event/event-types.ts';

/** 1 for the types whose first parameter is a result. Generic events start with the call's code instead. */
const RESULT_TYPES = Uint8Array.from(EVENT_TABLE, (info) =>
  info.source === 'SYSCALL' && !info.isEnter && info.params.length > 0 && info.id !== PPME_GENERIC_X ? 1 : 0,
);

/** Whether the event carries a return value. */
export function hasResult(record: EventRecord): boolean {
  return RESULT_TYPES[record.type] === 1 && record.lengthOf(0) >= 4;
}

/** Whether the event carries a return value that is not an error. */
export function hasSucceeded(record: EventRecord): boolean {
  return hasResult(record) && record.number(0) >= 0;
}
