/** What every source of events implements: capture files, live eBPF, plugins' own sources. */
import type { EventRecord } from '../event/event-record.ts';
import type { SnapshotSink } from '../event/snapshot.ts';
import type { CaptureStatus } from './capture-status.ts';
import type { Interest } from './interest.ts';

/** `next` put an event into the record. */
export const NEXT_EVENT = 1;
/** Nothing buffered: await `fill`, then call `next` again. */
export const NEXT_NEED_MORE = 2;
/** The source has ended for good. */
export const NEXT_END = 3;
export type NextResult = typeof NEXT_EVENT | typeof NEXT_NEED_MORE | typeof NEXT_END;

export interface CaptureCounters {
  /** Bytes read from the source (of a compressed file: compressed bytes). */
  bytesRead: number;
  /** Records of unknown type, skipped. */
  unknownEvents: number;
  /** Records dropped by rule of the format: unused ids, enter events that the conversion absorbed. */
  absorbedEvents: number;
  /** Events of interest that could not be delivered, whatever the cause; only grows. Always 0 for files. */
  eventsLost: number;
}

export interface CaptureEngine {
  readonly name: 'savefile' | 'ebpf' | 'nodriver' | 'plugin';
  readonly counters: CaptureCounters;
  /** Total size of the source in bytes when it is a file, else undefined: for progress. */
  readonly totalBytes: number | undefined;
  /** Opens the source and delivers the initial state. Rejects with a StrataError that names the place. */
  open(sink: SnapshotSink): Promise<void>;
  /**
   * Reads the next event into `record`, synchronously. The record is valid until the next call.
   * Throws a CaptureError when the source is damaged at this point; every event before it has been delivered.
   */
  next(record: EventRecord): NextResult;
  /** Waits for input, and comes back without any after a while: the thread handles its messages meanwhile. */
  fill(): Promise<void>;
  close(): Promise<void>;
  /**
   * Live sources: what to capture from now on. Cheap enough to be called at every change of the subscriptions; in effect when
   * it returns. Events of other types may still come for a while: they are in the ring already.
   */
  readonly setInterest?: ((types: Interest) => void) | undefined;
  /**
   * Live sources: a time (ns since the epoch, on the clock of their events) that all events to come are later than, as of the last
   * `next` without an event.
   */
  readonly horizonNs?: (() => bigint) | undefined;
  /** Live sources: figures and circumstances, read now. */
  readonly status?: (() => CaptureStatus) | undefined;
}

/** Damage in a source: what was expected, and where. */
export class CaptureError extends Error {
  /** Byte offset in the uncompressed stream. */
  readonly offset: number;

  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(`${message} (at byte ${offset})`, options);
    this.name = 'CaptureError';
    this.offset = offset;
  }
}
