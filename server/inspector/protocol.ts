/** What crosses between the control plane and an inspector's thread. Plain data; batch bytes are transferred. */
import type { Fault } from '../event/strata-error.ts';
import type {
  FeedBatch,
  FeedEnd,
  FeedFilter,
  FeedFiltersChanged,
  FeedLoss,
  FeedMark,
  FeedRequest,
} from './event-feed.ts';
import type { QueryKind } from './queries.ts';

/** How to build the inspector: the worker's start-up data. */
export interface WorkerConfig {
  readonly capturePath: string;
  readonly captureName: string;
  readonly nodeName: string;
  readonly speed: number;
  readonly waitSubscribers: number;
  readonly retainEvents: number;
  readonly retainBytes: number;
  readonly blockBytesMax: number;
  readonly threadsMax: number;
  readonly fdsPerProcessMax: number;
  readonly usersMax: number;
  readonly containersMax: number;
}

/** A failed call: a StrataError's fault, or the text of a defect. */
export type CrossedError =
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'defect'; readonly message: string; readonly stack: string | undefined };

export type ToWorker =
  | {
      readonly type: 'subscribe';
      readonly call: number;
      readonly feed: number;
      readonly request: FeedRequest;
    }
  | { readonly type: 'ack'; readonly feed: number; readonly bytes: number }
  | {
      readonly type: 'filters';
      readonly call: number;
      readonly feed: number;
      readonly filters: readonly FeedFilter[];
    }
  | { readonly type: 'stop-feed'; readonly feed: number }
  | { readonly type: 'cancel-feed'; readonly feed: number }
  | { readonly type: 'query'; readonly call: number; readonly kind: QueryKind; readonly request: unknown }
  | { readonly type: 'stop'; readonly call: number };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: CrossedError }
  | { readonly type: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly type: 'refused'; readonly call: number; readonly error: CrossedError }
  | { readonly type: 'batch'; readonly feed: number; readonly batch: FeedBatch }
  | { readonly type: 'loss'; readonly feed: number; readonly loss: FeedLoss }
  | { readonly type: 'mark'; readonly feed: number; readonly mark: FeedMark }
  | { readonly type: 'filters-changed'; readonly feed: number; readonly change: FeedFiltersChanged }
  | { readonly type: 'end'; readonly feed: number; readonly end: FeedEnd };
