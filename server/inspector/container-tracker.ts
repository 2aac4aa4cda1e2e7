/**
 * Follows the containers of an inspector beside its parser: asks about those that threads are seen in, turns what is told into
 * records of the stream, says for whom somebody waits, and lets rows go some time after the last thread.
 */
import { containerJsonOf } from '../container/container-rows.ts';
import type { ContainerRequest, ContainerUpdate } from '../container/container-update.ts';
import type { EventRecord } from '../event/event-record.ts';
import { u64Difference } from '../event/u64.ts';
import type { EventParser } from '../parser/event-parser.ts';
import type { OsState } from '../state/os-state.ts';
import { containerRecord, identityRecords, removalRecord } from './container-records.ts';
import { ContainerSweep, type TrackedContainer } from './container-sweep.ts';
import type { ContainerWatch } from './inspector.ts';
import type { PendingContainers, SettleOutcome } from './pending-containers.ts';

/** Puts records into the stream. */
export interface InjectionTarget {
  readonly injection: { readonly injected: number; readonly refused: number };
  inject(produce: () => readonly Buffer[], byteEstimate: number): boolean;
}

export interface TrackerOptions {
  /**
   * `ask`: runtimes are asked (live). `wait`: nobody is, but container events of the capture may still come (replays).
   * `none`: rows hold what is told by cgroups and events, and nobody waits.
   */
  readonly mode: 'ask' | 'wait' | 'none';
  /** Longest wait for an answer of those who are asked. */
  readonly lookupMs: number;
  /** Longest wait for a container event of a capture, in the time of its events. */
  readonly replayWaitMs: number;
  /** How long a row stays after its last thread. */
  readonly lingerMs: number;
  readonly nowMs: () => number;
  /** Reaches those who know runtimes. */
  readonly request: (request: ContainerRequest) => void;
  /** Whether a container is one of a pod that is not known yet: then its events wait for that, too. */
  readonly isPodMissing?: ((fullId: string) => boolean) | undefined;
}

/** What the tracker works on. */
export interface TrackerParts {
  readonly state: OsState;
  readonly pending: PendingContainers;
  /** The one in the loop, for its time. */
  readonly record: Pick<EventRecord, 'tsHi' | 'tsLo'>;
  readonly parser: Pick<EventParser, 'forgetContainers'>;
  /** Undefined for sources whose stream is fixed: nothing is injected or swept. */
  readonly target: InjectionTarget | undefined;
}

/** A container that nobody knew is asked about again when a thread is seen in it so long after. */
const ASK_AGAIN_MS = 30_000;
/** Those who are asked answer in time; should they not, nobody waits much longer. */
const LOOKUP_SLACK_MS = 2000;
/** Before the first process of a container runs, its root is still the host's: a few tries. */
const USERS_TRIES_MAX = 5;
/** What a record takes, about. */
const USER_BYTES = 256;
const REMOVAL_BYTES = 1024;

export class ContainerTracker implements ContainerWatch {
  private readonly parts: TrackerParts;
  private readonly options: TrackerOptions;
  private readonly tracked: Map<string, TrackedContainer>;
  private readonly sweeper: ContainerSweep;
  private sweptCount: number;
  /** Of all pending containers, oldest first. */
  private readonly waits: Map<string, Wait>;
  /** Rows that became complete in the event being parsed. */
  private stored: string[];
  /** Ids of the host's users and groups told last: only they can be told gone. */
  private hostIds: { readonly uids: readonly number[]; readonly gids: readonly number[] };

  constructor(parts: TrackerParts, options: TrackerOptions) {
    this.parts = parts;
    this.options = options;
    this.tracked = new Map();
    this.sweeper = new ContainerSweep(parts.state, parts.pending, this.tracked, options.lingerMs);
    this.sweptCount = 0;
    this.waits = new Map();
    this.stored = [];
    this.hostIds = { uids: [], gids: [] };
  }

  get isDue(): boolean {
    return this.stored.length > 0;
  }

  get injected(): number {
    return this.parts.target?.injection.injected ?? 0;
  }

  get injectionsRefused(): number {
    return this.parts.target?.injection.refused ?? 0;
  }

  get swept(): number {
    return this.sweptCount;
  }

  /** Containers followed now. */
  get size(): number {
    return this.tracked.size;
  }

  /** After the initial state, before the first event: all containers that run already. */
  start(): void {
    if (this.options.mode === 'ask') this.options.request({ kind: 'users', fullId: '', tid: 1 });
    this.findUnseen();
  }

