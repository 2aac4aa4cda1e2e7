/** Reads a stream in the background and keeps everything with the time of its arrival: events, marks and completions. */
import { ColumnReader, type EventValue } from '../../../client/column-reader.ts';
import { EventBatch } from '../../../client/event-batch.ts';
import type { EventStream } from '../../../client/event-stream.ts';
import type { StrataClient } from '../../../client/strata-client.ts';
import {
  type Completion,
  CompletionOutcome,
  DeliveryMode,
  GapCause,
} from '../../../proto/gen/strata/v1/event_service.ts';
import type { FieldSchema } from '../../../proto/gen/strata/v1/value.ts';

/** Room for bursts: what these tests measure is not how fast this process reads. */
const BACKLOG_BYTES = 8n * 1024n * 1024n;
/** What a new interest may take to be in the kernel. */
const INTEREST_MS = 150;

export interface ReceivedEvent {
  readonly sequence: bigint;
  /** Clock of `performance.now()`. */
  readonly arrivalMs: number;
  /** As last known: those of its completion, when there was one. */
  readonly values: EventValue[];
  /** As they were sent. */
  readonly sentValues: readonly EventValue[];
  /** Marked as sent without what may become known of its container. */
  readonly isIncomplete: boolean;
  /** When a completion came for it. */
  completionMs: number | undefined;
  completionOutcome: CompletionOutcome | undefined;
}

export interface StreamOptions {
  readonly condition: string;
  readonly fields: readonly string[];
  readonly isComplete: boolean;
}

export class ContainerStream {
  readonly events: ReceivedEvent[] = [];
  readonly completions: { readonly arrivalMs: number; readonly message: Completion }[] = [];
  /** Lost by the capture / lost on the way to this client. */
  captureLossCount = 0n;
  backlogLossCount = 0n;
  readonly fields: readonly string[];
  private readonly stream: EventStream;
  private readonly bySequence: Map<bigint, ReceivedEvent>;
  private readonly started: PromiseWithResolvers<void>;
  private readonly done: Promise<void>;
  private schema: readonly FieldSchema[];

  private constructor(client: StrataClient, options: StreamOptions) {
    this.fields = options.fields;
    this.bySequence = new Map();
    this.schema = [];
    this.started = Promise.withResolvers();
    this.stream = client.streamEvents({
      filters: [{ name: '', condition: options.condition }],
      fields: [...options.fields],
      deliveryMode: options.isComplete ? DeliveryMode.COMPLETE : DeliveryMode.IMMEDIATE,
      backlogBytesMax: BACKLOG_BYTES,
      heartbeatIntervalMs: 100,
    });
    this.done = this.read();
  }

  /** Resolves when what it wants is captured. */
  static async open(client: StrataClient, options: StreamOptions): Promise<ContainerStream> {
    const stream = new ContainerStream(client, options);
    await Promise.race([stream.started.promise, stream.done]);
    await new Promise((resolve) => setTimeout(resolve, INTEREST_MS));
    return stream;
  }

  /** Value of an event as last known, or as it was sent. */
  value(event: ReceivedEvent, field: string, isAsSent = false): EventValue {
    return (isAsSent ? event.sentValues : event.values)[this.fields.indexOf(field)];
  }

  async stop(): Promise<void> {
    this.stream.cancel();
    await this.done;
  }

  private async read(): Promise<void> {
    for await (const { message } of this.stream.messages()) {
      const arrivalMs = performance.now();
      if (message?.$case === 'started') {
        this.schema = message.value.schema;
        this.started.resolve();
      } else if (message?.$case === 'batch') this.onBatch(message.value, arrivalMs);
      else if (message?.$case === 'completion') this.onCompletion(message.value, arrivalMs);
      else if (message?.$case === 'gap') {
        if (message.value.cause === GapCause.CAPTURE_LOSS) this.captureLossCount += message.value.lostCount;
        else this.backlogLossCount += message.value.lostCount;
      }
    }
  }

  private onBatch(message: EventBatch['message'], arrivalMs: number): void {
    const positions = new Map(this.fields.map((field, position) => [field, position]));
    const batch = new EventBatch(message, { fields: this.schema, positions, filters: new Map() });
    const marked = new Set(message.incompleteRows);
    for (const event of batch) {
      const values = this.fields.map((_, position) => event.get(position));
      const received: ReceivedEvent = {
        sequence: event.sequence,
        arrivalMs,
        values,
        sentValues: marked.has(event.row) ? [...values] : values,
        isIncomplete: marked.has(event.row),
        completionMs: undefined,
        completionOutcome: undefined,
      };
      this.events.push(received);
      this.bySequence.set(received.sequence, received);
    }
  }

  private onCompletion(message: Completion, arrivalMs: number): void {
    this.completions.push({ arrivalMs, message });
    const rows = message.sequences.length;
    const columns = message.fieldIndexes.map((position, i) => {
      const schema = this.schema[position];
      const column = message.columns[i];
      if (schema === undefined || column === undefined)
        throw new RangeError(`no column for field ${position}`);
      return { position, reader: new ColumnReader(schema, column, rows) };
    });
    message.sequences.forEach((sequence, row) => {
      const event = this.bySequence.get(sequence);
      if (event === undefined) return;
      event.completionMs = arrivalMs;
      event.completionOutcome = message.outcome;
      for (const { position, reader } of columns) event.values[position] = reader.value(row);
    });
  }
}

export function isCompleted(event: ReceivedEvent): boolean {
  return !event.isIncomplete || event.completionOutcome === CompletionOutcome.COMPLETE;
}
