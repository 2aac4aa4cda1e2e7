/**
 * The live state with an overlay of the rows that have changed since an event: how it was when that event was shown.
 *
 * One object serves all questions about the past, one event at a time. Going further back extends the overlay it has, and
 * so does catching up with changes made since; only a newer event than before starts afresh. A batch asked from its newest
 * event to its oldest therefore reads the log once.
 */
import type { ContainerIndex, ContainerRow } from './container-table.ts';
import type { FdInfo } from './fd-info.ts';
import type { FdTable } from './fd-table.ts';
import type { InterfaceTable } from './interface-table.ts';
import type { MachineInfo, OsState, StateView } from './os-state.ts';
import type { PodRow } from './pod-table.ts';
import type { ThreadInfo } from './thread-info.ts';
import { UndoOverlay } from './undo-overlay.ts';
import type { GroupRow, IdentityTable, UserRow } from './user-table.ts';

export class PastState implements StateView {
  private readonly live: OsState;
  private readonly overlay: UndoOverlay;

  constructor(live: OsState) {
    this.live = live;
    this.overlay = new UndoOverlay(live.undo);
  }

  get machine(): MachineInfo {
    return this.live.machine;
  }

  get isLive(): boolean {
    return this.live.isLive;
  }

  get interfaces(): InterfaceTable {
    return this.live.interfaces;
  }

  /** Moves to event `eventNumber`, which the undo log must still be able to answer. */
  moveTo(eventNumber: number): void {
    this.overlay.moveTo(eventNumber);
  }

  findThread(tid: number): ThreadInfo | undefined {
    const past = this.overlay.rowsOf(this.live.threads);
    return past?.has(tid) ? (past.get(tid) as ThreadInfo | undefined) : this.live.threads.find(tid);
  }

  findFd(table: FdTable, fd: number): FdInfo | undefined {
    const past = this.overlay.rowsOf(table);
    return past?.has(fd) ? (past.get(fd) as FdInfo | undefined) : table.find(fd);
  }

  fdCount(table: FdTable): number {
    const past = this.overlay.rowsOf(table);
    if (past === undefined) return table.size;
    let count = table.size;
    for (const [fd, row] of past) {
      const isThere = table.find(fd as number) !== undefined;
      if (row === undefined && isThere) count--;
      if (row !== undefined && !isThere) count++;
    }
    return count;
  }

  fdNumbers(table: FdTable): readonly number[] {
    const past = this.overlay.rowsOf(table);
    if (past === undefined) return table.walk();
    const fds = table.walk().filter((fd) => !past.has(fd) || past.get(fd) !== undefined);
    for (const [fd, row] of past) {
      if (row !== undefined && table.find(fd as number) === undefined) fds.push(fd as number);
    }
    return fds;
  }

  findUser(containerId: string, uid: number): UserRow | undefined {
    return this.findIdentity(this.live.users, containerId, uid);
  }

  findGroup(containerId: string, gid: number): GroupRow | undefined {
    return this.findIdentity(this.live.groups, containerId, gid);
  }

  findContainer(key: string): ContainerRow | undefined {
    const past = this.overlay.rowsOf(this.live.containers);
    return past?.has(key) ? (past.get(key) as ContainerRow | undefined) : this.live.containers.find(key);
  }

  findContainerKey(shortId: string): string | undefined {
    const past = this.overlay.rowsOf(this.live.containers);
    if (past !== undefined) {
      for (const [key, row] of past) {
        if ((row as ContainerRow | undefined)?.id === shortId) return key as string;
      }
    }
    const key = this.live.containers.findKeyByShortId(shortId);
    return key !== undefined && past?.has(key) ? undefined : key;
  }

  findContainerKeys(index: ContainerIndex, text: string): readonly string[] {
    const live = this.live.containers.findKeys(index, text);
    const past = this.overlay.rowsOf(this.live.containers);
    if (past === undefined) return live;
    const keys = live.filter((key) => !past.has(key));
    for (const [key, row] of restored<string, ContainerRow>(past)) if (row[index] === text) keys.push(key);
    return keys;
  }

  findPod(key: string): PodRow | undefined {
    const past = this.overlay.rowsOf(this.live.pods);
    return past?.has(key) ? (past.get(key) as PodRow | undefined) : this.live.pods.find(key);
  }

  findPodKey(uid: string): string | undefined {
    return this.findKeyOfPod(this.live.pods.findKey(uid), (row) => row.uid === uid || row.staticUid === uid);
  }

  findPodKeyByContainer(fullId: string): string | undefined {
    const { pods } = this.live;
    return this.findKeyOfPod(pods.findUidByContainer(fullId), (row) => row.containerIds.includes(fullId));
  }

  *allThreads(): IterableIterator<ThreadInfo> {
    const past = this.overlay.rowsOf(this.live.threads);
    for (const row of this.live.threads.values()) {
      if (!past?.has(row.tid)) yield row;
    }
    for (const [, row] of restored<number, ThreadInfo>(past)) yield row;
  }

  *allFds(table: FdTable): IterableIterator<[number, FdInfo]> {
    const past = this.overlay.rowsOf(table);
    for (const entry of table.entries()) {
      if (!past?.has(entry[0])) yield entry;
    }
    yield* restored<number, FdInfo>(past);
  }

  allUsers(): IterableIterator<[string, number, UserRow]> {
    return this.allIdentities(this.live.users);
  }

  allGroups(): IterableIterator<[string, number, GroupRow]> {
    return this.allIdentities(this.live.groups);
  }

  *allContainers(): IterableIterator<[string, ContainerRow]> {
    const past = this.overlay.rowsOf(this.live.containers);
    for (const entry of this.live.containers.entries()) {
      if (!past?.has(entry[0])) yield entry;
    }
    yield* restored<string, ContainerRow>(past);
  }

  *allPods(): IterableIterator<PodRow> {
    const past = this.overlay.rowsOf(this.live.pods);
    for (const row of this.live.pods.values()) {
      if (!past?.has(row.uid)) yield row;
    }
    for (const [, row] of restored<string, PodRow>(past)) yield row;
  }

  /** `now`: the key that it is found under today. */
  private findKeyOfPod(now: string | undefined, isIt: (row: PodRow) => boolean): string | undefined {
    const past = this.overlay.rowsOf(this.live.pods);
    if (past === undefined) return now;
    for (const [key, row] of restored<string, PodRow>(past)) {
      if (isIt(row)) return key;
    }
    return now !== undefined && past.has(now) ? undefined : now;
  }

  private findIdentity<Row>(table: IdentityTable<Row>, containerId: string, id: number): Row | undefined {
    const past = this.overlay.rowsOf(table);
    if (past === undefined) return table.find(containerId, id);
    const key = `${containerId}\0${id}`;
    return past.has(key) ? (past.get(key) as Row | undefined) : table.find(containerId, id);
  }

  private *allIdentities<Row>(table: IdentityTable<Row>): IterableIterator<[string, number, Row]> {
    const past = this.overlay.rowsOf(table);
    for (const entry of table.entries()) {
      if (!past?.has(`${entry[0]}\0${entry[1]}`)) yield entry;
    }
    for (const [key, row] of restored<string, Row>(past)) {
      const separator = key.lastIndexOf('\0');
      yield [key.slice(0, separator), Number(key.slice(separator + 1)), row];
    }
  }
}

/** The rows that were there then, out of those that have changed. */
function* restored<Key, Row>(past: ReadonlyMap<unknown, unknown> | undefined): IterableIterator<[Key, Row]> {
  if (past === undefined) return;
  for (const [key, row] of past) {
    if (row !== undefined) yield [key as Key, row as Row];
  }
}
