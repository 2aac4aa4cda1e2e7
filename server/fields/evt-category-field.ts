/** `evt.category`: from the event table, and for I/O from the kind of fd. */
import { EVENT_TABLE } from '../event/event-table.ts';
import {
  FD_DIRECTORY,
  FD_EVENT,
  FD_FIFO,
  FD_FILE,
  FD_FILE_V2,
  FD_INOTIFY,
  FD_SIGNALFD,
  FD_UNIX_SOCK,
  FD_USERFAULTFD,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { isIpSocket } from './fd-kinds.ts';
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';

/** Category names that do not print as their lower-case self. */
const WORDS: Readonly<Record<string, string>> = { IPC: 'IPC', METAEVENT: 'meta' };

/** I/O categories by event type: 1 read, 2 write, 3 other, 0 for what is not I/O. */
export const IO_NONE = 0;
export const IO_READ = 1;
export const IO_WRITE = 2;
export const IO_OTHER = 3;

const IO_BY_NAME: Readonly<Record<string, number>> = { IO_READ, IO_WRITE, IO_OTHER };

/** One of IO_* for every event type. */
export const IO_KINDS = Uint8Array.from(EVENT_TABLE, (info) => IO_BY_NAME[info.category] ?? IO_NONE);

const CATEGORY_WORDS: readonly string[] = EVENT_TABLE.map(
  (info) => WORDS[info.category] ?? info.category.toLowerCase(),
);

const IPC_KINDS: ReadonlySet<number> = new Set([
  FD_FIFO,
  FD_UNIX_SOCK,
  FD_EVENT,
  FD_SIGNALFD,
  FD_INOTIFY,
  FD_USERFAULTFD,
]);

function ioCategory(type: number): string {
  if (type === FD_FILE || type === FD_FILE_V2 || type === FD_DIRECTORY) return 'file';
  if (isIpSocket(type)) return 'net';
  return IPC_KINDS.has(type) ? 'ipc' : 'unknown';
}

function category({ record, fd }: InspectedEvent): string | undefined {
  if (IO_KINDS[record.type] === IO_NONE) return CATEGORY_WORDS[record.type];
  return fd === undefined ? 'unknown' : ioCategory(fd.type);
}

export const EVT_CATEGORY_FIELD: FieldRow = rowsOf('evt')(
  'evt.category',
  'string',
  'NA',
  'category: file, net, process, memory, ...',
  category,
);
