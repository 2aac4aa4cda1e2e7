/**
 * Changes of a live node that come without an event: threads looked up again because the stream did not tell enough, and
 * threads found to have ended. Applied between events.
 */
import type { FdEntry, ThreadChange } from '../event/snapshot.ts';
import { FD_IPV4_SERVSOCK, FD_IPV6_SERVSOCK, type FdInfo } from '../state/fd-info.ts';
import type { FdTable } from '../state/fd-table.ts';
import type { OsState } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { CgroupCache } from './cgroup-cache.ts';
import { fdFromEntry, threadFromEntry } from './snapshot-rows.ts';
import { directSocket } from './socket-direction.ts';

/** Two starts of one thread as different sources tell it; /proc counts in hundredths of a second. */
const START_TOLERANCE_NS = 50_000_000n;

/**
 * Takes over threads that were looked up for want of knowledge; main threads come before their other threads. The look is
 * newer than the events still to come: of a known thread only fds it lacks are added, all else the events tell in order.
 */
export function applyHealed(state: OsState, changes: readonly ThreadChange[]): void {
  const cgroups = new CgroupCache(state);
  for (const change of changes) {
    const { tid, startTsNs = 0n } = change.thread;
    const known = state.threads.find(tid);
    if (known === undefined || known.isInvalid() || isLater(startTsNs, known))
      applyChange(state, cgroups, change);
    else if (change.fds !== undefined) addMissingFds(state, known.fds, change.fds);
  }
}

/** Takes over threads as they are now, where no events tell of them. */
export function applyChanged(state: OsState, changes: readonly ThreadChange[]): void {
  const cgroups = new CgroupCache(state);
  for (const change of changes) applyChange(state, cgroups, change);
}

/** Takes out threads that have ended unseen. */
export function removeGone(state: OsState, tids: readonly number[]): void {
  for (const tid of tids) state.tree.remove(tid);
}

function applyChange(state: OsState, cgroups: CgroupCache, { thread, fds }: ThreadChange): void {
  const { threads, tree } = state;
  const row = threadFromEntry(threads, cgroups, thread);
  let known = threads.find(thread.tid);
  if (known !== undefined && isLater(row.cloneTsNs, known)) {
    tree.remove(known.tid);
    // A main thread whose threads live on stays, and must give way all the same.
    if (threads.find(known.tid) === known) {
      tree.unlink(known);
      threads.delete(known.tid);
    }
    known = undefined;
  }
  if (known !== undefined) takeOver(row, known);
  cgroups.adopt(row);
  if (known?.containerId === row.containerId) row.category = known.category;
  if (!threads.set(row)) return;
  if (known !== undefined) tree.unlink(known);
  tree.link(row);
  if (known?.isDead === true || thread.isDead === true) tree.markDead(row);
  if (fds !== undefined) syncFds(state, row.fds, fds);
}

/** Whether the tid has passed to another thread, which started at `startNs`. */
function isLater(startNs: bigint, known: ThreadInfo): boolean {
  if (known.isInvalid() || known.cloneTsNs === 0n || startNs === 0n) return false;
  return startNs - known.cloneTsNs > START_TOLERANCE_NS;
}

/** What the events know better than a look from outside, and what others hold on to. */
function takeOver(row: ThreadInfo, known: ThreadInfo): void {
  row.fds = known.fds;
  row.children = known.children;
  row.reaperTid = known.reaperTid;
  row.lastEventType = known.lastEventType;
  row.lastEventFd = known.lastEventFd;
  row.lastEventTsHi = known.lastEventTsHi;
  row.lastEventTsLo = known.lastEventTsLo;
  row.storedEvent = known.storedEvent;
  if (known.isInvalid()) return;
  row.flags |= known.flags;
  row.cloneTsNs = known.cloneTsNs === 0n ? row.cloneTsNs : known.cloneTsNs;
  row.lastExecTsNs = known.lastExecTsNs;
  row.exeInoCtimeDurationCloneNs = known.exeInoCtimeDurationCloneNs;
  row.exeInoCtimeDurationPidnsNs = known.exeInoCtimeDurationPidnsNs;
  row.lastExecTimeNs = known.lastExecTimeNs;
  row.totalExecTimeNs = known.totalExecTimeNs;
  row.cpuUser = known.cpuUser;
  row.cpuSystem = known.cpuSystem;
}

interface FoundFds {
  readonly rows: ReadonlyMap<number, FdInfo>;
  readonly serverPorts: ReadonlySet<number>;
}

function foundFds(state: OsState, entries: readonly FdEntry[]): FoundFds {
  const rows = new Map<number, FdInfo>();
  const serverPorts = new Set<number>();
  for (const entry of entries) {
    const row = fdFromEntry(entry, state.interfaces);
    if (row === undefined) continue;
    if (row.type === FD_IPV4_SERVSOCK || row.type === FD_IPV6_SERVSOCK) serverPorts.add(row.dport);
    rows.set(entry.fd, row);
  }
  return { rows, serverPorts };
}

function addMissingFds(state: OsState, table: FdTable, entries: readonly FdEntry[]): void {
  const { rows, serverPorts } = foundFds(state, entries);
  for (const [fd, row] of rows) {
    if (table.find(fd) !== undefined) continue;
    directSocket(row, serverPorts);
    table.set(fd, row);
  }
}

/** Makes the table hold these fds and no others. Rows that say the same stay: they know more (names as opened, directions). */
function syncFds(state: OsState, table: FdTable, entries: readonly FdEntry[]): void {
  const { rows, serverPorts } = foundFds(state, entries);
  for (const [fd] of [...table.entries()]) {
    if (!rows.has(fd)) table.delete(fd);
  }
  for (const [fd, row] of rows) {
    const known = table.find(fd);
    if (known !== undefined && known.type === row.type && isSame(known, row)) continue;
    directSocket(row, serverPorts);
    table.set(fd, row);
  }
}

function isSame(known: FdInfo, row: FdInfo): boolean {
  if (known.ino !== 0 && row.ino !== 0) return known.ino === row.ino && known.name !== '';
  return known.name === row.name;
}
