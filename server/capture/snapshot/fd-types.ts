/** Kinds of fd and protocols of sockets, numbered as in the capture file, and what a name of the kernel says about the kind. */
import type { FdEntry } from '../../event/snapshot.ts';

export const FD_DIRECTORY = 2;
export const FD_IPV4_SOCK = 3;
export const FD_IPV6_SOCK = 4;
export const FD_IPV4_SERVSOCK = 5;
export const FD_IPV6_SERVSOCK = 6;
export const FD_FIFO = 7;
export const FD_UNIX_SOCK = 8;
const FD_EVENT = 9;
export const FD_UNSUPPORTED = 10;
const FD_SIGNALFD = 11;
const FD_EVENTPOLL = 12;
const FD_INOTIFY = 13;
const FD_TIMERFD = 14;
export const FD_NETLINK = 15;
export const FD_FILE_V2 = 16;
const FD_BPF = 17;
const FD_USERFAULTFD = 18;
const FD_IOURING = 19;
export const FD_MEMFD = 20;
const FD_PIDFD = 21;

export const L4_UNKNOWN = 0;
export const L4_TCP = 2;
export const L4_UDP = 3;
export const L4_ICMP = 4;
export const L4_RAW = 5;

/** File type bits of a mode. */
export const S_IFMT = 0xf000;
export const S_IFDIR = 0x4000;
export const S_IFIFO = 0x1000;
export const S_IFSOCK = 0xc000;

/** An fd of which nothing is known; the base of every entry. */
export const EMPTY_FD: FdEntry = {
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

const ANON_PREFIX = 'anon_inode:';
const MEMFD_PREFIX = '/memfd:';

/** By the text between the brackets, where there are any. */
const ANON_TYPES: ReadonlyMap<string, number> = new Map([
  ['eventfd', FD_EVENT],
  ['signalfd', FD_SIGNALFD],
  ['eventpoll', FD_EVENTPOLL],
  ['inotify', FD_INOTIFY],
  ['timerfd', FD_TIMERFD],
  ['io_uring', FD_IOURING],
  ['userfaultfd', FD_USERFAULTFD],
  ['pidfd', FD_PIDFD],
]);

/**
 * The kind of an fd that is neither directory nor socket, by its name as the kernel shows it and its mode. A kind the schema
 * names has no text of its own; an unknown one keeps the kernel's.
 */
export function kindOf(name: string, mode: number): readonly [type: number, name: string] {
  if (name.startsWith(ANON_PREFIX)) return anonKind(name);
  // Since Linux 6.9 pidfds have inodes and a name of their own.
  if (name.startsWith('pidfd:[')) return [FD_PIDFD, ''];
  if (name.startsWith(MEMFD_PREFIX)) return [FD_MEMFD, name];
  if (name.startsWith('pipe:[') || (mode & S_IFMT) === S_IFIFO) return [FD_FIFO, name];
  if ((mode & S_IFMT) === S_IFDIR) return [FD_DIRECTORY, name];
  return (mode & S_IFMT) === 0 ? [FD_UNSUPPORTED, name] : [FD_FILE_V2, name];
}

function anonKind(name: string): readonly [type: number, name: string] {
  let kind = name.slice(ANON_PREFIX.length);
  if (kind.startsWith('[') && kind.endsWith(']')) kind = kind.slice(1, -1);
  if (kind.startsWith('bpf')) return [FD_BPF, ''];
  const type = ANON_TYPES.get(kind);
  return type === undefined ? [FD_UNSUPPORTED, name] : [type, ''];
}
