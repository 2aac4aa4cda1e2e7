/** Rows of the `fdlist` class: the fds a poll waits for, as comma lists. */
import {
  PPME_SYSCALL_POLL_E,
  PPME_SYSCALL_POLL_X,
  PPME_SYSCALL_PPOLL_E,
  PPME_SYSCALL_PPOLL_X,
} from '../event/event-types.ts';
import {
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  type FdInfo,
} from '../state/fd-info.ts';
import { ipText, ipv4Text } from '../state/ip-address.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { listedFd, listedFdCount } from './params/param-values.ts';

const row = rowsOf('fdlist');

/** Index of the list by event type. */
const LIST_INDEXES = new Map<number, number>([
  [PPME_SYSCALL_POLL_E, 0],
  [PPME_SYSCALL_PPOLL_E, 0],
  [PPME_SYSCALL_POLL_X, 1],
  [PPME_SYSCALL_PPOLL_X, 1],
]);

/** The text of one fd of the list; undefined leaves it out. */
type Item = (number: number, fd: FdInfo | undefined) => string | undefined;

/** All items joined by commas; absent when there is none. */
function list(item: Item): Extractor {
  return ({ record, thread, state }) => {
    const index = LIST_INDEXES.get(record.type);
    if (index === undefined || thread === undefined) return undefined;
    const count = listedFdCount(record, index);
    let all: string | undefined;
    for (let i = 0; i < count; i++) {
      const number = listedFd(record, index, i);
      const text = item(number, state.findFd(thread.fds, number));
      if (text !== undefined) all = all === undefined ? text : `${all},${text}`;
    }
    return all;
  };
}

function isConnection(fd: FdInfo): boolean {
  return fd.type === FD_IPV4_SOCK || fd.type === FD_IPV6_SOCK;
}

function serverAddress(fd: FdInfo): string | undefined {
  if (isConnection(fd) || fd.type === FD_IPV4_SERVSOCK) return ipText(fd.dip);
  // The reference prints a listening IPv6 address as if its first four bytes were IPv4.
  return fd.type === FD_IPV6_SERVSOCK ? ipv4Text(fd.dip, 0) : undefined;
}

export const FDLIST_FIELDS: readonly FieldRow[] = [
  row(
    'fdlist.nums',
    'string',
    'ID',
    'poll-family: fd numbers, comma list',
    list((number) => `${number}`),
  ),
  row(
    'fdlist.names',
    'string',
    'NA',
    'poll-family: fd names, comma list',
    list((_, fd) => fd?.name || '<NA>'),
  ),
  row(
    'fdlist.cips',
    'string',
    'NA',
    'poll-family: client addresses',
    list((_, fd) => (fd !== undefined && isConnection(fd) ? ipText(fd.sip) : undefined)),
  ),
  row(
    'fdlist.sips',
    'string',
    'NA',
    'poll-family: server addresses',
    list((_, fd) => (fd === undefined ? undefined : serverAddress(fd))),
  ),
  row(
    'fdlist.cports',
    'string',
    'DEC',
    'poll-family: client ports',
    list((_, fd) => (fd !== undefined && isConnection(fd) ? `${fd.sport}` : undefined)),
  ),
  row(
    'fdlist.sports',
    'string',
    'DEC',
    'poll-family: server ports',
    list((_, fd) => (fd !== undefined && isConnection(fd) ? `${fd.dport}` : undefined)),
  ),
];
