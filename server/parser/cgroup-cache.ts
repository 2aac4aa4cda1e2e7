/**
 * Which container a thread is in, from its cgroups; where they name none, from the runtime's process above it. Nearly all threads
 * share a few memberships, so each text of them is split and matched once.
 */
import type { ContainerMatch } from '../container/cgroup-matcher.ts';
import { containerOfCgroups } from '../container/container-of-cgroups.ts';
import { rememberContainer, shortIdOf } from '../container/container-rows.ts';
import { findContainerAbove } from '../container/runtime-ancestor.ts';
import { CATEGORY_NONE } from '../state/container-category.ts';
import type { OsState } from '../state/os-state.ts';
import type { CgroupEntry, ThreadInfo } from '../state/thread-info.ts';
import { splitItems } from './thread-params.ts';

/** Texts kept; at the limit all are forgotten, as they are cheap to rebuild. */
const TEXTS_MAX = 4096;

interface Membership {
  readonly cgroups: readonly CgroupEntry[];
  readonly containerId: string;
  readonly containerType: string;
}

/** Told of a thread in a container; `type` is the engine word of the cgroup's shape, '' where it fits several. */
export type ContainerSeen = (fullId: string, type: string, tid: number) => void;

const RENAMED: ReadonlyMap<string, string> = new Map([
  ['perf', 'perf_event'],
  ['mem', 'memory'],
  ['io', 'blkio'],
]);

export class CgroupCache {
  private readonly state: OsState;
  private readonly onSeen: ContainerSeen | undefined;
  private readonly memberships: Map<string, Membership>;
  /** Of the container table, when the texts were matched. */
  private generation: number;

  /** `onSeen`: called for the first thread of a container, and for all while its row is not complete. */
  constructor(state: OsState, onSeen?: ContainerSeen) {
    this.state = state;
    this.onSeen = onSeen;
    this.memberships = new Map();
    this.generation = state.containers.cgroupGeneration;
  }

  /** Sets the row's cgroups and container from a NUL-separated run of `subsystem=path`. */
  assign(row: ThreadInfo, run: string): void {
    const { containers } = this.state;
    if (this.generation !== containers.cgroupGeneration) {
      this.generation = containers.cgroupGeneration;
      this.memberships.clear();
    }
    let membership = this.memberships.get(run);
    const isNewText = membership === undefined;
    if (membership === undefined) {
      const cgroups = splitCgroups(run);
      const match = containerOfCgroups(containers, cgroups);
      membership = { cgroups, containerId: match?.id ?? '', containerType: match?.type ?? '' };
      if (this.memberships.size >= TEXTS_MAX) this.memberships.clear();
      this.memberships.set(run, membership);
    }
    row.cgroups = membership.cgroups;
    row.containerId = membership.containerId;
    if (row.containerId !== '') this.remember(row, membership.containerType, isNewText);
  }

  /**
   * Asks the threads above one whose cgroups name no container. To be called when its ids and its parent's are known; needs
   * nothing of rows on the host.
   */
  adopt(row: ThreadInfo): void {
    if (row.containerId !== '' || !row.isInPidNamespace()) return;
    const match = findContainerAbove(this.state.threads, row);
    if (match === undefined) return;
    const known = match.isTrusted ? undefined : this.state.containers.find(match.id);
    if (known !== undefined && known.type !== match.type) return;
    row.containerId = match.id;
    this.remember(row, match.type, false);
  }

  /** Moves threads into containers whose cgroups have become known. */
  rematch(): void {
    const { containers, threads } = this.state;
    const matches = new Map<readonly CgroupEntry[], ContainerMatch | undefined>();
    for (const row of threads.values()) {
      const { cgroups } = row;
      if (!matches.has(cgroups)) matches.set(cgroups, containerOfCgroups(containers, cgroups));
      const match = matches.get(cgroups);
      if (match === undefined || match.id === row.containerId) continue;
      threads.touch(row);
      row.containerId = match.id;
      row.category = CATEGORY_NONE;
      this.remember(row, match.type, false);
    }
  }

  /** Drops the texts of these containers. */
  forget(containerIds: ReadonlySet<string>): void {
    for (const [run, { containerId }] of this.memberships) {
      if (containerIds.has(containerId)) this.memberships.delete(run);
    }
  }

  /** Makes sure that the thread's container has a row, and tells of it. */
  private remember({ containerId, tid }: ThreadInfo, type: string, isNewText: boolean): void {
    const { containers, users, groups } = this.state;
    const isNewRow = rememberContainer(containers, containerId, type);
    if (isNewRow) {
      // Users that came before the first thread were stored under the id their events have.
      users.moveContainer(shortIdOf(containerId), containerId);
      groups.moveContainer(shortIdOf(containerId), containerId);
    }
    if (this.onSeen === undefined) return;
    if (isNewText || isNewRow || containers.find(containerId)?.isComplete === false) {
      this.onSeen(containerId, type, tid);
    }
  }
}

/** `[subsystem, path]` of every item; subsystem names as the kernel's v1 hierarchies have them. */
function splitCgroups(run: string): readonly CgroupEntry[] {
  const cgroups: CgroupEntry[] = [];
  for (const item of splitItems(run)) {
    const at = item.indexOf('=');
    if (at < 0) return [];
    const name = item.slice(0, at).replace('_cgroup', '');
    cgroups.push([RENAMED.get(name) ?? name, item.slice(at + 1)]);
  }
  return cgroups;
}
