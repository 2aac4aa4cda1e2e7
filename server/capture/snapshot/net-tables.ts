/** The sockets of a network namespace by inode, from the tables under /proc/PID/net. */
import type { FdEntry } from '../../event/snapshot.ts';
import type { Integer } from '../../event/u64.ts';
import {
  EMPTY_FD,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_NETLINK,
  FD_UNIX_SOCK,
  L4_ICMP,
  L4_RAW,
  L4_TCP,
  L4_UDP,
} from './fd-types.ts';
import { readText } from './proc-files.ts';
import { hexOf, integerOf } from './proc-text.ts';

/** Sockets by inode; `fd` of the entries is not set. */
export type SocketTable = ReadonlyMap<Integer, FdEntry>;
type Rows = Map<Integer, FdEntry>;

/** Sockets kept of one namespace. */
const SOCKETS_MAX = 1_000_000;

/** 8 hex digits a word, each in the order of this machine's bytes; everything this runs on is little-endian. */
function addressOf(hex: string): string {
  let address = '';
  for (let word = 0; word < hex.length; word += 8) {
    for (let i = 6; i >= 0; i -= 2) {
      address += String.fromCharCode(Number.parseInt(hex.slice(word + i, word + i + 2), 16) & 0xff);
    }
  }
  return address;
}

const ENDPOINT = /^(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32}):[0-9A-Fa-f]{4}$/;

/** Lines `slot: local remote state ... inode`: tcp, udp, raw, icmp, of both families. */
export function parseInetTable(text: string, l4proto: number, rows: Rows): void {
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const [, local, remote] = fields;
    const inode = fields[9];
    if (local === undefined || remote === undefined || inode === undefined) continue;
    if (!ENDPOINT.test(local) || !ENDPOINT.test(remote) || local.length !== remote.length) continue;
    const ino = integerOf(inode);
    // Sockets nobody holds any more.
    if (ino === 0 || rows.size >= SOCKETS_MAX) continue;
    rows.set(ino, inetEntry(ino, l4proto, local, remote));
  }
}

function inetEntry(ino: Integer, l4proto: number, local: string, remote: string): FdEntry {
  const split = local.length - 5;
  const base: FdEntry = { ...EMPTY_FD, ino, l4proto };
  const ip = addressOf(local.slice(0, split));
  const port = Number.parseInt(local.slice(split + 1), 16);
  const peer = addressOf(remote.slice(0, split));
  return endpoints(base, { ip, port, peer, peerPort: Number.parseInt(remote.slice(split + 1), 16) });
}

export interface Endpoints {
  readonly ip: string;
  readonly port: number;
  readonly peer: string;
  readonly peerPort: number;
}

/** A socket without a peer's address listens, or was never connected: it is shown by its own. */
export function endpoints(base: FdEntry, { ip, port, peer, peerPort }: Endpoints): FdEntry {
  const isIpv4 = ip.length === 4;
  if (/^\0+$/.test(peer)) {
    return { ...base, type: isIpv4 ? FD_IPV4_SERVSOCK : FD_IPV6_SERVSOCK, dip: ip, dport: port };
  }
  const type = isIpv4 ? FD_IPV4_SOCK : FD_IPV6_SOCK;
  return { ...base, type, sip: ip, sport: port, dip: peer, dport: peerPort };
}

/** Lines `address: refs protocol flags type state inode path`. The kernel hides addresses from most: they are then hashes. */
export function parseUnixTable(text: string, rows: Rows): void {
  for (const line of text.split('\n')) {
    const match = /^([0-9a-fA-F]+): +\S+ +\S+ +\S+ +\S+ +\S+ +(\d+)(?: (.*))?$/s.exec(line);
    if (match === null) continue;
    const [, address, inode, path] = match;
    const ino = integerOf(inode as string);
    if (ino === 0 || rows.size >= SOCKETS_MAX) continue;
    rows.set(ino, {
      ...EMPTY_FD,
      type: FD_UNIX_SOCK,
      ino,
      name: path ?? '',
      unixSource: hexOf((address as string).slice(-16)),
    });
  }
}

/** Lines that end in the inode. */
export function parseNetlinkTable(text: string, rows: Rows): void {
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields.length < 10) continue;
    const ino = integerOf(fields[9] as string);
    if (ino === 0 || rows.size >= SOCKETS_MAX) continue;
    rows.set(ino, { ...EMPTY_FD, type: FD_NETLINK, ino });
  }
}

const INET_TABLES: readonly (readonly [file: string, l4proto: number])[] = [
  ['tcp', L4_TCP],
  ['tcp6', L4_TCP],
  ['udp', L4_UDP],
  ['udp6', L4_UDP],
  ['raw', L4_RAW],
  ['raw6', L4_RAW],
  ['icmp', L4_ICMP],
  ['icmp6', L4_ICMP],
];

/** All sockets of the network namespace of the process at `procDir`. */
export function readSockets(procDir: string): SocketTable {
  const rows: Rows = new Map();
  for (const [file, l4proto] of INET_TABLES)
    parseInetTable(readText(`${procDir}/net/${file}`) ?? '', l4proto, rows);
  parseUnixTable(readText(`${procDir}/net/unix`) ?? '', rows);
  parseNetlinkTable(readText(`${procDir}/net/netlink`) ?? '', rows);
  return rows;
}
