/** One thread of the thread table: what `proc.*` and `thread.*` fields are read from. */
import { CL_CHILD_IN_PIDNS, CL_IS_MAIN_THREAD } from '../event/flag-tables.ts';
import type { Integer } from '../event/u64.ts';
import type { FdTable } from './fd-table.ts';
import type { ThreadGroup } from './thread-group.ts';

/** uid or gid that is not known. */
export const ID_UNKNOWN = 0xffffffff;

/** A cgroup membership: subsystem name and path (binary strings). */
export type CgroupEntry = readonly [subsystem: string, path: string];

/** An enter event kept until its exit arrives: the raw record. */
export interface StoredEvent {
  readonly type: number;
  readonly bytes: Buffer;
}

/** All text is binary strings; all times are nanoseconds since the epoch, 0n when unknown. */
export class ThreadInfo {
  tid: number;
  pid: number;
  /** Parent's tid (as the kernel reports it: the parent process). */
  ptid: number;
  reaperTid: number;
  sid: number;
  pgid: number;
  vtid: number;
  vpid: number;
  vpgid: number;
  comm: string;
  /** argv[0] */
  exe: string;
  exepath: string;
  /** Arguments without argv[0]. */
  args: readonly string[];
  /** `NAME=value` items. Kept on the main thread; `ProcessTree.env` answers for any thread. */
  env: readonly string[];
  /** Ends in '/'. Kept on the main thread; `ProcessTree.cwd` answers for any thread. */
  cwd: string;
  root: string;
  cgroups: readonly CgroupEntry[];
  /** Set of CL_*. */
  flags: number;
  uid: number;
  gid: number;
  loginuid: number;
  fdlimit: Integer;
  capInheritable: Integer;
  capPermitted: Integer;
  capEffective: Integer;
  vmsizeKb: number;
  vmrssKb: number;
  vmswapKb: number;
  pfmajor: Integer;
  pfminor: Integer;
  tty: number;
  exeIno: Integer;
  exeInoCtimeNs: bigint;
  exeInoMtimeNs: bigint;
  /** cloneTs - exeInoCtime and pidns start relations, as the reference computes them at exec. */
  exeInoCtimeDurationCloneNs: bigint;
  exeInoCtimeDurationPidnsNs: bigint;
  exeWritable: boolean;
  exeUpperLayer: boolean;
  exeLowerLayer: boolean;
  exeFromMemfd: boolean;
  pidnsInitStartNs: bigint;
  cloneTsNs: bigint;
  lastExecTsNs: bigint;
  /** Full container id, '' for the host. */
  containerId: string;
  /** What it is there for in its container, as far as told by its parents and commands so far: CATEGORY_* . */
  category: number;
  /** Live non-main threads of the process, counted on the main thread. */
  threadCount: number;
  /** CPU time of switch events, nanoseconds. */
  lastExecTimeNs: number;
  totalExecTimeNs: number;
  cpuUser: number;
  cpuSystem: number;
  /** The process's fds: one table object shared by all its threads. */
  fds: FdTable;
  /** Row made for an unknown tid, to be filled by healing. */
  isPlaceholder: boolean;
  /** Set when the thread has exited and the row awaits removal. */
  isDead: boolean;
  /** tids of children, for reparenting. Live: old versions of the row share the set. */
  children: Set<number>;
  /** tids of the process, main thread included; one set shared by all of its threads, and by old versions of the row. */
  group: Set<number>;
  /** undefined for a placeholder: it belongs to no process yet. */
  threadGroup: ThreadGroup | undefined;
  /** Number of the last event that changed the row: one undo entry per event. */
  touchedAt: number;

  // What the loop remembers between two events of the thread. Not versioned: no field of an older event reads it.
  lastEventType: number;
  lastEventFd: number;
  lastEventTsHi: number;
  lastEventTsLo: number;
  storedEvent: StoredEvent | undefined;

  constructor(tid: number, pid: number, fds: FdTable) {
    this.tid = tid;
    this.pid = pid;
    this.ptid = -1;
    this.reaperTid = -1;
    this.sid = -1;
    this.pgid = -1;
    this.vtid = -1;
    this.vpid = -1;
    this.vpgid = -1;
    this.comm = '';
    this.exe = '';
    this.exepath = '';
    this.args = [];
    this.env = [];
    this.cwd = '';
    this.root = '';
    this.cgroups = [];
    this.flags = 0;
    this.uid = ID_UNKNOWN;
    this.gid = ID_UNKNOWN;
    this.loginuid = ID_UNKNOWN;
    this.fdlimit = -1;
    this.capInheritable = 0;
    this.capPermitted = 0;
    this.capEffective = 0;
    this.vmsizeKb = 0;
    this.vmrssKb = 0;
    this.vmswapKb = 0;
    this.pfmajor = 0;
    this.pfminor = 0;
    this.tty = 0;
    this.exeIno = 0;
    this.exeInoCtimeNs = 0n;
    this.exeInoMtimeNs = 0n;
    this.exeInoCtimeDurationCloneNs = 0n;
    this.exeInoCtimeDurationPidnsNs = 0n;
    this.exeWritable = false;
    this.exeUpperLayer = false;
    this.exeLowerLayer = false;
    this.exeFromMemfd = false;
    this.pidnsInitStartNs = 0n;
    this.cloneTsNs = 0n;
    this.lastExecTsNs = 0n;
    this.containerId = '';
    this.category = 0;
    this.threadCount = 0;
    this.lastExecTimeNs = 0;
    this.totalExecTimeNs = 0;
    this.cpuUser = 0;
    this.cpuSystem = 0;
    this.fds = fds;
    this.isPlaceholder = false;
    this.isDead = false;
    this.children = new Set();
    this.group = new Set();
    this.threadGroup = undefined;
    this.touchedAt = -1;
    this.lastEventType = -1;
    this.lastEventFd = -1;
    this.lastEventTsHi = 0;
    this.lastEventTsLo = 0;
    this.storedEvent = undefined;
  }

  /** A shallow copy: the row as it is now, for the undo log. Links (children, group) stay live, everything a field reads is kept. */
  copy(): ThreadInfo {
    return Object.assign(new ThreadInfo(this.tid, this.pid, this.fds), this);
  }

  /** Whether the row lacks the ids that tie it to a process: it then has no group, no parent and no main thread. */
  isInvalid(): boolean {
    return this.tid < 0 || this.pid < 0 || this.ptid < 0;
  }

  /** Whether the thread lives in a pid namespace of its own, as far as its ids tell. */
  isInPidNamespace(): boolean {
    return (this.flags & CL_CHILD_IN_PIDNS) !== 0 || (this.vtid >= 0 && this.vtid !== this.tid);
  }

  /** Whether this is the thread whose tid is the process's pid. */
  isMain(): boolean {
    return this.tid === this.pid || (this.flags & CL_IS_MAIN_THREAD) !== 0;
  }
}
