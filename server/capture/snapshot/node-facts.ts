/** Facts of the machine and its network interfaces. */
import { cpus, hostname, type NetworkInterfaceInfo, networkInterfaces, totalmem } from 'node:os';
import type { InterfaceEntry, MachineEntry } from '../../event/snapshot.ts';
import { readText } from './proc-files.ts';
import { numberOf } from './proc-text.ts';
import type { SnapshotClock } from './snapshot-rows.ts';

const NS_PER_MS = 1_000_000;
const ZERO_IPV6 = '\0'.repeat(16);

/** The clock that events are stamped with. */
export interface EventClock {
  /** Added to CLOCK_BOOTTIME for nanoseconds since the epoch. */
  readonly bootEpochNs: bigint;
  nowNs(): bigint;
}

/** Without events the boot time comes from /proc/uptime: right to a hundredth of a second. */
export function createClock(hostRoot: string, events?: EventClock): SnapshotClock {
  if (events !== undefined) return { bootEpochNs: events.bootEpochNs, nowNs: () => Number(events.nowNs()) };
  return { bootEpochNs: readBootEpoch(hostRoot), nowNs: () => Date.now() * NS_PER_MS };
}

function readBootEpoch(hostRoot: string): bigint {
  const seconds = Number.parseFloat(readText(`${hostRoot}/proc/uptime`) ?? '');
  if (!Number.isFinite(seconds)) return 0n;
  return BigInt(Math.round(Date.now() - seconds * 1000)) * BigInt(NS_PER_MS);
}

export function readMachine(hostRoot: string, clock: SnapshotClock): MachineEntry {
  // The kernel's own answer is that of our namespace, not the node's.
  const name = hostRoot === '' ? undefined : readText(`${hostRoot}/etc/hostname`, 256)?.trim();
  return {
    cpuCount: cpus().length,
    memoryBytes: BigInt(totalmem()),
    maxPid: BigInt(numberOf(readText(`${hostRoot}/proc/sys/kernel/pid_max`) ?? '')),
    hostname: name === undefined || name === '' ? hostname() : name,
    bootTsNs: clock.bootEpochNs,
    flags: 0n,
  };
}

/** Addresses of the node's network namespace, IPv4 first, as capture files list them. Link speeds are not read: 0. */
export function readInterfaces(hostRoot: string): InterfaceEntry[] {
  // On the node itself our own namespace counts, even when we were started in another than the first process.
  const net = hostRoot === '' ? '/proc/self/net' : `${hostRoot}/proc/1/net`;
  const ipv4 =
    hostRoot === ''
      ? ownIpv4()
      : parseIpv4Addresses(readText(`${net}/fib_trie`) ?? '', readText(`${net}/route`) ?? '');
  return [...ipv4, ...parseIfInet6(readText(`${net}/if_inet6`) ?? '')];
}

function ownIpv4(): InterfaceEntry[] {
  const entries: InterfaceEntry[] = [];
  for (const [name, rows] of Object.entries(networkInterfaces())) {
    for (const row of rows ?? []) {
      if (row.family === 'IPv4') entries.push(ipv4Entry(name, row));
    }
  }
  return entries;
}

function ipv4Entry(name: string, row: NetworkInterfaceInfo): InterfaceEntry {
  const address = ipv4Bytes(row.address);
  const netmask = ipv4Bytes(row.netmask);
  return {
    family: 4,
    name,
    address,
    netmask,
    broadcast: broadcastOf(address, netmask, row.internal),
    linkSpeed: 0n,
  };
}

/** Links without broadcasts (loopback, point to point) have their own address in its place, as getifaddrs(3) reports them. */
function broadcastOf(address: string, netmask: string, isInternal: boolean): string {
  if (isInternal || netmask.charCodeAt(3) >= 254) return address;
  let broadcast = '';
  for (let i = 0; i < 4; i++) {
    broadcast += String.fromCharCode((address.charCodeAt(i) | ~netmask.charCodeAt(i)) & 0xff);
  }
  return broadcast;
}

function ipv4Bytes(text: string): string {
  return text
    .split('.')
    .map((part) => String.fromCharCode(Number(part) & 0xff))
    .join('');
}

/** Lines `address index prefix scope flags name`. */
export function parseIfInet6(text: string): InterfaceEntry[] {
  const entries: InterfaceEntry[] = [];
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{32}) [0-9a-f]+ ([0-9a-f]{2}) [0-9a-f]+ [0-9a-f]+ +(\S+)$/.exec(line);
    if (match === null) continue;
    const [, hex, prefix, name] = match as unknown as [string, string, string, string];
    const address = Buffer.from(hex, 'hex').latin1Slice();
    const netmask = maskOf(Number.parseInt(prefix, 16), 16);
    entries.push({ family: 6, name, address, netmask, broadcast: ZERO_IPV6, linkSpeed: 0n });
  }
  return entries;
}

function maskOf(bits: number, bytes: number): string {
  let mask = '';
  for (let i = 0; i < bytes; i++) {
    const ones = Math.max(0, Math.min(8, bits - i * 8));
    mask += String.fromCharCode((0xff << (8 - ones)) & 0xff);
  }
  return mask;
}

interface Ipv4Route {
  readonly name: string;
  readonly network: number;
  readonly mask: number;
}

/** Columns `Iface Destination Gateway Flags RefCnt Use Metric Mask`, numbers in hexadecimal; connected networks only. */
function parseRoutes(text: string): Ipv4Route[] {
  const routes: Ipv4Route[] = [];
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const [name, destination, gateway] = fields;
    const network = Number.parseInt(destination ?? '', 16);
    const mask = Number.parseInt(fields[7] ?? '', 16);
    if (name === undefined || gateway !== '00000000' || Number.isNaN(network) || !(mask > 0)) continue;
    routes.push({ name, network, mask });
  }
  return routes;
}

const LOOPBACK: Ipv4Route = { name: 'lo', network: 127, mask: 255 };

/** Addresses of another network namespace: its routing tables name its own addresses, and the links of its networks. */
export function parseIpv4Addresses(fibTrie: string, route: string): InterfaceEntry[] {
  const routes = parseRoutes(route);
  const entries = new Map<string, InterfaceEntry>();
  let leaf = '';
  for (const line of fibTrie.split('\n')) {
    const entry = /\|-- (\d+\.\d+\.\d+\.\d+)$/.exec(line);
    if (entry !== null) leaf = entry[1] as string;
    if (leaf === '' || entries.has(leaf) || !/\/32 host LOCAL$/.test(line)) continue;
    const address = ipv4Bytes(leaf);
    const number = Buffer.from(address, 'latin1').readUInt32LE(0);
    const isInternal = address.startsWith('\x7f');
    // The numbers of the table are the address bytes as this (little-endian) machine reads them.
    const link = isInternal
      ? LOOPBACK
      : routes.find(({ network, mask }) => (number & mask) >>> 0 === network);
    const netmask = link === undefined ? '\xff\xff\xff\xff' : littleEndian(link.mask);
    const broadcast = broadcastOf(address, netmask, isInternal);
    entries.set(leaf, { family: 4, name: link?.name ?? '', address, netmask, broadcast, linkSpeed: 0n });
  }
  return [...entries.values()];
}

function littleEndian(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.latin1Slice();
}
