/**
 * Builds batches as encoded `StreamEventsResponse` messages, straight from the event in the loop: no object per event, and
 * the bytes need no further copy on their way to the client.
 */
import type { Extractor, FieldRow, FieldValue } from '../fields/field.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { ColumnEncoder, columnFieldLength } from './column-encoder.ts';
import { fieldLength, ProtoWriter, varintLength, WIRE_BYTES, WIRE_VARINT } from './proto-writer.ts';

/** Members of `StreamEventsResponse` and `EventBatch` (proto/strata/v1/event_service.proto). */
const RESPONSE_BATCH = 2;
const BATCH_FIRST_SEQUENCE = 1;
const BATCH_COUNT = 2;
const BATCH_COLUMNS = 3;
const BATCH_RENDERED = 4;
const BATCH_LINE_LENGTHS = 5;
const BATCH_FILTER_IDS = 6;
const BATCH_FILTER_COUNTS = 7;
const BATCH_FIRST_EVENT_NUMBER = 8;
const BATCH_LAST_EVENT_NUMBER = 9;
const BATCH_INCOMPLETE_ROWS = 10;

/** A field as the encoder reads it. */
export interface EncodedField {
  readonly row: FieldRow;
  readonly extract: Extractor;
}

/** What a line renderer's writer must show: the bytes so far and how many of them count. */
export interface LineWriter {
  readonly bytes: Buffer;
  length: number;
  /** Appends the bytes. */
  copy(source: Uint8Array): void;
}

/** What a batch would hold of one event, read ahead of its turn: values in the order of the fields, or a line. */
export type ProjectedRow = readonly FieldValue[] | Buffer;

/** Rows of a batch in the making. */
interface BatchBody {
  add(event: InspectedEvent): void;
  project(event: InspectedEvent): ProjectedRow;
  addProjected(row: ProjectedRow): void;
  readonly byteCount: number;
  encodedLength(): number;
  write(out: ProtoWriter): void;
  reset(): void;
}

export class BatchEncoder {
  /** Events in the batch being built. */
  count: number;
  firstNum: number;
  lastNum: number;
  private readonly body: BatchBody;
  private readonly filterIds: ProtoWriter;
  private readonly filterCounts: ProtoWriter;
  private readonly incompleteRows: ProtoWriter;
  /** Whether some event matched other than exactly one filter. */
  private hasSharedMatches: boolean;

  private constructor(body: BatchBody) {
    this.count = 0;
    this.firstNum = 0;
    this.lastNum = 0;
    this.body = body;
    this.filterIds = new ProtoWriter(0);
    this.filterCounts = new ProtoWriter(0);
    this.incompleteRows = new ProtoWriter(0);
    this.hasSharedMatches = false;
  }

  /** Batches of typed columns. */
  static typed(fields: readonly EncodedField[]): BatchEncoder {
    return new BatchEncoder(new ColumnsBody(fields));
  }

  /**
   * Batches of lines, text or JSON. `render` adds one line, newline included, or nothing, at the end of `out`, which
   * belongs to the encoder from now on.
   */
  static lines<W extends LineWriter>(out: W, render: (event: InspectedEvent, out: W) => void): BatchEncoder {
    return new BatchEncoder(new LinesBody(out, render));
  }

  /** Size of the batch so far, in bytes: what the byte limit is compared with. */
  get byteCount(): number {
    return this.body.byteCount + this.filterIds.length;
  }

  /** Adds the event. `matchedFilterIds`, ascending, only for subscriptions with more than one filter. */
  add(event: InspectedEvent, matchedFilterIds?: readonly number[]): void {
    this.body.add(event);
    this.note(event.record.num, matchedFilterIds);
  }

  /** Reads what the batch would hold of the event, which may be gone when its turn comes. */
  project(event: InspectedEvent): ProjectedRow {
    return this.body.project(event);
  }

  /** Adds event `num` as `project` has read it. */
  addProjected(num: number, row: ProjectedRow, matchedFilterIds?: readonly number[]): void {
    this.body.addProjected(row);
    this.note(num, matchedFilterIds);
  }

  /** Marks the event added last: data about its container is missing. */
  markIncomplete(): void {
    this.incompleteRows.varint(this.count - 1);
  }

