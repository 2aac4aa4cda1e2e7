/**
 * A subscription as the client sees it. Iterate over it for events; over `batches()` for speed; over `messages()` for
 * everything the server says, in order. One stream is iterated once.
 */
import type {
  Ended,
  FiltersChanged,
  Gap,
  Heartbeat,
  Started,
  StreamEventsResponse,
  SubscribedFilter,
} from '../proto/gen/strata/v1/event_service.ts';
import { StrataClientError, toClientError } from './client-error.ts';
import { EventBatch, type StreamedEvent, type StreamSchema } from './event-batch.ts';
import { EventCompletion } from './event-completion.ts';
import { LateEvents } from './late-events.ts';

/** Called between events, in order, while the stream is iterated. */
export interface StreamListeners {
  readonly onStarted?: ((started: Started) => void) | undefined;
  /** Events are missing at this place. */
  readonly onGap?: ((gap: Gap) => void) | undefined;
  readonly onHeartbeat?: ((heartbeat: Heartbeat) => void) | undefined;
  /** What was not known when events were sent; they have been iterated before. */
  readonly onCompletion?: ((completion: EventCompletion) => void) | undefined;
  readonly onFiltersChanged?: ((change: FiltersChanged) => void) | undefined;
  readonly onEnded?: ((ended: Ended) => void) | undefined;
}

/** The transport under a stream: decoded messages, and the way to give up. */
export interface MessageSource extends AsyncIterable<StreamEventsResponse> {
  cancel(): void;
}

export interface CompletedOptions {
  /** Events that wait for their completion at most; the oldest go as they are when there are more. Default 65,536. */
  readonly eventsMax?: number | undefined;
}

const WAITING_EVENTS_MAX = 65_536;

export class EventStream implements AsyncIterable<StreamedEvent> {
  private readonly source: MessageSource;
  private readonly listeners: StreamListeners;
  private readonly filters: Map<number, SubscribedFilter>;
  private schema: StreamSchema | undefined;
  private startedMessage: Started | undefined;
  private endedMessage: Ended | undefined;
  private expectedSequence: bigint;
  private isIterated: boolean;
  private isCancelled: boolean;

  constructor(source: MessageSource, listeners: StreamListeners) {
    this.source = source;
    this.listeners = listeners;
    this.filters = new Map();
    this.schema = undefined;
    this.startedMessage = undefined;
    this.endedMessage = undefined;
    this.expectedSequence = 0n;
    this.isIterated = false;
    this.isCancelled = false;
  }

  /** What the server said first; undefined before the first message was iterated. */
  get started(): Started | undefined {
    return this.startedMessage;
  }

  /** How the stream ended by itself; undefined while it runs and when it was cut. */
  get ended(): Ended | undefined {
    return this.endedMessage;
  }

  /** Sequence number after the last event seen or told lost: where a resumed stream would go on. */
  get nextSequence(): bigint {
    return this.expectedSequence;
  }

  /** Gives up; the iteration ends without an error. */
  cancel(): void {
    this.isCancelled = true;
    this.source.cancel();
  }

  /** Rejects with StrataClientError, with code DATA_LOSS when events are missing that no gap told of. */
  async *[Symbol.asyncIterator](): AsyncGenerator<StreamedEvent, void, undefined> {
    for await (const batch of this.batches()) yield* batch;
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    for await (const { message } of this.messages()) {
      if (message?.$case !== 'batch') continue;
      yield new EventBatch(message.value, this.mustSchema());
    }
  }

  /**
   * Events with late values in place (DELIVERY_MODE_IMMEDIATE, TYPED): one that was sent incomplete comes when its completion
   * has come, others pass it. What waits goes as it is (`isIncomplete`, and no `lateOutcome`) when the stream ends, when
   * completions were lost, and when too many wait.
   */
  async *completed(options: CompletedOptions = {}): AsyncGenerator<StreamedEvent, void, undefined> {
    const late = new LateEvents(options.eventsMax ?? WAITING_EVENTS_MAX);
    let lostCompletions = 0n;
    for await (const { message } of this.messages()) {
      if (message?.$case === 'batch') {
        for (const event of new EventBatch(message.value, this.mustSchema())) yield* late.add(event);
      } else if (message?.$case === 'completion') {
        yield* late.complete(new EventCompletion(message.value, this.mustSchema()));
      } else if (message?.$case === 'heartbeat' && message.value.lostCompletionCount > lostCompletions) {
        lostCompletions = message.value.lostCompletionCount;
        yield* late.takeAll();
      }
    }
    yield* late.takeAll();
  }

  async *messages(): AsyncGenerator<StreamEventsResponse, void, undefined> {
    if (this.isIterated) throw new TypeError('a stream can be iterated once');
    this.isIterated = true;
    try {
      for await (const response of this.source) {
        this.look(response);
        yield response;
      }
    } catch (error) {
      if (!this.isCancelled) throw toClientError(error);
    } finally {
      // Left early by the consumer: the server need not go on.
      if (this.endedMessage === undefined) this.source.cancel();
    }
  }

  private look({ message }: StreamEventsResponse): void {
    switch (message?.$case) {
      case 'started':
        this.onStarted(message.value);
        return;
      case 'batch':
        this.checkSequence(message.value.firstSequence);
        this.expectedSequence += BigInt(message.value.count);
        return;
      case 'gap':
        this.onGap(message.value);
        return;
      case 'heartbeat':
        this.listeners.onHeartbeat?.(message.value);
        return;
      case 'completion':
        if (this.listeners.onCompletion === undefined) return;
        this.listeners.onCompletion(new EventCompletion(message.value, this.mustSchema()));
        return;
      case 'filtersChanged':
        for (const filter of message.value.filters) this.filters.set(filter.id, filter);
        this.listeners.onFiltersChanged?.(message.value);
        return;
      case 'ended':
        this.endedMessage = message.value;
        this.listeners.onEnded?.(message.value);
        return;
      case undefined:
      // A kind of message that a newer server sends: nothing this client must act on.
    }
  }

  private mustSchema(): StreamSchema {
    if (this.schema !== undefined) return this.schema;
    throw new StrataClientError('INTERNAL', 'the stream did not start with its schema');
  }

  private onStarted(started: Started): void {
    for (const filter of started.filters) this.filters.set(filter.id, filter);
    this.schema = {
      fields: started.schema,
      positions: new Map(started.schema.map((field, position) => [field.name, position])),
      filters: this.filters,
    };
    this.startedMessage = started;
    this.listeners.onStarted?.(started);
  }

  private onGap(gap: Gap): void {
    if (gap.firstSequence !== undefined) {
      this.checkSequence(gap.firstSequence);
      this.expectedSequence += gap.lostCount;
    }
    this.listeners.onGap?.(gap);
  }

  private checkSequence(first: bigint): void {
    if (first === this.expectedSequence) return;
    throw new StrataClientError(
      'DATA_LOSS',
      `expected the event with sequence number ${this.expectedSequence}, got ${first}: no gap told of the difference`,
    );
  }
}
