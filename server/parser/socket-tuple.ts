/** Socket addresses and tuples as events carry them, and the names made of them. */
import type { EventRecord } from '../event/event-record.ts';
import { AF_INET, AF_INET6, AF_UNIX } from '../event/socket-numbers.ts';
import { type Integer, u64 } from '../event/u64.ts';
import { L4_ICMP, L4_RAW, L4_TCP, L4_UDP } from '../state/fd-info.ts';
import { isMappedIpv4 } from '../state/ip-address.ts';
import { hostsText, socketAddressText, socketTupleText, tupleText } from '../state/socket-text.ts';

/** A SOCKTUPLE. Addresses are binary strings; IPv6 addresses that only wrap IPv4 ones are unwrapped (`family` stays). */
export interface SocketTuple {
  readonly family: number;
  /** Whether the addresses have 4 bytes: an IPv4 tuple, or an IPv6 one that wraps IPv4. */
  readonly isIpv4: boolean;
  readonly sip: string;
  readonly sport: number;
  readonly dip: string;
  readonly dport: number;
  /** Unix sockets: kernel pointers and the path. */
  readonly source: Integer;
  readonly peer: Integer;
  readonly path: string;
}

/** A SOCKADDR; for unix sockets `ip` is '' and `path` is set. */
export interface SocketAddress {
  readonly family: number;
  readonly isIpv4: boolean;
  readonly ip: string;
  readonly port: number;
  readonly path: string;
}

/** The tuple at a parameter; undefined when it is empty, truncated or of a family without one. */
export function readTuple(record: EventRecord, index: number): SocketTuple | undefined {
  const length = record.lengthOf(index);
  if (length === 0) return undefined;
  const { bytes, view } = record;
  const at = record.paramOffsets[index] as number;
  const family = bytes[at] as number;
  if (family === AF_INET && length >= 13) {
    return {
      family,
      isIpv4: true,
      sip: bytes.latin1Slice(at + 1, at + 5),
      sport: view.getUint16(at + 5, true),
      dip: bytes.latin1Slice(at + 7, at + 11),
      dport: view.getUint16(at + 11, true),
      source: 0,
      peer: 0,
      path: '',
    };
  }
  if (family === AF_INET6 && length >= 37) {
    const sip = bytes.latin1Slice(at + 1, at + 17);
    const dip = bytes.latin1Slice(at + 19, at + 35);
    const isIpv4 = isMappedIpv4(sip) && isMappedIpv4(dip);
    return {
      family,
      isIpv4,
      sip: isIpv4 ? sip.slice(12) : sip,
      sport: view.getUint16(at + 17, true),
      dip: isIpv4 ? dip.slice(12) : dip,
      dport: view.getUint16(at + 35, true),
      source: 0,
      peer: 0,
      path: '',
    };
  }
  if (family !== AF_UNIX || length < 17) return undefined;
  const text = bytes.latin1Slice(at + 17, at + length);
  return {
    family,
    isIpv4: false,
    sip: '',
    sport: 0,
    dip: '',
    dport: 0,
    source: u64(view.getUint32(at + 5, true), view.getUint32(at + 1, true)),
    peer: u64(view.getUint32(at + 13, true), view.getUint32(at + 9, true)),
    path: upToNul(text),
  };
}

/** The address at a parameter; undefined when it is empty, truncated or of a family without one. */
export function readAddress(record: EventRecord, index: number): SocketAddress | undefined {
  const length = record.lengthOf(index);
  if (length === 0) return undefined;
  const { bytes, view } = record;
  const at = record.paramOffsets[index] as number;
  const family = bytes[at] as number;
  if (family === AF_INET && length >= 7) {
    const ip = bytes.latin1Slice(at + 1, at + 5);
    return { family, isIpv4: true, ip, port: view.getUint16(at + 5, true), path: '' };
  }
  if (family === AF_INET6 && length >= 19) {
    const ip = bytes.latin1Slice(at + 1, at + 17);
    const isIpv4 = isMappedIpv4(ip);
    return { family, isIpv4, ip: isIpv4 ? ip.slice(12) : ip, port: view.getUint16(at + 17, true), path: '' };
  }
  if (family !== AF_UNIX) return undefined;
  const path = upToNul(bytes.latin1Slice(at + 1, at + length));
  return { family, isIpv4: false, ip: '', port: 0, path };
}

/** The family byte of an address or tuple parameter that is not empty. */
export function familyAt(record: EventRecord, index: number): number {
  return record.bytes[record.paramOffsets[index] as number] as number;
}

/** The name of a connected socket, by its protocol. */
export function socketName(
  sip: string,
  sport: number,
  dip: string,
  dport: number,
  l4proto: number,
  isIpv4: boolean,
): string {
  if (l4proto === L4_TCP || l4proto === L4_UDP) return tupleText(sip, sport, dip, dport);
  if (l4proto === L4_ICMP || (l4proto === L4_RAW && isIpv4)) {
    return hostsText(sip, dip);
  }
  return '<unknown>';
}

/** `ffff8800->ffff8801 /run/socket` */
export function unixName(source: Integer, peer: Integer, path: string): string {
  return `${source.toString(16)}->${peer.toString(16)} ${printable(path)}`;
}

/** A tuple parameter as the name of a socket. */
export function tupleParamText(record: EventRecord, index: number): string {
  return record.isEmpty(index) ? 'NULL' : printable(socketTupleText(record.binary(index)));
}

/** An address parameter as the name of a socket. */
export function addressParamText(record: EventRecord, index: number): string {
  return record.isEmpty(index) ? 'NULL' : printable(socketAddressText(record.binary(index)));
}

/** The text without control characters and bytes beyond ASCII. */
function printable(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return strip(text);
  }
  return text;
}

function strip(text: string): string {
  let kept = '';
  for (const char of text) {
    if (char >= ' ' && char <= '~') kept += char;
  }
  return kept;
}

function upToNul(text: string): string {
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}
