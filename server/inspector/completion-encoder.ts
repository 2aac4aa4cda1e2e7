/** Writes completions as encoded `StreamEventsResponse` messages. */
import { CompletionOutcome } from '../../proto/gen/strata/v1/event_service.ts';
import type { FieldValue } from '../fields/field.ts';
import type { EncodedField } from './batch-encoder.ts';
import { ColumnEncoder } from './column-encoder.ts';
import type { CompletionOutcomeName } from './event-feed.ts';
import { fieldLength, ProtoWriter, varintLength, WIRE_BYTES, WIRE_VARINT } from './proto-writer.ts';
import { utf8Of } from './query/text.ts';

/** Members of `StreamEventsResponse` and `Completion` (proto/strata/v1/event_service.proto). */
const RESPONSE_COMPLETION = 3;
const COMPLETION_SEQUENCES = 1;
const COMPLETION_FIELD_INDEXES = 2;
const COMPLETION_COLUMNS = 3;
const COMPLETION_OUTCOME = 4;
const COMPLETION_CONTAINER_ID = 5;

const OUTCOMES: Readonly<Record<CompletionOutcomeName, CompletionOutcome>> = {
  complete: CompletionOutcome.COMPLETE,
  'timed-out': CompletionOutcome.TIMED_OUT,
  failed: CompletionOutcome.FAILED,
};

export class CompletionEncoder {
  /** Events in the completion being built. */
  count: number;
  private readonly outcome: number;
  private readonly containerId: Buffer;
  private readonly fieldIndexes: readonly number[];
  private readonly columns: readonly ColumnEncoder[];
  private readonly sequences: ProtoWriter;
  private columnBytes: number;

  /** `fieldIndexes`: positions in `fields` of those that are told. `containerId` is a binary string. */
  constructor(
    fields: readonly EncodedField[],
    fieldIndexes: readonly number[],
    outcome: CompletionOutcomeName,
    containerId: string,
  ) {
    this.count = 0;
    this.outcome = OUTCOMES[outcome];
    this.containerId = Buffer.from(utf8Of(containerId), 'utf8');
    this.fieldIndexes = fieldIndexes;
    this.columns = fieldIndexes.map((index) => {
      const { row } = fields[index] as EncodedField;
      return new ColumnEncoder(row.type, row.isList);
    });
    this.sequences = new ProtoWriter(256);
    this.columnBytes = 0;
  }

  /** Bytes so far: what the limit of a message is compared with. */
  get byteCount(): number {
    return this.columnBytes + this.sequences.length;
  }

  /** Adds an event; sequences ascend. `values` by position in the schema. */
  add(sequence: number, values: readonly FieldValue[]): void {
    this.count++;
    this.sequences.varint(sequence);
    let bytes = 0;
    this.columns.forEach((column, i) => {
      column.add(values[this.fieldIndexes[i] as number]);
      bytes += column.byteCount;
    });
    this.columnBytes = bytes;
  }

  /** Ends the completion and starts the next. In an ArrayBuffer of its own, so that it can be transferred. */
  finish(): Buffer {
    const indexes = new ProtoWriter(64);
    for (const index of this.fieldIndexes) indexes.varint(index);
    let length =
      fieldLength(this.sequences.length) +
      fieldLength(indexes.length) +
      (1 + varintLength(this.outcome)) +
      fieldLength(this.containerId.length);
    for (const column of this.columns) {
      const bytes = column.encodedLength();
      length += 1 + varintLength(bytes) + bytes;
    }
    const out = new ProtoWriter(1 + varintLength(length) + length);
    out.tag(RESPONSE_COMPLETION, WIRE_BYTES);
    out.varint(length);
    out.appendField(COMPLETION_SEQUENCES, this.sequences);
    out.appendField(COMPLETION_FIELD_INDEXES, indexes);
    for (const column of this.columns) {
      out.tag(COMPLETION_COLUMNS, WIRE_BYTES);
      out.varint(column.encodedLength());
      column.write(out);
    }
    out.tag(COMPLETION_OUTCOME, WIRE_VARINT);
    out.varint(this.outcome);
    if (this.containerId.length > 0) {
      out.tag(COMPLETION_CONTAINER_ID, WIRE_BYTES);
      out.varint(this.containerId.length);
      out.raw(this.containerId, 0, this.containerId.length);
    }
    this.reset();
    return out.bytes.length === out.length ? out.bytes : out.bytes.subarray(0, out.length);
  }

  private reset(): void {
    this.count = 0;
    this.columnBytes = 0;
    this.sequences.reset();
    for (const column of this.columns) column.reset();
  }
}
