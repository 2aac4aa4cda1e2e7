/** One subscription inside the inspector thread: filter, projection, batches, credit. */
import type { Interest } from '../capture/interest.ts';
import { notFound } from '../event/strata-error.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import { FilterSet } from '../filter/filter-set.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { BatchEncoder, EncodedField } from './batch-encoder.ts';
import { CompleteDelivery } from './complete-delivery.ts';
import type { Delivery, DeliveryPort, MatchedRow } from './delivery.ts';
import type { FeedCompletion, FeedEnd, FeedFilter, FeedListener, FeedRequest } from './event-feed.ts';
import type { HeldEvents } from './held-events.ts';
import { ImmediateDelivery } from './immediate-delivery.ts';
import type { EventReader } from './inspector.ts';
import { PendingContainers } from './pending-containers.ts';
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

/** What a subscription may wait for, and how it is told later. */
export interface LateData {
  readonly held: HeldEvents;
  /** Fields of the schema; undefined for text, which has no completions. */
  readonly fields: readonly EncodedField[] | undefined;
}

const NEVER_PENDING = new PendingContainers();

export class Subscription implements EventReader, DeliveryPort {
  eventTypes: Uint8Array;
  private readonly pending: PendingContainers;
  private readonly delivery: Delivery | undefined;
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
  private lostCompletionCount: number;
  private lossCount: number;
  private lossFirstNum: number;
  private lossLastNum: number;
  private hasEnded: boolean;
  private isEnding: boolean;

  constructor(
    request: FeedRequest,
    filters: readonly ActiveFilter[],
    encoder: BatchEncoder,
    listener: FeedListener,
    loop: LoopView,
    fields: readonly string[] = [],
    late: LateData | undefined = undefined,
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
    this.lostCompletionCount = 0;
    this.lossCount = 0;
    this.lossFirstNum = 0;
    this.lossLastNum = 0;
    this.hasEnded = false;
    this.isEnding = false;
    this.pending = late?.held.pending ?? NEVER_PENDING;
    if (late === undefined) this.delivery = undefined;
    else if (request.delivery === 'complete') this.delivery = new CompleteDelivery(late.held, this);
    else this.delivery = new ImmediateDelivery(late.held, this, late.fields);
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
    if (this.pending.count !== 0 && this.delivery?.take(event) === true) {
      this.endIfDone();
      return;
    }
    if (!this.matches(event)) return;
    this.take(event, this.hasOneFilter ? undefined : this.matchedIds);
    this.endIfDone();
  }

  get isDone(): boolean {
    return this.hasEnded || this.nextSequence >= this.request.eventsMax;
  }

  endIfDone(): void {
    if (this.nextSequence >= this.request.eventsMax) this.end({ reason: 'events-max' });
  }

  matches(event: InspectedEvent): boolean {
    const matched = this.matchedIds;
    matched.length = 0;
    this.filterSet.matchInto(event, matched);
    return matched.length > 0;
  }

  read(event: InspectedEvent): MatchedRow {
    return {
      num: event.record.num,
      recordBytes: event.record.length,
      matchedIds: this.hasOneFilter ? undefined : [...this.matchedIds],
      content: this.encoder.project(event),
    };
  }

  emit(row: MatchedRow, isIncomplete: boolean): number | undefined {
    if (!this.makeRoom(row.num, row.recordBytes)) return undefined;
    const { encoder } = this;
    encoder.addProjected(row.num, row.content, row.matchedIds);
    if (isIncomplete) encoder.markIncomplete();
    const sequence = this.nextSequence++;
    this.flushFull();
    return sequence;
  }

  sendCompletion(completion: FeedCompletion): boolean {
    // Its events stand before it.
    this.flush();
    if (!this.hasCredit) {
      this.lostCompletionCount++;
      return false;
    }
    this.bytesUnderWay += completion.bytes.length;
    this.listener.onCompletion(completion);
    return true;
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
    const undecided = this.delivery?.oldestUndecided;
    this.listener.onMark({
      watermarkNum: undecided === undefined ? this.loop.lastNum : undecided.num - 1,
      watermarkTsNs: undecided === undefined ? this.loop.lastTsNs : undecided.previousTsNs,
      nextSequence: this.nextSequence,
      captureBytesRead: this.loop.captureBytesRead,
      lostCompletionCount: this.lostCompletionCount,
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
    this.delivery?.onFiltersChange();
    // What had to be decided may have been the last that was wanted.
    if (this.isEnded) throw notFound('the subscription has ended');
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
    if (this.hasEnded || this.isEnding) return;
    this.isEnding = true;
    this.delivery?.onEnd(why.reason);
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
      lostCompletionCount: this.lostCompletionCount,
    });
  }

  /** Ends without a word. */
  cancel(): void {
    this.hasEnded = true;
    this.delivery?.drop();
  }

  private take(event: InspectedEvent, matched: readonly number[] | undefined): void {
    const { num, length } = event.record;
    if (!this.makeRoom(num, length)) return;
    this.encoder.add(event, matched);
    this.nextSequence++;
    this.flushFull();
  }

  /** Whether event `num` may be added to the batch; counts it as lost otherwise. */
  private makeRoom(num: number, recordBytes: number): boolean {
    if (!this.hasCredit) {
      this.lose(num);
      return false;
    }
    if (this.lossCount > 0) this.reportLoss();
    if (recordBytes > LARGE_RECORD_BYTES) this.flush();
    if (this.encoder.count === 0) this.batchSinceMs = this.loop.nowMs();
    return true;
  }

  private get hasCredit(): boolean {
    return this.request.holdsSource || this.bytesUnderWay < this.request.creditBytes;
  }

  private flushFull(): void {
    const { encoder, request } = this;
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
