/** What the event families share while one event is parsed: the tables, verdicts for `finish`, and the stored enter half. */
import { EventRecord } from '../event/event-record.ts';
import { PPME_SYSCALL_EXECVE_19_X, PPME_SYSCALL_EXECVEAT_E } from '../event/event-types.ts';
import type { FdInfo } from '../state/fd-info.ts';
import type { FdTable } from '../state/fd-table.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { OsState } from '../state/os-state.ts';
import type { ProcessTree } from '../state/process-tree.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { ThreadTable } from '../state/thread-table.ts';
import { CgroupCache, type ContainerSeen } from './cgroup-cache.ts';
import type { ParserCounters } from './event-parser.ts';
import { RecentExits } from './recent-exits.ts';

export interface ParserOptions {
  /** Prefix of /proc as the node's files are seen, for the names of pidfds. */
  readonly hostRoot?: string | undefined;
  /** Follow connections that are still being made: failures and SO_ERROR then decide `fd.connected`. */
  readonly tracksConnectionStatus?: boolean | undefined;
  /**
   * Pid namespaces are dated by the epoch, from the boot time. For live sources only: reading capture files, the reference
   * leaves the times counted from boot as they are, and equality with it is the contract.
   */
  readonly addsBootTime?: boolean | undefined;
  /** Called when an event made a placeholder for a thread nobody introduced: to have it looked up. */
  readonly onPlaceholder?: ((tid: number) => void) | undefined;
  /** Called with fds a process was handed over a socket: their kind is not in the event and must be looked up. */
  readonly onPassedFds?: ((tid: number, fds: readonly number[]) => void) | undefined;
  /** Called with threads found in a container: the first one, and any while its metadata is not complete. */
  readonly onContainerSeen?: ContainerSeen | undefined;
  /** Called with the key of a row that a container event has made or replaced. */
  readonly onContainerStored?: ((key: string) => void) | undefined;
  /** Called with the key of a row that a pod event has made or replaced. */
  readonly onPodStored?: ((uid: string) => void) | undefined;
}

/** Parses one event type. `begin` has run. */
export type EventHandler = (context: ParserContext, event: InspectedEvent) => void;
export type HandlerRow = readonly [type: number, handler: EventHandler];

export class ParserContext {
  readonly state: OsState;
  readonly threads: ThreadTable;
  readonly tree: ProcessTree;
  readonly counters: ParserCounters;
  readonly options: ParserOptions;
  readonly cgroups: CgroupCache;
  readonly recentExits: RecentExits;
  /** Verdicts: a thread, a container (key), a pod (key), and an fd of a table, to remove once all have looked; -1 and undefined for none. */
  removeTid: number;
  removeContainer: string | undefined;
  removePod: string | undefined;
  removeFd: number;
  removeFdTable: FdTable | undefined;
  /** Name of the event's fd before it was parsed; '' for an fd the event created. */
  fdNameBefore: string;
  private readonly enter: EventRecord;

  constructor(state: OsState, counters: ParserCounters, options: ParserOptions) {
    this.state = state;
    this.threads = state.threads;
    this.tree = state.tree;
    this.counters = counters;
    this.options = options;
    this.cgroups = new CgroupCache(state, options.onContainerSeen);
    this.recentExits = new RecentExits();
    this.removeTid = -1;
    this.removeContainer = undefined;
    this.removePod = undefined;
    this.removeFd = -1;
    this.removeFdTable = undefined;
    this.fdNameBefore = '';
    this.enter = new EventRecord();
  }

  /** What is added to times counted from boot. */
  get bootTsNs(): bigint {
    return this.options.addsBootTime === true || this.state.isLive ? this.state.machine.bootTsNs : 0n;
  }

  get tracksConnectionStatus(): boolean {
    return this.options.tracksConnectionStatus === true || this.state.isLive;
  }

  /** The thread's row; a placeholder when nobody introduced it; undefined when the table is full. */
  getThread(tid: number): ThreadInfo | undefined {
    const { threads } = this;
    const found = threads.find(tid);
    if (found !== undefined) {
      threads.counters.hits++;
      return found;
    }
    threads.counters.misses++;
    const row = threads.newThread(tid, -1);
    row.comm = '<NA>';
    row.exe = '<NA>';
    row.isPlaceholder = true;
    if (!threads.set(row)) return undefined;
    this.counters.placeholders++;
    this.options.onPlaceholder?.(tid);
    return row;
  }

  /** Puts an fd the event created into its thread's table and makes it the event's fd. */
  addFd(event: InspectedEvent, fd: number, row: FdInfo): void {
    this.fdNameBefore = '';
    this.putFd(event, fd, row);
  }

  /** The same for an fd that duplicates the event's fd: its name is not new. */
  putFd(event: InspectedEvent, fd: number, row: FdInfo): void {
    event.fdNumber = fd;
    event.fd = event.thread?.fds.set(fd, row) === true ? row : undefined;
  }

  /** The event's fd, to be changed in place. */
  writeFd(event: InspectedEvent): FdInfo | undefined {
    const row = event.fd === undefined ? undefined : event.thread?.fds.write(event.fdNumber);
    if (row !== undefined) event.fd = row;
    return row;
  }

  /** Renames the event's fd, remembering the old name in its row. */
  rename(row: FdInfo, name: string): void {
    row.oldName = row.name;
    row.name = name;
  }

  /** Its users and groups go with it. */
  deleteContainer(key: string): void {
    const { containers, users, groups } = this.state;
    const generation = containers.cgroupGeneration;
    containers.delete(key);
    users.deleteContainer(key);
    groups.deleteContainer(key);
    if (containers.cgroupGeneration !== generation) this.cgroups.rematch();
  }

  /** Keeps the enter event until the exit event that completes it. */
  storeEnter(event: InspectedEvent): void {
    const { record, thread } = event;
    if (thread === undefined) return;
    const bytes = Buffer.from(record.bytes.subarray(record.offset, record.offset + record.length));
    thread.storedEvent = { type: record.type, bytes };
  }

  /** The enter event this exit event completes, valid until the next call. */
  storedEnter(event: InspectedEvent): EventRecord | undefined {
    const stored = event.thread?.storedEvent;
    const { type } = event.record;
    const fits =
      stored !== undefined &&
      stored.type === event.thread?.lastEventType &&
      (stored.type === type - 1 ||
        (type === PPME_SYSCALL_EXECVE_19_X && stored.type === PPME_SYSCALL_EXECVEAT_E));
    if (!fits) {
      this.counters.storedEventsMissing++;
      return undefined;
    }
    this.counters.storedEventsUsed++;
    this.enter.attach(stored.bytes);
    this.enter.load(0, 0, 0);
    return this.enter;
  }
}
