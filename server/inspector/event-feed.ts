/**
 * What the control plane needs of an inspector, wherever it runs: subscriptions that push encoded batches, and queries that
 * are answered between events. Everything that crosses is plain data, so that a worker boundary can stand in between.
 */
import type { CaptureEngine, NodeIdentity } from '../../proto/gen/strata/v1/node.ts';
import type { FieldSchema } from '../../proto/gen/strata/v1/value.ts';
import type { Queries, QueryKind } from './queries.ts';
import type { RecordingFeed, RecordingListener, RecordingRequest } from './recording-feed.ts';

/** Ready-made line templates. */
export type PresetName = 'default' | 'container' | 'kubernetes';

/** How each matched event is rendered. */
export type Projection =
  | { readonly kind: 'typed' | 'json'; readonly fields: readonly string[] }
  | { readonly kind: 'text'; readonly template: string }
  | { readonly kind: 'preset'; readonly preset: PresetName };

/** When events of containers that are not known yet are sent. */
export type DeliveryName = 'immediate' | 'complete';

/** How the wait for what was not known ended. */
export type CompletionOutcomeName = 'complete' | 'timed-out' | 'failed';

export interface FeedFilter {
  /** Number within the subscription; never used twice. */
  readonly id: number;
  readonly name: string;
  /** Empty matches every event. */
  readonly condition: string;
}

/** A subscription as the inspector sees it: defaults are filled in, limits are checked. */
export interface FeedRequest {
  readonly source: string;
  /** At least one. With more than one, batches say which filters matched. */
  readonly filters: readonly FeedFilter[];
  readonly projection: Projection;
  readonly delivery: DeliveryName;
  readonly batchEventsMax: number;
  readonly batchBytesMax: number;
  readonly batchLatencyMs: number;
  /** End after this many matched events; Infinity for no limit. */
  readonly eventsMax: number;
  /** How often `onMark` is called at least, in milliseconds. */
  readonly markIntervalMs: number;
  /** Bytes of batches that may be under way without an `ack`. */
  readonly creditBytes: number;
  /**
   * What the inspector does without credit: true, it holds the source (private replays); false, it drops matched events,
   * counts them, and reports them by `onLoss` before the next batch.
   */
  readonly holdsSource: boolean;
}

/** A request that a compiled subscription answers with. */
export interface FeedStarted {
  /** One entry per field of the projection; empty for text. */
  readonly schema: readonly FieldSchema[];
  readonly node: NodeIdentity;
  readonly captureEngine: CaptureEngine;
  /** Base name of the capture file, '' for live sources. */
  readonly captureName: string;
  readonly captureBytes: number | undefined;
  readonly firstEventNumber: number | undefined;
}

/** Matched events, encoded. */
export interface FeedBatch {
  /** A whole encoded `StreamEventsResponse` with `batch` set; owned by the receiver. */
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Sequence number of the first event: every matched event takes one, lost ones included. */
  readonly firstSequence: number;
  /** `evt.num` of the first and last event. */
  readonly firstNum: number;
  readonly lastNum: number;
}

/** What was not known when events were sent. Behind the batches that hold them. */
export interface FeedCompletion {
  /** A whole encoded `StreamEventsResponse` with `completion` set; owned by the receiver. */
  readonly bytes: Uint8Array;
  /** Events it is about. */
  readonly count: number;
}

/** Events that never reached a batch. */
export interface FeedLoss {
  /**
   * `backlog-full`: matched, but there was no credit. `event-too-large`: matched, but larger than a message.
   * `capture-loss`: lost by the source before any filter saw them.
   */
  readonly cause: 'backlog-full' | 'event-too-large' | 'capture-loss';
  readonly count: number;
  /** undefined for capture-loss, which takes no sequence numbers. */
  readonly firstSequence: number | undefined;
  readonly firstNum: number | undefined;
  readonly lastNum: number | undefined;
}

