/** Fd entries from the records of the file iterator. */
import type { FdEntry } from '../../event/snapshot.ts';
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_RAW,
} from '../../event/socket-numbers.ts';
import {
  EMPTY_FD,
  FD_DIRECTORY,
  FD_FILE_V2,
  FD_NETLINK,
  FD_UNIX_SOCK,
  kindOf,
  L4_ICMP,
  L4_RAW,
  L4_TCP,
  L4_UDP,
  L4_UNKNOWN,
} from './fd-types.ts';
import type { FileRecord } from './iterator-records.ts';
import { endpoints } from './net-tables.ts';
import { openFlagsOf } from './open-flags.ts';

const IPPROTO_ICMPV6 = 58;
/** State of a TCP socket that is neither bound nor connected. */
const TCP_CLOSE = 7;
const SHOWN_NUL = '@';

export function fdOfRecord(record: FileRecord): FdEntry {
  const base: FdEntry = { ...EMPTY_FD, fd: record.fd, ino: record.ino, openFlags: openFlagsOf(record.flags) };
  switch (record.family) {
    case 0:
      return fileEntry(base, record);
    case AF_UNIX:
      return {
        ...base,
        type: FD_UNIX_SOCK,
        name: unixName(record.name),
        unixSource: record.socket,
        unixPeer: record.peerSocket,
      };
    case AF_INET:
    case AF_INET6:
      return inetEntry(base, record);
    case AF_NETLINK:
      return { ...base, type: FD_NETLINK };
    default:
      return { ...base, name: `socket:[${record.ino}]` };
  }
}

function fileEntry(base: FdEntry, record: FileRecord): FdEntry {
  const [type, name] = kindOf(record.name, record.name.startsWith('/') ? record.mode : 0);
  const entry = { ...base, type, name };
  return type === FD_FILE_V2 || type === FD_DIRECTORY
    ? { ...entry, mountId: record.mountId, dev: record.dev }
    : entry;
}

function inetEntry(base: FdEntry, record: FileRecord): FdEntry {
  const bytes = record.family === AF_INET ? 4 : 16;
  const l4proto = l4Of(record);
  const isUnbound = record.port === 0 && record.peerPort === 0 && l4proto !== L4_RAW;
  // Neither bound nor connected: the tables of /proc do not list such a socket either.
  if (isUnbound && (l4proto !== L4_TCP || record.state === TCP_CLOSE)) {
    return { ...base, name: `socket:[${record.ino}]` };
  }
  return endpoints(
    { ...base, l4proto },
    {
      ip: record.address.slice(0, bytes),
      port: record.port,
      peer: record.peerAddress.slice(0, bytes),
      peerPort: record.peerPort,
    },
  );
}

function l4Of({ socketType, protocol }: FileRecord): number {
  if (socketType === SOCK_RAW) return L4_RAW;
  switch (protocol) {
    case IPPROTO_TCP:
      return L4_TCP;
    case IPPROTO_UDP:
      return L4_UDP;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      return L4_ICMP;
    default:
      return L4_UNKNOWN;
  }
}

/** A path ends with its NUL; an abstract name is shown as the kernel does, with @ for each NUL. */
function unixName(name: string): string {
  if (name.startsWith('\0')) return name.replaceAll('\0', SHOWN_NUL);
  const nul = name.indexOf('\0');
  return nul < 0 ? name : name.slice(0, nul);
}
