/**
 * Events of containers whose metadata is still on its way, kept so that they can be read again when it is there: once for all
 * subscriptions of an inspector that wait for them. Bounded in events and bytes; at the bound the oldest must go, whoever holds
 * them. While any is held, the undo log keeps what is needed to read them as of their time.
 */
import { EventRecord } from '../event/event-record.ts';
import { InspectedEvent } from '../state/inspected-event.ts';
import type { OsState } from '../state/os-state.ts';
import { type DeliveryCounters, type HeldCounters, newHeldCounters } from './delivery-counters.ts';
import { type EventMeta, emptyMeta, fillMeta, restoreMeta } from './event-meta.ts';
import { CompletedState, TracingState } from './late-views.ts';
import type { PendingContainers } from './pending-containers.ts';

export interface HoldLimits {
  /** Longest an event waits in delivery COMPLETE. */
  readonly holdMs: number;
  readonly eventsMax: number;
  /** Bytes of records and of what is remembered beside them. */
  readonly bytesMax: number;
}

export const DEFAULT_HOLD_LIMITS: HoldLimits = { holdMs: 500, eventsMax: 65_536, bytesMax: 16_777_216 };

/** What an event costs beside its record. */
const EVENT_BYTES = 256;
/** Deadlines stand on a grid of so many to the longest wait: events that leave together are read from the undo log in one go. */
const DEADLINES_PER_HOLD = 8;
/** Entries that stand in the way of the oldest one before the list is tidied up. */
const DEAD_ENTRIES_MAX = 1024;
const NO_BYTES = Buffer.alloc(0);

/** One event. */
export interface HeldEvent {
  readonly meta: EventMeta;
  /** Of the thread that made it; '' outside of containers. */
  readonly containerId: string;
  readonly tid: number;
  /** When it has waited long enough, on the clock of `nowMs`. */
  readonly deadlineMs: number;
  /** Of the record. */
  bytes: Buffer;
  /** Those who hold it. */
  refs: number;
}

/** Somebody who holds events. */
export interface EventHolder {
  /** There is no more room: whatever waits for the container of this event, the event included, must go. */
  evict(oldest: HeldEvent): void;
  /** Lets go of what has waited long enough. */
  expire(nowMs: number): void;
}

export class HeldEvents {
  readonly pending: PendingContainers;
  readonly counters: DeliveryCounters;
  /** The event restored last. Its state is that of its time completed with what is known now. */
  readonly event: InspectedEvent;
  /** For events in the loop, and for restored ones: tells whether late data was looked up. */
  readonly tracing: TracingState;
  private readonly state: OsState;
  private readonly limits: HoldLimits;
  private readonly clockMs: () => number;
  private readonly completed: CompletedState;
  private readonly record: EventRecord;
  private readonly holders: Set<EventHolder>;
  /** Oldest first; those nobody holds any more are skipped. */
  private entries: HeldEvent[];
  private head: number;
  private readonly figures: HeldCounters;
  private latestMs: number;
  /** Whether the undo log runs only for the events held here. */
  private ownsLog: boolean;

  /** `clockMs` is the clock on live sources; the time of the event in the loop on others, so that replays do not vary. */
  constructor(
    state: OsState,
    pending: PendingContainers,
    counters: DeliveryCounters,
    limits: HoldLimits,
    clockMs: () => number,
    figures: HeldCounters = newHeldCounters(),
  ) {
    this.pending = pending;
    this.counters = counters;
    this.state = state;
    this.limits = limits;
    this.clockMs = clockMs;
    this.tracing = new TracingState(state);
    this.completed = new CompletedState(state);
    this.record = new EventRecord();
    this.event = new InspectedEvent(this.record, state);
    this.holders = new Set();
    this.entries = [];
    this.head = 0;
    this.figures = figures;
    figures.countMax = limits.eventsMax;
    this.latestMs = Number.NEGATIVE_INFINITY;
    this.ownsLog = false;
  }

  /** Events held now. */
  get count(): number {
    return this.figures.count;
  }

  /** Bytes they take. */
  get bytes(): number {
    return this.figures.bytes;
  }

  /** Milliseconds; never goes back, as times of events may. */
  nowMs(): number {
    this.latestMs = Math.max(this.latestMs, this.clockMs());
    return this.latestMs;
  }

  addHolder(holder: EventHolder): void {
    this.holders.add(holder);
  }

  removeHolder(holder: EventHolder): void {
    this.holders.delete(holder);
  }

