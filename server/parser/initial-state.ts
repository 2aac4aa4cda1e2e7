/**
 * Fills the tables with a source's initial state, then makes the links that need all of it: processes, parents, and the
 * direction of connections. A source may start over (concatenated captures): what follows then replaces the threads.
 */
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  MachineEntry,
  SnapshotSink,
  SupplementRow,
  ThreadChange,
  ThreadEntry,
  UserEntry,
} from '../event/snapshot.ts';
import { FD_IPV4_SERVSOCK, FD_IPV6_SERVSOCK } from '../state/fd-info.ts';
import type { OsState } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { CgroupCache } from './cgroup-cache.ts';
import { applyChanged, removeGone } from './live-state.ts';
import { fdFromEntry, threadFromEntry } from './snapshot-rows.ts';
import { directSocket } from './socket-direction.ts';
import { applySupplement } from './state-supplement.ts';

export class InitialState implements SnapshotSink {
  /** Fds of threads the source does not have: left out. */
  fdsWithoutThread: number;
  private readonly state: OsState;
  private readonly cgroups: CgroupCache;
  /** Fds that came before their thread. */
  private readonly waitingFds: Map<number, readonly FdEntry[]>;
  private readonly serverPorts: Set<number>;
  /** Main threads that have exited before others of their process. */
  private readonly deadTids: Set<number>;
  private supplement: SupplementRow[];

  constructor(state: OsState) {
    this.fdsWithoutThread = 0;
    this.state = state;
    this.cgroups = new CgroupCache(state);
    this.waitingFds = new Map();
    this.serverPorts = new Set();
    this.deadTids = new Set();
    this.supplement = [];
  }

  onMachine(entry: MachineEntry): void {
    const { cpuCount, memoryBytes, maxPid, hostname, bootTsNs } = entry;
    this.state.machine = { cpuCount, memoryBytes, maxPid, hostname, bootTsNs };
  }

  onInterfaces(entries: readonly InterfaceEntry[]): void {
    this.state.interfaces.replace(entries.map((entry) => ({ ...entry, linkSpeed: entry.linkSpeed ?? 0n })));
  }

  onUser(entry: UserEntry): void {
    this.state.users.set('', entry.uid, entry);
  }

  onGroup(entry: GroupEntry): void {
    this.state.groups.set('', entry.gid, entry);
  }

  onThread(entry: ThreadEntry): void {
    const { threads } = this.state;
    const row = threadFromEntry(threads, this.cgroups, entry);
    if (!threads.set(row)) return;
    if (entry.isDead === true) this.deadTids.add(entry.tid);
    const fds = this.waitingFds.get(entry.tid);
    if (fds === undefined) return;
    this.waitingFds.delete(entry.tid);
    this.addFds(row, fds);
  }

  onFds(tid: number, entries: readonly FdEntry[]): void {
    const row = this.state.threads.find(tid);
    if (row !== undefined) this.addFds(row, entries);
    else if (this.waitingFds.size < this.state.limits.threadsMax) this.waitingFds.set(tid, entries);
    else this.fdsWithoutThread += entries.length;
  }

  onSupplement(rows: readonly SupplementRow[]): void {
    for (const row of rows) this.supplement.push(row);
  }

  /** A new section brings its own threads; users and groups it does not name stay. */
  onSectionStart(): void {
    this.state.clearThreads();
  }

  onSectionReady(): void {
    this.finish();
  }

  onThreadsChanged(changes: readonly ThreadChange[]): void {
    applyChanged(this.state, changes);
  }

  onThreadsGone(tids: readonly number[]): void {
    removeGone(this.state, tids);
  }

  /** Makes the links. To be called after the source has delivered all. */
  finish(): void {
    for (const entries of this.waitingFds.values()) this.fdsWithoutThread += entries.length;
    this.waitingFds.clear();
    for (const row of this.state.threads.values()) {
      for (const fd of row.fds.values()) directSocket(fd, this.serverPorts);
    }
    this.serverPorts.clear();
    for (const row of this.state.threads.values()) this.state.tree.link(row);
    for (const row of this.state.threads.values()) this.cgroups.adopt(row);
    for (const tid of this.deadTids) {
      const row = this.state.threads.find(tid);
      if (row !== undefined) this.state.tree.markDead(row);
    }
    this.deadTids.clear();
    // Over what the links have made of the lists.
    applySupplement(this.state, this.supplement);
    this.supplement = [];
  }

  private addFds(row: ThreadInfo, entries: readonly FdEntry[]): void {
    for (const entry of entries) {
      const fd = fdFromEntry(entry, this.state.interfaces);
      if (fd === undefined) continue;
      if (fd.type === FD_IPV4_SERVSOCK || fd.type === FD_IPV6_SERVSOCK) this.serverPorts.add(fd.dport);
      row.fds.set(entry.fd, fd);
    }
  }
}
