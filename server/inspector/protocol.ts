/** What crosses between the control plane and an inspector's thread. Plain data; batch bytes are transferred. */
import type { CaptureEngine } from '../capture/capture-engine.ts';
import type { LiveOptions } from '../capture/live-options.ts';
import type { ContainerRequest, ContainerUpdate } from '../container/container-update.ts';
import type { Fault } from '../event/strata-error.ts';
import type { PodUpdate } from '../kubernetes/pod-update.ts';
import type {
  FeedBatch,
  FeedCompletion,
  FeedEnd,
  FeedFilter,
  FeedFiltersChanged,
  FeedLoss,
  FeedMark,
  FeedRequest,
} from './event-feed.ts';
import type { QueryKind } from './queries.ts';
import type { RecordingChunk, RecordingEnd, RecordingRequest } from './recording-feed.ts';

/** `auto`: live, from the kernel where that is possible. */
export type EngineChoice = 'savefile' | 'ebpf' | 'nodriver' | 'auto';

/** How to build the inspector: the worker's start-up data. */
export interface WorkerConfig {
  readonly engine: EngineChoice;
  /** For savefiles. */
  readonly capturePath: string;
  /** For live engines. */
  readonly live: LiveOptions;
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
  readonly podsMax: number;
  readonly containers: ContainerConfig;
}

/** How containers are followed, and how long their events may wait for them. */
export interface ContainerConfig {
  /** Somebody answers `ContainerRequest`s. False: rows hold what cgroups and events tell. */
  readonly isAsked: boolean;
  /** How long runtimes are asked about one that none knew at once. */
  readonly lookupMs: number;
  /** How long a row stays after the last thread. */
  readonly lingerMs: number;
  /** What waits for containers, for all subscriptions together. */
  readonly holdMs: number;
  readonly holdEventsMax: number;
  readonly holdBytesMax: number;
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
  | { readonly type: 'stop'; readonly call: number }
  | {
      readonly type: 'record';
      readonly call: number;
      readonly recording: number;
      readonly request: RecordingRequest;
    }
  | { readonly type: 'recording-ack'; readonly recording: number; readonly bytes: number }
  | { readonly type: 'stop-recording'; readonly recording: number }
  | { readonly type: 'cancel-recording'; readonly recording: number }
  | { readonly type: 'container-updates'; readonly updates: readonly ContainerUpdate[] }
  /** All runtimes have told what runs, or have taken too long: events may be shown. */
  | { readonly type: 'containers-listed' }
  | { readonly type: 'pod-updates'; readonly updates: readonly PodUpdate[] };

/** What an inspector turned out to read from. */
export interface OpenedSource {
  readonly engine: CaptureEngine['name'];
  /** Why it is not the engine that was wanted; '' when it is. */
  readonly fallbackReason: string;
}

export type FromWorker =
  | { readonly type: 'ready'; readonly source: OpenedSource }
  | { readonly type: 'failed'; readonly error: CrossedError }
  | { readonly type: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly type: 'refused'; readonly call: number; readonly error: CrossedError }
  | { readonly type: 'batch'; readonly feed: number; readonly batch: FeedBatch }
  | { readonly type: 'completion'; readonly feed: number; readonly completion: FeedCompletion }
  | { readonly type: 'loss'; readonly feed: number; readonly loss: FeedLoss }
  | { readonly type: 'mark'; readonly feed: number; readonly mark: FeedMark }
  | { readonly type: 'filters-changed'; readonly feed: number; readonly change: FeedFiltersChanged }
  | { readonly type: 'end'; readonly feed: number; readonly end: FeedEnd }
  | { readonly type: 'recording-chunk'; readonly recording: number; readonly chunk: RecordingChunk }
  | { readonly type: 'recording-end'; readonly recording: number; readonly end: RecordingEnd }
  | { readonly type: 'container-request'; readonly request: ContainerRequest };
