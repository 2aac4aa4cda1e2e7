/** What a subscription needs of a live source: the event types it can match, and whether it looks at the data read or written. */
import {
  emptyInterest,
  GENERIC_INTEREST,
  type Interest,
  WANT_ALL,
  WANT_PAYLOAD,
} from '../capture/interest.ts';
import { PPME_GENERIC_X } from '../event/event-types.ts';
import { parseFieldReference } from '../fields/field-reference.ts';
import { findParamIndexes } from '../fields/params/param-index.ts';
import { genericCodes } from './generic-calls.ts';

/** Fields made of the data itself, and those that show all parameters. */
const PAYLOAD_FIELDS: ReadonlySet<string> = new Set(['evt.buffer', 'evt.args', 'evt.info']);
const PARAMETER_FIELDS: ReadonlySet<string> = new Set(['evt.arg', 'evt.rawarg']);
const PAYLOAD_CLASS = 'syslog';
const PAYLOAD_PARAM = 'data';
const DATA_INDEXES: Int8Array = findParamIndexes(PAYLOAD_PARAM) as Int8Array;

/**
 * `eventTypes`: 1 at the index of every type that can match. `fields`: all that conditions and output read, as written.
 * `conditions`: of which one must hold.
 */
export function readerInterest(
  eventTypes: Uint8Array,
  fields: Iterable<string>,
  conditions: readonly string[],
): Interest {
  const payload = needsPayload(fields) ? WANT_PAYLOAD : 0;
  const interest = emptyInterest();
  for (let type = 0; type < eventTypes.length; type++) {
    if (eventTypes[type] !== 1) continue;
    interest[type] = WANT_ALL | ((DATA_INDEXES[type] as number) >= 0 ? payload : 0);
  }
  if (interest[PPME_GENERIC_X] === 0) return interest;
  const codes = genericCodes(conditions);
  interest[PPME_GENERIC_X] = codes.length === 0 ? 0 : WANT_ALL;
  for (const code of codes) interest[GENERIC_INTEREST + code] = WANT_ALL;
  return interest;
}

/** Whether one of the fields is read from the bytes of an I/O event. */
export function needsPayload(fields: Iterable<string>): boolean {
  for (const field of fields) {
    const { row, argument } = parseFieldReference(field);
    if (row.fieldClass === PAYLOAD_CLASS || PAYLOAD_FIELDS.has(row.name)) return true;
    if (!PARAMETER_FIELDS.has(row.name)) continue;
    // A position may be that of the data: which one it is hangs on the event type.
    if (argument === undefined || argument.index !== undefined || argument.text === PAYLOAD_PARAM)
      return true;
  }
  return false;
}
