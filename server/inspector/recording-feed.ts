/** What the control plane needs of a recording, wherever it runs. Plain data, as for `event-feed.ts`. */
import type { CaptureEngine, NodeIdentity } from '../../proto/gen/strata/v1/node.ts';

/** A recording as the inspector sees it: limits are checked; Infinity for none. */
export interface RecordingRequest {
  readonly source: string;
  /** Empty records every event. */
  readonly condition: string;
  /** Most bytes kept of the data of one event. */
  readonly snaplenBytes: number;
  readonly eventsMax: number;
  /** Bytes of all files together. */
  readonly bytesMax: number;
  readonly durationMsMax: number;
  readonly rotateBytes: number;
  readonly rotateDurationMs: number;
  /** Bytes that may be under way without an `ack`; the state at the start comes on top. */
  readonly creditBytes: number;
  /** Without credit: true, the source is held; false, events are left out and counted. */
  readonly holdsSource: boolean;
  /** How long bytes may wait for more before they are passed on, milliseconds. */
  readonly latencyMs: number;
}

export interface RecordingStarted {
  readonly node: NodeIdentity;
  readonly captureEngine: CaptureEngine;
  readonly captureName: string;
  readonly captureBytes: number | undefined;
}

/** How far a recording is. Times are nanoseconds since the epoch. */
export interface RecordingProgress {
  /** Events written, state-only ones apart. */
  readonly eventCount: number;
  readonly stateOnlyCount: number;
  readonly byteCount: number;
  /** Lost by the source. */
  readonly lostCount: number;
  /** Left out for want of credit; of them, those that change state. */
  readonly backlogLostCount: number;
  readonly backlogLostStateCount: number;
  readonly firstNum: number | undefined;
  readonly lastNum: number | undefined;
  readonly firstTsNs: bigint | undefined;
  readonly lastTsNs: bigint | undefined;
  readonly captureBytesRead: number | undefined;
  readonly fileCount: number;
  /** Threads in the state at the start of the last file. */
  readonly threadCount: number;
}

/** Bytes of a file, whole blocks; owned by the receiver. */
export interface RecordingChunk {
  readonly bytes: Uint8Array;
  /** Number of the file, from 0: a new one begins with the first chunk of its number. */
  readonly file: number;
  readonly progress: RecordingProgress;
}

export type RecordingEndReason =
  | 'capture-end'
  | 'capture-error'
  | 'events-max'
  | 'bytes-max'
  | 'duration-max'
  | 'stopped'
  | 'shutdown';

export interface RecordingEnd {
  readonly reason: RecordingEndReason;
  /** Events the source produced while the recording ran. */
  readonly seenCount: number;
  readonly progress: RecordingProgress;
  /** For `capture-error`. */
  readonly errorMessage?: string | undefined;
  readonly errorOffset?: number | undefined;
}

/** Receives a recording, in order. `onEnd` or `onFault` is the last call; after `cancel` none comes. */
export interface RecordingListener {
  onChunk(chunk: RecordingChunk): void;
  onEnd(end: RecordingEnd): void;
  /** The inspector itself broke down. */
  onFault(error: Error): void;
}

/** A running recording. */
export interface RecordingFeed {
  readonly started: RecordingStarted;
  /** Gives credit back: `bytes` of chunks were taken over. */
  ack(bytes: number): void;
  /** Ends in good order: what happened before the call is recorded, then `onEnd` with reason `stopped`. */
  stop(): void;
  /** Ends at once; the listener is not called any more. */
  cancel(): void;
}
