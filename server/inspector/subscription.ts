/** One subscription inside the inspector thread: filter, projection, batches, credit. */
import type { Interest } from '../capture/interest.ts';
import { notFound } from '../event/strata-error.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import { FilterSet } from '../filter/filter-set.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { BatchEncoder } from './batch-encoder.ts';
import type { FeedEnd, FeedFilter, FeedListener, FeedRequest } from './event-feed.ts';
import type { EventReader } from './inspector.ts';
import { readerInterest } from './reader-interest.ts';

/** Largest message sent: below the 4 MiB that gRPC clients accept by default. */
const MESSAGE_BYTES_MAX = 4_000_000;
/** A record above this gets a batch of its own, so that it cannot push its neighbours over the limit. */
const LARGE_RECORD_BYTES = 1_000_000;

/** A filter ready to run. */
export interface ActiveFilter {
  readonly row: FeedFilter;
  readonly compiled: CompiledFilter;
}

/** What a subscription needs to know of the loop it stands in. */
export interface LoopView {
  /** Events offered to readers so far. */
  readonly eventsShown: number;
  readonly lastNum: number | undefined;
  readonly lastTsNs: bigint | undefined;
  /** Bytes read of a capture file; undefined for live sources. */
  readonly captureBytesRead: number | undefined;
  /** Monotonic clock, milliseconds. */
  nowMs(): number;
}

export class Subscription implements EventReader {
  eventTypes: Uint8Array;
  private filters: readonly ActiveFilter[];
  private ownInterest: Interest | undefined;
  /** Fields of the output, as written. */
  private readonly fields: readonly string[];
  private filterSet: FilterSet;
  /** With one filter batches need not say which matched. */
  private hasOneFilter: boolean;
  private readonly request: FeedRequest;
  private readonly encoder: BatchEncoder;
  private readonly listener: FeedListener;
  private readonly loop: LoopView;
  private readonly shownAtStart: number;
  private readonly matchedIds: number[];
  private nextSequence: number;
  private bytesUnderWay: number;
  private batchSinceMs: number;
  private markedAtMs: number;
  private flushedAtMs: number;
  private lossCount: number;
  private lossFirstNum: number;
  private lossLastNum: number;
  private hasEnded: boolean;

  constructor(
    request: FeedRequest,
    filters: readonly ActiveFilter[],
    encoder: BatchEncoder,
    listener: FeedListener,
    loop: LoopView,
    fields: readonly string[] = [],
  ) {
    this.request = request;
    this.filterSet = setOf(filters);
    this.hasOneFilter = filters.length === 1;
    this.eventTypes = this.filterSet.eventTypes;
    this.fields = fields;
    this.filters = filters;
    this.ownInterest = undefined;
    this.encoder = encoder;
    this.listener = listener;
    this.loop = loop;
    this.shownAtStart = loop.eventsShown;
    this.matchedIds = [];
    this.nextSequence = 0;
    this.bytesUnderWay = 0;
    this.batchSinceMs = 0;
    this.markedAtMs = loop.nowMs();
    this.flushedAtMs = 0;
    this.lossCount = 0;
    this.lossFirstNum = 0;
    this.lossLastNum = 0;
    this.hasEnded = false;
  }

  get isEnded(): boolean {
    return this.hasEnded;
  }

  /** Worked out when a live source asks for it. */
  get interest(): Interest {
    const compiled = this.filters.map((filter) => filter.compiled);
    this.ownInterest ??= readerInterest(
      this.eventTypes,
      [...this.fields, ...compiled.flatMap(({ fields }) => fields)],
      compiled.map(({ text }) => text),
    );
    return this.ownInterest;
  }

  get isHolding(): boolean {
    return this.request.holdsSource && this.bytesUnderWay >= this.request.creditBytes && !this.hasEnded;
  }

  onEvent(event: InspectedEvent): void {
    if (this.hasEnded) return;
    const matched = this.matchedIds;
    matched.length = 0;
    this.filterSet.matchInto(event, matched);
    if (matched.length === 0) return;
    this.take(event, this.hasOneFilter ? undefined : matched);
    if (this.nextSequence >= this.request.eventsMax) this.end({ reason: 'events-max' });
  }

  /** What matched before is delivered before the loss is told; it takes no sequence numbers, as no filter saw it. */
  onSourceLoss(count: number): void {
    if (this.hasEnded) return;
    this.flush();
    this.reportLoss();
    this.listener.onLoss({
      cause: 'capture-loss',
      count,
      firstSequence: undefined,
      firstNum: undefined,
      lastNum: undefined,
    });
  }

