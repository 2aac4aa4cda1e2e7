/** Finds containers whose rows can go: without threads for some time, ended as far as is known, and nobody waits for them. */
import type { OsState } from '../state/os-state.ts';
import type { PendingContainers } from './pending-containers.ts';

/** What is remembered of a container beside its row. */
export interface TrackedContainer {
  /** When a thread was last known in it; before the first: when the container was. */
  seenMs: number;
  /** When it was asked about; -1: never. */
  askedMs: number;
  hasThread: boolean;
  /** As far as its runtime has told. */
  isRunning: boolean;
  /** Its users have been told / were asked for so many times. */
  hasUsers: boolean;
  usersTries: number;
}

/** Rows of containers that run or will run, as their runtime says, without a thread known: no more than these stay. */
const THREADLESS_MAX = 4096;
/** A container that had threads and has none is taken to have ended after this long, whatever its runtime fails to tell. */
const UNTOLD_END_MS = 60_000;

export class ContainerSweep {
  private readonly state: OsState;
  private readonly pending: PendingContainers;
  private readonly tracked: Map<string, TrackedContainer>;
  private readonly lingerMs: number;
  private threadlessCount: number;

  constructor(
    state: OsState,
    pending: PendingContainers,
    tracked: Map<string, TrackedContainer>,
    lingerMs: number,
  ) {
    this.state = state;
    this.pending = pending;
    this.tracked = tracked;
    this.lingerMs = lingerMs;
    this.threadlessCount = 0;
  }

  /** Looks at all threads. Returns a thread for each container that was not known to have any, or whose users are not known. */
  countThreads(nowMs: number): Map<string, number> {
    const unseen = new Map<string, number>();
    let lastId = '';
    for (const { containerId, tid } of this.state.threads.values()) {
      // Neighbours in the table are mostly of one container, or of none.
      if (containerId === '' || containerId === lastId) continue;
      lastId = containerId;
      const container = this.tracked.get(containerId);
      if (container === undefined || !container.hasThread || !container.hasUsers)
        unseen.set(containerId, tid);
      if (container !== undefined) container.seenMs = nowMs;
    }
    return unseen;
  }

  /** After `countThreads` at the same moment: the containers that leave now. */
  run(nowMs: number): string[] {
    const gone: string[] = [];
    let threadless = 0;
    for (const [fullId, container] of this.tracked) {
      if (this.state.containers.find(fullId) === undefined) {
        this.tracked.delete(fullId);
        continue;
      }
      const idleMs = nowMs - container.seenMs;
      if (idleMs <= 0 || idleMs < this.lingerMs || this.pending.has(fullId)) continue;
      if (this.isKept(container, idleMs)) {
        threadless++;
        // Those known longest go first.
        if (this.threadlessCount <= THREADLESS_MAX) continue;
        this.threadlessCount--;
        threadless--;
      }
      gone.push(fullId);
    }
    this.threadlessCount = threadless;
    return gone;
  }

  private isKept({ isRunning, hasThread }: TrackedContainer, idleMs: number): boolean {
    return isRunning && (!hasThread || idleMs < Math.max(UNTOLD_END_MS, this.lingerMs));
  }
}