  /** Between events: lets go of what has waited long enough. */
  tick(): void {
    if (this.figures.count === 0) return;
    const now = this.nowMs();
    for (const holder of this.holders) holder.expire(now);
  }

  /**
   * Keeps the event in the loop for one more holder; undefined when it is larger than all the room. Others, those of the caller
   * included, may have to go for it.
   */
  hold(event: InspectedEvent): HeldEvent | undefined {
    const last = this.entries.at(-1);
    if (last !== undefined && last.refs > 0 && last.meta.num === event.record.num) {
      last.refs++;
      return last;
    }
    const bytes = event.record.length + EVENT_BYTES;
    if (bytes > this.limits.bytesMax) return undefined;
    while (this.figures.count >= this.limits.eventsMax || this.figures.bytes + bytes > this.limits.bytesMax) {
      this.evictOldest();
    }
    const entry = this.newEntry(event);
    this.entries.push(entry);
    this.figures.count++;
    this.figures.added++;
    this.figures.bytes += bytes;
    if (this.figures.count === 1) this.pin();
    return entry;
  }

  /** One holder needs the event no more. */
  free(entry: HeldEvent): void {
    if (--entry.refs > 0) return;
    this.figures.count--;
    this.figures.bytes -= entry.bytes.length + EVENT_BYTES;
    entry.bytes = NO_BYTES;
    this.moveHead();
    this.pin();
  }

  /**
   * Makes `event` the held one again: with the thread and fd it had, and its container as it is known now. From the newest to
   * the oldest this costs least. False: the log does not reach back so far, and the state is that of now.
   */
  restore(entry: HeldEvent): boolean {
    const { record, event, completed, state } = this;
    const past = state.undo.hasRoom ? state.asOf(entry.meta.num) : undefined;
    const view = past ?? state;
    record.attach(entry.bytes);
    record.load(0, entry.meta.cpu, entry.meta.flags);
    restoreMeta(entry.meta, event, record, view);
    completed.inner = view;
    event.state = completed;
    return past !== undefined;
  }

  /** Lets the restored event be read as it was, with `tracing` telling what might be known better now. */
  readAsShown(): void {
    this.tracing.inner = this.completed.inner;
    this.tracing.isTouched = false;
    this.event.state = this.tracing;
  }

  /** Lets the restored event be read with what is known now. */
  readCompleted(): void {
    this.event.state = this.completed;
  }

  /** Lets an event in the loop be read with `tracing`; `event.state` is to be put back. */
  trace(event: InspectedEvent): void {
    this.tracing.inner = this.state;
    this.tracing.isTouched = false;
    event.state = this.tracing;
  }

  private newEntry(event: InspectedEvent): HeldEvent {
    const { record } = event;
    const meta = emptyMeta();
    fillMeta(meta, event);
    const { holdMs } = this.limits;
    const grid = Math.max(1, holdMs / DEADLINES_PER_HOLD);
    return {
      meta,
      containerId: event.thread?.containerId ?? '',
      tid: record.tid,
      deadlineMs: Math.floor((this.nowMs() + holdMs) / grid) * grid,
      bytes: Buffer.from(record.bytes.subarray(record.offset, record.offset + record.length)),
      refs: 1,
    };
  }

  private evictOldest(): void {
    const oldest = this.entries[this.head];
    if (oldest === undefined) throw new Error('held events are counted, but there are none');
    for (const holder of this.holders) holder.evict(oldest);
    this.figures.evicted++;
    if (oldest.refs > 0) throw new Error('a holder keeps an event that must go');
  }

  private moveHead(): void {
    const { entries } = this;
    while (this.head < entries.length && (entries[this.head] as HeldEvent).refs === 0) this.head++;
    // A container that takes long keeps the head back: those behind it that are done must not pile up.
    if (entries.length - this.figures.count < Math.max(DEAD_ENTRIES_MAX, this.figures.count)) return;
    this.entries = entries.filter(({ refs }) => refs > 0);
    this.head = 0;
  }

  private pin(): void {
    const { undo } = this.state;
    const oldest = this.entries[this.head];
    if (oldest !== undefined) {
      undo.pinnedNumber = oldest.meta.num;
      if (!undo.enabled) {
        undo.enabled = true;
        this.ownsLog = true;
      } else if (this.ownsLog) {
        undo.trim(oldest.meta.num);
      }
      return;
    }
    undo.pinnedNumber = Number.POSITIVE_INFINITY;
    if (!this.ownsLog) return;
    this.ownsLog = false;
    undo.enabled = false;
    undo.trim(Number.POSITIVE_INFINITY);
  }
}