  /**
   * Ends the batch and starts the next. Returns the encoded message in an ArrayBuffer of its own, so that it can be
   * transferred to another thread. The batch must hold at least one event.
   */
  finish(firstSequence: number): Buffer {
    if (!this.hasSharedMatches) this.filterCounts.reset();
    const length =
      1 +
      varintLength(firstSequence) +
      (1 + varintLength(this.count)) +
      this.body.encodedLength() +
      fieldLength(this.filterIds.length) +
      fieldLength(this.filterCounts.length) +
      fieldLength(this.incompleteRows.length) +
      (1 + varintLength(this.firstNum)) +
      (1 + varintLength(this.lastNum));
    const out = new ProtoWriter(1 + varintLength(length) + length);
    out.tag(RESPONSE_BATCH, WIRE_BYTES);
    out.varint(length);
    writeNumber(out, BATCH_FIRST_SEQUENCE, firstSequence);
    writeNumber(out, BATCH_COUNT, this.count);
    this.body.write(out);
    out.appendField(BATCH_FILTER_IDS, this.filterIds);
    out.appendField(BATCH_FILTER_COUNTS, this.filterCounts);
    writeNumber(out, BATCH_FIRST_EVENT_NUMBER, this.firstNum);
    writeNumber(out, BATCH_LAST_EVENT_NUMBER, this.lastNum);
    out.appendField(BATCH_INCOMPLETE_ROWS, this.incompleteRows);
    this.reset();
    return out.bytes.length === out.length ? out.bytes : out.bytes.subarray(0, out.length);
  }

  /** Forgets the events of the batch in the making. */
  reset(): void {
    this.count = 0;
    this.body.reset();
    this.filterIds.reset();
    this.filterCounts.reset();
    this.incompleteRows.reset();
    this.hasSharedMatches = false;
  }

  private note(num: number, matchedFilterIds: readonly number[] | undefined): void {
    if (this.count === 0) this.firstNum = num;
    this.lastNum = num;
    this.count++;
    if (matchedFilterIds === undefined) return;
    for (const id of matchedFilterIds) this.filterIds.varint(id);
    this.filterCounts.varint(matchedFilterIds.length);
    if (matchedFilterIds.length !== 1) this.hasSharedMatches = true;
  }
}

function writeNumber(out: ProtoWriter, field: number, value: number): void {
  out.tag(field, WIRE_VARINT);
  out.varint(value);
}

class ColumnsBody implements BatchBody {
  private readonly extractors: readonly Extractor[];
  private readonly columns: readonly ColumnEncoder[];
  private bytes: number;

  constructor(fields: readonly EncodedField[]) {
    this.extractors = fields.map((field) => field.extract);
    this.columns = fields.map((field) => new ColumnEncoder(field.row.type, field.row.isList));
    this.bytes = 0;
  }

  get byteCount(): number {
    return this.bytes;
  }

  add(event: InspectedEvent): void {
    const { columns, extractors } = this;
    let bytes = 0;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as ColumnEncoder;
      column.add((extractors[i] as Extractor)(event));
      bytes += column.byteCount;
    }
    this.bytes = bytes;
  }

  project(event: InspectedEvent): ProjectedRow {
    return this.extractors.map((extract) => extract(event));
  }

  addProjected(row: ProjectedRow): void {
    const values = row as readonly FieldValue[];
    let bytes = 0;
    this.columns.forEach((column, i) => {
      column.add(values[i]);
      bytes += column.byteCount;
    });
    this.bytes = bytes;
  }

  encodedLength(): number {
    let length = 0;
    for (const column of this.columns) length += columnFieldLength(column);
    return length;
  }

  write(out: ProtoWriter): void {
    for (const column of this.columns) {
      out.tag(BATCH_COLUMNS, WIRE_BYTES);
      out.varint(column.encodedLength());
      column.write(out);
    }
  }

  reset(): void {
    this.bytes = 0;
    for (const column of this.columns) column.reset();
  }
}

class LinesBody<W extends LineWriter> implements BatchBody {
  private readonly out: W;
  private readonly render: (event: InspectedEvent, out: W) => void;
  private readonly lengths: ProtoWriter;

  constructor(out: W, render: (event: InspectedEvent, out: W) => void) {
    this.out = out;
    this.render = render;
    this.lengths = new ProtoWriter(1024);
  }

  get byteCount(): number {
    return this.out.length + this.lengths.length;
  }

  add(event: InspectedEvent): void {
    const before = this.out.length;
    this.render(event, this.out);
    this.lengths.varint(this.out.length - before);
  }

  project(event: InspectedEvent): ProjectedRow {
    const { out } = this;
    const before = out.length;
    this.render(event, out);
    const line = Buffer.from(out.bytes.subarray(before, out.length));
    out.length = before;
    return line;
  }

  addProjected(row: ProjectedRow): void {
    const line = row as Buffer;
    this.out.copy(line);
    this.lengths.varint(line.length);
  }

  encodedLength(): number {
    return fieldLength(this.out.length) + fieldLength(this.lengths.length);
  }

  write(out: ProtoWriter): void {
    if (this.out.length > 0) {
      out.tag(BATCH_RENDERED, WIRE_BYTES);
      out.varint(this.out.length);
      out.raw(this.out.bytes, 0, this.out.length);
    }
    out.appendField(BATCH_LINE_LENGTHS, this.lengths);
  }

  reset(): void {
    this.out.length = 0;
    this.lengths.reset();
  }
}
