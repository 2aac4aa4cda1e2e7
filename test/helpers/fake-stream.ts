/** Fakes around `Subscriber`: a sink whose client reads when told, a feed that records what it is asked, a manual clock. */
import { Completion, StreamEventsResponse } from '../../proto/gen/strata/v1/event_service.ts';
import type {
  EventFeed,
  FeedBatch,
  FeedCompletion,
  FeedEnd,
  FeedFilter,
  FeedMark,
} from '../../server/inspector/event-feed.ts';
import type { ResponseSink, SubscriberClock } from '../../server/stream/subscriber.ts';

type Message = NonNullable<StreamEventsResponse['message']>;

/** A client that takes `read` messages at a time; before that they count as not flushed. */
export class FakeSink implements ResponseSink {
  readonly messages: Message[] = [];
  isEnded = false;
  error: Error | undefined;
  /** Messages the sink takes before `write` answers false. */
  readonly highWater: number;
  private readonly unflushed: (() => void)[] = [];

  constructor(highWater = 1) {
    this.highWater = highWater;
  }

  write(bytes: Uint8Array, onFlushed: () => void): boolean {
    if (this.isEnded || this.error !== undefined) throw new Error('written after the end');
    const { message } = StreamEventsResponse.decode(bytes);
    if (message === undefined) throw new Error('empty message');
    this.messages.push(message);
    this.unflushed.push(onFlushed);
    return this.unflushed.length < this.highWater;
  }

  end(): void {
    this.isEnded = true;
  }

  fail(error: Error): void {
    this.error = error;
  }

  /** The client reads everything written so far. Returns whether there was anything. */
  flush(onDrain: () => void): boolean {
    const flushed = this.unflushed.splice(0);
    const wasFull = flushed.length >= this.highWater;
    for (const onFlushed of flushed) onFlushed();
    if (wasFull) onDrain();
    return flushed.length > 0;
  }

  kinds(): string[] {
    return this.messages.map((message) => message.$case);
  }
}

export class FakeFeed implements EventFeed {
  readonly started = {
    schema: [],
    node: { nodeName: 'n', hostname: 'h', bootTimestampNs: undefined, cpuCount: 1, memoryBytes: 0n },
    captureEngine: 2,
    captureName: 'test.scap',
    captureBytes: 100,
    firstEventNumber: 1,
  } as const;
  ackedBytes = 0;
  isStopped = false;
  isCancelled = false;
  filters: readonly FeedFilter[] = [];

  ack(bytes: number): void {
    this.ackedBytes += bytes;
  }

  setFilters(filters: readonly FeedFilter[]): Promise<void> {
    this.filters = filters;
    return Promise.resolve();
  }

  stop(): void {
    this.isStopped = true;
  }

  cancel(): void {
    this.isCancelled = true;
  }
}

export class ManualClock implements SubscriberClock {
  private now = 1_000_000_000n;
  private readonly timers = new Map<object, { readonly at: bigint; readonly callback: () => void }>();

  nowNs(): bigint {
    return this.now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const key = {};
    this.timers.set(key, { at: this.now + BigInt(delayMs) * 1_000_000n, callback });
    return () => {
      this.timers.delete(key);
    };
  }

  advance(ms: number): void {
    this.now += BigInt(ms) * 1_000_000n;
    for (const [key, timer] of [...this.timers]) {
      if (timer.at > this.now) continue;
      this.timers.delete(key);
      timer.callback();
    }
  }

  get timerCount(): number {
    return this.timers.size;
  }
}

/** A batch of `count` events from sequence `first` on, padded to `size` bytes of rendered text. */
export function fakeBatch(first: number, count: number, size: number): FeedBatch {
  const batch = {
    firstSequence: BigInt(first),
    count,
    columns: [],
    rendered: Buffer.alloc(size),
    lineLengths: [],
    matchedFilterIds: [],
    matchedFilterCounts: [],
    firstEventNumber: BigInt(first * 10),
    lastEventNumber: BigInt((first + count - 1) * 10),
    incompleteRows: [],
  };
  const bytes = StreamEventsResponse.encode({ message: { $case: 'batch', value: batch } }).finish();
  return { bytes, count, firstSequence: first, firstNum: first * 10, lastNum: (first + count - 1) * 10 };
}

/** A completion of `count` events from sequence `first` on, padded to about `size` bytes. */
export function fakeCompletion(first: number, count: number, size: number): FeedCompletion {
  const value = Completion.fromPartial({
    sequences: Array.from({ length: count }, (_, i) => BigInt(first + i)),
    containerId: 'x'.repeat(size),
  });
  const bytes = StreamEventsResponse.encode({ message: { $case: 'completion', value } }).finish();
  return { bytes, count };
}

export function fakeMark(nextSequence: number): FeedMark {
  return {
    watermarkNum: nextSequence * 10,
    watermarkTsNs: 900_000_000n,
    nextSequence,
    captureBytesRead: undefined,
  };
}

export function fakeEnd(matchedCount: number): FeedEnd {
  return {
    reason: 'capture-end',
    seenCount: matchedCount * 10,
    matchedCount,
    lastNum: matchedCount * 10,
    captureBytesRead: 100,
  };
}
