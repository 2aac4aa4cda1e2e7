/** How a subscription treats events whose container is not known yet, and what the ways of doing so need of it. */
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ProjectedRow } from './batch-encoder.ts';
import type { FeedCompletion, FeedEnd } from './event-feed.ts';

export interface Delivery {
  /** Takes charge of the event in the loop. False: it is nothing special and goes the straight way. Only while a wait is on. */
  take(event: InspectedEvent): boolean;
  /** Before other filters apply: what was seen by the old ones is decided by them. */
  onFiltersChange(): void;
  /** Before the last message: nothing more will become known. */
  onEnd(reason: FeedEnd['reason']): void;
  /** The subscription is over and nobody wants to know. */
  drop(): void;
  /** The oldest event that the filters have not decided on; undefined: none. */
  readonly oldestUndecided: { readonly num: number; readonly previousTsNs: bigint } | undefined;
}

/** An event that matched, read ahead of its turn. */
export interface MatchedRow {
  readonly num: number;
  readonly recordBytes: number;
  /** undefined with one filter. */
  readonly matchedIds: readonly number[] | undefined;
  readonly content: ProjectedRow;
}

/** The subscription, as its delivery sees it. */
export interface DeliveryPort {
  /** Nothing more may be emitted: it has ended, or as many events as were asked for have matched. */
  readonly isDone: boolean;
  /** Ends the subscription when that many have matched. */
  endIfDone(): void;
  /** Whether a filter holds for the event. */
  matches(event: InspectedEvent): boolean;
  /** Reads what a batch would hold of the event. Only right after `matches` was true for it. */
  read(event: InspectedEvent): MatchedRow;
  /** Adds it to the stream. Returns its sequence number; undefined when it was lost. */
  emit(row: MatchedRow, isIncomplete: boolean): number | undefined;
  /** Sends an encoded completion behind everything emitted so far. False: it was lost, as the client is too slow. */
  sendCompletion(completion: FeedCompletion): boolean;
}