  /** Of the parser: a thread is in this container. */
  onThread(fullId: string, type: string, tid: number): void {
    const { state, pending } = this.parts;
    const row = state.containers.find(fullId);
    // The table is full: there is nothing that could become complete.
    if (row === undefined) return;
    const nowMs = this.options.nowMs();
    const container = this.track(fullId, nowMs);
    container.hasThread = true;
    container.seenMs = nowMs;
    const isKnown = row.isComplete && !this.isPodMissing(fullId);
    if (isKnown || pending.has(fullId) || !this.mayAsk(container, nowMs)) return;
    container.askedMs = nowMs;
    pending.begin(fullId);
    const { tsHi, tsLo } = this.parts.record;
    this.waits.set(fullId, { ms: nowMs, tsHi, tsLo });
    if (this.options.mode === 'ask' && !row.isComplete)
      this.options.request({ kind: 'wanted', fullId, type: type === '' ? row.type : type, tid });
  }

  /** A program starts in the container: its root is its own by now. Also to be called with any thread to make up for that. */
  onExec(fullId: string, tid: number): void {
    const container = this.tracked.get(fullId);
    if (container === undefined || this.options.mode !== 'ask') return;
    if (container.hasUsers || container.usersTries >= USERS_TRIES_MAX) return;
    container.usersTries++;
    this.options.request({ kind: 'users', fullId, tid });
  }

  /** The files with its users have changed. */
  onIdentitiesChanged(fullId: string, tid: number): void {
    if (this.options.mode !== 'ask') return;
    const { threads } = this.parts.state;
    // Whoever changed them may be gone by now.
    const isThere = threads.find(tid)?.containerId === fullId;
    this.options.request({ kind: 'users', fullId, tid: isThere ? tid : this.threadOf(fullId) });
  }

  /** Of the parser: a container event has made or replaced this row. */
  onStored(key: string): void {
    const { state, pending, target } = this.parts;
    if (target !== undefined) this.track(key, this.options.nowMs());
    if (pending.has(key) && state.containers.find(key)?.isComplete === true) this.stored.push(key);
  }

  onTime(tsHi: number, tsLo: number): void {
    if (this.options.mode !== 'wait') return;
    for (const [fullId, wait] of this.waits) {
      if (wait.tsHi === 0 && wait.tsLo === 0) {
        // It was there before the first event.
        wait.tsHi = tsHi;
        wait.tsLo = tsLo;
      }
      if (u64Difference(tsHi, tsLo, wait.tsHi, wait.tsLo) < this.options.replayWaitMs * 1e6) return;
      this.settle(fullId, 'timed-out');
    }
  }

  settleDue(): void {
    const { stored } = this;
    this.stored = [];
    for (const fullId of stored) {
      // It goes on waiting, in the same time.
      if (!this.isPodMissing(fullId)) this.settle(fullId, 'complete');
    }
  }

  /** A pod event has been parsed: containers that waited for nothing else are known now. */
  onPodStored(): void {
    const { state, pending } = this.parts;
    for (const fullId of this.waits.keys()) {
      if (pending.has(fullId) && state.containers.find(fullId)?.isComplete === true) this.stored.push(fullId);
    }
  }

  /** Between events: nobody waits any more, as no event will come. */
  settleAll(): void {
    for (const fullId of [...this.waits.keys()]) this.settle(fullId, 'timed-out');
  }

  /** Between events: news from those who know runtimes. */
  apply(updates: readonly ContainerUpdate[]): void {
    for (const update of updates) this.applyOne(update);
  }

  /** Between events, often. */
  tick(): void {
    if (this.options.mode !== 'ask') return;
    const nowMs = this.options.nowMs();
    const waitMsMax = this.options.lookupMs + LOOKUP_SLACK_MS;
    for (const [fullId, wait] of this.waits) {
      if (nowMs - wait.ms < waitMsMax) return;
      this.settle(fullId, 'timed-out');
    }
  }

  /** Between events, every second or so: finds threads nobody told of, and lets go of containers without any. */
  sweep(): void {
    const { target, parser, state } = this.parts;
    if (target === undefined) return;
    this.findUnseen();
    const gone = this.sweeper.run(this.options.nowMs());
    if (gone.length === 0) return;
    for (const fullId of gone) {
      const row = state.containers.find(fullId);
      // Without room for the record it stays until there is some.
      if (!target.inject(() => [removalRecord(fullId, row)], REMOVAL_BYTES)) continue;
      this.tracked.delete(fullId);
      this.sweptCount++;
      if (this.options.mode === 'ask') this.options.request({ kind: 'forgotten', fullId });
    }
    parser.forgetContainers(new Set(gone));
  }

