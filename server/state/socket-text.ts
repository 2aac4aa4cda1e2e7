/** Socket addresses and connection tuples as text: of event parameters, given as their bytes, and of known endpoints. */
import { AF_INET, AF_INET6, AF_UNIX } from '../event/socket-numbers.ts';
import { ipText, ipv4Text, isMappedIpv4 } from './ip-address.ts';

/** A SOCKADDR value: `ip:port`, a unix socket's path, or the number of a family that is not decoded. */
export function socketAddressText(value: string): string {
  const family = value.charCodeAt(0);
  if (family === AF_UNIX) return upToNul(value, 1);
  if (family === AF_INET) {
    return value.length === 7 ? `${ipv4Text(value, 1)}:${port(value, 5)}` : 'INVALID IPv4';
  }
  if (family === AF_INET6) {
    return value.length === 19 ? endpointText(value.slice(1, 17), port(value, 17)) : 'INVALID IPv6';
  }
  return `family ${family}`;
}

/** A SOCKTUPLE value: `source:port->destination:port`, or `source->peer path` of a unix socket with kernel pointers in hex. */
export function socketTupleText(value: string): string {
  const family = value.charCodeAt(0);
  if (family === AF_INET) return value.length === 13 ? ipv4TupleText(value, 1, 5, 7, 11) : 'INVALID IPv4';
  if (family === AF_INET6) return value.length === 37 ? ipv6TupleText(value) : 'INVALID IPv6';
  if (family === AF_UNIX) return `${hex64(value, 1)}->${hex64(value, 9)} ${upToNul(value, 17)}`;
  return `family ${family}`;
}

function ipv6TupleText(value: string): string {
  const sip = value.slice(1, 17);
  const dip = value.slice(19, 35);
  if (isMappedIpv4(sip) && isMappedIpv4(dip)) return ipv4TupleText(value, 13, 17, 31, 35);
  return tupleText(sip, port(value, 17), dip, port(value, 35));
}

function ipv4TupleText(value: string, sip: number, sport: number, dip: number, dport: number): string {
  return `${ipv4Text(value, sip)}:${port(value, sport)}->${ipv4Text(value, dip)}:${port(value, dport)}`;
}

/** `1.2.3.4:80`, `::1:80`; an absent address is `0.0.0.0`. */
export function endpointText(ip: string, port: number): string {
  return `${knownIpText(ip)}:${port}`;
}

/** `1.2.3.4:1024->5.6.7.8:80` */
export function tupleText(sip: string, sport: number, dip: string, dport: number): string {
  return `${knownIpText(sip)}:${sport}->${knownIpText(dip)}:${dport}`;
}

/** `1.2.3.4->5.6.7.8`, for protocols without ports. */
export function hostsText(sip: string, dip: string): string {
  return `${knownIpText(sip)}->${knownIpText(dip)}`;
}

function knownIpText(ip: string): string {
  return ip === '' ? '0.0.0.0' : ipText(ip);
}

function port(value: string, at: number): number {
  return value.charCodeAt(at) | (value.charCodeAt(at + 1) << 8);
}

/** Eight little-endian bytes in hex without leading zeros; bytes that are missing count as zero. */
function hex64(value: string, at: number): string {
  let digits = '';
  for (let i = 7; i >= 0; i--) {
    const byte = value.charCodeAt(at + i) || 0;
    digits += digits === '' ? (byte === 0 ? '' : byte.toString(16)) : byte.toString(16).padStart(2, '0');
  }
  return digits === '' ? '0' : digits;
}

function upToNul(value: string, start: number): string {
  const end = value.indexOf('\0', start);
  return value.slice(start, end < 0 ? value.length : end);
}
