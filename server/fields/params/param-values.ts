/** Texts that need state: fds, processes, users and groups, lists of fds. */
import { AT_FDCWD, ERRNO_NAMES } from '../../event/flag-tables.ts';
import type { InspectedEvent } from '../../state/inspected-event.ts';
import type { ThreadInfo } from '../../state/thread-info.ts';
import { fdLetter, fdProtocol, isIpSocket, protocolLetter } from '../fd-kinds.ts';

/** Name of the negative result `-errno`; '' when it has none. */
export function errnoText(value: number): string {
  return value < 0 ? (ERRNO_NAMES[-value] ?? '') : '';
}

/** `<kind>name` of an open fd, `AT_FDCWD`, or the errno name of a failed call that should have made an fd. */
export function fdText(event: InspectedEvent, number: number): string {
  const { thread } = event;
  if (thread === undefined) return '';
  if (number < 0) return number === AT_FDCWD ? 'AT_FDCWD' : errnoText(number);
  const fd = event.state.findFd(thread.fds, number);
  if (fd === undefined) return '';
  const protocol = isIpSocket(fd.type) ? protocolLetter(fdProtocol(fd)) : '';
  return `<${fdLetter(fd.type)}${protocol}>${fd.name}`;
}

/** Bytes of one FDLIST entry: i64 fd, i16 flags. */
const FDLIST_ENTRY_BYTES = 10;

/** Calls `visit` for every entry that the value really holds. */
export function forEachListedFd(
  event: InspectedEvent,
  index: number,
  visit: (fd: number, flags: number) => void,
): void {
  const { record } = event;
  const length = record.lengthOf(index);
  if (length < 2) return;
  const start = record.paramOffsets[index] as number;
  const { view } = record;
  const count = Math.min(view.getUint16(start, true), Math.floor((length - 2) / FDLIST_ENTRY_BYTES));
  for (let i = 0, at = start + 2; i < count; i++, at += FDLIST_ENTRY_BYTES) {
    const fd = view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true);
    visit(fd, view.getInt16(at + 8, true));
  }
}

/** `number:kind-flags` of every fd, e.g. `4:64 5:p1`; an unknown fd has the kind `?`. '' when the thread is not known. */
export function fdListText(event: InspectedEvent, index: number): string {
  const { thread, state } = event;
  if (thread === undefined) return '';
  let text = '';
  forEachListedFd(event, index, (number, flags) => {
    const fd = state.findFd(thread.fds, number);
    const kind = fd === undefined ? '?' : fdLetter(fd.type);
    const item = `${number}:${kind}${(flags >>> 0).toString(16)}`;
    text = text === '' ? item : `${text} ${item}`;
  });
  return text;
}

/** Command of the thread with this tid; '' when it is not known. */
export function commandText(event: InspectedEvent, tid: number): string {
  return event.state.findThread(tid)?.comm ?? '';
}

/** The uid or gid that means "leave it as it is". */
const ID_NONE = 0xffffffff;

export function userText(event: InspectedEvent, uid: number): string {
  if (uid === ID_NONE) return '<NONE>';
  const { thread, state } = event;
  if (thread === undefined) return '<NA>';
  return state.findUser(thread.containerId, uid)?.name ?? unlistedName(thread, uid);
}

export function groupText(event: InspectedEvent, gid: number): string {
  if (gid === ID_NONE) return '<NONE>';
  const { thread, state } = event;
  if (thread === undefined) return '<NA>';
  return state.findGroup(thread.containerId, gid)?.name ?? unlistedName(thread, gid);
}

/** A container's users are known only when they were announced, but 0 is root everywhere. */
function unlistedName(thread: ThreadInfo, id: number): string {
  return id === 0 && thread.containerId !== '' ? 'root' : '<NA>';
}
