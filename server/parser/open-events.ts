/** open, creat, openat, openat2, open_by_handle_at. */
import type { EventRecord } from '../event/event-record.ts';
import {
  PPME_SYSCALL_CREAT_E,
  PPME_SYSCALL_CREAT_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
  PPME_SYSCALL_OPEN_E,
  PPME_SYSCALL_OPEN_X,
  PPME_SYSCALL_OPENAT_2_E,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT2_E,
  PPME_SYSCALL_OPENAT2_X,
} from '../event/event-types.ts';
import { AT_FDCWD } from '../event/flag-tables.ts';
import type { Integer } from '../event/u64.ts';
import {
  FD_DIRECTORY,
  FD_FILE_V2,
  FD_FLAG_OVERLAY_LOWER,
  FD_FLAG_OVERLAY_UPPER,
  FdInfo,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { joinPath } from '../state/path-join.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';

const O_DIRECTORY = 1 << 10;
/** Flags from this bit on are added by the kernel at exit; the ones below are the caller's. */
const O_F_CREATED = 1 << 14;
const FD_UPPER_LAYER = 1 << 15;
const FD_LOWER_LAYER = 1 << 16;
const CREAT_UPPER_LAYER = 1;
const CREAT_LOWER_LAYER = 2;
/** What events carry where the kernel could not read a path. */
export const NOT_AVAILABLE = '<NA>';

export const OPEN_HANDLERS: readonly HandlerRow[] = [
  [PPME_SYSCALL_OPEN_E, storeOpen],
  [PPME_SYSCALL_CREAT_E, storeOpen],
  [PPME_SYSCALL_OPENAT_2_E, storeOpen],
  [PPME_SYSCALL_OPENAT2_E, storeOpen],
  [PPME_SYSCALL_OPEN_X, parseOpen],
  [PPME_SYSCALL_CREAT_X, parseCreat],
  [PPME_SYSCALL_OPENAT_2_X, (context, event) => parseOpenat(context, event, 5)],
  [PPME_SYSCALL_OPENAT2_X, (context, event) => parseOpenat(context, event, 6)],
  [PPME_SYSCALL_OPEN_BY_HANDLE_AT_X, parseOpenByHandle],
];

function storeOpen(context: ParserContext, event: InspectedEvent): void {
  // All parameters are there or none: an empty first one says the event brings nothing.
  if (!event.record.isEmpty(0)) context.storeEnter(event);
}

function parseOpen(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (record.number(0) < 0 || thread === undefined) return;
  let name = record.text(1);
  let flags = record.unsignedNumber(2);
  const enter = context.storedEnter(event);
  if (enter !== undefined && isNamed(enter, 0)) {
    name = enter.text(0);
    flags = enterFlags(enter.unsignedNumber(1), flags);
  }
  addFile(context, event, context.tree.cwd(thread), name, flags, 4);
}

function parseCreat(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (record.number(0) < 0 || thread === undefined) return;
  // The call has no flags of its own: what the kernel says of the file system layer comes in a word of its own.
  const layer = record.unsignedNumber(5);
  let flags = 0;
  if ((layer & CREAT_UPPER_LAYER) !== 0) flags = FD_UPPER_LAYER;
  else if ((layer & CREAT_LOWER_LAYER) !== 0) flags = FD_LOWER_LAYER;
  const enter = context.storedEnter(event);
  const name = enter !== undefined && isNamed(enter, 0) ? enter.text(0) : record.text(1);
  addFile(context, event, context.tree.cwd(thread), name, flags, 3);
}

function parseOpenat(context: ParserContext, event: InspectedEvent, devParam: number): void {
  const { record } = event;
  if (record.number(0) < 0 || event.thread === undefined) return;
  let name = record.isEmpty(2) ? NOT_AVAILABLE : record.text(2);
  let flags = record.unsignedNumber(3);
  let dirfd = record.isEmpty(1) ? undefined : record.number(1);
  const enter = context.storedEnter(event);
  if (enter !== undefined && isNamed(enter, 1)) {
    name = enter.text(1);
    flags = enterFlags(enter.unsignedNumber(2), flags);
    dirfd = enter.isEmpty(0) ? undefined : enter.number(0);
  }
  const base = dirfd === undefined ? '' : directoryOf(context, event, name, dirfd);
  addFile(context, event, base, name, flags, devParam);
}

function parseOpenByHandle(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  if (record.number(0) < 0 || event.thread === undefined) return;
  // The kernel resolves the handle itself: the path is absolute.
  addFile(context, event, '', record.text(3), record.unsignedNumber(2), 4);
}

/** Whether the enter event has a path that could be read. */
function isNamed(enter: EventRecord, index: number): boolean {
  return !enter.isEmpty(index) && enter.text(index) !== NOT_AVAILABLE;
}

function enterFlags(entered: number, exited: number): number {
  return entered | (exited & ~(O_F_CREATED - 1));
}

/** The directory a path given with `dirfd` starts from: '.' for absolute ones, `<UNKNOWN>` when the fd is not known. */
export function directoryOf(
  context: ParserContext,
  event: InspectedEvent,
  name: string,
  dirfd: number,
): string {
  if (name.startsWith('/')) return '.';
  const { thread } = event;
  if (thread === undefined) return '<UNKNOWN>';
  if (dirfd === AT_FDCWD) return context.tree.cwd(thread);
  const directory = dirfd < 0 ? undefined : thread.fds.find(dirfd)?.name;
  if (directory === undefined) return '<UNKNOWN>';
  return directory === '' || directory.endsWith('/') ? directory : `${directory}/`;
}

function addFile(
  context: ParserContext,
  event: InspectedEvent,
  base: string,
  name: string,
  flags: number,
  devParam: number,
): void {
  const { record } = event;
  const row = new FdInfo((flags & O_DIRECTORY) !== 0 ? FD_DIRECTORY : FD_FILE_V2);
  row.openFlags = flags;
  row.rawName = name;
  row.name = joinPath(base, name);
  row.dev = record.unsignedNumber(devParam);
  row.ino = inodeOf(record, devParam + 1);
  if ((flags & FD_UPPER_LAYER) !== 0) row.flags |= FD_FLAG_OVERLAY_UPPER;
  if ((flags & FD_LOWER_LAYER) !== 0) row.flags |= FD_FLAG_OVERLAY_LOWER;
  context.addFd(event, record.number(0), row);
}

function inodeOf(record: EventRecord, index: number): Integer {
  return record.isEmpty(index - 1) ? 0 : record.unsigned(index);
}
