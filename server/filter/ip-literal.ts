/** Addresses and networks as conditions write them, to the bytes that fields hold. */
import { LiteralError } from './filter-error.ts';

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/;
const PREFIX_LENGTH = /^[0-9]{1,3}$/;
/** No address is longer in text. */
const ADDRESS_TEXT_MAX = 64;

/** A network: an address is inside when its first `bits` bits are those of `prefix`. */
export interface NetworkLiteral {
  /** 4 or 16 bytes as a binary string. */
  readonly address: string;
  readonly bits: number;
}

/** 4 or 16 bytes in network order as a binary string. Throws LiteralError. */
export function parseAddress(text: string): string {
  const bytes = text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
  if (bytes !== undefined) return String.fromCharCode(...bytes);
  const hint = text.includes('/') ? '; networks compare with fields such as fd.snet' : '';
  throw new LiteralError(`'${text}' is not an IP address${hint}`);
}

/** An address with the length of its prefix, as `10.0.0.0/8`. Throws LiteralError. */
export function parseNetwork(text: string): NetworkLiteral {
  const slash = text.indexOf('/');
  if (slash < 0) {
    throw new LiteralError(`'${text}' is not a network: an address and a prefix length, as 10.0.0.0/8`);
  }
  const address = parseAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  const bits = PREFIX_LENGTH.test(length) ? Number(length) : Number.POSITIVE_INFINITY;
  if (bits > address.length * 8) {
    throw new LiteralError(`'${length}' is not a prefix length from 0 to ${address.length * 8}`);
  }
  return { address, bits };
}

/** A test of 4- or 16-byte addresses; one of the other family is never inside. */
export function networkTest(network: NetworkLiteral): (address: string) => boolean {
  const { address, bits } = network;
  const whole = bits >> 3;
  const prefix = address.slice(0, whole);
  const mask = (0xff00 >> (bits & 7)) & 0xff;
  const rest = mask === 0 ? 0 : address.charCodeAt(whole) & mask;
  const { length } = address;
  if (mask === 0) return (value) => value.length === length && value.startsWith(prefix);
  return (value) =>
    value.length === length && value.startsWith(prefix) && (value.charCodeAt(whole) & mask) === rest;
}

function ipv4Bytes(text: string): number[] | undefined {
  if (text.length > ADDRESS_TEXT_MAX) return undefined;
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  const bytes = octets.map((octet) => (OCTET.test(octet) ? Number(octet) : 256));
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function ipv6Bytes(text: string): number[] | undefined {
  if (text.length > ADDRESS_TEXT_MAX) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const isCompressed = halves.length === 2;
  const head = groupBytes(halves[0] as string, !isCompressed);
  const tail = groupBytes(halves[1] ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  // `::` stands for at least one group.
  if (isCompressed ? missing < 2 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Groups of four hex digits; the last may be a dotted IPv4 address when it ends the whole address. */
function groupBytes(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (HEX_GROUP.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
      continue;
    }
    const dotted = endsAddress && i === groups.length - 1 ? ipv4Bytes(group) : undefined;
    if (dotted === undefined) return undefined;
    bytes.push(...dotted);
  }
  return bytes.length > 16 ? undefined : bytes;
}
