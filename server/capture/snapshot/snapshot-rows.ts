/** What the sources of a snapshot hand to its collector. Times are nanoseconds since the epoch, rounded as numbers are. */
import type { FdEntry, ThreadEntry } from '../../event/snapshot.ts';
import type { EnvironmentChoice } from './environment.ts';

/** Time of the events' own clock. */
export interface SnapshotClock {
  /** Added to CLOCK_BOOTTIME for nanoseconds since the epoch. */
  readonly bootEpochNs: bigint;
  /** Now; may be early by a millisecond, never late. */
  nowNs(): number;
}

export interface ThreadRead {
  readonly entry: ThreadEntry;
  /** When the thread was made. */
  readonly startNs: number;
  /** Everything the thread did before is in the entry. */
  readonly readNs: number;
  /** Threads of the process, this one included. */
  readonly threadCount: number;
}

export interface ThreadIds {
  readonly tid: number;
  readonly pid: number;
}

export interface FdsRead {
  /** Owner of the table: a main thread, or a thread with a table of its own. */
  readonly tid: number;
  readonly entries: readonly FdEntry[];
  readonly readNs: number;
}

export interface SourceOptions {
  /** Prefix of /proc and /sys; '' on the node itself. */
  readonly hostRoot: string;
  readonly clock: SnapshotClock;
  readonly environment: EnvironmentChoice | undefined;
  /** Bytes of argv, and of the environment, kept of a process. */
  readonly argsBytesMax: number;
  /** Fds read of one process. */
  readonly fdsPerProcessMax: number;
  /** Processes left out: the server itself. */
  readonly excludedPids: ReadonlySet<number>;
}

/** All threads and fds of a node, once. */
export interface SnapshotSource {
  readonly name: 'iterators' | 'procfs';
  /** Yields to the event loop now and then. */
  readThreads(): Promise<readonly ThreadRead[]>;
  readFds(onFds: (fds: FdsRead) => void): Promise<void>;
  /** Ids of all threads there are now, kernel threads excepted as far as that is known. */
  listThreads(): readonly ThreadIds[];
  close(): void;
}
