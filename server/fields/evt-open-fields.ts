/** `evt.is_open_*`: what an open-family call asked for. */

import type { EventRecord } from '../event/event-record.ts';
import {
  PPME_SYSCALL_CREAT_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
  PPME_SYSCALL_OPEN_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT2_X,
} from '../event/event-types.ts';
import { FLAG_DATA } from '../event/flag-tables.ts';
import { hasSucceeded } from './evt-result.ts';
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { findParamIndexes } from './params/param-index.ts';

const row = rowsOf('evt');

const FILE_FLAGS = new Map(FLAG_DATA.tables['file_flags']);
const O_RDONLY = FILE_FLAGS.get('O_RDONLY') as number;
const O_WRONLY = FILE_FLAGS.get('O_WRONLY') as number;
const O_CREAT = FILE_FLAGS.get('O_CREAT') as number;
const O_TMPFILE = FILE_FLAGS.get('O_TMPFILE') as number;
/** Set by the kernel side when the call made the file. */
const O_F_CREATED = FILE_FLAGS.get('O_F_CREATED') as number;
/** Execute permission for anyone. */
const ANY_EXECUTE = 0o111;

const OPEN_TYPES: ReadonlySet<number> = new Set([
  PPME_SYSCALL_OPEN_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT2_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
]);

const FLAGS_INDEX = findParamIndexes('flags') as Int8Array;
const MODE_INDEX = findParamIndexes('mode') as Int8Array;

/** Open flags; 0 for events of other calls. */
function openFlags(record: EventRecord): number {
  return OPEN_TYPES.has(record.type) ? record.unsignedNumber(FLAGS_INDEX[record.type] as number) : 0;
}

/** Whether the call gave a file it makes an execute bit. The mode counts only when a file may be made. */
function opensExecutable(record: EventRecord): boolean {
  const index = MODE_INDEX[record.type] as number;
  const isCreating = (openFlags(record) & (O_TMPFILE | O_CREAT)) !== 0;
  if (index < 0 || !(isCreating || record.type === PPME_SYSCALL_CREAT_X)) return false;
  return (record.unsignedNumber(index) & ANY_EXECUTE) !== 0;
}

function opensNewFile(record: EventRecord): boolean {
  const flags = openFlags(record);
  return (flags & O_F_CREATED) !== 0 || ((flags & O_TMPFILE) !== 0 && hasSucceeded(record));
}

function isOpen(name: string, description: string, test: (record: EventRecord) => boolean): FieldRow {
  return row(name, 'bool', 'NA', description, ({ record }) => test(record));
}

export const EVT_OPEN_FIELDS: readonly FieldRow[] = [
  // Read-write is both bits in the capture's own numbering of open flags.
  isOpen('evt.is_open_read', 'open-family call asking for reading', (r) => (openFlags(r) & O_RDONLY) !== 0),
  isOpen('evt.is_open_write', 'open-family call asking for writing', (r) => (openFlags(r) & O_WRONLY) !== 0),
];

export const EVT_CREATE_FIELDS: readonly FieldRow[] = [
  isOpen('evt.is_open_exec', 'open/creat that makes a file with an execute bit', opensExecutable),
  isOpen('evt.is_open_create', 'open-family call that created the file', opensNewFile),
];
