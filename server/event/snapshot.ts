/**
 * Rows of a node's initial state as capture engines deliver them: read from a capture file's own blocks, or gathered
 * from a live node. Text is binary strings (one character per byte). `undefined` marks what the source does not hold.
 */
import type { Integer } from './u64.ts';

export interface MachineEntry {
  readonly cpuCount: number;
  readonly memoryBytes: bigint;
  readonly maxPid: bigint;
  readonly hostname: string;
  readonly bootTsNs: bigint;
  readonly flags: bigint;
}

export interface InterfaceEntry {
  readonly family: 4 | 6;
  readonly name: string;
  /** 4 or 16 bytes in network byte order, as binary strings. */
  readonly address: string;
  readonly netmask: string;
  readonly broadcast: string;
  /** undefined in the old kinds without it. */
  readonly linkSpeed: bigint | undefined;
}

export interface UserEntry {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly homedir: string;
  readonly shell: string;
}

export interface GroupEntry {
  readonly gid: number;
  readonly name: string;
}

/** One thread; defaults for fields older files lack are those of the format page. */
export interface ThreadEntry {
  readonly tid: number;
  readonly pid: number;
  readonly ptid: number;
  readonly sid: number;
  readonly vpgid: number;
  readonly pgid: number;
  readonly comm: string;
  readonly exe: string;
  readonly exepath: string;
  /** NUL-separated run, argv[0] not included. */
  readonly args: string;
  readonly cwd: string;
  readonly fdlimit: Integer;
  readonly flags: number;
  readonly uid: number;
  readonly gid: number;
  readonly vmsizeKb: number;
  readonly vmrssKb: number;
  readonly vmswapKb: number;
  readonly pfmajor: Integer;
  readonly pfminor: Integer;
  readonly env: string;
  readonly vtid: number;
  readonly vpid: number;
  /** NUL-separated `subsystem=path` items. */
  readonly cgroups: string;
  readonly root: string;
  readonly pidnsInitStartNs: bigint;
  readonly tty: number;
  readonly loginuid: number;
  readonly exeWritable: boolean;
  readonly capInheritable: Integer;
  readonly capPermitted: Integer;
  readonly capEffective: Integer;
  readonly exeUpperLayer: boolean;
  readonly exeIno: Integer;
  readonly exeInoCtimeNs: bigint;
  readonly exeInoMtimeNs: bigint;
  readonly exeFromMemfd: boolean;
  readonly exeLowerLayer: boolean;
  /** When the thread was made, nanoseconds since the epoch. Live sources only: files do not hold it. */
  readonly startTsNs?: bigint | undefined;
  /** A main thread that has exited while other threads of its process live on. Live sources only. */
  readonly isDead?: boolean | undefined;
}

/** One open fd; which members are meaningful follows from `type` (FD_* numbers). */
export interface FdEntry {
  readonly fd: number;
  readonly ino: Integer;
  readonly type: number;
  /** Files, and the path of a unix socket. */
  readonly name: string;
  readonly openFlags: number;
  readonly mountId: number;
  readonly dev: number;
  /** Binary strings of 4 or 16 bytes; a server socket's address is in `dip`/`dport` with `sip` ''. */
  readonly sip: string;
  readonly dip: string;
  readonly sport: number;
  readonly dport: number;
  readonly l4proto: number;
  readonly unixSource: Integer;
  readonly unixPeer: Integer;
}

/** A thread looked at again while the source runs. */
export interface ThreadChange {
  readonly thread: ThreadEntry;
  readonly fds: readonly FdEntry[] | undefined;
}

/** A value as a supplement holds it. */
export type SupplementValue =
  | Integer
  | string
  | boolean
  | Buffer
  | readonly string[]
  | readonly (readonly [string, string])[];

/** Members of one row by name, as far as they differ from what the lists make of it. */
export type SupplementMembers = Readonly<Record<string, SupplementValue>>;

/**
 * What the lists of a capture file cannot say about the state they stand for: state that only events tell, and text longer
 * than the lists take. Captures that this project has recorded hold it, so that their state is the very one they started from.
 */
export type SupplementRow =
  | { readonly kind: 'thread'; readonly tid: number; readonly members: SupplementMembers }
  | { readonly kind: 'fd'; readonly tid: number; readonly fd: number; readonly members: SupplementMembers }
  /** The order of a thread's fds, which lists show, and the size of the table that gives it. */
  | {
      readonly kind: 'fd-order';
      readonly tid: number;
      readonly fds: readonly number[];
      readonly bucketCount: number;
    }
  /** Whether a process gets the orphans of its descendants. */
  | { readonly kind: 'reaper'; readonly pid: number; readonly isReaper: boolean }
  /** A main thread that has exited before the other threads of its process. */
  | { readonly kind: 'dead'; readonly tid: number }
  /** The record of an enter event whose exit is still to come. */
  | { readonly kind: 'enter'; readonly tid: number; readonly record: Buffer }
  /** The events were captured live: what hangs on that is parsed as it was then. */
  | { readonly kind: 'live' };

/** Receives the initial state, in the order the source holds it. */
export interface SnapshotSink {
  onMachine(entry: MachineEntry): void;
  onInterfaces(entries: readonly InterfaceEntry[]): void;
  onUser(entry: UserEntry): void;
  onGroup(entry: GroupEntry): void;
  onThread(entry: ThreadEntry): void;
  /** Fds of one thread; its `onThread` may come before or never. */
  onFds(tid: number, entries: readonly FdEntry[]): void;
  /** After the rows it is about. */
  onSupplement?(rows: readonly SupplementRow[]): void;
  /** A capture that follows another in the same source starts: what was delivered before is no longer so. */
  onSectionStart?(): void;
  /** The initial state of such a capture is complete; its events follow. */
  onSectionReady?(): void;
  /**
   * Live sources, between events: threads that were looked at again. They replace what was known of them, their fds too
   * unless `fds` is undefined.
   */
  onThreadsChanged?(changes: readonly ThreadChange[]): void;
  /** Live sources, between events: threads that ended without an event. */
  onThreadsGone?(tids: readonly number[]): void;
}
