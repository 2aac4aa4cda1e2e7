/** socket, socketpair, bind, connect, accept, getsockopt. */
import type { EventRecord } from '../event/event-record.ts';
import {
  PPME_SOCKET_ACCEPT_5_X,
  PPME_SOCKET_ACCEPT4_6_X,
  PPME_SOCKET_BIND_X,
  PPME_SOCKET_CONNECT_E,
  PPME_SOCKET_CONNECT_X,
  PPME_SOCKET_GETSOCKOPT_X,
  PPME_SOCKET_SOCKET_X,
  PPME_SOCKET_SOCKETPAIR_X,
} from '../event/event-types.ts';
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  IPPROTO_ICMP,
  IPPROTO_IP,
  IPPROTO_RAW,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
} from '../event/socket-numbers.ts';
import {
  FD_FLAG_CONNECTION_FAILED,
  FD_FLAG_CONNECTION_PENDING,
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
  FD_FLAG_SOCKET_CONNECTED,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_NETLINK,
  FD_UNIX_SOCK,
  FD_UNKNOWN,
  FdInfo,
  L4_ICMP,
  L4_RAW,
  L4_TCP,
  L4_UDP,
  L4_UNKNOWN,
  O_CLOEXEC,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';
import { setEndpoints, swapEndpoints } from './socket-endpoints.ts';
import {
  addressParamText,
  readAddress,
  readTuple,
  type SocketAddress,
  type SocketTuple,
  socketName,
  tupleParamText,
  unixName,
} from './socket-tuple.ts';

const SOCK_CLOEXEC = 0x80000;
/** The part of the type word without SOCK_NONBLOCK and SOCK_CLOEXEC. */
const SOCK_TYPE_MASK = 0xff;
const EINPROGRESS = 115;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
/** Index of the errno type within the value of a socket option. */
const SOCKOPT_ERRNO = 1;
/** Bytes of a unix socket path the kernel compares. */
const UNIX_PATH_MAX = 108;

export const SOCKET_HANDLERS: readonly HandlerRow[] = [
  [PPME_SOCKET_SOCKET_X, parseSocket],
  [PPME_SOCKET_SOCKETPAIR_X, parseSocketpair],
  [PPME_SOCKET_BIND_X, parseBind],
  [PPME_SOCKET_CONNECT_E, (context, event) => context.storeEnter(event)],
  [PPME_SOCKET_CONNECT_X, parseConnect],
  [PPME_SOCKET_ACCEPT_5_X, parseAccept],
  [PPME_SOCKET_ACCEPT4_6_X, parseAccept],
  [PPME_SOCKET_GETSOCKOPT_X, parseGetsockopt],
];

function parseSocket(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const fd = record.number(0);
  if (fd < 0 || event.thread === undefined) return;
  const row = newSocket(record.unsignedNumber(1), record.unsignedNumber(2), record.unsignedNumber(3));
  row.openFlags = record.unsignedNumber(4);
  context.addFd(event, fd, row);
}

export function newSocket(domain: number, type: number, protocol: number): FdInfo {
  const row = new FdInfo(typeOfDomain(domain));
  if (row.type === FD_IPV4_SOCK || row.type === FD_IPV6_SOCK) row.l4proto = l4Of(type, protocol);
  return row;
}

function typeOfDomain(domain: number): number {
  switch (domain) {
    case AF_UNIX:
      return FD_UNIX_SOCK;
    case AF_INET:
      return FD_IPV4_SOCK;
    case AF_INET6:
      return FD_IPV6_SOCK;
    case AF_NETLINK:
      return FD_NETLINK;
    default:
      return FD_UNKNOWN;
  }
}

function l4Of(type: number, protocol: number): number {
  const isRaw = type === SOCK_RAW;
  switch (protocol) {
    case IPPROTO_TCP:
      return isRaw ? L4_RAW : L4_TCP;
    case IPPROTO_UDP:
      return isRaw ? L4_RAW : L4_UDP;
    case IPPROTO_ICMP:
      return isRaw ? L4_RAW : L4_ICMP;
    case IPPROTO_RAW:
      return L4_RAW;
    case IPPROTO_IP:
      if ((type & SOCK_TYPE_MASK) === SOCK_STREAM) return L4_TCP;
      return (type & SOCK_TYPE_MASK) === SOCK_DGRAM ? L4_UDP : L4_UNKNOWN;
    default:
      return L4_UNKNOWN;
  }
}

function parseSocketpair(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  if (record.number(0) < 0 || event.thread === undefined) return;
  const first = record.number(1);
  const second = record.number(2);
  if (first === second) return;
  const row = new FdInfo(FD_UNIX_SOCK);
  row.unixSource = record.unsigned(3);
  row.unixPeer = record.unsigned(4);
  if ((record.unsignedNumber(6) & SOCK_CLOEXEC) !== 0) row.openFlags = O_CLOEXEC;
  context.addFd(event, first, row);
  // The second fd is the last the thread used, the first is the one shown.
  const shown = event.fd;
  context.addFd(event, second, row.copy());
  event.fd = shown;
}

function parseBind(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  if (event.fd === undefined || record.number(0) < 0 || record.isEmpty(1)) return;
  const row = context.writeFd(event);
  if (row === undefined) return;
  const address = readAddress(record, 1);
  // A port makes it a listener; without one it is a client that chose its address.
  if (address !== undefined && address.family !== AF_UNIX && address.port > 0) {
    row.type = address.isIpv4 ? FD_IPV4_SERVSOCK : FD_IPV6_SERVSOCK;
    row.sip = '';
    row.sport = 0;
    row.dip = address.ip;
    row.dport = address.port;
    row.flags |= FD_FLAG_ROLE_SERVER;
  }
  context.rename(row, addressParamText(record, 1));
}

function parseConnect(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  if (event.fd === undefined) return;
  const result = record.number(0);
  if (context.tracksConnectionStatus) {
    if (result === -EINPROGRESS) setStatus(context, event, FD_FLAG_CONNECTION_PENDING);
    else setStatus(context, event, result < 0 ? FD_FLAG_CONNECTION_FAILED : FD_FLAG_SOCKET_CONNECTED);
  } else {
    if (result < 0 && result !== -EINPROGRESS) return;
    setStatus(context, event, FD_FLAG_SOCKET_CONNECTED);
  }
  const enter = context.storedEnter(event);
  const entered = enter === undefined ? undefined : readAddress(enter, 1);
  const row = context.writeFd(event);
  if (row === undefined) return;
  if (!record.isEmpty(1)) {
    fillFromTuple(context, record, row, entered);
  } else if (enter !== undefined && !enter.isEmpty(1)) {
    // No tuple yet (TCP fast open): the address the caller gave is what is known.
    fillFromAddress(context, record, row, entered);
  }
}

function fillFromAddress(
  context: ParserContext,
  record: EventRecord,
  row: FdInfo,
  address: SocketAddress | undefined,
): void {
  if (address === undefined || address.family === AF_UNIX) {
    context.rename(row, tupleParamText(record, 1));
    return;
  }
  row.type = address.isIpv4 ? FD_IPV4_SOCK : FD_IPV6_SOCK;
  row.dip = address.ip;
  row.dport = address.port;
}

function fillFromTuple(
  context: ParserContext,
  record: EventRecord,
  row: FdInfo,
  entered: SocketAddress | undefined,
): void {
  const tuple = readTuple(record, 1);
  if (tuple === undefined) return;
  const trusted = withTrustedDestination(tuple, readAddress(record, 3), entered);
  if (tuple.family === AF_UNIX) {
    if (row.type !== FD_UNIX_SOCK) return;
    row.unixSource = tuple.source;
    row.unixPeer = tuple.peer;
    context.rename(row, unixName(tuple.source, tuple.peer, trusted.path));
  } else {
    row.type = tuple.isIpv4 ? FD_IPV4_SOCK : FD_IPV6_SOCK;
    const changed = setEndpoints(row, trusted);
    // A UDP server that connects goes on being the destination.
    if (changed && (row.flags & FD_FLAG_ROLE_SERVER) !== 0 && row.l4proto === L4_UDP) swapEndpoints(row);
    context.rename(row, nameOf(row));
  }
  if ((row.flags & (FD_FLAG_ROLE_CLIENT | FD_FLAG_ROLE_SERVER)) === 0) row.flags |= FD_FLAG_ROLE_CLIENT;
}

/**
 * The destination to believe: the kernel's when the tuple has one of its own. When it only repeats what the caller's memory
 * held at exit, the address read at enter, which no other thread can have changed since.
 */
function withTrustedDestination(
  tuple: SocketTuple,
  atExit: SocketAddress | undefined,
  atEnter: SocketAddress | undefined,
): SocketTuple {
  if (atExit === undefined || atEnter === undefined) return tuple;
  if (tuple.family === AF_UNIX) {
    const isRepeated = tuple.path.slice(0, UNIX_PATH_MAX) === atExit.path.slice(0, UNIX_PATH_MAX);
    return isRepeated && atEnter.family === AF_UNIX ? { ...tuple, path: atEnter.path } : tuple;
  }
  const isRepeated = tuple.dport === atExit.port && tuple.dip === atExit.ip;
  if (!isRepeated || atEnter.isIpv4 !== tuple.isIpv4 || atEnter.ip === '') return tuple;
  return { ...tuple, dip: atEnter.ip, dport: atEnter.port };
}

/** The name a socket gets from its endpoints. */
export function nameOf(row: FdInfo): string {
  return socketName(row.sip, row.sport, row.dip, row.dport, row.l4proto, row.type === FD_IPV4_SOCK);
}

function parseAccept(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const fd = record.number(0);
  if (fd < 0 || event.thread === undefined) return;
  event.fdNumber = fd;
  const tuple = readTuple(record, 1);
  if (tuple === undefined) return;
  const row = new FdInfo(FD_UNIX_SOCK);
  if (tuple.family === AF_UNIX) {
    row.unixSource = tuple.source;
    row.unixPeer = tuple.peer;
  } else {
    row.type = tuple.isIpv4 ? FD_IPV4_SOCK : FD_IPV6_SOCK;
    row.l4proto = L4_TCP;
    row.sip = tuple.sip;
    row.sport = tuple.sport;
    row.dip = tuple.dip;
    row.dport = tuple.dport;
  }
  row.name = tupleParamText(record, 1);
  if ((record.unsignedNumber(5) & (SOCK_CLOEXEC | O_CLOEXEC)) !== 0) row.openFlags = O_CLOEXEC;
  row.flags = FD_FLAG_ROLE_SERVER | FD_FLAG_SOCKET_CONNECTED;
  context.addFd(event, fd, row);
}

/** SO_ERROR tells how a connection in progress ended. */
function parseGetsockopt(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  if (!context.tracksConnectionStatus || event.fd === undefined) return;
  if (record.number(0) < 0 || record.number(2) !== SOL_SOCKET || record.number(3) !== SO_ERROR) return;
  if (record.lengthOf(4) !== 9) return;
  const at = record.paramOffsets[4] as number;
  if (record.view.getUint8(at) !== SOCKOPT_ERRNO) return;
  const error = record.view.getInt32(at + 1, true);
  event.errorCode = error;
  setStatus(context, event, error < 0 ? FD_FLAG_CONNECTION_FAILED : FD_FLAG_SOCKET_CONNECTED);
}

/** Connected, failed and pending exclude each other. */
export function setStatus(context: ParserContext, event: InspectedEvent, status: number): void {
  const others = FD_FLAG_CONNECTION_FAILED | FD_FLAG_CONNECTION_PENDING | FD_FLAG_SOCKET_CONNECTED;
  if (event.fd === undefined || (event.fd.flags & others) === status) return;
  const row = context.writeFd(event);
  if (row !== undefined) row.flags = (row.flags & ~others) | status;
}
