/** What became known of events after they were sent: late values of their fields, read against the schema of the stream. */
import { type Completion, CompletionOutcome } from '../proto/gen/strata/v1/event_service.ts';
import { ColumnReader, type EventValue, type ValueForm } from './column-reader.ts';
import type { StreamSchema } from './event-batch.ts';

/** How the wait for late values ended; only `complete` says that they are final. */
export type LateOutcome = 'complete' | 'timed-out' | 'failed';

const OUTCOMES: ReadonlyMap<number, LateOutcome> = new Map<number, LateOutcome>([
  [CompletionOutcome.COMPLETE, 'complete'],
  [CompletionOutcome.TIMED_OUT, 'timed-out'],
]);

/** Late values of one event. */
export interface LateEvent {
  readonly sequence: bigint;
  /** New values by field name; undefined: absent. Fields that are not there keep the value that was sent. */
  readonly values: Readonly<Record<string, EventValue>>;
}

export class EventCompletion implements Iterable<LateEvent> {
  /** The message as it came. */
  readonly message: Completion;
  private readonly schema: StreamSchema;
  private readonly readers: Map<number, ColumnReader>;

  constructor(message: Completion, schema: StreamSchema) {
    this.message = message;
    this.schema = schema;
    this.readers = new Map();
    message.fieldIndexes.forEach((position, i) => {
      const field = schema.fields[position];
      const column = message.columns[i];
      if (field === undefined || column === undefined)
        throw new RangeError(`a completion without column ${position}`);
      this.readers.set(position, new ColumnReader(field, column, message.sequences.length));
    });
  }

  /** Full id of the container it is about. */
  get containerId(): string {
    return this.message.containerId;
  }

  get outcome(): LateOutcome {
    return OUTCOMES.get(this.message.outcome) ?? 'failed';
  }

  /** Sequence numbers of the events, ascending. */
  get sequences(): readonly bigint[] {
    return this.message.sequences;
  }

  /** Names of the fields with another value than was sent. */
  get fields(): string[] {
    return [...this.readers.keys()].map((position) => this.schema.fields[position]?.name ?? '');
  }

  /** Whether it holds the field at this position of the schema. */
  has(position: number): boolean {
    return this.readers.has(position);
  }

  /** Value of a field, by its position in the schema, for entry `row` of `sequences`. Throws RangeError for others. */
  value(position: number, row: number, form: ValueForm = 'text'): EventValue {
    const reader = this.readers.get(position);
    if (reader === undefined) throw new RangeError(`the completion has no field ${position}`);
    return reader.value(row, form);
  }

  *[Symbol.iterator](): IterableIterator<LateEvent> {
    const { sequences } = this;
    for (const [row, sequence] of sequences.entries()) {
      const values: Record<string, EventValue> = {};
      for (const [position, reader] of this.readers) {
        values[this.schema.fields[position]?.name ?? ''] = reader.value(row);
      }
      yield { sequence, values };
    }
  }
}
