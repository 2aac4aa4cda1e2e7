/** `fd.*`: kind, name and path of the fd; for calls that failed to make one, the name they asked for. */
import {
  PPME_SOCKET_ACCEPT_5_X,
  PPME_SOCKET_ACCEPT_X,
  PPME_SOCKET_ACCEPT4_5_X,
  PPME_SOCKET_ACCEPT4_6_X,
  PPME_SOCKET_ACCEPT4_X,
  PPME_SOCKET_CONNECT_X,
  PPME_SOCKET_SOCKET_X,
  PPME_SYSCALL_CREAT_X,
  PPME_SYSCALL_EVENTFD_X,
  PPME_SYSCALL_EVENTFD2_X,
  PPME_SYSCALL_INOTIFY_INIT_X,
  PPME_SYSCALL_INOTIFY_INIT1_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
  PPME_SYSCALL_OPEN_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT_X,
  PPME_SYSCALL_OPENAT2_X,
  PPME_SYSCALL_PIPE_X,
  PPME_SYSCALL_PIPE2_X,
  PPME_SYSCALL_SIGNALFD_X,
  PPME_SYSCALL_SIGNALFD4_X,
  PPME_SYSCALL_TIMERFD_CREATE_X,
} from '../event/event-types.ts';
import { AT_FDCWD } from '../event/flag-tables.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { joinPath } from '../state/path-join.ts';
import { shownContainerId } from './container-row.ts';
import { fdLetter, fdWord } from './fd-kinds.ts';
import { concernsFd, fdOfEvent } from './fd-of-event.ts';
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { workingDirectory } from './params/event-paths.ts';
import { argumentText } from './params/param-text.ts';

const row = rowsOf('fd');

/** Calls whose second parameter is the path or peer they asked for. */
const NAMED_BY_SECOND: ReadonlySet<number> = new Set([
  PPME_SYSCALL_OPEN_X,
  PPME_SOCKET_ACCEPT_X,
  PPME_SOCKET_ACCEPT_5_X,
  PPME_SOCKET_ACCEPT4_X,
  PPME_SOCKET_ACCEPT4_5_X,
  PPME_SOCKET_ACCEPT4_6_X,
  PPME_SYSCALL_CREAT_X,
  PPME_SOCKET_CONNECT_X,
]);

/** Kind letters of the fd a call would have made; `open` is not among those the reference knows. */
const CREATED_LETTERS = new Map<number, string>([
  [PPME_SYSCALL_OPENAT_X, 'f'],
  [PPME_SYSCALL_OPENAT_2_X, 'f'],
  [PPME_SYSCALL_OPENAT2_X, 'f'],
  [PPME_SYSCALL_CREAT_X, 'f'],
  // The family is not looked at.
  [PPME_SOCKET_SOCKET_X, '4'],
  [PPME_SOCKET_ACCEPT_X, '4'],
  [PPME_SOCKET_ACCEPT_5_X, '4'],
  [PPME_SOCKET_ACCEPT4_X, '4'],
  [PPME_SOCKET_ACCEPT4_5_X, '4'],
  [PPME_SOCKET_ACCEPT4_6_X, '4'],
  [PPME_SYSCALL_PIPE_X, 'p'],
  [PPME_SYSCALL_PIPE2_X, 'p'],
  [PPME_SYSCALL_EVENTFD_X, 'e'],
  [PPME_SYSCALL_EVENTFD2_X, 'e'],
  [PPME_SYSCALL_SIGNALFD_X, 's'],
  [PPME_SYSCALL_SIGNALFD4_X, 's'],
  [PPME_SYSCALL_TIMERFD_CREATE_X, 't'],
  [PPME_SYSCALL_INOTIFY_INIT_X, 'i'],
  [PPME_SYSCALL_INOTIFY_INIT1_X, 'i'],
]);

/** Indexes of the directory and path parameters of `openat` and `openat2`. */
const OPENAT_DIRECTORY = 1;
const OPENAT_PATH = 2;
/** Index of the path `open_by_handle_at` reports. */
const HANDLE_PATH = 3;

/** Name that the call asked for when it made no fd; '' for calls that name nothing. */
function requestedName(event: InspectedEvent): string | undefined {
  const { record } = event;
  const { type } = record;
  if (record.info.isEnter) return undefined;
  if (NAMED_BY_SECOND.has(type)) return argumentText(event, 1);
  if (type === PPME_SYSCALL_OPENAT_2_X || type === PPME_SYSCALL_OPENAT2_X) {
    return joinPath(directoryOf(event), record.text(OPENAT_PATH));
  }
  return type === PPME_SYSCALL_OPEN_BY_HANDLE_AT_X ? record.text(HANDLE_PATH) : '';
}

