/** Rows of the `syslog` class: a message written to /dev/log, as `<priority>text`. */
import type { InspectedEvent } from '../state/inspected-event.ts';
import { isSyslogWrite } from './evt-io-fields.ts';
import { hasSucceeded } from './evt-result.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { findParamIndexes } from './params/param-index.ts';

const row = rowsOf('syslog');

const FACILITIES = (
  'kern user mail daemon auth syslog lpr news uucp clock authpriv ftp ntp logaudit logalert cron ' +
  'local0 local1 local2 local3 local4 local5 local6 local7'
).split(' ');
const SEVERITIES = 'emerg alert crit err warn notice info debug'.split(' ');

/** Longest priority looked for, in digits. */
const PRIORITY_DIGITS_MAX = 15;
const DATA_INDEXES = findParamIndexes('data') as Int8Array;

/** The payload of a successful write to the log; '' for any other event. */
function logData(event: InspectedEvent): string {
  const { record } = event;
  const at = DATA_INDEXES[record.type] as number;
  return at >= 0 && isSyslogWrite(event) && hasSucceeded(record) ? record.binary(at) : '';
}

/** Length of the text between the first byte, whatever it is, and `>`. */
function priorityLength(data: string): number {
  let end = 1;
  while (end < data.length && end <= PRIORITY_DIGITS_MAX) {
    const code = data.charCodeAt(end);
    if (code === 62 || code === 0) break;
    end++;
  }
  return end - 1;
}

/** The priority number; undefined when the data does not start with one. */
function priorityOf(data: string): number | undefined {
  const length = priorityLength(data);
  if (length <= 0) return undefined;
  let priority = 0;
  for (let i = 1; i <= length; i++) {
    const digit = data.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    priority = priority * 10 + digit;
  }
  return priority <= 0x7fffffff ? priority : undefined;
}

function fromPriority(read: (priority: number) => number | string): Extractor {
  return (event) => {
    const data = logData(event);
    const priority = data === '' ? undefined : priorityOf(data);
    return priority === undefined ? undefined : read(priority);
  };
}

function message(event: InspectedEvent): string | undefined {
  const data = logData(event);
  if (data === '' || priorityOf(data) === undefined) return undefined;
  return data.slice(priorityLength(data) + 2);
}

export const SYSLOG_FIELDS: readonly FieldRow[] = [
  row(
    'syslog.facility.str',
    'string',
    'NA',
    'facility of the log message as a word',
    fromPriority((priority) => FACILITIES[priority >> 3] ?? '<NA>'),
  ),
  row(
    'syslog.facility',
    'uint32',
    'DEC',
    'facility of the log message, 0 to 23',
    fromPriority((priority) => priority >> 3),
  ),
  row(
    'syslog.severity.str',
    'string',
    'NA',
    'severity of the log message as a word: emerg, alert, crit, err, warn, notice, info, debug',
    fromPriority((priority) => SEVERITIES[priority & 7] as string),
  ),
  row(
    'syslog.severity',
    'uint32',
    'DEC',
    'severity of the log message, 0 to 7',
    fromPriority((priority) => priority & 7),
  ),
  row('syslog.message', 'string', 'NA', 'text of the log message', message),
];
