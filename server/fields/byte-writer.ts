/** A growing buffer that text, numbers and bytes are appended to without making strings on the way. */
import { type Integer, nsSeconds, nsSubsecond } from '../event/u64.ts';

const CAPACITY_START = 4096;
/** Below this many characters a loop is faster than the call into the runtime. */
const LOOP_CHARACTERS_MAX = 24;
const DIGITS_MAX = 20;
const ZERO = 48;
const MINUS = 45;
const HEX_DIGITS_MAX = 16;
const LETTER_A = 65;
const TWO_31 = 0x80000000;
const TWO_32 = 0x100000000;
/** High halves below it make a number that is exact. */
const SAFE_HI = 0x200000;
/** Integers below it are divided with 32-bit arithmetic. */
const SMALL_MAX = 0x7fffffff;

export class ByteWriter {
  /** The bytes written are `bytes[0 .. length)`. Replaced when it grows. */
  bytes: Buffer;
  /** May be set back to take off what was written last. */
  length: number;

  constructor(capacity: number = CAPACITY_START) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.length = 0;
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  reset(): void {
    this.length = 0;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.ensure(1);
    this.bytes[this.length++] = value;
  }

  /** One byte per character: binary strings. */
  latin1(text: string): void {
    const count = text.length;
    this.ensure(count);
    if (count > LOOP_CHARACTERS_MAX) {
      this.bytes.latin1Write(text, this.length, count);
      this.length += count;
      return;
    }
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < count; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  copy(source: Uint8Array): void {
    this.ensure(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** Bytes `from` to `to` of `source`. */
  range(source: Buffer, from: number, to: number): void {
    const count = to - from;
    this.ensure(count);
    if (count > LOOP_CHARACTERS_MAX) {
      source.copy(this.bytes, this.length, from, to);
      this.length += count;
      return;
    }
    const { bytes } = this;
    let at = this.length;
    for (let i = from; i < to; i++) bytes[at++] = source[i] as number;
    this.length = at;
  }

  /** Decimal text of an unsigned 64-bit integer given as halves: no bigint is made. */
  decimalU64(hi: number, lo: number): void {
    if (hi < SAFE_HI) {
      this.decimal(hi * TWO_32 + lo);
      return;
    }
    // A thousand million is a thousand million, of nanoseconds or not.
    this.decimal(nsSeconds(hi, lo));
    this.padded(nsSubsecond(hi, lo), 9);
  }

  /** Decimal text of a signed 64-bit integer given as unsigned halves. */
  decimalI64(hi: number, lo: number): void {
    if (hi < TWO_31) {
      this.decimalU64(hi, lo);
      return;
    }
    this.byte(MINUS);
    const isLowZero = lo === 0;
    this.decimalU64((isLowZero ? -hi : ~hi) >>> 0, -lo >>> 0);
  }

  /** Exactly `width` digits of a non-negative integer below 10 to that power. */
  padded(value: number, width: number): void {
    this.ensure(width);
    const { bytes } = this;
    let rest = value;
    for (let at = this.length + width - 1; at >= this.length; at--) {
      const quotient = Math.floor(rest / 10);
      bytes[at] = ZERO + (rest - quotient * 10);
      rest = quotient;
    }
    this.length += width;
  }

  /** Upper-case hexadecimal text of an unsigned 64-bit integer given as halves. */
  hexU64(hi: number, lo: number): void {
    this.ensure(HEX_DIGITS_MAX);
    let shift = hi === 0 ? 28 - (Math.clz32(lo | 1) & ~3) : 60 - (Math.clz32(hi) & ~3);
    const { bytes } = this;
    for (; shift >= 0; shift -= 4) {
      const digit = shift >= 32 ? (hi >>> (shift - 32)) & 15 : (lo >>> shift) & 15;
      bytes[this.length++] = digit + (digit < 10 ? ZERO : LETTER_A - 10);
    }
  }

  /** Decimal text of an integer. */
  integer(value: Integer): void {
    if (typeof value === 'number' && Number.isSafeInteger(value)) this.decimal(value);
    else this.latin1(value.toString());
  }

  private decimal(value: number): void {
    this.ensure(DIGITS_MAX);
    let rest = value;
    if (rest < 0) {
      this.bytes[this.length++] = MINUS;
      rest = -rest;
    }
    const end = this.length + digitCount(rest);
    const { bytes } = this;
    let at = end;
    while (rest > SMALL_MAX) {
      const quotient = Math.floor(rest / 10);
      bytes[--at] = ZERO + (rest - quotient * 10);
      rest = quotient;
    }
    do {
      const quotient = (rest / 10) | 0;
      bytes[--at] = ZERO + (rest - quotient * 10);
      rest = quotient;
    } while (rest > 0);
    this.length = end;
  }

  /** The bytes written so far, as a view that the next write may change. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** The bytes written so far as a binary string. */
  text(): string {
    return this.bytes.latin1Slice(0, this.length);
  }
}

function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  let count = 3;
  for (let limit = 1000; value >= limit; limit *= 10) count++;
  return count;
}