/** How far the inspector is. Every match before the mark has been given to the listener. */
export interface FeedMark {
  /** Last event seen by the filters; undefined before the first. */
  readonly watermarkNum: number | undefined;
  readonly watermarkTsNs: bigint | undefined;
  /** Sequence number the next matched event will have. */
  readonly nextSequence: number;
  /** undefined for live sources. */
  readonly captureBytesRead: number | undefined;
  /** Completions that could not be sent for lack of credit. */
  readonly lostCompletionCount?: number | undefined;
}

export interface FeedFiltersChanged {
  readonly filters: readonly FeedFilter[];
  readonly nextSequence: number;
}

export interface FeedEnd {
  readonly reason: 'capture-end' | 'capture-error' | 'events-max' | 'shutdown';
  /** Events the source produced while the subscription was there. */
  readonly seenCount: number;
  /** Events that matched: the next sequence number. */
  readonly matchedCount: number;
  readonly lastNum: number | undefined;
  readonly captureBytesRead: number | undefined;
  readonly lostCompletionCount?: number | undefined;
  /** For `capture-error`. */
  readonly errorMessage?: string | undefined;
  readonly errorOffset?: number | undefined;
}

/** Receives a feed, in order. `onEnd` or `onFault` is the last call; after `cancel` none comes. */
export interface FeedListener {
  onBatch(batch: FeedBatch): void;
  onCompletion(completion: FeedCompletion): void;
  onLoss(loss: FeedLoss): void;
  onMark(mark: FeedMark): void;
  onFiltersChanged(change: FeedFiltersChanged): void;
  onEnd(end: FeedEnd): void;
  /** The inspector itself broke down. */
  onFault(error: Error): void;
}

/** A running subscription. */
export interface EventFeed {
  readonly started: FeedStarted;
  /** Gives credit back: `bytes` of batches were taken over. */
  ack(bytes: number): void;
  /** Replaces the filters between two events; resolves when done. Rejects with a StrataError, then the old ones stay. */
  setFilters(filters: readonly FeedFilter[]): Promise<void>;
  /** Ends in good order: what has matched is delivered, then `onEnd` with reason `shutdown`. */
  stop(): void;
  /** Ends at once; the listener is not called any more. */
  cancel(): void;
}

/** One inspector. */
export interface InspectorHandle {
  /**
   * Compiles and starts a subscription. Rejects with a StrataError for unknown sources or fields and for filters or
   * templates that do not compile, with `field` relative to the FeedRequest: `filters[0].condition`, `fields[2]`,
   * `template`. The listener is not called before the promise has resolved and its continuation ran.
   */
  subscribe(request: FeedRequest, listener: FeedListener): Promise<EventFeed>;
  /**
   * Starts a recording; it runs when the promise resolves. Rejects with a StrataError for a `condition` that does not compile.
   * The listener may be called before that.
   */
  record(request: RecordingRequest, listener: RecordingListener): Promise<RecordingFeed>;
  /** Asks for state. Rejects with a StrataError. */
  query<K extends QueryKind>(kind: K, request: Queries[K]['request']): Promise<Queries[K]['response']>;
}

/** A private inspector that reads a capture file for one subscription. */
export interface ReplayHandle extends InspectorHandle {
  /** Ends it and frees its thread; its feeds are cancelled. */
  close(): Promise<void>;
}

/** All inspectors of the server. */
export interface Inspectors {
  /** Whether the server serves a capture file, so that replays are possible and the default. */
  readonly isCaptureFile: boolean;
  /** The node's own inspector, which all live subscriptions share. */
  readonly node: InspectorHandle;
  /**
   * Starts a private replay from the first event; it stands still until `subscribe`. Rejects with a StrataError:
   * RESOURCE_EXHAUSTED when there are too many, FAILED_PRECONDITION on a live source.
   */
  openReplay(): Promise<ReplayHandle>;
}
