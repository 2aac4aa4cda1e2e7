/** Texts that need state: fds, processes, users and groups, lists of fds. */
import type { EventRecord } from '../../event/event-record.ts';
import { AT_FDCWD, ERRNO_NAMES } from '../../event/flag-tables.ts';
import type { InspectedEvent } from '../../state/inspected-event.ts';
import type { ThreadInfo } from '../../state/thread-info.ts';
import type { ByteWriter } from '../byte-writer.ts';
import { fdLetter, fdProtocol, isIpSocket, protocolLetter } from '../fd-kinds.ts';

const LESS = 60;
const GREATER = 62;

/** Name of the negative result `-errno`; '' when it has none. */
export function errnoText(value: number): string {
  return value < 0 ? (ERRNO_NAMES[-value] ?? '') : '';
}

/** Appends `<kind>name` of an open fd, `AT_FDCWD`, or the errno name of a failed call that should have made an fd. */
export function writeFd(event: InspectedEvent, number: number, out: ByteWriter): void {
  const { thread } = event;
  if (thread === undefined) return;
  if (number < 0) {
    out.latin1(number === AT_FDCWD ? 'AT_FDCWD' : errnoText(number));
    return;
  }
  const fd = event.state.findFd(thread.fds, number);
  if (fd === undefined) return;
  out.byte(LESS);
  out.latin1(fdLetter(fd.type));
  if (isIpSocket(fd.type)) out.latin1(protocolLetter(fdProtocol(fd)));
  out.byte(GREATER);
  out.latin1(fd.name);
}

/** Bytes of one FDLIST entry: i64 fd, i16 flags. */
const FDLIST_ENTRY_BYTES = 10;

/** How many entries an FDLIST value really holds, whatever it claims. */
export function listedFdCount(record: EventRecord, index: number): number {
  const length = record.lengthOf(index);
  if (length < 2) return 0;
  const claimed = record.view.getUint16(record.paramOffsets[index] as number, true);
  return Math.min(claimed, Math.floor((length - 2) / FDLIST_ENTRY_BYTES));
}

/** The fd of entry `i` of an FDLIST value. */
export function listedFd({ view, paramOffsets }: EventRecord, index: number, i: number): number {
  const at = (paramOffsets[index] as number) + 2 + i * FDLIST_ENTRY_BYTES;
  return view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true);
}

/** `number:kind-flags` of every fd, e.g. `4:64 5:p1`; an unknown fd has the kind `?`. '' when the thread is not known. */
export function fdListText({ record, thread, state }: InspectedEvent, index: number): string {
  if (thread === undefined) return '';
  const count = listedFdCount(record, index);
  let text = '';
  for (let i = 0; i < count; i++) {
    const number = listedFd(record, index, i);
    const fd = state.findFd(thread.fds, number);
    const flagsAt = (record.paramOffsets[index] as number) + 10 + i * FDLIST_ENTRY_BYTES;
    const flags = (record.view.getInt16(flagsAt, true) >>> 0).toString(16);
    if (i > 0) text += ' ';
    text += `${number}:${fd === undefined ? '?' : fdLetter(fd.type)}${flags}`;
  }
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