  /** Any; of the host, and of a container without, the first process. */
  private threadOf(fullId: string): number {
    if (fullId === '') return 1;
    for (const { containerId, tid } of this.parts.state.threads.values()) {
      if (containerId === fullId) return tid;
    }
    return 1;
  }

  /** Threads that came with the initial state, or were looked up beside the stream. */
  private findUnseen(): void {
    const nowMs = this.options.nowMs();
    for (const [fullId, tid] of this.sweeper.countThreads(nowMs)) {
      const container = this.tracked.get(fullId);
      if (container === undefined || !container.hasThread) this.onThread(fullId, '', tid);
      this.onExec(fullId, tid);
    }
  }

  private applyOne(update: ContainerUpdate): void {
    const { target } = this.parts;
    if (target === undefined) return;
    const { fullId } = update;
    switch (update.kind) {
      case 'found': {
        const { json } = update;
        this.track(fullId, this.options.nowMs()).isRunning = true;
        const isTaken = target.inject(
          () => (this.isKnown(fullId, json) ? [] : [containerRecord(json)]),
          json.length,
        );
        if (!isTaken && update.isComplete) this.settle(fullId, 'failed');
        return;
      }
      case 'gone': {
        const container = this.tracked.get(fullId);
        if (container !== undefined) container.isRunning = false;
        return;
      }
      case 'unknown':
        this.settle(fullId, 'failed');
        return;
      case 'users': {
        const container = this.tracked.get(fullId);
        if (fullId !== '' && container === undefined) return;
        if (container !== undefined) container.hasUsers = true;
        const byteEstimate = USER_BYTES * (update.users.length + update.groups.length);
        target.inject(() => this.identityNews(fullId, update), byteEstimate);
        return;
      }
    }
  }

  /** Several runtimes, or one that was connected to again, tell the same. */
  private isKnown(fullId: string, json: string): boolean {
    const row = this.parts.state.containers.find(fullId);
    return row !== undefined && containerJsonOf(row) === json;
  }

  /** None for a container that has left in the meantime: nobody would take its users away again. */
  private identityNews(fullId: string, update: Extract<ContainerUpdate, { kind: 'users' }>): Buffer[] {
    const { state } = this.parts;
    if (fullId !== '' && state.containers.find(fullId) === undefined) return [];
    return identityRecords(state, fullId, update, this.knownIds(fullId, update));
  }

  /** The host's users may come from elsewhere, too; those of a container come from its files alone. */
  private knownIds(
    fullId: string,
    { users, groups }: Extract<ContainerUpdate, { kind: 'users' }>,
  ): { readonly uids: readonly number[]; readonly gids: readonly number[] } {
    const { state } = this.parts;
    if (fullId !== '') {
      return { uids: [...state.users.rowsOf(fullId).keys()], gids: [...state.groups.rowsOf(fullId).keys()] };
    }
    const before = this.hostIds;
    this.hostIds = { uids: users.map(({ uid }) => uid), gids: groups.map(({ gid }) => gid) };
    return before;
  }

  private track(fullId: string, nowMs: number): TrackedContainer {
    let container = this.tracked.get(fullId);
    if (container === undefined) {
      container = {
        seenMs: nowMs,
        askedMs: -1,
        hasThread: false,
        isRunning: false,
        hasUsers: false,
        usersTries: 0,
      };
      this.tracked.set(fullId, container);
    }
    return container;
  }

  private mayAsk({ askedMs }: TrackedContainer, nowMs: number): boolean {
    if (this.options.mode === 'none') return false;
    if (askedMs < 0) return true;
    return this.options.mode === 'ask' && nowMs - askedMs >= ASK_AGAIN_MS;
  }

  private isPodMissing(fullId: string): boolean {
    return this.options.isPodMissing?.(fullId) === true;
  }

  private settle(fullId: string, outcome: SettleOutcome): void {
    this.waits.delete(fullId);
    this.parts.pending.settle(fullId, outcome);
  }
}

/** When it began. */
interface Wait {
  readonly ms: number;
  tsHi: number;
  tsLo: number;
}
