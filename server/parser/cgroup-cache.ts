/** cgroup memberships by their text: nearly all threads share a few, so each text is split and matched once. */
import { matchContainer } from '../container/cgroup-matcher.ts';
import { rememberContainer, shortIdOf } from '../container/container-rows.ts';
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

  /** `onSeen`: called for the first thread of a container, and for all while its row is not complete. */
  constructor(state: OsState, onSeen?: ContainerSeen) {
    this.state = state;
    this.onSeen = onSeen;
    this.memberships = new Map();
  }

  /** Sets the row's cgroups and container from a NUL-separated run of `subsystem=path`. */
  assign(row: ThreadInfo, run: string): void {
    let membership = this.memberships.get(run);
    const isNewText = membership === undefined;
    if (membership === undefined) {
      const cgroups = splitCgroups(run);
      const match = matchContainer(cgroups);
      membership = { cgroups, containerId: match?.id ?? '', containerType: match?.type ?? '' };
      if (this.memberships.size >= TEXTS_MAX) this.memberships.clear();
      this.memberships.set(run, membership);
    }
    row.cgroups = membership.cgroups;
    row.containerId = membership.containerId;
    const { containerId, containerType } = membership;
    if (containerId === '') return;
    const { containers, users, groups } = this.state;
    const isNewRow = rememberContainer(containers, containerId, containerType);
    if (isNewRow) {
      // Users that came before the first thread were stored under the id their events have.
      users.moveContainer(shortIdOf(containerId), containerId);
      groups.moveContainer(shortIdOf(containerId), containerId);
    }
    if (this.onSeen === undefined) return;
    if (isNewText || isNewRow || containers.find(containerId)?.isComplete === false) {
      this.onSeen(containerId, containerType, row.tid);
    }
  }

  /** Drops the texts of these containers. */
  forget(containerIds: ReadonlySet<string>): void {
    for (const [run, { containerId }] of this.memberships) {
      if (containerIds.has(containerId)) this.memberships.delete(run);
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
