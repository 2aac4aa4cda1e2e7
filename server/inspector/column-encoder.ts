/** Collects the values of one field over the rows of a batch and writes them as a `Column` of the contract. */
import type { DynamicValue, FieldType, FieldValue, Scalar } from '../fields/field.ts';
import { FIELD_TYPE_NUMBERS } from './field-schema.ts';
import { fieldLength, ProtoWriter, varintLength, WIRE_BYTES, WIRE_VARINT } from './proto-writer.ts';

/** Members of `Column` (proto/strata/v1/value.proto). */
const COLUMN_PRESENT = 1;
const COLUMN_UNSIGNED = 2;
const COLUMN_SIGNED = 3;
const COLUMN_DOUBLE = 4;
const COLUMN_BOOL = 5;
const COLUMN_DICTIONARY = 6;
const COLUMN_INDEXES = 7;
const COLUMN_LENGTHS = 8;
const COLUMN_DYNAMIC = 9;

/** Members of `FieldValue`. */
const VALUE_UNSIGNED = 1;
const VALUE_SIGNED = 2;
const VALUE_DOUBLE = 3;
const VALUE_BOOL = 4;
const VALUE_BYTES = 5;
const VALUE_TYPE = 7;
const WIRE_FIXED64 = 1;

/**
 * Texts looked up in the dictionary before it is judged. When more than half of them were new, as with `evt.args`, the
 * rest of the batch is written without looking: hashing such texts costs more than the few repeats save.
 */
const LOOKUPS_TRIED = 128;

/** How values of a type travel: the member of `Column` that holds them. */
const CARRIERS: Readonly<Record<FieldType, number>> = {
  string: COLUMN_INDEXES,
  bytes: COLUMN_INDEXES,
  ipaddr: COLUMN_INDEXES,
  ipnet: COLUMN_INDEXES,
  bool: COLUMN_BOOL,
  int16: COLUMN_SIGNED,
  int32: COLUMN_SIGNED,
  int64: COLUMN_SIGNED,
  reltime: COLUMN_SIGNED,
  uint32: COLUMN_UNSIGNED,
  uint64: COLUMN_UNSIGNED,
  abstime: COLUMN_UNSIGNED,
  port: COLUMN_UNSIGNED,
  double: COLUMN_DOUBLE,
  dynamic: COLUMN_DYNAMIC,
};

export class ColumnEncoder {
  private readonly carrier: number;
  private readonly isList: boolean;
  /** One bit per row up to the last present one. */
  private present: Uint8Array;
  private rows: number;
  private presentCount: number;
  /** Packed values or dictionary indexes; for dynamic values whole tagged fields. */
  private readonly values: ProtoWriter;
  /** Tagged `dictionary` fields. */
  private readonly dictionary: ProtoWriter;
  private readonly lengths: ProtoWriter;
  private readonly indexes: Map<string, number>;
  /** Entries of the dictionary in this batch, and look-ups made in `indexes`. */
  private entryCount: number;
  private lookupCount: number;
  private lastText: string;
  private lastIndex: number;
  private readonly scratch: ProtoWriter;

  constructor(type: FieldType, isList: boolean) {
    this.carrier = CARRIERS[type];
    this.isList = isList;
    this.present = new Uint8Array(128);
    this.rows = 0;
    this.presentCount = 0;
    this.values = new ProtoWriter(1024);
    this.dictionary = new ProtoWriter(this.carrier === COLUMN_INDEXES ? 1024 : 0);
    this.lengths = new ProtoWriter(isList ? 256 : 0);
    this.indexes = new Map();
    this.entryCount = 0;
    this.lookupCount = 0;
    this.lastText = '';
    this.lastIndex = -1;
    this.scratch = new ProtoWriter(this.carrier === COLUMN_DYNAMIC ? 64 : 0);
  }

  /** Adds the next row; undefined is absent. */
  add(value: FieldValue): void {
    const row = this.rows++;
    if (value === undefined) return;
    const at = row >> 3;
    if (at >= this.present.length) this.growPresent(at + 1);
    this.present[at] = (this.present[at] as number) | (1 << (row & 7));
    this.presentCount++;
    if (!this.isList) {
      this.addItem(value as Scalar | DynamicValue);
      return;
    }
    const items = value as readonly Scalar[];
    this.lengths.varint(items.length);
    for (const item of items) this.addItem(item);
  }

  /** Bytes of values held so far: what the batch's byte limit counts. */
  get byteCount(): number {
    return this.values.length + this.dictionary.length + this.lengths.length + (this.rows >> 3);
  }

