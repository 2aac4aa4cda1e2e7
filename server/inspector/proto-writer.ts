/** A growing buffer that writes protobuf's wire format without an object per value. */
import type { Integer } from '../event/u64.ts';

/** Wire types, the low three bits of a tag. */
export const WIRE_VARINT = 0;
export const WIRE_BYTES = 2;

/** Texts up to this length are copied byte by byte: below it a native call costs more than the copy. */
const SHORT_TEXT = 24;

/** Bytes that the varint of a non-negative safe integer takes. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  let length = 4;
  for (let rest = value / 0x10000000; rest >= 1; rest /= 128) length++;
  return length;
}

export class ProtoWriter {
  bytes: Buffer;
  length: number;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.length = 0;
  }

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `n` more bytes. */
  reserve(n: number): void {
    const needed = this.length + n;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** Field number below 16. */
  tag(field: number, wireType: number): void {
    this.reserve(1);
    this.bytes[this.length++] = (field << 3) | wireType;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A non-negative safe integer. */
  varint(value: number): void {
    this.reserve(10);
    const { bytes } = this;
    let at = this.length;
    let rest = value;
    // Bit operations see 32 bits only: larger values are divided down first.
    while (rest >= 0x80000000) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.length = at;
  }

  /** `uint64`; a negative value is written as its two's complement. */
  unsigned(value: Integer): void {
    if (typeof value === 'number' && value >= 0) {
      this.varint(value);
      return;
    }
    const big = BigInt.asUintN(64, BigInt(value));
    this.halves(Number(big >> 32n), Number(big & 0xffffffffn));
  }

  /** `sint64`. */
  signed(value: Integer): void {
    if (typeof value === 'number' && value > -0x10000000000000 && value < 0x10000000000000) {
      this.varint(value >= 0 ? value * 2 : value * -2 - 1);
      return;
    }
    const big = BigInt.asIntN(64, BigInt(value));
    const zigzag = BigInt.asUintN(64, (big << 1n) ^ (big >> 63n));
    this.halves(Number(zigzag >> 32n), Number(zigzag & 0xffffffffn));
  }

  /** Little-endian IEEE 754. */
  double(value: number): void {
    this.reserve(8);
    this.bytes.writeDoubleLE(value, this.length);
    this.length += 8;
  }

  /** A length-delimited binary string: one byte per character. */
  text(text: string): void {
    const n = text.length;
    this.varint(n);
    this.reserve(n);
    const { bytes } = this;
    if (n <= SHORT_TEXT) {
      let at = this.length;
      for (let i = 0; i < n; i++) bytes[at++] = text.charCodeAt(i);
    } else {
      bytes.latin1Write(text, this.length, n);
    }
    this.length += n;
  }

  /** Bytes as they are, without tag or length. */
  raw(source: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    source.copy(this.bytes, this.length, start, end);
    this.length += end - start;
  }

  /** Everything written by another writer. */
  append(other: ProtoWriter): void {
    this.raw(other.bytes, 0, other.length);
  }

  /** Everything written by another writer, as a length-delimited field; nothing when it is empty. */
  appendField(field: number, other: ProtoWriter): void {
    if (other.length === 0) return;
    this.tag(field, WIRE_BYTES);
    this.varint(other.length);
    this.append(other);
  }

  private halves(high: number, low: number): void {
    this.reserve(10);
    let hi = high;
    let lo = low;
    while (hi > 0 || lo >= 0x80) {
      this.bytes[this.length++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.bytes[this.length++] = lo;
  }
}

/** Bytes that `appendField` takes for `n` bytes of content. */
export function fieldLength(n: number): number {
  return n === 0 ? 0 : 1 + varintLength(n) + n;
}
