/** Snapshot events of kernel iterators: one per task, one per open file. They heal what the stream did not tell. */
import type { EventRecord } from '../event/event-record.ts';
import {
  PPME_ITER_TASK_E,
  PPME_ITER_TASK_FILE_ANON_INODE_E,
  PPME_ITER_TASK_FILE_DIRECTORY_E,
  PPME_ITER_TASK_FILE_MEMFD_E,
  PPME_ITER_TASK_FILE_PIPE_E,
  PPME_ITER_TASK_FILE_REGULAR_E,
  PPME_ITER_TASK_FILE_SOCKET_INET_E,
  PPME_ITER_TASK_FILE_SOCKET_INET6_E,
  PPME_ITER_TASK_FILE_SOCKET_NETLINK_E,
  PPME_ITER_TASK_FILE_SOCKET_UNIX_E,
} from '../event/event-types.ts';
import { CL_CLONE_FILES, CL_CLONE_THREAD, FLAG_DATA } from '../event/flag-tables.ts';
import type { FdEntry, ThreadEntry } from '../event/snapshot.ts';
import {
  IPPROTO_ICMP,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
} from '../event/socket-numbers.ts';
import {
  FD_BPF,
  FD_DIRECTORY,
  FD_EVENT,
  FD_EVENTPOLL,
  FD_FIFO,
  FD_FILE_V2,
  FD_INOTIFY,
  FD_IOURING,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_MEMFD,
  FD_NETLINK,
  FD_PIDFD,
  FD_SIGNALFD,
  FD_TIMERFD,
  FD_UNIX_SOCK,
  FD_UNSUPPORTED,
  FD_USERFAULTFD,
  L4_ICMP,
  L4_RAW,
  L4_TCP,
  L4_UDP,
  L4_UNKNOWN,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { isZeroAddress } from '../state/ip-address.ts';
import type { EventHandler, HandlerRow, ParserContext } from './parser-context.ts';
import { fdFromEntry, threadFromEntry } from './snapshot-rows.ts';

const EXE_WRITABLE = 1;
const EXE_UPPER_LAYER = 2;
const EXE_FROM_MEMFD = 4;
const EXE_LOWER_LAYER = 8;

/** fd types by the kernel's kind of anonymous inode. */
const ANON_FD_TYPES: ReadonlyMap<string, number> = new Map([
  ['EVENTFD', FD_EVENT],
  ['EVENTPOLL', FD_EVENTPOLL],
  ['INOTIFY', FD_INOTIFY],
  ['SIGNALFD', FD_SIGNALFD],
  ['TIMERFD', FD_TIMERFD],
  ['IO_URING', FD_IOURING],
  ['USERFAULTFD', FD_USERFAULTFD],
  ['PIDFD', FD_PIDFD],
  ['BPF_MAP', FD_BPF],
  ['BPF_PROG', FD_BPF],
  ['BPF_LINK', FD_BPF],
  ['BPF_ITER', FD_BPF],
]);
const ANON_TYPES_BY_NUMBER: ReadonlyMap<number, number> = new Map(
  Object.entries(FLAG_DATA.anonInodeFdTypes).map(([name, number]) => [
    number,
    ANON_FD_TYPES.get(name.replace('ANON_INODE_FD_TYPE_', '')) ?? FD_UNSUPPORTED,
  ]),
);

const EMPTY_FD: FdEntry = {
  fd: -1,
  ino: 0,
  type: FD_UNSUPPORTED,
  name: '',
  openFlags: 0,
  mountId: 0,
  dev: 0,
  sip: '',
  dip: '',
  sport: 0,
  dport: 0,
  l4proto: L4_UNKNOWN,
  unixSource: 0,
  unixPeer: 0,
};

export const ITERATOR_HANDLERS: readonly HandlerRow[] = [
  [PPME_ITER_TASK_E, parseTask],
  [PPME_ITER_TASK_FILE_PIPE_E, fileHandler((record) => pathFd(record, FD_FIFO))],
  [PPME_ITER_TASK_FILE_MEMFD_E, fileHandler((record) => pathFd(record, FD_MEMFD))],
  [PPME_ITER_TASK_FILE_DIRECTORY_E, fileHandler((record) => pathFd(record, FD_DIRECTORY))],
  [PPME_ITER_TASK_FILE_REGULAR_E, fileHandler(regularFd)],
  [PPME_ITER_TASK_FILE_SOCKET_INET_E, fileHandler((r) => inetFd(r, FD_IPV4_SOCK, FD_IPV4_SERVSOCK))],
  [PPME_ITER_TASK_FILE_SOCKET_INET6_E, fileHandler((r) => inetFd(r, FD_IPV6_SOCK, FD_IPV6_SERVSOCK))],
  [PPME_ITER_TASK_FILE_SOCKET_UNIX_E, fileHandler(unixFd)],
  [PPME_ITER_TASK_FILE_SOCKET_NETLINK_E, fileHandler(netlinkFd)],
  [PPME_ITER_TASK_FILE_ANON_INODE_E, fileHandler(anonFd)],
];

/** The header of these events carries both ids: the tid in the low half, the pid in the high half. */
function idsOf(record: EventRecord): readonly [tid: number, pid: number] {
  const { view, offset } = record;
  return [view.getUint32(offset + 8, true), view.getUint32(offset + 12, true)];
}

/** A task fills a placeholder or a gap; a row the stream keeps up to date knows better. */
function parseTask(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const { threads } = context;
  const [tid, pid] = idsOf(record);
  const known = threads.find(tid);
  if (known !== undefined && !known.isInvalid()) {
    event.thread = known;
    return;
  }
  const row = threadFromEntry(threads, context.cgroups, taskEntry(record, tid, pid));
  row.cloneTsNs = BigInt(record.unsigned(29));
  if (known !== undefined) row.fds = known.fds;
  context.cgroups.adopt(row);
  if (!threads.set(row)) return;
  context.tree.link(row);
  event.thread = row;
}

function taskEntry(record: EventRecord, tid: number, pid: number): ThreadEntry {
  const argv = record.binary(5);
  const nul = argv.indexOf('\0');
  const flags = record.unsignedNumber(7);
  return {
    tid,
    pid,
    ptid: record.number(0),
    pgid: record.number(1),
    vpgid: record.number(2),
    sid: record.number(3),
    comm: record.text(4),
    exe: record.text(5),
    exepath: record.text(6),
    args: nul < 0 ? '' : argv.slice(nul + 1),
    cwd: record.text(9),
    fdlimit: record.signed(10),
    flags: tid === pid ? 0 : CL_CLONE_THREAD | CL_CLONE_FILES,
    uid: record.unsignedNumber(11),
    gid: record.unsignedNumber(12),
    vmsizeKb: record.unsignedNumber(19),
    vmrssKb: record.unsignedNumber(20),
    vmswapKb: record.unsignedNumber(21),
    pfmajor: record.unsigned(22),
    pfminor: record.unsigned(23),
    env: record.binary(8),
    vtid: record.number(25),
    vpid: record.number(24),
    cgroups: record.binary(27),
    root: record.text(28),
    pidnsInitStartNs: BigInt(record.unsigned(26)),
    tty: record.unsignedNumber(30),
    loginuid: record.unsignedNumber(31),
    exeWritable: (flags & EXE_WRITABLE) !== 0,
    capInheritable: record.unsigned(15),
    capPermitted: record.unsigned(13),
    capEffective: record.unsigned(14),
    exeUpperLayer: (flags & EXE_UPPER_LAYER) !== 0,
    exeIno: record.unsigned(16),
    exeInoCtimeNs: BigInt(record.unsigned(17)),
    exeInoMtimeNs: BigInt(record.unsigned(18)),
    exeFromMemfd: (flags & EXE_FROM_MEMFD) !== 0,
    exeLowerLayer: (flags & EXE_LOWER_LAYER) !== 0,
  };
}

function fileHandler(entryOf: (record: EventRecord) => FdEntry): EventHandler {
  return (context, event) => {
    const { record } = event;
    const thread = context.threads.find(idsOf(record)[0]);
    const fd = record.number(0);
    if (thread === undefined || fd < 0) return;
    event.thread = thread;
    const row = fdFromEntry(entryOf(record), context.state.interfaces);
    if (row !== undefined) context.addFd(event, fd, row);
  };
}

function pathFd(record: EventRecord, type: number): FdEntry {
  return { ...EMPTY_FD, type, name: record.text(1), ino: record.unsigned(2) };
}

function regularFd(record: EventRecord): FdEntry {
  return {
    ...EMPTY_FD,
    type: FD_FILE_V2,
    name: record.text(1),
    openFlags: record.unsignedNumber(2),
    mountId: record.unsignedNumber(3),
    ino: record.unsigned(4),
  };
}

/** Without a remote address the socket listens, or was never connected. */
function inetFd(record: EventRecord, socketType: number, serverType: number): FdEntry {
  const local = record.binary(3);
  const remote = record.binary(5);
  const isServer = isZeroAddress(remote);
  return {
    ...EMPTY_FD,
    type: isServer ? serverType : socketType,
    ino: record.unsigned(7),
    l4proto: l4Of(record.unsignedNumber(1), record.unsignedNumber(2)),
    sip: isServer ? '' : local,
    sport: isServer ? 0 : record.unsignedNumber(4),
    dip: isServer ? local : remote,
    dport: record.unsignedNumber(isServer ? 4 : 6),
  };
}

function l4Of(type: number, protocol: number): number {
  switch (type) {
    case SOCK_STREAM:
      return protocol === IPPROTO_TCP || protocol === IPPROTO_IP ? L4_TCP : L4_UNKNOWN;
    case SOCK_DGRAM:
      if (protocol === IPPROTO_UDP || protocol === IPPROTO_IP) return L4_UDP;
      return protocol === IPPROTO_ICMP ? L4_ICMP : L4_UNKNOWN;
    case SOCK_RAW:
      return L4_RAW;
    default:
      return L4_UNKNOWN;
  }
}

function unixFd(record: EventRecord): FdEntry {
  return {
    ...EMPTY_FD,
    type: FD_UNIX_SOCK,
    unixSource: record.unsigned(3),
    name: record.text(4),
    ino: record.unsigned(5),
  };
}

function netlinkFd(record: EventRecord): FdEntry {
  return { ...EMPTY_FD, type: FD_NETLINK, ino: record.unsigned(3) };
}

function anonFd(record: EventRecord): FdEntry {
  const kind = record.unsignedNumber(1);
  const type = ANON_TYPES_BY_NUMBER.get(kind) ?? FD_UNSUPPORTED;
  // Only an unknown kind needs its text; the others are named by their type.
  return { ...EMPTY_FD, type, name: kind === 0 ? record.text(2) : '', ino: record.unsigned(3) };
}
