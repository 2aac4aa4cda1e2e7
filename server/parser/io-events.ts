/** Reads and writes: they change state only where a socket's endpoints come with the data, or fds come in a message. */
import {
  PPME_SOCKET_RECV_X,
  PPME_SOCKET_RECVFROM_X,
  PPME_SOCKET_RECVMMSG_X,
  PPME_SOCKET_RECVMSG_X,
  PPME_SOCKET_SEND_X,
  PPME_SOCKET_SENDMMSG_X,
  PPME_SOCKET_SENDMSG_X,
  PPME_SOCKET_SENDTO_X,
  PPME_SYSCALL_PREAD_X,
  PPME_SYSCALL_PREADV_X,
  PPME_SYSCALL_PWRITE_X,
  PPME_SYSCALL_PWRITEV_X,
  PPME_SYSCALL_READ_X,
  PPME_SYSCALL_READV_X,
  PPME_SYSCALL_WRITE_X,
  PPME_SYSCALL_WRITEV_X,
} from '../event/event-types.ts';
import { AF_INET, AF_INET6, AF_UNIX, IPPROTO_UDP, SOCK_DGRAM } from '../event/socket-numbers.ts';
import {
  FD_FLAG_CONNECTION_FAILED,
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
  FD_FLAG_SOCKET_CONNECTED,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_UNIX_SOCK,
  type FdInfo,
  L4_TCP,
  L4_UDP,
  L4_UNKNOWN,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { passedFds } from './ancillary-data.ts';
import type { EventHandler, HandlerRow, ParserContext } from './parser-context.ts';
import {
  completeEndpoints,
  guessRole,
  hasEndpoints,
  setEndpoints,
  swapEndpoints,
} from './socket-endpoints.ts';
import { nameOf, newSocket, setStatus } from './socket-events.ts';
import { familyAt, readTuple, type SocketTuple, tupleParamText } from './socket-tuple.ts';

const NO_PARAM = -1;
const SEND_FD_PARAM = 2;
const SEND_TUPLE_PARAM = 4;
const ROLE = FD_FLAG_ROLE_CLIENT | FD_FLAG_ROLE_SERVER;

/** Handlers by event type: which parameter holds the tuple and which the ancillary data. */
export const IO_HANDLERS: readonly HandlerRow[] = [
  [PPME_SYSCALL_READ_X, reader(NO_PARAM, NO_PARAM)],
  [PPME_SYSCALL_READV_X, reader(NO_PARAM, NO_PARAM)],
  [PPME_SYSCALL_PREAD_X, reader(NO_PARAM, NO_PARAM)],
  [PPME_SYSCALL_PREADV_X, reader(NO_PARAM, NO_PARAM)],
  [PPME_SOCKET_RECV_X, reader(4, NO_PARAM)],
  [PPME_SOCKET_RECVFROM_X, reader(2, NO_PARAM)],
  [PPME_SOCKET_RECVMSG_X, reader(3, 4)],
  [PPME_SOCKET_RECVMMSG_X, reader(4, 5)],
  [PPME_SYSCALL_WRITE_X, parsePlainWrite],
  [PPME_SYSCALL_WRITEV_X, parsePlainWrite],
  [PPME_SYSCALL_PWRITE_X, parsePlainWrite],
  [PPME_SYSCALL_PWRITEV_X, parsePlainWrite],
  [PPME_SOCKET_SEND_X, parseSend],
  [PPME_SOCKET_SENDTO_X, parseSend],
  [PPME_SOCKET_SENDMSG_X, parseSend],
  [PPME_SOCKET_SENDMMSG_X, parseSendmmsg],
];

function reader(tupleParam: number, controlParam: number): EventHandler {
  return (context, event) => {
    const { record } = event;
    if (event.fd === undefined || record.isEmpty(0) || !transferred(context, event)) return;
    if (tupleParam !== NO_PARAM && wantsTuple(event.fd)) {
      takeTuple(context, event, tupleParam, true);
    }
    if (controlParam !== NO_PARAM && event.fd?.type === FD_UNIX_SOCK && !record.isEmpty(controlParam)) {
      const fds = passedFds(record, controlParam);
      if (fds.length > 0) context.options.onPassedFds?.(record.tid, fds);
    }
  };
}

function parsePlainWrite(context: ParserContext, event: InspectedEvent): void {
  if (event.fd !== undefined) transferred(context, event);
}

function parseSend(context: ParserContext, event: InspectedEvent): void {
  if (event.fd === undefined) inferSocket(context, event);
  parseSendmmsg(context, event);
}

function parseSendmmsg(context: ParserContext, event: InspectedEvent): void {
  if (event.fd === undefined || event.record.isEmpty(0) || !transferred(context, event)) return;
  if (wantsTuple(event.fd)) takeTuple(context, event, SEND_TUPLE_PARAM, false);
}

/** Whether data went through; an internet socket that carries data is connected. */
function transferred(context: ParserContext, event: InspectedEvent): boolean {
  const type = event.fd?.type;
  const isInternet = type === FD_IPV4_SOCK || type === FD_IPV6_SOCK;
  if (event.record.number(0) < 0) {
    if (isInternet && context.tracksConnectionStatus) {
      setStatus(context, event, FD_FLAG_CONNECTION_FAILED);
    }
    return false;
  }
  if (isInternet) setStatus(context, event, FD_FLAG_SOCKET_CONNECTED);
  return true;
}

/** Datagram sockets meet new peers with every packet; the endpoints of a named TCP socket do not change. */
function wantsTuple(fd: FdInfo): boolean {
  return fd.name === '' || !(fd.l4proto === L4_TCP && isInternet(fd));
}

function isInternet(fd: FdInfo): boolean {
  return fd.type >= FD_IPV4_SOCK && fd.type <= FD_IPV6_SERVSOCK;
}

/** A send on an fd nobody saw being made: with an internet address in it, it is taken for a UDP socket. */
function inferSocket(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  if (event.thread === undefined || record.number(0) < 0 || record.isEmpty(SEND_TUPLE_PARAM)) return;
  const fd = record.number(SEND_FD_PARAM);
  const family = familyAt(record, SEND_TUPLE_PARAM);
  if (fd < 0 || (family !== AF_INET && family !== AF_INET6)) return;
  context.addFd(event, fd, newSocket(family, SOCK_DGRAM, IPPROTO_UDP));
}

/** Takes over the tuple that came with the data, and renames the socket when that changed it. */
function takeTuple(
  context: ParserContext,
  event: InspectedEvent,
  tupleParam: number,
  isIncoming: boolean,
): void {
  const { record, thread } = event;
  const tuple = readTuple(record, tupleParam);
  if (tuple === undefined || event.fd === undefined || thread === undefined) return;
  if (hasEndpoints(event.fd, tuple)) return;
  const row = context.writeFd(event);
  if (row === undefined) return;
  if (tuple.family === AF_UNIX) {
    row.type = FD_UNIX_SOCK;
    row.unixSource = tuple.source;
    row.unixPeer = tuple.peer;
    context.rename(row, tupleParamText(record, tupleParam));
    return;
  }
  if (!updateEndpoints(context, row, tuple)) return;
  if (row.type !== FD_IPV4_SOCK && row.type !== FD_IPV6_SOCK) {
    context.rename(row, tupleParamText(record, tupleParam));
    return;
  }
  if ((row.flags & ROLE) === 0) guessRole(row, thread.fds, isIncoming);
  if ((row.flags & (isIncoming ? FD_FLAG_ROLE_CLIENT : FD_FLAG_ROLE_SERVER)) !== 0) swapEndpoints(row);
  context.rename(row, nameOf(row));
}

function updateEndpoints(context: ParserContext, row: FdInfo, tuple: SocketTuple): boolean {
  if (row.type === FD_IPV6_SERVSOCK && !tuple.isIpv4) {
    // Stays a listener, known from then on by the address its peer reached.
    if (row.dip === tuple.sip) return false;
    row.dip = tuple.sip;
    return true;
  }
  if (tuple.isIpv4) row.type = FD_IPV4_SOCK;
  if (!setEndpoints(row, tuple)) return false;
  // A protocol that was never seen is UDP: TCP would not let the address change.
  if (row.l4proto === L4_UNKNOWN) row.l4proto = L4_UDP;
  completeEndpoints(row, context.state.interfaces);
  return true;
}