  /** Sends what has waited long enough, and says how far the loop is. Called between events. */
  tick(): void {
    if (this.hasEnded) return;
    const now = this.loop.nowMs();
    if (this.encoder.count > 0 && now - this.batchSinceMs >= this.request.batchLatencyMs) this.flush();
    if (now - this.markedAtMs < this.request.markIntervalMs) return;
    this.flush();
    this.reportLoss();
    this.markedAtMs = now;
    this.listener.onMark({
      watermarkNum: this.loop.lastNum,
      watermarkTsNs: this.loop.lastTsNs,
      nextSequence: this.nextSequence,
      captureBytesRead: this.loop.captureBytesRead,
    });
  }

  /** Sends what is collected unless a batch went out less than `intervalMs` ago; whether nothing is left. */
  flushFresh(intervalMs: number): boolean {
    if (this.hasEnded || this.encoder.count === 0) return true;
    const now = this.loop.nowMs();
    if (now - this.flushedAtMs < intervalMs) return false;
    this.flushedAtMs = now;
    this.flush();
    return true;
  }

  /** Bytes taken over by the control plane. */
  ack(bytes: number): void {
    this.bytesUnderWay = Math.max(0, this.bytesUnderWay - bytes);
    if (this.lossCount > 0 && this.bytesUnderWay < this.request.creditBytes) this.reportLoss();
  }

  /** From the next event on. Throws StrataError NOT_FOUND when the feed has ended. */
  setFilters(filters: readonly ActiveFilter[]): void {
    if (this.hasEnded) throw notFound('the subscription has ended');
    this.flush();
    this.reportLoss();
    this.filterSet = setOf(filters);
    this.hasOneFilter = filters.length === 1;
    this.eventTypes = this.filterSet.eventTypes;
    this.filters = filters;
    this.ownInterest = undefined;
    this.listener.onFiltersChanged({
      filters: filters.map((filter) => filter.row),
      nextSequence: this.nextSequence,
    });
  }

  /** Delivers what has matched and ends the feed. */
  end(why: Pick<FeedEnd, 'reason' | 'errorMessage' | 'errorOffset'>): void {
    if (this.hasEnded) return;
    this.flush();
    this.reportLoss();
    this.hasEnded = true;
    this.listener.onEnd({
      ...why,
      // The event in the loop is counted by the loop before it is offered.
      seenCount: this.loop.eventsShown - this.shownAtStart,
      matchedCount: this.nextSequence,
      lastNum: this.loop.lastNum,
      captureBytesRead: this.loop.captureBytesRead,
    });
  }

  /** Ends without a word. */
  cancel(): void {
    this.hasEnded = true;
  }

  private take(event: InspectedEvent, matched: readonly number[] | undefined): void {
    const { num, length } = event.record;
    if (!this.request.holdsSource && this.bytesUnderWay >= this.request.creditBytes) {
      this.lose(num);
      return;
    }
    if (this.lossCount > 0) this.reportLoss();
    const { encoder, request } = this;
    if (length > LARGE_RECORD_BYTES) this.flush();
    if (encoder.count === 0) this.batchSinceMs = this.loop.nowMs();
    encoder.add(event, matched);
    this.nextSequence++;
    if (encoder.count >= request.batchEventsMax || encoder.byteCount >= request.batchBytesMax) this.flush();
  }

  private lose(num: number): void {
    // What was collected before the loss must stand before it.
    this.flush();
    if (this.lossCount === 0) this.lossFirstNum = num;
    this.lossLastNum = num;
    this.lossCount++;
    this.nextSequence++;
  }

  private flush(): void {
    const { encoder } = this;
    const { count, firstNum, lastNum } = encoder;
    if (count === 0) return;
    const firstSequence = this.nextSequence - count;
    const bytes = encoder.finish(firstSequence);
    if (bytes.length > MESSAGE_BYTES_MAX) {
      this.listener.onLoss({
        cause: 'event-too-large',
        count,
        firstSequence,
        firstNum,
        lastNum,
      });
      return;
    }
    this.bytesUnderWay += bytes.length;
    this.listener.onBatch({
      bytes,
      count,
      firstSequence,
      firstNum,
      lastNum,
    });
  }

  private reportLoss(): void {
    if (this.lossCount === 0) return;
    this.listener.onLoss({
      cause: 'backlog-full',
      count: this.lossCount,
      firstSequence: this.nextSequence - this.lossCount,
      firstNum: this.lossFirstNum,
      lastNum: this.lossLastNum,
    });
    this.lossCount = 0;
  }
}

function setOf(filters: readonly ActiveFilter[]): FilterSet {
  return new FilterSet(filters.map(({ row, compiled }) => ({ id: row.id, filter: compiled })));
}
