/**
 * Delivers one feed to one client. Owns the client's backlog, bounded in bytes: when the client reads too slowly, its
 * overflow policy decides what becomes of its events, and nobody else notices. Every matched event is either sent or
 * counted in a gap at the place where it is missing.
 */
import { StrataError } from '../event/strata-error.ts';
import type {
  EventFeed,
  FeedBatch,
  FeedCompletion,
  FeedEnd,
  FeedFiltersChanged,
  FeedListener,
  FeedLoss,
  FeedMark,
} from '../inspector/event-feed.ts';
import { Backlog } from './backlog.ts';
import { gapOfBatch, gapOfLoss } from './gap.ts';
import { encodeEnded, encodeFiltersChanged, encodeGap, encodeHeartbeat } from './stream-messages.ts';

export type OverflowPolicyName = 'drop-oldest' | 'drop-newest' | 'disconnect' | 'block';

/** The client's end of the stream. */
export interface ResponseSink {
  /** Sends one encoded message. False: nothing more until `Subscriber.onDrain`. `onFlushed`: it left this process's buffers. */
  write(bytes: Uint8Array, onFlushed: () => void): boolean;
  /** Ends the stream with status OK, behind what was written. */
  end(): void;
  /** Ends the stream with an error, behind what was written. */
  fail(error: Error): void;
}

export interface SubscriberOptions {
  readonly policy: OverflowPolicyName;
  /** Bytes of batches that may wait. One batch is always allowed, however large. */
  readonly backlogBytesMax: number;
  /** Whether heartbeats tell a lag. */
  readonly isLive: boolean;
  /** How long a client that is being disconnected may take to read what waits for it. */
  readonly disconnectGraceMs: number;
}

/** Time, passed in. */
export interface SubscriberClock {
  /** Nanoseconds since the epoch. */
  nowNs(): bigint;
  /** Calls back once; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface SubscriberCounters {
  readonly matchedCount: number;
  readonly sentCount: number;
  readonly lostCount: number;
  readonly backlogBytes: number;
}

/** Bytes handed to the transport and not flushed yet. Larger windows only move the backlog to where it cannot be dropped. */
const WINDOW_BYTES = 1_048_576;

export class Subscriber implements FeedListener {
  private readonly sink: ResponseSink;
  private readonly options: SubscriberOptions;
  private readonly clock: SubscriberClock;
  private readonly backlog: Backlog;
  private feed: EventFeed | undefined;
  private isSinkFull: boolean;
  private inFlightBytes: number;
  private matchedCount: number;
  private sentCount: number;
  private lostCount: number;
  /** Completions that found no room here, and those lost before, as last told. */
  private droppedCompletions: number;
  private lostCompletions: number;
  /** What ends the stream once the backlog is empty. */
  private ending: (() => void) | undefined;
  private isClosed: boolean;
  private cancelGrace: (() => void) | undefined;
  private readonly onClosed: (wasCancelled: boolean) => void;

  /** `onClosed` is called once, when nothing more will be sent: by the client's will, or because the stream is over. */
  constructor(
    sink: ResponseSink,
    options: SubscriberOptions,
    clock: SubscriberClock,
    onClosed: (wasCancelled: boolean) => void,
  ) {
    this.sink = sink;
    this.options = options;
    this.clock = clock;
    this.backlog = new Backlog();
    this.feed = undefined;
    this.isSinkFull = false;
    this.inFlightBytes = 0;
    this.matchedCount = 0;
    this.sentCount = 0;
    this.lostCount = 0;
    this.droppedCompletions = 0;
    this.lostCompletions = 0;
    this.ending = undefined;
    this.isClosed = false;
    this.cancelGrace = undefined;
    this.onClosed = onClosed;
  }

  /** Takes over the feed and sends the first message. Must come before any of the feed's calls. */
  start(feed: EventFeed, started: Uint8Array): void {
    if (this.isClosed) {
      feed.cancel();
      return;
    }
    this.feed = feed;
    this.backlog.pushControl(() => started);
    this.pump();
  }

  /** Whether nothing more will be sent. */
  get isDone(): boolean {
    return this.isClosed;
  }

  get counters(): SubscriberCounters {
    const { matchedCount, sentCount, lostCount } = this;
    return { matchedCount, sentCount, lostCount, backlogBytes: this.backlog.bytes + this.inFlightBytes };
  }

  onBatch(batch: FeedBatch): void {
    if (this.isClosed || this.ending !== undefined) return;
    this.matchedCount = batch.firstSequence + batch.count;
    const { policy } = this.options;
    // With BLOCK the source waits for what is flushed; else only the crossing itself is bounded.
    if (policy !== 'block') this.feed?.ack(batch.bytes.byteLength);
    if (policy === 'block' || this.hasRoomFor(batch.bytes)) this.backlog.pushBatch(batch);
    else this.onOverflow(batch);
    this.pump();
  }

  onCompletion(completion: FeedCompletion): void {
    if (this.isClosed || this.ending !== undefined) return;
    const { bytes } = completion;
    const { policy } = this.options;
    if (policy !== 'block') this.feed?.ack(bytes.byteLength);
    if (policy === 'block' || this.hasRoomFor(bytes)) this.backlog.pushCompletion(completion);
    else this.onCompletionOverflow(completion);
    this.pump();
  }

