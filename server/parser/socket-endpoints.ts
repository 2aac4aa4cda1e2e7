/** Changing the endpoints of a socket's row: from tuples, by interface addresses where a tuple has holes, by role. */
import {
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SOCK,
  type FdInfo,
} from '../state/fd-info.ts';
import type { FdTable } from '../state/fd-table.ts';
import type { InterfaceTable } from '../state/interface-table.ts';
import { isZeroAddress, ZERO_IPV4, ZERO_IPV6 } from '../state/ip-address.ts';
import type { SocketTuple } from './socket-tuple.ts';

const LOOPBACK_IPV4 = '\x7f\0\0\x01';
const LOOPBACK_IPV6 = `${ZERO_IPV6.slice(1)}\x01`;
/** Bytes of an IPv6 address that name its network when subnets are compared. */
const SUBNET_BYTES = 8;

/** Takes over a tuple. Returns whether anything changed; the same tuple, or the same one turned round, changes nothing. */
export function setEndpoints(fd: FdInfo, tuple: SocketTuple): boolean {
  if (hasEndpoints(fd, tuple)) return false;
  const { sip, sport, dip, dport } = tuple;
  const changed = !isAt(fd, sip, sport, dip, dport);
  fd.sip = sip;
  fd.sport = sport;
  fd.dip = dip;
  fd.dport = dport;
  return changed;
}

/** Whether the socket is known by this tuple already, in either direction. */
export function hasEndpoints(fd: FdInfo, tuple: SocketTuple): boolean {
  const { sip, sport, dip, dport } = tuple;
  if (fd.type !== (tuple.isIpv4 ? FD_IPV4_SOCK : FD_IPV6_SOCK)) return false;
  return isAt(fd, sip, sport, dip, dport) || isAt(fd, dip, dport, sip, sport);
}

/** Exchanges source and destination. */
export function swapEndpoints(fd: FdInfo): void {
  const { sip, sport } = fd;
  fd.sip = fd.dip;
  fd.sport = fd.dport;
  fd.dip = sip;
  fd.dport = sport;
}

/** Fills an unset source or destination with the node's address on the way to the other end. */
export function completeEndpoints(fd: FdInfo, interfaces: InterfaceTable): void {
  if (fd.type !== FD_IPV4_SOCK && fd.type !== FD_IPV6_SOCK) return;
  const isSourceUnset = isZeroAddress(fd.sip);
  if (!isSourceUnset && !isZeroAddress(fd.dip)) return;
  const known = isSourceUnset ? fd.dip : fd.sip;
  const inferred = inferAddress(fd.type === FD_IPV4_SOCK ? 4 : 6, known, interfaces);
  // Both ends on one port of one address is no connection.
  if (isSame(inferred, known) && fd.sport === fd.dport) return;
  if (isSourceUnset) fd.sip = inferred;
  else fd.dip = inferred;
}

/** The node's address nearest to `peer`: the same, one of its subnet, or the first that is not loopback. */
function inferAddress(family: 4 | 6, peer: string, interfaces: InterfaceTable): string {
  const rows = interfaces.values().filter((row) => row.family === family);
  const loopback = family === 4 ? LOOPBACK_IPV4 : LOOPBACK_IPV6;
  const zero = family === 4 ? ZERO_IPV4 : ZERO_IPV6;
  const other = peer === '' ? zero : peer;
  const row =
    rows.find((candidate) => candidate.address === other) ??
    rows.find((candidate) =>
      family === 4
        ? isInSubnet(candidate.address, other, candidate.netmask)
        : candidate.address.slice(0, SUBNET_BYTES) === other.slice(0, SUBNET_BYTES),
    ) ??
    rows.find((candidate) => candidate.address !== loopback);
  return row?.address ?? zero;
}

function isInSubnet(address: string, other: string, netmask: string): boolean {
  for (let i = 0; i < 4; i++) {
    const mask = netmask.charCodeAt(i);
    if ((address.charCodeAt(i) & mask) !== (other.charCodeAt(i) & mask)) return false;
  }
  return true;
}

/**
 * Decides which end the process is, from its own ports: server when it has the destination port bound or in use, client
 * otherwise. When both ports are its own, a first read makes it the server, a first write the client.
 */
export function guessRole(fd: FdInfo, table: FdTable, isIncoming: boolean): void {
  const [sport, dport] = guessPorts(fd);
  let isServer = false;
  if (isBoundTo(table, dport)) isServer = usesClientPort(table, sport) ? isIncoming : true;
  fd.flags |= isServer ? FD_FLAG_ROLE_SERVER : FD_FLAG_ROLE_CLIENT;
}

/** The ports to guess by. For IPv6 they are taken from the middle of the source address, as the reference does. */
function guessPorts(fd: FdInfo): readonly [sport: number, dport: number] {
  if (fd.type !== FD_IPV6_SOCK) return [fd.sport, fd.dport];
  return [littleEndian(fd.sip, 8), littleEndian(fd.sip, 10)];
}

function littleEndian(ip: string, at: number): number {
  return ip.length === 16 ? ip.charCodeAt(at) + ip.charCodeAt(at + 1) * 256 : 0;
}

function isBoundTo(table: FdTable, port: number): boolean {
  for (const [, row] of table.entries()) {
    if ((row.type === FD_IPV4_SOCK || row.type === FD_IPV4_SERVSOCK) && row.dport === port) return true;
  }
  return false;
}

function usesClientPort(table: FdTable, port: number): boolean {
  for (const [, row] of table.entries()) {
    if (row.type === FD_IPV4_SOCK && row.sport === port) return true;
  }
  return false;
}

function isAt(fd: FdInfo, sip: string, sport: number, dip: string, dport: number): boolean {
  return fd.sport === sport && fd.dport === dport && isSame(fd.sip, sip) && isSame(fd.dip, dip);
}

function isSame(a: string, b: string): boolean {
  return a === b || (isZeroAddress(a) && isZeroAddress(b));
}
