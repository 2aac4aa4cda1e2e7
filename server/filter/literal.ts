/** Reads the values written in a condition as the type of the field they are compared with. */
import type { FieldType, Scalar } from '../fields/field.ts';
import { findServicePort } from '../fields/service-port.ts';
import { LiteralError } from './filter-error.ts';
import { parseAddress } from './ip-literal.ts';

const INTEGER = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)$/;
const DOUBLE = /^[ \t\n\v\f\r]*[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?$/;
const DIGITS = /^[0-9]+$/;
const HEX_BYTES = /^(?:[0-9a-fA-F]{2})+$/;
/** More digits than any integer type has. */
const DIGITS_MAX = 64;

interface IntegerRange {
  readonly min: bigint;
  readonly max: bigint;
}

function signed(bits: number): IntegerRange {
  return { min: -(1n << BigInt(bits - 1)), max: (1n << BigInt(bits - 1)) - 1n };
}

function unsigned(bits: number): IntegerRange {
  return { min: 0n, max: (1n << BigInt(bits)) - 1n };
}

const INTEGER_RANGES: Partial<Record<FieldType, IntegerRange>> = {
  int16: signed(16),
  int32: signed(32),
  int64: signed(64),
  uint32: unsigned(32),
  uint64: unsigned(64),
  abstime: unsigned(64),
  reltime: unsigned(64),
};

/**
 * The value a literal stands for: numbers as a number while exact, else a bigint; addresses as 4 or 16 bytes.
 * `text` is a binary string. Throws LiteralError.
 */
export function parseLiteral(text: string, type: FieldType): Scalar {
  switch (type) {
    case 'string':
    case 'bytes':
      return text;
    case 'bool':
      if (text === 'true' || text === 'false') return text === 'true';
      throw new LiteralError(`'${text}' is neither true nor false`);
    case 'port':
      return parsePort(text);
    case 'ipaddr':
      return parseAddress(text);
    case 'double':
      if (DOUBLE.test(text)) return Number(text);
      throw new LiteralError(`'${text}' is not a number`);
    default:
      return parseInteger(text, type);
  }
}

/** Bytes written as pairs of hex digits, as a binary string. Throws LiteralError. */
export function parseHexBytes(text: string): string {
  if (HEX_BYTES.test(text)) return Buffer.from(text, 'hex').latin1Slice();
  throw new LiteralError(`'${text}' is not a run of bytes in hex, as CAFEBABE`);
}

/** Decimal or hex. A negative value of an unsigned type wraps round, so that -1 is the highest one. */
function parseInteger(text: string, type: FieldType): number | bigint {
  const range = INTEGER_RANGES[type];
  if (range === undefined) throw new LiteralError(`values of type ${type} cannot be written in a condition`);
  const match = INTEGER.exec(text);
  if (match === null) throw new LiteralError(`'${text}' is not a whole number`);
  const digits = match[2] as string;
  let value = digits.length > DIGITS_MAX ? range.max + 1n : BigInt(digits);
  if (match[1] === '-') value = -value;
  if (value < 0n && range.min === 0n) value += range.max + 1n;
  if (digits.length > DIGITS_MAX || value < range.min || value > range.max) {
    throw new LiteralError(`${text.trim()} is outside the range of ${type}, ${range.min} to ${range.max}`);
  }
  return exact(value);
}

/** A number from 0 to 65535, or the name of a service; nothing is 0. */
function parsePort(text: string): number {
  if (text === '') return 0;
  if (DIGITS.test(text)) {
    const port = Number(text);
    if (port <= 65535) return port;
    throw new LiteralError(`${text} is outside the range of port, 0 to 65535`);
  }
  const port = findServicePort(text);
  if (port === undefined) throw new LiteralError(`'${text}' is neither a port nor the name of a service`);
  return port;
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
