/** Messages of the contract as JSON: members in snake_case, bytes as text, 64-bit integers as exact digits. */

import { formatAddress } from '../ip-address.ts';

/** How some members are shown; the key is the member's name in the generated code. */
export interface JsonShape {
  /** Members that hold an IP address of 4 or 16 bytes. */
  readonly addresses: ReadonlySet<string>;
  /** Members that hold a constant of an enum, with the enum's object. */
  readonly enums: ReadonlyMap<string, Readonly<Record<string, number>>>;
}

/**
 * One line of JSON, without the newline. Members that are not set are left out. Bytes that are not UTF-8 become U+FFFD.
 */
export function messageJson(message: object, shape: JsonShape): string {
  const members: string[] = [];
  for (const [name, value] of Object.entries(message)) {
    if (value === undefined || name === '$type') continue;
    members.push(`${JSON.stringify(snakeCase(name))}:${valueJson(name, value, shape)}`);
  }
  return `{${members.join(',')}}`;
}

function valueJson(name: string, value: unknown, shape: JsonShape): string {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) {
    return JSON.stringify(shape.addresses.has(name) ? formatAddress(Buffer.from(value)) : decodeText(value));
  }
  if (Array.isArray(value)) return `[${value.map((item) => valueJson(name, item, shape)).join(',')}]`;
  if (typeof value === 'number') {
    const names = shape.enums.get(name);
    return names === undefined ? JSON.stringify(value) : JSON.stringify(enumName(names, value));
  }
  if (typeof value === 'object' && value !== null) {
    // The keys of a map are data; those of a message are names.
    return isMap(name) ? JSON.stringify(value) : messageJson(value, shape);
  }
  return JSON.stringify(value);
}

/** Map members of the contract: labels and annotations, of strings to strings. */
function isMap(name: string): boolean {
  return name.toLowerCase().endsWith('labels') || name === 'annotations';
}

/** `FILE` -> `file`; numbers this version does not know stay numbers. */
export function enumName(names: Readonly<Record<string, number>>, value: number): string {
  for (const [name, number] of Object.entries(names)) if (number === value) return name.toLowerCase();
  return String(value);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Bytes from the kernel as text for people. */
export function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
