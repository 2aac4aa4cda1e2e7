/** `evt.*`: data moved through fds, and waiting. */
import { EF_READS_FROM_FD, EF_WAITS, EF_WRITES_TO_FD, EVENT_TABLE } from '../event/event-table.ts';
import type { Integer } from '../event/u64.ts';
import type { FdInfo } from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { IO_KINDS, IO_NONE, IO_READ, IO_WRITE } from './evt-category-field.ts';
import { hasSucceeded } from './evt-result.ts';
import { isIpSocket } from './fd-kinds.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';

const row = rowsOf('evt');

/** Bytes moved by a call that succeeded on a known fd of the wanted kind, in the wanted direction. */
function bufferLength(direction: number | undefined, isKind: (fd: FdInfo) => boolean): Extractor {
  return ({ record, fd }: InspectedEvent): Integer | undefined => {
    const kind = IO_KINDS[record.type] as number;
    if (fd === undefined || (direction === undefined ? kind === IO_NONE : kind !== direction))
      return undefined;
    return isKind(fd) && hasSucceeded(record) ? record.signed(0) : undefined;
  };
}

const isAny = () => true;
const isFile = (fd: FdInfo) => fd.isFile();
const isNet = (fd: FdInfo) => isIpSocket(fd.type);

function hasFlags(flags: number): Extractor {
  const types = Uint8Array.from(EVENT_TABLE, (info) => ((info.flags & flags) === 0 ? 0 : 1));
  return ({ record }) => types[record.type] === 1;
}

function direction({ record }: InspectedEvent): string | undefined {
  const { flags } = record.info;
  if ((flags & EF_WRITES_TO_FD) !== 0) return 'write';
  return (flags & EF_READS_FROM_FD) === 0 ? undefined : 'read';
}

/** Whether the event writes to the socket of the system log. */
export function isSyslogWrite({ record, fd }: InspectedEvent): boolean {
  return (record.info.flags & EF_WRITES_TO_FD) !== 0 && fd?.name.includes('/dev/log') === true;
}

/** A length that only tables of the reference's tools show. */
function tableLength(
  name: string,
  description: string,
  way: number | undefined,
  isKind: typeof isFile,
): FieldRow {
  return row(name, 'uint64', 'DEC', description, bufferLength(way, isKind), { tableOnly: true });
}

export const EVT_IO_FIELDS: readonly FieldRow[] = [
  row('evt.buflen', 'uint64', 'DEC', 'length of the I/O payload', bufferLength(undefined, isAny)),
  row(
    'evt.is_io',
    'bool',
    'NA',
    'event moves data through an fd',
    hasFlags(EF_READS_FROM_FD | EF_WRITES_TO_FD),
  ),
  row('evt.is_io_read', 'bool', 'NA', 'event reads from an fd', hasFlags(EF_READS_FROM_FD)),
  row('evt.is_io_write', 'bool', 'NA', 'event writes to an fd', hasFlags(EF_WRITES_TO_FD)),
  row('evt.io_dir', 'string', 'NA', 'r or w for I/O events', direction),
  row('evt.is_wait', 'bool', 'NA', 'event makes the thread wait', hasFlags(EF_WAITS)),
  row('evt.is_syslog', 'bool', 'NA', 'write to /dev/log', isSyslogWrite),
];

export const EVT_BUFLEN_FIELDS: readonly FieldRow[] = [
  tableLength('evt.buflen.in', 'payload length, input only', IO_READ, isAny),
  tableLength('evt.buflen.out', 'payload length, output only', IO_WRITE, isAny),
  tableLength('evt.buflen.file', 'payload length, files only', undefined, isFile),
  tableLength('evt.buflen.file.in', 'payload length, file reads', IO_READ, isFile),
  tableLength('evt.buflen.file.out', 'payload length, file writes', IO_WRITE, isFile),
  tableLength('evt.buflen.net', 'payload length, sockets only', undefined, isNet),
  tableLength('evt.buflen.net.in', 'payload length, socket receives', IO_READ, isNet),
  tableLength('evt.buflen.net.out', 'payload length, socket sends', IO_WRITE, isNet),
];
