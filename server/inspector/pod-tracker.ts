/**
 * Follows the pods of an inspector: turns what the API server tells into records of the stream, says whose containers still miss
 * theirs, and lets rows go some time after the last thread.
 */
import { podKeyOfContainer, podKeyOfThread } from '../fields/pod-row.ts';
import { podJsonOf } from '../kubernetes/pod-rows.ts';
import type { PodUpdate } from '../kubernetes/pod-update.ts';
import type { OsState } from '../state/os-state.ts';
import type { PodRow } from '../state/pod-table.ts';
import type { InjectionTarget } from './container-tracker.ts';
import { podRecord, podRemovalRecord } from './pod-records.ts';

export interface PodTrackerOptions {
  /** How long a row stays after its last thread when the API server has it no more. */
  readonly lingerMs: number;
  readonly nowMs: () => number;
}

/** Labels that kubelets give to the containers of pods. */
const POD_UID_LABEL = 'io.kubernetes.pod.uid';
/** What a record takes, about. */
const REMOVAL_BYTES = 1024;

export class PodTracker {
  /** Rows that left because nothing was left of their pods. */
  swept: number;
  private readonly state: OsState;
  private readonly target: InjectionTarget;
  private readonly options: PodTrackerOptions;
  /** Whether the API server is followed: only then does it make sense to wait. */
  private isFollowed: boolean;
  /** Pods the API server has no more: when a thread of theirs was seen last. */
  private readonly gone: Map<string, number>;

  constructor(state: OsState, target: InjectionTarget, options: PodTrackerOptions) {
    this.state = state;
    this.target = target;
    this.options = options;
    this.isFollowed = false;
    this.swept = 0;
    this.gone = new Map();
  }

  /** Between events: news from the API server. */
  apply(updates: readonly PodUpdate[]): void {
    for (const update of updates) this.applyOne(update);
  }

  /** Whether the container is one of a pod that is not known completely, and may be soon. */
  isMissing(containerKey: string): boolean {
    if (!this.isFollowed) return false;
    const { state } = this;
    const key = podKeyOfContainer(state, containerKey);
    if (key !== undefined) return state.pods.find(key)?.isComplete === false;
    const row = state.containers.find(containerKey);
    return row?.labels.has(POD_UID_LABEL) === true || row?.podSandboxLabels.has(POD_UID_LABEL) === true;
  }

  /** Between events, every second or so. */
  sweep(): void {
    if (this.gone.size === 0) return;
    const nowMs = this.options.nowMs();
    for (const key of this.keysInUse()) if (this.gone.has(key)) this.gone.set(key, nowMs);
    for (const [uid, seenMs] of this.gone) {
      if (nowMs - seenMs < this.options.lingerMs) continue;
      const row = this.state.pods.find(uid);
      // Without room for the record it stays until there is some.
      if (row !== undefined && !this.target.inject(() => [podRemovalRecord(row)], REMOVAL_BYTES)) continue;
      this.gone.delete(uid);
      this.swept++;
    }
  }

  private applyOne(update: PodUpdate): void {
    switch (update.kind) {
      case 'pod': {
        const { uid, json } = update;
        this.isFollowed = true;
        this.gone.delete(uid);
        this.target.inject(() => (this.isKnown(uid, json) ? [] : [podRecord(json)]), json.length);
        return;
      }
      case 'gone':
        this.gone.set(update.uid, this.options.nowMs());
        return;
      case 'synced':
        this.isFollowed = true;
        return;
    }
  }

  private isKnown(uid: string, json: string): boolean {
    const row: PodRow | undefined = this.state.pods.find(uid);
    return row !== undefined && podJsonOf(row) === json;
  }

  private keysInUse(): ReadonlySet<string> {
    const keys = new Set<string>();
    const { state } = this;
    for (const { containerId, cgroups } of state.threads.values()) {
      const key = podKeyOfThread(state, containerId, cgroups);
      if (key !== undefined) keys.add(key);
    }
    return keys;
  }
}
