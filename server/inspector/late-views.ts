/**
 * Views of the state for events whose container was not known when they were shown. What runtimes tell late is the container
 * rows, and the users and groups of containers; everything else is as it was.
 */
import type { ContainerIndex, ContainerRow } from '../state/container-table.ts';
import type { FdInfo } from '../state/fd-info.ts';
import type { FdTable } from '../state/fd-table.ts';
import type { InterfaceTable } from '../state/interface-table.ts';
import type { MachineInfo, StateView } from '../state/os-state.ts';
import type { PodRow } from '../state/pod-table.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { GroupRow, UserRow } from '../state/user-table.ts';

/** Passes everything on. */
class WrappedState implements StateView {
  /** The view that answers. */
  inner: StateView;

  constructor(inner: StateView) {
    this.inner = inner;
  }

  get machine(): MachineInfo {
    return this.inner.machine;
  }

  get isLive(): boolean {
    return this.inner.isLive;
  }

  get interfaces(): InterfaceTable {
    return this.inner.interfaces;
  }

  findThread(tid: number): ThreadInfo | undefined {
    return this.inner.findThread(tid);
  }

  findFd(table: FdTable, fd: number): FdInfo | undefined {
    return this.inner.findFd(table, fd);
  }

  fdCount(table: FdTable): number {
    return this.inner.fdCount(table);
  }

  fdNumbers(table: FdTable): readonly number[] {
    return this.inner.fdNumbers(table);
  }

  findUser(containerId: string, uid: number): UserRow | undefined {
    return this.inner.findUser(containerId, uid);
  }

  findGroup(containerId: string, gid: number): GroupRow | undefined {
    return this.inner.findGroup(containerId, gid);
  }

  findContainer(fullId: string): ContainerRow | undefined {
    return this.inner.findContainer(fullId);
  }

  findContainerKey(shortId: string): string | undefined {
    return this.inner.findContainerKey(shortId);
  }

  findContainerKeys(index: ContainerIndex, text: string): readonly string[] {
    return this.inner.findContainerKeys(index, text);
  }

  findPod(key: string): PodRow | undefined {
    return this.inner.findPod(key);
  }

  findPodKey(uid: string): string | undefined {
    return this.inner.findPodKey(uid);
  }

  findPodKeyByContainer(fullId: string): string | undefined {
    return this.inner.findPodKeyByContainer(fullId);
  }

  allPods(): IterableIterator<PodRow> {
    return this.inner.allPods();
  }

  allThreads(): IterableIterator<ThreadInfo> {
    return this.inner.allThreads();
  }

  allFds(table: FdTable): IterableIterator<[number, FdInfo]> {
    return this.inner.allFds(table);
  }

  allUsers(): IterableIterator<[string, number, UserRow]> {
    return this.inner.allUsers();
  }

  allGroups(): IterableIterator<[string, number, GroupRow]> {
    return this.inner.allGroups();
  }

  allContainers(): IterableIterator<[string, ContainerRow]> {
    return this.inner.allContainers();
  }
}

/**
 * Notices whether something was looked up that may be known better later. So it need not be listed which fields, and which
 * parts of conditions, depend on containers: their extractors say it by what they read.
 */
export class TracingState extends WrappedState {
  isTouched: boolean;

  constructor(inner: StateView) {
    super(inner);
    this.isTouched = false;
  }

  override findUser(containerId: string, uid: number): UserRow | undefined {
    if (containerId !== '') this.isTouched = true;
    return this.inner.findUser(containerId, uid);
  }

  override findGroup(containerId: string, gid: number): GroupRow | undefined {
    if (containerId !== '') this.isTouched = true;
    return this.inner.findGroup(containerId, gid);
  }

  override findContainer(fullId: string): ContainerRow | undefined {
    this.isTouched = true;
    return this.inner.findContainer(fullId);
  }

  override findContainerKey(shortId: string): string | undefined {
    this.isTouched = true;
    return this.inner.findContainerKey(shortId);
  }

  override findPod(key: string): PodRow | undefined {
    this.isTouched = true;
    return this.inner.findPod(key);
  }

  override findPodKey(uid: string): string | undefined {
    this.isTouched = true;
    return this.inner.findPodKey(uid);
  }

  override findPodKeyByContainer(fullId: string): string | undefined {
    this.isTouched = true;
    return this.inner.findPodKeyByContainer(fullId);
  }

  override allPods(): IterableIterator<PodRow> {
    this.isTouched = true;
    return this.inner.allPods();
  }

  override allUsers(): IterableIterator<[string, number, UserRow]> {
    this.isTouched = true;
    return this.inner.allUsers();
  }

  override allGroups(): IterableIterator<[string, number, GroupRow]> {
    this.isTouched = true;
    return this.inner.allGroups();
  }

  override allContainers(): IterableIterator<[string, ContainerRow]> {
    this.isTouched = true;
    return this.inner.allContainers();
  }
}

/** The past as it would have been, had everything been known that is known now. What was known then stays as it was. */
export class CompletedState extends WrappedState {
  private readonly live: StateView;

  constructor(live: StateView) {
    super(live);
    this.live = live;
  }

  override findUser(containerId: string, uid: number): UserRow | undefined {
    const then = this.inner.findUser(containerId, uid);
    return then ?? (containerId === '' ? undefined : this.live.findUser(containerId, uid));
  }

  override findGroup(containerId: string, gid: number): GroupRow | undefined {
    const then = this.inner.findGroup(containerId, gid);
    return then ?? (containerId === '' ? undefined : this.live.findGroup(containerId, gid));
  }

  override findContainer(fullId: string): ContainerRow | undefined {
    const then = this.inner.findContainer(fullId);
    return then?.isComplete === true ? then : (this.live.findContainer(fullId) ?? then);
  }

  override findContainerKey(shortId: string): string | undefined {
    return this.inner.findContainerKey(shortId) ?? this.live.findContainerKey(shortId);
  }

  override findPod(key: string): PodRow | undefined {
    const then = this.inner.findPod(key);
    return then?.isComplete === true ? then : (this.live.findPod(key) ?? then);
  }

  override findPodKey(uid: string): string | undefined {
    return this.inner.findPodKey(uid) ?? this.live.findPodKey(uid);
  }

  override findPodKeyByContainer(fullId: string): string | undefined {
    return this.inner.findPodKeyByContainer(fullId) ?? this.live.findPodKeyByContainer(fullId);
  }
}
