/**
 * Asks runtimes about containers until one knows everything, the container has ended, or time is up. Questions about one container
 * are one; how many are under way is bounded.
 */
import type { IBackoff, IBackoffFactory } from 'cockatiel';
import type { ContainerUpdate } from '../container-update.ts';
import type { HubClock } from './hub-clock.ts';
import type { HubCounters } from './hub-types.ts';
import type { MergedContainers } from './merged-containers.ts';
import type { RuntimeKind } from './runtime-client.ts';

/** A runtime that can be asked. What it answers reaches the merged containers before the promise resolves. */
export interface Asked {
  readonly kind: RuntimeKind;
  readonly isReady: boolean;
  /** Whether it answers, or may do so before long. */
  readonly isHopeful: boolean;
  ask(fullId: string): Promise<void>;
}

export interface LookupParts {
  readonly clock: HubClock;
  /** How long a container is asked about. */
  readonly lookupTimeoutMs: number;
  /** Waits between the tries. */
  readonly backoff: IBackoffFactory<unknown>;
  readonly merged: MergedContainers;
  readonly counters: HubCounters;
  sources(): readonly Asked[];
  onUpdate(update: ContainerUpdate): void;
}

const LOOKUPS_MAX = 1024;

const CONTAINERD_KINDS: readonly RuntimeKind[] = ['containerd', 'cri'];

/** Who is asked first, by engine word. */
const FITTING: ReadonlyMap<string, readonly RuntimeKind[]> = new Map([
  ['docker', ['docker']],
  ['podman', ['podman']],
  ['containerd', CONTAINERD_KINDS],
  ['cri', CONTAINERD_KINDS],
  ['cri-o', ['cri']],
]);

/** Engines none of the runtimes that are asked knows anything of. */
const FOREIGN: ReadonlySet<string> = new Set([
  'lxc',
  'libvirt-lxc',
  'mesos',
  'rkt',
  'custom',
  'bpm',
  'static',
]);

interface Lookup {
  readonly fullId: string;
  /** '' where any may know it. */
  type: string;
  /** Somebody waits for it; otherwise it is asked about ahead of time. */
  isWanted: boolean;
  /** The one whose news it is; undefined: all. */
  only: Asked | undefined;
  isAsking: boolean;
  backoff: IBackoff<unknown> | undefined;
  cancelTry: () => void;
  cancelEnd: () => void;
}

const NOTHING = (): void => {};

export class Lookups {
  private readonly parts: LookupParts;
  private readonly lookups: Map<string, Lookup>;

  constructor(parts: LookupParts) {
    this.parts = parts;
    this.lookups = new Map();
  }

  /** Containers asked about now. */
  get size(): number {
    return this.lookups.size;
  }

  /** A thread was seen in a container whose metadata is not there. Ends with `found` and everything known, or with `unknown`. */
  wanted(fullId: string, type: string): void {
    const { counters, merged } = this.parts;
    if (merged.repeat(fullId)) return;
    const running = this.lookups.get(fullId);
    if (running?.isWanted) return;
    if (running === undefined && this.lookups.size >= LOOKUPS_MAX) {
      counters.lookupsRefused++;
      this.parts.onUpdate({ kind: 'unknown', fullId });
      return;
    }
    counters.lookups++;
    if (FOREIGN.has(type) || !this.hasHope()) {
      this.cancel(fullId);
      counters.lookupsFailed++;
      this.parts.onUpdate({ kind: 'unknown', fullId });
      return;
    }
    this.cancel(fullId);
    this.begin(fullId, type, true, undefined);
  }

  /** A runtime has told of a container: it is asked for the rest before somebody wants it. */
  prefetch(fullId: string, source: Asked): void {
    const running = this.lookups.get(fullId);
    if (running !== undefined) {
      // Somebody knows it now: no need to wait any longer.
      if (!running.isAsking) this.try(running);
      return;
    }
    if (this.lookups.size >= LOOKUPS_MAX) this.parts.counters.lookupsRefused++;
    else this.begin(fullId, '', false, source);
  }

  /** Everything is known of it. */
  onComplete(fullId: string, isFirst: boolean): void {
    const { counters } = this.parts;
    const lookup = this.lookups.get(fullId);
    if (lookup?.isWanted) counters.lookupsFound++;
    else if (isFirst) counters.prefetched++;
    this.cancel(fullId);
  }

  /** Nobody waits for it any more. */
  cancel(fullId: string): void {
    const lookup = this.lookups.get(fullId);
    if (lookup === undefined) return;
    this.lookups.delete(fullId);
    lookup.cancelTry();
    lookup.cancelEnd();
  }

  stop(): void {
    for (const fullId of [...this.lookups.keys()]) this.cancel(fullId);
  }

  private begin(fullId: string, type: string, isWanted: boolean, only: Asked | undefined): void {
    const { clock, lookupTimeoutMs } = this.parts;
    const lookup: Lookup = {
      fullId,
      type,
      isWanted,
      only,
      isAsking: false,
      backoff: undefined,
      cancelTry: NOTHING,
      cancelEnd: NOTHING,
    };
    this.lookups.set(fullId, lookup);
    lookup.cancelEnd = clock.after(lookupTimeoutMs, () => this.fail(lookup));
    this.try(lookup);
  }

  private try(lookup: Lookup): void {
    lookup.cancelTry();
    lookup.cancelTry = NOTHING;
    lookup.isAsking = true;
    // Nothing in it rejects: whoever is asked may fail, and is asked again.
    void this.askAll(lookup).then(() => {
      lookup.isAsking = false;
      if (this.isOver(lookup)) return;
      // It will not come back, and who knew it has been asked.
      if (this.parts.merged.hasEnded(lookup.fullId) || !this.hasHope() || this.isForgotten(lookup))
        this.fail(lookup);
      else this.tryLater(lookup);
    });
  }

  private tryLater(lookup: Lookup): void {
    const { clock, backoff } = this.parts;
    lookup.backoff = lookup.backoff === undefined ? backoff.next(undefined) : lookup.backoff.next(undefined);
    lookup.cancelTry = clock.after(lookup.backoff.duration, () => this.try(lookup));
  }

  private async askAll(lookup: Lookup): Promise<void> {
    const { only, type, fullId } = lookup;
    if (only !== undefined) {
      await askEach([only], fullId);
      return;
    }
    const kinds = FITTING.get(type);
    const sources = this.parts.sources();
    const fitting = kinds === undefined ? sources : sources.filter(({ kind }) => kinds.includes(kind));
    await askEach(fitting, fullId);
    if (kinds === undefined || this.isOver(lookup)) return;
    await askEach(
      sources.filter((source) => !fitting.includes(source)),
      fullId,
    );
  }

  private fail(lookup: Lookup): void {
    if (this.isOver(lookup)) return;
    this.cancel(lookup.fullId);
    if (!lookup.isWanted) return;
    this.parts.counters.lookupsFailed++;
    this.parts.onUpdate({ kind: 'unknown', fullId: lookup.fullId });
  }

  /** Asked about ahead of time, and gone before anybody wanted it. */
  private isForgotten({ isWanted, fullId }: Lookup): boolean {
    return !isWanted && !this.parts.merged.has(fullId);
  }

  private isOver(lookup: Lookup): boolean {
    return this.lookups.get(lookup.fullId) !== lookup;
  }

  private hasHope(): boolean {
    return this.parts.sources().some(({ isHopeful }) => isHopeful);
  }
}

async function askEach(sources: readonly Asked[], fullId: string): Promise<void> {
  await Promise.allSettled(sources.filter(({ isReady }) => isReady).map((source) => source.ask(fullId)));
}