  /** Length in bytes of the encoded column. */
  encodedLength(): number {
    const values = this.carrier === COLUMN_DYNAMIC ? this.values.length : fieldLength(this.values.length);
    return (
      fieldLength(this.presentLength()) + values + this.dictionary.length + fieldLength(this.lengths.length)
    );
  }

  write(out: ProtoWriter): void {
    const presentLength = this.presentLength();
    if (presentLength > 0) {
      out.tag(COLUMN_PRESENT, WIRE_BYTES);
      out.varint(presentLength);
      out.raw(Buffer.from(this.present.buffer), 0, presentLength);
    }
    out.append(this.dictionary);
    if (this.carrier === COLUMN_DYNAMIC) out.append(this.values);
    else out.appendField(this.carrier, this.values);
    out.appendField(COLUMN_LENGTHS, this.lengths);
  }

  reset(): void {
    this.present.fill(0, 0, (this.rows >> 3) + 1);
    this.rows = 0;
    this.presentCount = 0;
    this.values.reset();
    this.dictionary.reset();
    this.lengths.reset();
    this.indexes.clear();
    this.entryCount = 0;
    this.lookupCount = 0;
    this.lastIndex = -1;
  }

  private addItem(item: Scalar | DynamicValue): void {
    switch (this.carrier) {
      case COLUMN_INDEXES:
        this.values.varint(this.indexOf(item as string));
        return;
      case COLUMN_UNSIGNED:
        this.values.unsigned(item as number | bigint);
        return;
      case COLUMN_SIGNED:
        this.values.signed(item as number | bigint);
        return;
      case COLUMN_BOOL:
        this.values.byte(item === true ? 1 : 0);
        return;
      case COLUMN_DOUBLE:
        this.values.double(item as number);
        return;
      default:
        this.addDynamic(item as DynamicValue);
    }
  }

  private indexOf(text: string): number {
    // Neighbouring events often share their thread: a comparison is cheaper than the map.
    if (this.lastIndex >= 0 && text === this.lastText) return this.lastIndex;
    let index: number | undefined;
    if (this.lookupCount < LOOKUPS_TRIED || this.entryCount * 2 < this.lookupCount) {
      this.lookupCount++;
      index = this.indexes.get(text);
      if (index === undefined) this.indexes.set(text, this.entryCount);
    }
    index ??= this.addEntry(text);
    this.lastText = text;
    this.lastIndex = index;
    return index;
  }

  private addEntry(text: string): number {
    this.dictionary.tag(COLUMN_DICTIONARY, WIRE_BYTES);
    this.dictionary.text(text);
    return this.entryCount++;
  }

  private addDynamic(item: DynamicValue): void {
    this.scratch.reset();
    writeScalar(this.scratch, item.type, item.value);
    this.scratch.tag(VALUE_TYPE, WIRE_VARINT);
    this.scratch.varint(FIELD_TYPE_NUMBERS[item.type]);
    this.values.appendField(COLUMN_DYNAMIC, this.scratch);
  }

  /** Bytes of bitmap to send: none when all rows are present, nor zeros at the end. */
  private presentLength(): number {
    if (this.presentCount === this.rows) return 0;
    // The bitmap ends with the last row that grew it: rows behind it are absent.
    let length = Math.min((this.rows + 7) >> 3, this.present.length);
    // At least one byte stays: an empty bitmap means the opposite.
    while (length > 1 && this.present[length - 1] === 0) length--;
    return length;
  }

  private growPresent(bytes: number): void {
    const grown = new Uint8Array(Math.max(bytes, this.present.length * 2));
    grown.set(this.present);
    this.present = grown;
  }
}

function writeScalar(out: ProtoWriter, type: FieldType, value: Scalar): void {
  switch (CARRIERS[type]) {
    case COLUMN_UNSIGNED:
      out.tag(VALUE_UNSIGNED, WIRE_VARINT);
      out.unsigned(value as number | bigint);
      return;
    case COLUMN_SIGNED:
      out.tag(VALUE_SIGNED, WIRE_VARINT);
      out.signed(value as number | bigint);
      return;
    case COLUMN_DOUBLE:
      out.tag(VALUE_DOUBLE, WIRE_FIXED64);
      out.double(value as number);
      return;
    case COLUMN_BOOL:
      out.tag(VALUE_BOOL, WIRE_VARINT);
      out.byte(value === true ? 1 : 0);
      return;
    default:
      out.tag(VALUE_BYTES, WIRE_BYTES);
      out.text(value as string);
  }
}

/** Bytes that a column takes as a member of a batch. */
export function columnFieldLength(column: ColumnEncoder): number {
  const n = column.encodedLength();
  return 1 + varintLength(n) + n;
}
