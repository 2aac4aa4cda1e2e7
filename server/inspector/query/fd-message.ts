/** Rows of fd tables as messages. */
import {
  type Fd,
  FdKind,
  type L4Protocol,
  type SocketAddresses,
} from '../../../proto/gen/strata/v1/state.ts';
import {
  FD_FILE_V2,
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_PIDFD,
  type FdInfo,
  L4_RAW,
} from '../../state/fd-info.ts';
import { bytesOf } from './text.ts';

const KINDS: ReadonlySet<number> = new Set(Object.values(FdKind));
const IP_KINDS: ReadonlySet<number> = new Set([
  FD_IPV4_SOCK,
  FD_IPV6_SOCK,
  FD_IPV4_SERVSOCK,
  FD_IPV6_SERVSOCK,
]);

export function fdMessage(number: number, row: FdInfo): Fd {
  return {
    number: BigInt(number),
    kind: kindOf(row.type),
    name: bytesOf(row.name),
    rawName: bytesOf(row.rawName),
    openFlags: row.openFlags >>> 0,
    device: row.dev >>> 0,
    inode: BigInt.asUintN(64, BigInt(row.ino)),
    mountId: row.mountId >>> 0,
    socket: IP_KINDS.has(row.type) ? socketOf(row) : undefined,
    pid: row.type === FD_PIDFD ? BigInt(row.pid) : 0n,
  };
}

/** The contract numbers kinds and protocols as capture files do, but for the second shape of files. */
function kindOf(type: number): FdKind {
  if (type === FD_FILE_V2) return FdKind.FILE;
  return KINDS.has(type) ? (type as FdKind) : FdKind.UNSUPPORTED;
}

function socketOf(row: FdInfo): SocketAddresses {
  return {
    sourceAddress: bytesOf(row.sip),
    sourcePort: row.sport,
    destinationAddress: bytesOf(row.dip),
    destinationPort: row.dport,
    l4Protocol: (row.l4proto <= L4_RAW ? row.l4proto : 0) as L4Protocol,
    isServer: roleOf(row.flags),
  };
}

function roleOf(flags: number): boolean | undefined {
  if ((flags & FD_FLAG_ROLE_SERVER) !== 0) return true;
  return (flags & FD_FLAG_ROLE_CLIENT) !== 0 ? false : undefined;
}