  onLoss(loss: FeedLoss): void {
    if (this.isClosed || this.ending !== undefined) return;
    // What did not even reach this backlog has overflowed it all the same.
    if (this.options.policy === 'disconnect' && loss.cause === 'backlog-full') {
      this.disconnect(loss);
      return;
    }
    if (loss.firstSequence !== undefined) {
      this.matchedCount = loss.firstSequence + loss.count;
      this.lostCount += loss.count;
    }
    this.backlog.pushGap(gapOfLoss(loss));
    this.pump();
  }

  onMark(mark: FeedMark): void {
    if (this.isClosed || this.ending !== undefined) return;
    this.lostCompletions = mark.lostCompletionCount ?? 0;
    this.backlog.pushHeartbeat(() =>
      encodeHeartbeat(
        mark,
        this.options.isLive ? this.clock.nowNs() : undefined,
        this.droppedCompletions + this.lostCompletions,
      ),
    );
    this.pump();
  }

  onFiltersChanged(change: FeedFiltersChanged): void {
    if (this.isClosed || this.ending !== undefined) return;
    this.backlog.pushControl(() => encodeFiltersChanged(change));
    this.pump();
  }

  onEnd(end: FeedEnd): void {
    if (this.isClosed || this.ending !== undefined) return;
    this.matchedCount = end.matchedCount;
    this.lostCompletions = end.lostCompletionCount ?? 0;
    this.backlog.pushControl(() =>
      encodeEnded(end, this.sentCount, this.lostCount, this.droppedCompletions + this.lostCompletions),
    );
    this.endAfterBacklog(() => this.sink.end());
  }

  onFault(error: Error): void {
    if (this.isClosed || this.ending !== undefined) return;
    this.endAfterBacklog(() => this.sink.fail(error));
  }

  /** The sink takes more. */
  onDrain(): void {
    this.isSinkFull = false;
    this.pump();
  }

  /** The client is gone. */
  onCancelled(): void {
    // The transport also says this of every stream that ended well.
    if (this.isClosed) return;
    this.feed?.cancel();
    this.close(true);
  }

  /** Ends in good order: what has matched is delivered first. */
  stop(): void {
    if (!this.isClosed && this.ending === undefined) this.feed?.stop();
  }

  private hasRoomFor(bytes: Uint8Array): boolean {
    const waiting = this.backlog.bytes;
    return waiting === 0 || waiting + bytes.byteLength <= this.options.backlogBytesMax;
  }

  private onOverflow(batch: FeedBatch): void {
    switch (this.options.policy) {
      case 'drop-newest':
        this.backlog.pushGap(gapOfBatch(batch));
        this.lostCount += batch.count;
        return;
      case 'drop-oldest':
        this.makeRoomFor(batch.bytes);
        this.backlog.pushBatch(batch);
        return;
      default:
        this.disconnect(batch);
    }
  }

  private onCompletionOverflow(completion: FeedCompletion): void {
    switch (this.options.policy) {
      case 'drop-newest':
        this.droppedCompletions++;
        return;
      case 'drop-oldest':
        this.makeRoomFor(completion.bytes);
        this.backlog.pushCompletion(completion);
        return;
      default:
        this.disconnect({ firstSequence: this.matchedCount, firstNum: undefined });
    }
  }

  private makeRoomFor(bytes: Uint8Array): void {
    while (!this.hasRoomFor(bytes)) {
      const lost = this.backlog.dropOldestBatch();
      this.lostCount += lost;
      if (lost > 0) continue;
      if (!this.backlog.dropOldestCompletion()) return;
      this.droppedCompletions++;
    }
  }

  private disconnect(lost: Pick<FeedLoss, 'firstSequence' | 'firstNum'>): void {
    this.feed?.cancel();
    const error = new StrataError({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'BACKLOG_FULL',
      message:
        `the client read too slowly: its backlog of ${this.options.backlogBytesMax} bytes is full ` +
        `(first event not delivered: sequence ${lost.firstSequence}, number ${lost.firstNum})`,
    });
    this.cancelGrace = this.clock.after(this.options.disconnectGraceMs, () => {
      this.sink.fail(error);
      this.close(false);
    });
    this.endAfterBacklog(() => this.sink.fail(error));
  }

  private endAfterBacklog(ending: () => void): void {
    this.ending = ending;
    this.pump();
  }

  private pump(): void {
    while (!this.isClosed && !this.isSinkFull && this.inFlightBytes < WINDOW_BYTES) {
      const item = this.backlog.shift();
      if (item === undefined) break;
      if (item.kind === 'batch') {
        this.sentCount += item.batch.count;
        this.write(item.batch.bytes, this.options.policy === 'block');
      } else if (item.kind === 'completion') {
        this.write(item.completion.bytes, this.options.policy === 'block');
      } else {
        this.write(item.kind === 'gap' ? encodeGap(item.gap) : item.encode(), false);
      }
    }
    if (this.isClosed || this.ending === undefined || !this.backlog.isEmpty) return;
    const { ending } = this;
    this.close(false);
    ending();
  }

  private write(bytes: Uint8Array, acknowledge: boolean): void {
    const n = bytes.byteLength;
    this.inFlightBytes += n;
    const hasRoom = this.sink.write(bytes, () => {
      this.inFlightBytes -= n;
      if (acknowledge && !this.isClosed) this.feed?.ack(n);
      this.pump();
    });
    if (!hasRoom) this.isSinkFull = true;
  }

  private close(wasCancelled: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.backlog.clear();
    this.cancelGrace?.();
    this.onClosed(wasCancelled);
  }
}
