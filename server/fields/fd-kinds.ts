/** The words and letters that name a kind of fd. */
import {
  FD_BPF,
  FD_DIRECTORY,
  FD_EVENT,
  FD_EVENTPOLL,
  FD_FIFO,
  FD_FILE,
  FD_FILE_V2,
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
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
  FD_UNKNOWN,
  FD_UNSUPPORTED,
  FD_USERFAULTFD,
  type FdInfo,
  L4_ICMP,
  L4_NA,
  L4_RAW,
  L4_TCP,
  L4_UDP,
} from '../state/fd-info.ts';

/** `[kind, letter, word]`; kinds without a word print `<NA>`. */
const KINDS: readonly (readonly [kind: number, letter: string, word: string])[] = [
  [FD_UNKNOWN, 'o', '<NA>'],
  [FD_FILE, 'f', 'file'],
  [FD_FILE_V2, 'f', 'file'],
  [FD_DIRECTORY, 'd', 'directory'],
  [FD_IPV4_SOCK, '4', 'ipv4'],
  [FD_IPV4_SERVSOCK, '4', 'ipv4'],
  [FD_IPV6_SOCK, '6', 'ipv6'],
  [FD_IPV6_SERVSOCK, '6', 'ipv6'],
  [FD_UNIX_SOCK, 'u', 'unix'],
  [FD_FIFO, 'p', 'pipe'],
  [FD_EVENT, 'e', 'event'],
  [FD_UNSUPPORTED, 'X', '<NA>'],
  [FD_SIGNALFD, 's', 'signalfd'],
  [FD_EVENTPOLL, 'l', 'eventpoll'],
  [FD_INOTIFY, 'i', 'inotify'],
  [FD_TIMERFD, 't', 'timerfd'],
  [FD_NETLINK, 'n', 'netlink'],
  [FD_BPF, 'b', 'bpf'],
  [FD_USERFAULTFD, 'u', 'userfaultfd'],
  [FD_IOURING, 'r', 'io_uring'],
  [FD_MEMFD, 'm', 'memfd'],
  [FD_PIDFD, 'P', 'pidfd'],
];

const LETTERS: string[] = [];
const WORDS: string[] = [];
for (const [kind, letter, word] of KINDS) {
  LETTERS[kind] = letter;
  WORDS[kind] = word;
}

/** One letter for the kind, `?` for kinds nobody knows. */
export function fdLetter(type: number): string {
  return LETTERS[type] ?? '?';
}

/** A word for the kind, `<NA>` where there is none. */
export function fdWord(type: number): string {
  return WORDS[type] ?? '<NA>';
}

/** Connection or listening socket of IPv4 or IPv6. */
export function isIpSocket(type: number): boolean {
  return type >= FD_IPV4_SOCK && type <= FD_IPV6_SERVSOCK;
}

/** Neither end of a connection: not connected, or not seen connecting. */
export function hasNoRole(fd: FdInfo): boolean {
  return (fd.flags & (FD_FLAG_ROLE_CLIENT | FD_FLAG_ROLE_SERVER)) === 0;
}

/** One of L4_*; L4_NA for what is not an IP socket and for connections without a role, unless raw. */
export function fdProtocol(fd: FdInfo): number {
  const { type } = fd;
  if (type === FD_IPV4_SERVSOCK || type === FD_IPV6_SERVSOCK) return fd.l4proto;
  if (type !== FD_IPV4_SOCK && type !== FD_IPV6_SOCK) return L4_NA;
  return fd.l4proto === L4_RAW || !hasNoRole(fd) ? fd.l4proto : L4_NA;
}

const PROTOCOL_WORDS: Readonly<Record<number, string>> = {
  [L4_TCP]: 'tcp',
  [L4_UDP]: 'udp',
  [L4_ICMP]: 'icmp',
  [L4_RAW]: 'raw',
};

/** `tcp`, `udp`, `icmp`, `raw`, or `<NA>`. */
export function protocolWord(protocol: number): string {
  return PROTOCOL_WORDS[protocol] ?? '<NA>';
}

/** First letter of the protocol's word; '' when there is none. */
export function protocolLetter(protocol: number): string {
  return PROTOCOL_WORDS[protocol]?.charAt(0) ?? '';
}
