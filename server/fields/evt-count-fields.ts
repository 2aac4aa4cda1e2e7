/** `evt.count*` and `evt.failed`: ones to add up. */
import type { EventRecord } from '../event/event-record.ts';
import {
  PPME_PROCINFO_E,
  PPME_SOCKET_ACCEPT_5_X,
  PPME_SOCKET_ACCEPT4_6_X,
  PPME_SOCKET_CONNECT_X,
  PPME_SYSCALL_CREAT_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
  PPME_SYSCALL_OPEN_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT2_X,
} from '../event/event-types.ts';
import type { FdInfo } from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { hasResult } from './evt-result.ts';
import { isIpSocket } from './fd-kinds.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';

const row = rowsOf('evt');

/** Calls that make a file's fd: when they fail there is no fd to tell the kind from. */
const FILE_OPENERS: ReadonlySet<number> = new Set([
  PPME_SYSCALL_OPEN_X,
  PPME_SYSCALL_CREAT_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT2_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
]);

/** Calls that make a connection's fd. */
const CONNECTION_OPENERS: ReadonlySet<number> = new Set([
  PPME_SOCKET_ACCEPT_5_X,
  PPME_SOCKET_ACCEPT4_6_X,
  PPME_SOCKET_CONNECT_X,
]);

/** 1 for an error, 0 for success, undefined for events without a return value. */
function errorCount(record: EventRecord): number | undefined {
  if (!hasResult(record)) return undefined;
  return record.number(0) < 0 ? 1 : 0;
}

function isFileKind(fd: FdInfo): boolean {
  return fd.isFile() || fd.isDirectory();
}

function isNetKind(fd: FdInfo): boolean {
  return isIpSocket(fd.type) || fd.isUnixSocket();
}

function isMemory(record: EventRecord): boolean {
  return record.info.category === 'MEMORY';
}

function countsAsFile({ record, fd }: InspectedEvent): boolean {
  return fd === undefined ? FILE_OPENERS.has(record.type) : isFileKind(fd);
}

function countsAsNet({ record, fd }: InspectedEvent): boolean {
  return fd === undefined ? CONNECTION_OPENERS.has(record.type) : isNetKind(fd);
}

function countsAsOther(event: InspectedEvent): boolean {
  if (countsAsFile(event) || countsAsNet(event)) return false;
  return event.fd !== undefined || !isMemory(event.record);
}

/** Counts errors of events the condition holds for; absent for all others. */
function errorsWhere(isCounted: (event: InspectedEvent) => boolean): Extractor {
  return (event) => (isCounted(event) ? errorCount(event.record) : undefined);
}

function failed({ record }: InspectedEvent): boolean | undefined {
  return hasResult(record) ? record.number(0) < 0 : undefined;
}

function procinfoCount({ record, thread }: InspectedEvent): number {
  return record.type === PPME_PROCINFO_E && thread?.isMain() === true ? 1 : 0;
}

const count = (name: string, description: string, extract: Extractor) =>
  row(name, 'uint32', 'DEC', description, extract);

export const EVT_FAILED_FIELD: FieldRow = row(
  'evt.failed',
  'bool',
  'NA',
  'whether the call returned an error',
  failed,
);

export const EVT_COUNT_FIELDS: readonly FieldRow[] = [
  count('evt.count', 'always 1, for counting', () => 1),
  count('evt.count.error', '1 when the event failed', ({ record }) => errorCount(record)),
  count('evt.count.error.file', '1 for failed file events', errorsWhere(countsAsFile)),
  count('evt.count.error.net', '1 for failed network events', errorsWhere(countsAsNet)),
  count(
    'evt.count.error.memory',
    '1 for failed memory events',
    errorsWhere(({ record }) => isMemory(record)),
  ),
  count('evt.count.error.other', '1 for failures outside file, net and memory', errorsWhere(countsAsOther)),
  count('evt.count.exit', '1 for exit events', ({ record }) => (record.info.isEnter ? undefined : 1)),
  row('evt.count.procinfo', 'uint32', 'DEC', '1 for procinfo of main threads', procinfoCount, {
    tableOnly: true,
  }),
  row(
    'evt.count.threadinfo',
    'uint32',
    'DEC',
    '1 for procinfo events',
    ({ record }) => (record.type === PPME_PROCINFO_E ? 1 : 0),
    { tableOnly: true },
  ),
];
