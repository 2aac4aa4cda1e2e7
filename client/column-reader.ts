/** Values of one column of a batch, decoded when they are asked for. */
import { type Column, type FieldSchema, FieldType, type FieldValue } from '../proto/gen/strata/v1/value.ts';
import { formatAddress } from './ip-address.ts';

/** A single value in JavaScript terms. 64-bit integers are numbers while exact (up to 2^53), else bigints. */
export type ScalarValue = string | number | bigint | boolean | Buffer;

/** A field's value; undefined means absent. */
export type EventValue = ScalarValue | readonly ScalarValue[] | undefined;

/** How values are given: `text` decodes text and addresses to strings, `bytes` hands out what was sent. */
export type ValueForm = 'text' | 'bytes';

export class ColumnReader {
  readonly schema: FieldSchema;
  private readonly column: Column;
  private readonly rows: number;
  /** First item of each row, one more than rows; built when first needed. */
  private starts: Uint32Array | undefined;

  constructor(schema: FieldSchema, column: Column, rows: number) {
    this.schema = schema;
    this.column = column;
    this.rows = rows;
    this.starts = undefined;
  }

  isPresent(row: number): boolean {
    const { present } = this.column;
    if (present.length === 0) return row < this.rows;
    return (((present[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
  }

  /** Value of a row; undefined when it is absent. */
  value(row: number, form: ValueForm = 'text'): EventValue {
    if (!this.isPresent(row)) return undefined;
    this.starts ??= this.findStarts();
    const start = this.starts[row] as number;
    if (!this.schema.isList) return this.item(start, form);
    const items: ScalarValue[] = [];
    const end = this.starts[row + 1] as number;
    for (let i = start; i < end; i++) items.push(this.item(i, form));
    return items;
  }

  private findStarts(): Uint32Array {
    const starts = new Uint32Array(this.rows + 1);
    const { listLengths } = this.column;
    let next = 0;
    let presentRows = 0;
    for (let row = 0; row < this.rows; row++) {
      starts[row] = next;
      if (!this.isPresent(row)) continue;
      next += this.schema.isList ? (listLengths[presentRows] ?? 0) : 1;
      presentRows++;
    }
    starts[this.rows] = next;
    return starts;
  }

  private item(index: number, form: ValueForm): ScalarValue {
    const { column, schema } = this;
    switch (schema.type) {
      case FieldType.UINT32:
      case FieldType.UINT64:
      case FieldType.PORT:
      case FieldType.ABSTIME:
        return narrow(must(column.unsignedValues[index]));
      case FieldType.INT16:
      case FieldType.INT32:
      case FieldType.INT64:
      case FieldType.RELTIME:
        return narrow(must(column.signedValues[index]));
      case FieldType.DOUBLE:
        return must(column.doubleValues[index]);
      case FieldType.BOOL:
        return must(column.boolValues[index]);
      case FieldType.DYNAMIC:
        return dynamicItem(must(column.dynamicValues[index]), form);
      default:
        return readBytes(must(column.dictionary[must(column.dictionaryIndexes[index])]), schema.type, form);
    }
  }
}

/** One value that travels by itself, as in ExtractFields. */
export function readFieldValue(schema: FieldSchema, value: FieldValue, form: ValueForm = 'text'): EventValue {
  if (value.kind === undefined) return undefined;
  if (value.kind.$case === 'listValue') {
    return value.kind.value.values.map((item) => scalarOf(item, schema.type, form));
  }
  return scalarOf(value, schema.type, form);
}

function dynamicItem(value: FieldValue, form: ValueForm): ScalarValue {
  return scalarOf(value, value.type, form);
}

function scalarOf(value: FieldValue, schemaType: FieldType, form: ValueForm): ScalarValue {
  const type = value.type === FieldType.UNSPECIFIED ? schemaType : value.type;
  const { kind } = value;
  switch (kind?.$case) {
    case 'unsignedValue':
    case 'signedValue':
      return narrow(kind.value);
    case 'doubleValue':
    case 'boolValue':
      return kind.value;
    case 'bytesValue':
      return readBytes(kind.value, type, form);
    default:
      throw new RangeError('a list holds an absent value or a list');
  }
}

function readBytes(bytes: Buffer, type: FieldType, form: ValueForm): ScalarValue {
  if (form === 'bytes' || type === FieldType.BYTES) return bytes;
  if (type === FieldType.IPADDR || type === FieldType.IPNET) return formatAddress(bytes);
  return bytes.toString('utf8');
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('the batch holds fewer values than it says');
  return value;
}
