/** A batch of events and the events in it, read against the schema of their stream. */
import type {
  EventBatch as EventBatchMessage,
  SubscribedFilter,
} from '../proto/gen/strata/v1/event_service.ts';
import type { FieldSchema } from '../proto/gen/strata/v1/value.ts';
import { ColumnReader, type EventValue, type ValueForm } from './column-reader.ts';
import type { EventCompletion, LateOutcome } from './event-completion.ts';

/** What a stream knows that its batches are read with. */
export interface StreamSchema {
  readonly fields: readonly FieldSchema[];
  /** Position of each field by name. */
  readonly positions: ReadonlyMap<string, number>;
  /** Filters by id, those of the past included. */
  readonly filters: ReadonlyMap<number, SubscribedFilter>;
}

export class EventBatch implements Iterable<StreamedEvent> {
  /** The message as it came. */
  readonly message: EventBatchMessage;
  readonly schema: StreamSchema;
  private readonly readers: (ColumnReader | undefined)[];
  private lineStarts: Uint32Array | undefined;
  private matchStarts: Uint32Array | undefined;
  private incompleteRows: ReadonlySet<number> | undefined;

  constructor(message: EventBatchMessage, schema: StreamSchema) {
    this.message = message;
    this.schema = schema;
    this.readers = new Array<ColumnReader | undefined>(schema.fields.length).fill(undefined);
    this.lineStarts = undefined;
    this.matchStarts = undefined;
    this.incompleteRows = undefined;
  }

  get count(): number {
    return this.message.count;
  }

  /** Sequence number of the first event. */
  get firstSequence(): bigint {
    return this.message.firstSequence;
  }

  /** All lines of a text or JSON batch, each ended by a newline. */
  get rendered(): Buffer {
    return this.message.rendered;
  }

  /** Whether the event was sent without what may become known of its container. */
  isIncomplete(row: number): boolean {
    this.incompleteRows ??= new Set(this.message.incompleteRows);
    return this.incompleteRows.has(row);
  }

  /** The column of a field, by its position in the schema. Throws RangeError for others. */
  column(position: number): ColumnReader {
    const known = this.readers[position];
    if (known !== undefined) return known;
    const field = this.schema.fields[position];
    const column = this.message.columns[position];
    if (field === undefined || column === undefined) throw new RangeError(`there is no column ${position}`);
    const reader = new ColumnReader(field, column, this.count);
    this.readers[position] = reader;
    return reader;
  }

  /** Line of a row without its newline; undefined when the event has none. */
  line(row: number): Buffer | undefined {
    this.lineStarts ??= sums(this.message.lineLengths);
    const start = this.lineStarts[row] ?? 0;
    const end = this.lineStarts[row + 1] ?? 0;
    return end === start ? undefined : this.message.rendered.subarray(start, end - 1);
  }

  /** Names of the filters that matched a row; of a single filter the batch says nothing, and this is empty. */
  matchedFilters(row: number): string[] {
    const { matchedFilterIds, matchedFilterCounts } = this.message;
    const hasCounts = matchedFilterCounts.length > 0;
    if (hasCounts) this.matchStarts ??= sums(matchedFilterCounts);
    const start = hasCounts ? (this.matchStarts?.[row] ?? 0) : row;
    const end = hasCounts ? (this.matchStarts?.[row + 1] ?? 0) : row + 1;
    return matchedFilterIds.slice(start, end).map((id) => this.schema.filters.get(id)?.name ?? `#${id}`);
  }

  *[Symbol.iterator](): IterableIterator<StreamedEvent> {
    for (let row = 0; row < this.count; row++) yield new StreamedEvent(this, row);
  }
}

/** One event: a row of a batch. Values are decoded when they are asked for. */
export class StreamedEvent {
  readonly batch: EventBatch;
  readonly row: number;
  private late: { readonly completion: EventCompletion; readonly row: number } | undefined;

  constructor(batch: EventBatch, row: number) {
    this.batch = batch;
    this.row = row;
    this.late = undefined;
  }

  /** Whether it was sent without what may become known of its container. */
  get isIncomplete(): boolean {
    return this.batch.isIncomplete(this.row);
  }

  /** How the wait for what was missing ended; undefined when nothing was missing, or no completion has come. */
  get lateOutcome(): LateOutcome | undefined {
    return this.late?.completion.outcome;
  }

  /** From now on the values of entry `row` of the completion stand in place of those that were sent. */
  complete(completion: EventCompletion, row: number): void {
    this.late = { completion, row };
  }

  /** Sequence number within the subscription. */
  get sequence(): bigint {
    return this.batch.firstSequence + BigInt(this.row);
  }

  /**
   * Value of a field that was asked for, by its name or position; undefined when it is absent. Text is decoded as UTF-8,
   * addresses are written out. Throws RangeError for a field that is not part of the stream.
   */
  get(field: string | number): EventValue {
    return this.read(field, 'text');
  }

  /** The same with text and addresses as the bytes that were sent: exact for text that is not UTF-8. */
  getBytes(field: string | number): EventValue {
    return this.read(field, 'bytes');
  }

  /** Line of a text or JSON stream without its newline; undefined when the template left the event out. */
  get line(): Buffer | undefined {
    return this.batch.line(this.row);
  }

  /** Names of the filters that matched, on streams with more than one. */
  get matchedFilters(): string[] {
    return this.batch.matchedFilters(this.row);
  }

  /** All fields by name; absent ones are undefined. */
  toObject(): Record<string, EventValue> {
    const values: Record<string, EventValue> = {};
    this.batch.schema.fields.forEach((field, position) => {
      values[field.name] = this.get(position);
    });
    return values;
  }

  private read(field: string | number, form: ValueForm): EventValue {
    const position = typeof field === 'number' ? field : this.batch.schema.positions.get(field);
    if (position === undefined) throw new RangeError(`the stream has no field ${field}`);
    const { late } = this;
    if (late?.completion.has(position) === true) return late.completion.value(position, late.row, form);
    return this.batch.column(position).value(this.row, form);
  }
}

/** Where each item starts when they stand back to back; one entry more for the end. */
function sums(lengths: readonly number[]): Uint32Array {
  const starts = new Uint32Array(lengths.length + 1);
  let next = 0;
  lengths.forEach((length, i) => {
    next += length;
    starts[i + 1] = next;
  });
  return starts;
}
