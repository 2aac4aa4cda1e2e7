/** Field values as text, as an output line shows them. */
import type { PrintFormat } from '../event/event-table.ts';
import type { Integer } from '../event/u64.ts';
import { ipText } from '../state/ip-address.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { DynamicValue, FieldRow, FieldType, FieldValue, Scalar } from './field.ts';

/** What stands for a value that is absent. */
export const ABSENT_TEXT = '<NA>';

/** A network has no text of its own: it exists to be compared. */
const NETWORK_TEXT = '<IPNET>';

/** Appends one value. */
export type ScalarWriter = (writer: ByteWriter, value: Scalar) => void;

/** Appends a field's value; the value is present. */
export type TextWriter = (writer: ByteWriter, value: Exclude<FieldValue, undefined>) => void;

/** Bits of the types whose negative values print as two's complement. */
const INTEGER_BITS: Readonly<Partial<Record<FieldType, number>>> = { int16: 32, int32: 32, int64: 64 };

const COMMA = 44;
const OPEN = 40;
const CLOSE = 41;
const PADDED_DIGITS = 9;

/** Compiles the text form of a field: lists as `(a,b)`, doubles with one decimal, times as integers. */
export function textWriter(row: FieldRow): TextWriter {
  if (row.bindText !== undefined) return writeReadyText;
  if (row.type === 'dynamic') return writeDynamic;
  const write = scalarTextWriter(row.type, row.format);
  if (!row.isList) return (writer, value) => write(writer, value as Scalar);
  return (writer, value) => writeList(writer, value as readonly Scalar[], write, OPEN, CLOSE);
}

/** Appends values with commas between them, between two brackets (given as bytes). */
export function writeList(
  writer: ByteWriter,
  items: readonly Scalar[],
  write: ScalarWriter,
  open: number,
  close: number,
): void {
  writer.byte(open);
  for (let i = 0; i < items.length; i++) {
    if (i > 0) writer.byte(COMMA);
    write(writer, items[i] as Scalar);
  }
  writer.byte(close);
}

/** Rows with a text of their own extract nothing else for output lines. */
function writeReadyText(writer: ByteWriter, value: Exclude<FieldValue, undefined>): void {
  writer.latin1(value as string);
}

function writeDynamic(writer: ByteWriter, value: Exclude<FieldValue, undefined>): void {
  const { type, format, value: scalar } = value as DynamicValue;
  scalarTextWriter(type, format)(writer, scalar);
}

/** The text form of one value of a type. */
export function scalarTextWriter(type: FieldType, format: PrintFormat): ScalarWriter {
  switch (type) {
    case 'string':
    case 'dynamic':
      return writeText;
    case 'bytes':
      return writeBytes;
    case 'bool':
      return writeBool;
    case 'double':
      return writeDouble;
    case 'ipaddr':
      return writeAddress;
    case 'ipnet':
      return writeNetwork;
    default:
      return integerWriter(type, format);
  }
}

function integerWriter(type: FieldType, format: PrintFormat): ScalarWriter {
  switch (format) {
    case 'HEX':
      return (writer, value) => writer.latin1(radixText(value, 16, type).toUpperCase());
    case 'OCT':
      return (writer, value) => writer.latin1(radixText(value, 8, type));
    case '10_PADDED_DEC':
      return writePadded;
    default:
      return writeInteger;
  }
}

function radixText(value: Scalar, radix: number, type: FieldType): string {
  if (typeof value !== 'number' && typeof value !== 'bigint') return String(value);
  if (value >= 0) return value.toString(radix);
  return BigInt.asUintN(INTEGER_BITS[type] ?? 64, BigInt(value)).toString(radix);
}

function writeText(writer: ByteWriter, value: Scalar): void {
  writer.latin1(value as string);
}

/** Binary data prints up to its first NUL, as text does. */
function writeBytes(writer: ByteWriter, value: Scalar): void {
  const text = value as string;
  const end = text.indexOf('\0');
  writer.latin1(end < 0 ? text : text.slice(0, end));
}

function writeBool(writer: ByteWriter, value: Scalar): void {
  writer.latin1(value === true ? 'true' : 'false');
}

function writeDouble(writer: ByteWriter, value: Scalar): void {
  writer.latin1((value as number).toFixed(1));
}

function writeAddress(writer: ByteWriter, value: Scalar): void {
  writer.latin1(ipText(value as string));
}

function writeNetwork(writer: ByteWriter): void {
  writer.latin1(NETWORK_TEXT);
}

function writeInteger(writer: ByteWriter, value: Scalar): void {
  // A row with a time text may hold text under an integer type: print what is there.
  if (typeof value === 'string') writer.latin1(value);
  else writer.integer(value as Integer);
}

function writePadded(writer: ByteWriter, value: Scalar): void {
  const digits = String(value);
  writer.latin1(
    digits.startsWith('-')
      ? `-${digits.slice(1).padStart(PADDED_DIGITS - 1, '0')}`
      : digits.padStart(PADDED_DIGITS, '0'),
  );
}