function directoryOf({ record, thread, state }: InspectedEvent): string {
  if (thread === undefined || record.text(OPENAT_PATH).startsWith('/')) return '';
  const dirfd = record.number(OPENAT_DIRECTORY);
  if (dirfd === AT_FDCWD) return workingDirectory(state, thread);
  const directory = state.findFd(thread.fds, dirfd);
  return directory === undefined ? '<UNKNOWN>/' : `${directory.name}/`;
}

function fdName(event: InspectedEvent): string | undefined {
  if (!concernsFd(event)) return undefined;
  return fdOfEvent(event)?.name ?? requestedName(event);
}

/** Everything before the last slash; the root when that is the only one, and for names without one. */
function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash <= 0) return '/';
  return slash < path.length - 1 ? path.slice(0, slash) : path;
}

function directory(event: InspectedEvent): string | undefined {
  if (!concernsFd(event)) return undefined;
  const fd = fdOfEvent(event);
  if (fd !== undefined) {
    if (fd.isFile()) return parentOf(fd.name);
    return fd.isDirectory() ? fd.name : undefined;
  }
  const name = requestedName(event);
  return name === undefined ? undefined : parentOf(name);
}

function fileName(event: InspectedEvent): string | undefined {
  const fd = fdOfEvent(event);
  if (fd === undefined || !fd.isFile()) return undefined;
  const slash = fd.name.lastIndexOf('/');
  if (slash < 0) return '/';
  return slash < fd.name.length - 1 ? fd.name.slice(slash + 1) : fd.name;
}

function kindLetter(event: InspectedEvent): string | undefined {
  if (!concernsFd(event)) return undefined;
  const fd = fdOfEvent(event);
  if (fd !== undefined) return fdLetter(fd.type);
  return CREATED_LETTERS.get(event.record.type | 1) ?? 'o';
}

function kindWord(event: InspectedEvent): string | undefined {
  const fd = fdOfEvent(event);
  return fd === undefined ? undefined : fdWord(fd.type);
}

/** The name as the call gave it, with runs of slashes made one. */
function rawName(event: InspectedEvent): string | undefined {
  if (!concernsFd(event)) return undefined;
  const fd = fdOfEvent(event);
  const name = fd === undefined ? requestedRawName(event) : fd.rawName;
  return name === undefined || !name.includes('//') ? name : collapseSlashes(name);
}

function requestedRawName(event: InspectedEvent): string | undefined {
  const { record } = event;
  const isOpenat = record.type === PPME_SYSCALL_OPENAT_2_X || record.type === PPME_SYSCALL_OPENAT2_X;
  return isOpenat ? record.text(OPENAT_PATH) : requestedName(event);
}

function collapseSlashes(path: string): string {
  let text = '';
  for (let i = 0; i < path.length; i++) {
    if (path.charCodeAt(i) !== 47 || path.charCodeAt(i - 1) !== 47) text += path.charAt(i);
  }
  return text;
}

function inContainer(event: InspectedEvent, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const key = event.thread?.containerId ?? '';
  return `${key === '' ? '' : shownContainerId(event.state, key)}:${text}`;
}

export const FD_NAME_FIELDS: readonly FieldRow[] = [
  row('fd.type', 'string', 'DEC', 'kind of fd as a word', kindWord),
  row('fd.typechar', 'string', 'DEC', 'kind of fd as one character', kindLetter),
  row('fd.name', 'string', 'NA', 'path or connection tuple', fdName),
  row('fd.directory', 'string', 'NA', 'directory of a file fd', directory),
  row('fd.filename', 'string', 'NA', 'base name of a file fd', fileName),
];

export const FD_CONTAINER_FIELDS: readonly FieldRow[] = [
  row('fd.containername', 'string', 'NA', 'container id and fd name joined', (event) =>
    inContainer(event, fdName(event)),
  ),
  row('fd.containerdirectory', 'string', 'NA', 'container id and directory joined', (event) =>
    inContainer(event, directory(event)),
  ),
];

export const FD_RAW_NAME_FIELD: FieldRow = row(
  'fd.nameraw',
  'string',
  'NA',
  'path as passed, not made absolute',
  rawName,
);
