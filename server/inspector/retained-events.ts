/**
 * The last events as they were shown, so that any field of them can still be extracted. Records are copied into one ring
 * of bytes; what parsing found out about each (its thread's tid, its fd) is kept beside them. Bounded in events and bytes.
 */
import type { EventRecord } from '../event/event-record.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { OsState } from '../state/os-state.ts';
import { type EventMeta, emptyMeta, fillMeta, restoreMeta } from './event-meta.ts';

export interface RetentionLimits {
  /** Events kept; 0 turns retention off. */
  readonly eventsMax: number;
  /** Bytes of event records kept. */
  readonly bytesMax: number;
}

/** Beside what every kept event remembers: where its bytes stand in the ring. */
interface RetainedMeta extends EventMeta {
  offset: number;
  length: number;
}

export class RetainedEvents {
  /** Events too large for the ring, never retained. */
  tooLargeCount: number;
  private readonly state: OsState;
  private readonly limits: RetentionLimits;
  private readonly bytes: Buffer;
  private readonly slots: RetainedMeta[];
  private head: number;
  private size: number;
  private writeAt: number;

  constructor(state: OsState, limits: RetentionLimits) {
    this.tooLargeCount = 0;
    this.state = state;
    this.limits = limits;
    this.bytes = Buffer.alloc(limits.eventsMax === 0 ? 0 : limits.bytesMax);
    this.slots = Array.from({ length: limits.eventsMax }, () => ({ ...emptyMeta(), offset: 0, length: 0 }));
    this.head = 0;
    this.size = 0;
    this.writeAt = 0;
    state.undo.enabled = limits.eventsMax > 0;
  }

  get count(): number {
    return this.size;
  }

  /** Number of the oldest event that can be asked for; undefined when there is none. */
  get oldestNumber(): number | undefined {
    return this.size === 0 ? undefined : (this.slots[this.head] as RetainedMeta).num;
  }

  get newestNumber(): number | undefined {
    return this.size === 0 ? undefined : this.slotAt(this.size - 1).num;
  }

  /** Keeps the event. Called after it was parsed and before its verdicts are applied. */
  keep(event: InspectedEvent): void {
    const { record } = event;
    const n = record.length;
    if (n > this.limits.bytesMax) {
      this.tooLargeCount++;
      return;
    }
    const at = this.reserve(n);
    record.bytes.copy(this.bytes, at, record.offset, record.offset + n);
    const slot = this.slots[(this.head + this.size) % this.limits.eventsMax] as RetainedMeta;
    slot.offset = at;
    slot.length = n;
    fillMeta(slot, event);
    this.size++;
  }

  /**
   * Puts event `num` into `target` with the state as of that event.
   * Returns false when the event is not (or no longer) retained or its state is no longer remembered.
   */
  restore(num: number, target: InspectedEvent, record: EventRecord): boolean {
    const slot = this.find(num);
    if (slot === undefined) return false;
    const past = this.state.asOf(num);
    if (past === undefined) return false;
    record.attach(this.bytes);
    record.load(slot.offset, slot.cpu, slot.flags);
    restoreMeta(slot, target, record, past);
    return true;
  }

  private slotAt(index: number): RetainedMeta {
    return this.slots[(this.head + index) % this.limits.eventsMax] as RetainedMeta;
  }

  /** Binary search: numbers only grow. */
  private find(num: number): RetainedMeta | undefined {
    let low = 0;
    let high = this.size - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const slot = this.slotAt(middle);
      if (slot.num === num) return slot;
      if (slot.num < num) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** Finds room for `n` contiguous bytes, forgetting the oldest events that stand there. */
  private reserve(n: number): number {
    if (this.size === this.limits.eventsMax) this.dropOldest();
    if (this.writeAt + n > this.limits.bytesMax) {
      // Wrap: what is left at the end of the ring belongs to older events.
      while (this.size > 0 && (this.slots[this.head] as RetainedMeta).offset >= this.writeAt)
        this.dropOldest();
      this.writeAt = 0;
    }
    const at = this.writeAt;
    while (this.size > 0) {
      const oldest = this.slots[this.head] as RetainedMeta;
      if (oldest.offset >= at + n || oldest.offset + oldest.length <= at) break;
      this.dropOldest();
    }
    this.writeAt = at + n;
    return at;
  }

  private dropOldest(): void {
    const { num } = this.slots[this.head] as RetainedMeta;
    this.head = (this.head + 1) % this.limits.eventsMax;
    this.size--;
    this.state.undo.trim(num);
  }
}
