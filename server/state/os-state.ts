/** Everything the inspector knows about its node, and the view of it that fields are read through. */
import { type ContainerIndex, type ContainerRow, ContainerTable } from './container-table.ts';
import type { FdInfo } from './fd-info.ts';
import type { FdTable } from './fd-table.ts';
import { InterfaceTable } from './interface-table.ts';
import { PastState } from './past-state.ts';
import { type PodRow, PodTable } from './pod-table.ts';
import { ProcessTree } from './process-tree.ts';
import type { ThreadInfo } from './thread-info.ts';
import { ThreadTable } from './thread-table.ts';
import { UndoLog } from './undo-log.ts';
import { type GroupRow, type GroupTable, IdentityTable, type UserRow, type UserTable } from './user-table.ts';

/** Limits of all tables; each refusal is counted by its table. */
export interface StateLimits {
  readonly threadsMax: number;
  readonly fdsPerProcessMax: number;
  readonly usersMax: number;
  readonly groupsMax: number;
  readonly containersMax: number;
  readonly podsMax: number;
  readonly interfacesMax: number;
  /** Changes remembered for point-in-time answers. */
  readonly undoEntriesMax: number;
}

export const DEFAULT_STATE_LIMITS: StateLimits = {
  threadsMax: 262_144,
  fdsPerProcessMax: 65_536,
  usersMax: 65_536,
  groupsMax: 65_536,
  containersMax: 16_384,
  podsMax: 4_096,
  interfacesMax: 4_096,
  undoEntriesMax: 65_536,
};

/** Facts about the machine the events come from. */
export interface MachineInfo {
  readonly cpuCount: number;
  readonly memoryBytes: bigint;
  readonly maxPid: bigint;
  readonly hostname: string;
  readonly bootTsNs: bigint;
}

/** Read access to the state, either as it is now or as it was when a retained event was shown. Memory only. */
export interface StateView {
  findThread(tid: number): ThreadInfo | undefined;
  findFd(table: FdTable, fd: number): FdInfo | undefined;
  /** How many fds the table holds. */
  fdCount(table: FdTable): number;
  /** The numbers of all fds the table holds, in the order in which lists show them. */
  fdNumbers(table: FdTable): readonly number[];
  findUser(containerId: string, uid: number): UserRow | undefined;
  findGroup(containerId: string, gid: number): GroupRow | undefined;
  findContainer(fullId: string): ContainerRow | undefined;
  /** Key of the container that is shown with this short id. */
  findContainerKey(shortId: string): string | undefined;
  /** Keys of all containers that are shown with this id, or that have this name. */
  findContainerKeys(index: ContainerIndex, text: string): readonly string[];
  /** A pod by its key (uid). */
  findPod(key: string): PodRow | undefined;
  /** Key of the pod that cgroups and runtimes call so: its uid, or that of a static pod. */
  findPodKey(uid: string): string | undefined;
  /** Key of the pod that has this container (full id). */
  findPodKeyByContainer(fullId: string): string | undefined;
  /** All rows, in no particular order. */
  allThreads(): IterableIterator<ThreadInfo>;
  /** `[number, row]` of every fd of the table. */
  allFds(table: FdTable): IterableIterator<[number, FdInfo]>;
  /** `[container id, id, row]` of every user or group. */
  allUsers(): IterableIterator<[string, number, UserRow]>;
  allGroups(): IterableIterator<[string, number, GroupRow]>;
  /** `[full id, row]` of every container. */
  allContainers(): IterableIterator<[string, ContainerRow]>;
  allPods(): IterableIterator<PodRow>;
  readonly machine: MachineInfo;
  /** Whether the events come from a live node, or from a recording that this project made of one. */
  readonly isLive: boolean;
  /** Addresses of the machine's network interfaces. */
  readonly interfaces: InterfaceTable;
}

const UNKNOWN_MACHINE: MachineInfo = { cpuCount: 0, memoryBytes: 0n, maxPid: 0n, hostname: '', bootTsNs: 0n };

export class OsState implements StateView {
  readonly limits: StateLimits;
  readonly undo: UndoLog;
  readonly threads: ThreadTable;
  /** Parent, child and process links of `threads`. */
  readonly tree: ProcessTree;
  readonly users: UserTable;
  readonly groups: GroupTable;
  readonly containers: ContainerTable;
  readonly pods: PodTable;
  readonly interfaces: InterfaceTable;
  machine: MachineInfo;
  isLive: boolean;
  private readonly past: PastState;

  constructor(limits: StateLimits = DEFAULT_STATE_LIMITS) {
    this.limits = limits;
    this.undo = new UndoLog({ entriesMax: limits.undoEntriesMax });
    this.threads = new ThreadTable(limits, this.undo);
    this.tree = new ProcessTree(this.threads);
    this.users = new IdentityTable<UserRow>(limits.usersMax, this.undo);
    this.groups = new IdentityTable<GroupRow>(limits.groupsMax, this.undo);
    this.containers = new ContainerTable(limits.containersMax, this.undo);
    this.pods = new PodTable(limits.podsMax, this.undo);
    this.interfaces = new InterfaceTable(limits.interfacesMax);
    this.machine = UNKNOWN_MACHINE;
    this.isLive = false;
    this.past = new PastState(this);
  }

  /** Forgets all threads: a new section of the source brings its own. */
  clearThreads(): void {
    for (const row of [...this.threads.values()]) this.threads.delete(row.tid);
    this.tree.clear();
  }

  findThread(tid: number): ThreadInfo | undefined {
    return this.threads.find(tid);
  }

  findFd(table: FdTable, fd: number): FdInfo | undefined {
    return table.find(fd);
  }

  fdCount(table: FdTable): number {
    return table.size;
  }

  fdNumbers(table: FdTable): readonly number[] {
    return table.walk();
  }

  findUser(containerId: string, uid: number): UserRow | undefined {
    return this.users.find(containerId, uid);
  }

  findGroup(containerId: string, gid: number): GroupRow | undefined {
    return this.groups.find(containerId, gid);
  }

  findContainer(fullId: string): ContainerRow | undefined {
    return this.containers.find(fullId);
  }

  findContainerKey(shortId: string): string | undefined {
    return this.containers.findKeyByShortId(shortId);
  }

  findContainerKeys(index: ContainerIndex, text: string): readonly string[] {
    return this.containers.findKeys(index, text);
  }

  allThreads(): IterableIterator<ThreadInfo> {
    return this.threads.values();
  }

  allFds(table: FdTable): IterableIterator<[number, FdInfo]> {
    return table.entries();
  }

  allUsers(): IterableIterator<[string, number, UserRow]> {
    return this.users.entries();
  }

  allGroups(): IterableIterator<[string, number, GroupRow]> {
    return this.groups.entries();
  }

  allContainers(): IterableIterator<[string, ContainerRow]> {
    return this.containers.entries();
  }

  findPod(key: string): PodRow | undefined {
    return this.pods.find(key);
  }

  findPodKey(uid: string): string | undefined {
    return this.pods.findKey(uid);
  }

  findPodKeyByContainer(fullId: string): string | undefined {
    return this.pods.findUidByContainer(fullId);
  }

  allPods(): IterableIterator<PodRow> {
    return this.pods.values();
  }

  /**
   * The state as it was when event `eventNumber` was shown; undefined when its changes are no longer remembered. The view
   * is good until the next call and the next event. Asking from the newest event to the oldest costs least.
   */
  asOf(eventNumber: number): StateView | undefined {
    if (eventNumber < this.undo.oldestAnswerable) return undefined;
    this.past.moveTo(eventNumber);
    return this.past;
  }
}
