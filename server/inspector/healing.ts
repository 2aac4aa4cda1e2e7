/** Fills the rows of threads that events name but nobody introduced: between events, a few at a time. */
import type { ThreadChange, ThreadEntry } from '../event/snapshot.ts';
import { applyHealed, removeGone } from '../parser/live-state.ts';
import type { OsState } from '../state/os-state.ts';
import type { HealingCounters } from './query/query-context.ts';

/** Looks threads up on the node, within its budget. */
export interface ThreadLookup {
  readonly counters: { readonly tried: number; readonly healed: number };
  request(tid: number): void;
  heal(nowMs: number, isKnown: (tid: number) => boolean): readonly ThreadChange[];
}

/** Finds threads of the table that have ended without the event. */
export interface ExitSearch {
  sweep(
    nowMs: number,
    rows: () => Iterator<{ readonly tid: number; readonly cloneTsNs: bigint }>,
  ): readonly number[];
}

export class Healing {
  private readonly lookup: ThreadLookup;
  private readonly exits: ExitSearch | undefined;
  private readonly clean: (entry: ThreadEntry) => ThreadEntry;

  /** `clean`: takes secrets out of what was read. */
  constructor(
    lookup: ThreadLookup,
    clean: (entry: ThreadEntry) => ThreadEntry = (entry) => entry,
    exits?: ExitSearch,
  ) {
    this.lookup = lookup;
    this.exits = exits;
    this.clean = clean;
  }

  get counters(): HealingCounters {
    const { tried, healed } = this.lookup.counters;
    return { lookups: tried, found: healed };
  }

  /** Asks for a thread to be looked up. */
  request(tid: number): void {
    this.lookup.request(tid);
  }

  /** Between events. What changes is logged as a change after the last event, so that what that event saw stays known. Returns the tids. */
  tick(state: OsState, nowMs: number): readonly number[] {
    const gone = this.exits?.sweep(nowMs, () => state.threads.values());
    if (gone !== undefined && gone.length > 0) removeGone(state, gone);
    const changes = this.lookup.heal(nowMs, (tid) => state.threads.find(tid)?.isPlaceholder === false);
    if (changes.length === 0) return [];
    applyHealed(
      state,
      changes.map((change) => ({ ...change, thread: this.clean(change.thread) })),
    );
    return changes.map(({ thread }) => thread.tid);
  }
}
