/** Field values as JSON: numbers exact, text as UTF-8, `null` when absent. */
import type { PrintFormat } from '../event/event-table.ts';
import type { Integer } from '../event/u64.ts';
import { ByteWriter } from './byte-writer.ts';
import type { DynamicValue, FieldRow, FieldType, FieldValue, Scalar } from './field.ts';
import { type ScalarWriter, scalarTextWriter, writeList } from './render.ts';
import { writeJsonText } from './render-json-text.ts';

/** Appends a field's value, absent ones included. */
export type JsonWriter = (writer: ByteWriter, value: FieldValue) => void;

const OPEN = 91;
const CLOSE = 93;

/** Compiles the JSON form of a field: typed scalars, lists as arrays; hexadecimal and octal numbers and addresses as text. */
export function jsonWriter(row: FieldRow): JsonWriter {
  if (row.bindJson !== undefined) return writeNatural;
  if (row.type === 'dynamic') return writeDynamic;
  const write = scalarJsonWriter(row.type, row.format);
  if (!row.isList) {
    return (writer, value) => {
      if (value === undefined) writer.latin1('null');
      else write(writer, value as Scalar);
    };
  }
  return (writer, value) => {
    if (value === undefined) writer.latin1('null');
    else writeList(writer, value as readonly Scalar[], write, OPEN, CLOSE);
  };
}

function scalarJsonWriter(type: FieldType, format: PrintFormat): ScalarWriter {
  switch (type) {
    case 'string':
    case 'bytes':
      return (writer, value) => writeJsonText(writer, value as string);
    case 'bool':
      return (writer, value) => writer.latin1(value === true ? 'true' : 'false');
    case 'double':
      return (writer, value) => writeDouble(writer, value as number);
    case 'ipaddr':
    case 'ipnet':
      return quoted(scalarTextWriter(type, format));
    default:
      if (format === 'HEX' || format === 'OCT') return quoted(scalarTextWriter(type, format));
      return (writer, value) => writer.integer(value as Integer);
  }
}

/** The text form as a JSON string; such texts hold nothing to escape. */
function quoted(write: ScalarWriter): ScalarWriter {
  return (writer, value) => {
    writer.byte(0x22);
    write(writer, value);
    writer.byte(0x22);
  };
}

/** A double stays recognisable as one: `3.0`, not `3`. */
function writeDouble(writer: ByteWriter, value: number): void {
  if (!Number.isFinite(value)) writer.latin1('null');
  else writer.latin1(Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value));
}

function writeDynamic(writer: ByteWriter, value: FieldValue): void {
  if (value === undefined) {
    writer.latin1('null');
    return;
  }
  const dynamic = value as DynamicValue;
  scalarJsonWriter(dynamic.type, dynamic.format)(writer, dynamic.value);
}

/** Whatever the value is by itself: for fields whose JSON differs from their text. */
function writeNatural(writer: ByteWriter, value: FieldValue): void {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      writer.integer(value);
      return;
    case 'string':
      writeJsonText(writer, value);
      return;
    case 'boolean':
      writer.latin1(value ? 'true' : 'false');
      return;
    default:
      writer.latin1('null');
  }
}

/** A text as JSON bytes in a binary string, quotes included: for keys. */
export function jsonText(text: string): string {
  const scratch = new ByteWriter(text.length + 16);
  writeJsonText(scratch, text);
  return scratch.text();
}
