/**
 * Delivery COMPLETE: events of a container that is not known yet wait for it, and with them whatever must not overtake them:
 * later events of the container and of the threads that made them. Filters are asked and fields are read when the wait is over.
 */
import { u64Big } from '../event/u64.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { Delivery, DeliveryPort, MatchedRow } from './delivery.ts';
import type { ReleaseCause } from './delivery-counters.ts';
import type { EventHolder, HeldEvent, HeldEvents } from './held-events.ts';
import type { SettleListener, SettleOutcome } from './pending-containers.ts';

/** Events read in one go, newest first, before they are sent oldest first: bounds what stands in memory meanwhile. */
const CHUNK_EVENTS = 4096;

/** Events that wait together, in the order of the source. */
interface HoldGroup {
  readonly containers: Set<string>;
  readonly tids: Set<number>;
  /** Of its containers, those about which nothing more will be known. */
  readonly unknown: Set<string>;
  events: HeldEvent[];
}

export class CompleteDelivery implements Delivery, EventHolder, SettleListener {
  private readonly held: HeldEvents;
  private readonly port: DeliveryPort;
  private readonly byContainer: Map<string, HoldGroup>;
  private readonly byTid: Map<number, HoldGroup>;
  private readonly groups: Set<HoldGroup>;
  private earliestMs: number;

  constructor(held: HeldEvents, port: DeliveryPort) {
    this.held = held;
    this.port = port;
    this.byContainer = new Map();
    this.byTid = new Map();
    this.groups = new Set();
    this.earliestMs = Number.POSITIVE_INFINITY;
    held.addHolder(this);
    held.pending.addListener(this);
  }

  get oldestUndecided(): { readonly num: number; readonly previousTsNs: bigint } | undefined {
    let oldest: HeldEvent | undefined;
    for (const { events } of this.groups) {
      const first = events[0];
      if (first !== undefined && (oldest === undefined || first.meta.num < oldest.meta.num)) oldest = first;
    }
    if (oldest === undefined) return undefined;
    const { num, previousTsHi, previousTsLo } = oldest.meta;
    return { num, previousTsNs: u64Big(previousTsHi, previousTsLo) };
  }

  take(event: InspectedEvent): boolean {
    const { held, port } = this;
    this.expire(held.nowMs());
    if (port.isDone) return true;
    const { tid } = event.record;
    const containerId = event.thread?.containerId ?? '';
    const isPending = containerId !== '' && held.pending.has(containerId);
    if (!isPending && this.groupOf(containerId, tid) === undefined) return false;
    if (!this.mayMatch(event)) return true;
    const entry = held.hold(event);
    // Making room may have sent what it would have waited behind.
    const mustWait = isPending || this.groupOf(containerId, tid) !== undefined;
    if (entry !== undefined && mustWait && !port.isDone) {
      held.counters.eventsHeld++;
      this.join(entry, containerId, tid);
      return true;
    }
    if (entry !== undefined) held.free(entry);
    if (port.isDone) return true;
    if (!mustWait) return false;
    this.sendAtOnce(event, containerId, tid);
    return true;
  }

  onSettled(fullId: string, outcome: SettleOutcome): void {
    const group = this.byContainer.get(fullId);
    if (group === undefined) return;
    // What has waited too long before this came has missed it, whether or not somebody looked at the clock in between.
    group.unknown.add(fullId);
    this.letExpire(this.held.nowMs(), true);
    if (this.byContainer.get(fullId) !== group) return;
    if (outcome === 'complete') group.unknown.delete(fullId);
    for (const id of group.containers) {
      if (this.held.pending.has(id)) return;
    }
    this.release(group, group.events.length, 'unanswered');
  }

  expire(nowMs: number): void {
    this.letExpire(nowMs, false);
  }

  evict(oldest: HeldEvent): void {
    const group = this.groupOf(oldest.containerId, oldest.tid);
    // Of all events held it is the oldest, so of a group as well. But the group may hold others of its container only.
    if (group?.events[0] === oldest) this.release(group, group.events.length, 'no-room');
  }

  onFiltersChange(): void {
    this.releaseAll('filters-changed');
  }

  onEnd(reason: string): void {
    // At the limit asked for nothing more is wanted.
    if (reason !== 'events-max') this.releaseAll('ended');
    this.drop();
  }

  drop(): void {
    for (const group of this.groups) {
      for (const entry of group.events) this.held.free(entry);
      group.events = [];
    }
    this.groups.clear();
    this.byContainer.clear();
    this.byTid.clear();
    this.earliestMs = Number.POSITIVE_INFINITY;
    this.held.removeHolder(this);
    this.held.pending.removeListener(this);
  }

  /** False when no filter can hold for it, whatever will be known of its container. */
  private mayMatch(event: InspectedEvent): boolean {
    const { held, port } = this;
    const { state } = event;
    held.trace(event);
    const matches = port.matches(event);
    event.state = state;
    return matches || held.tracing.isTouched;
  }

  /** `hasMissed`: what has become known just now is not for those that go. */
  private letExpire(nowMs: number, hasMissed: boolean): void {
    if (nowMs < this.earliestMs) return;
    for (const group of [...this.groups]) {
      const kept = group.events.findIndex(({ deadlineMs }) => deadlineMs > nowMs);
      const count = kept < 0 ? group.events.length : kept;
      if (count > 0) this.release(group, count, 'expired', hasMissed);
    }
    this.findEarliest();
  }

  private groupOf(containerId: string, tid: number): HoldGroup | undefined {
    return this.byTid.get(tid) ?? (containerId === '' ? undefined : this.byContainer.get(containerId));
  }

  private join(entry: HeldEvent, containerId: string, tid: number): void {
    const byTid = this.byTid.get(tid);
    const byContainer = containerId === '' ? undefined : this.byContainer.get(containerId);
    let group = byTid ?? byContainer;
    if (group === undefined) {
      group = { containers: new Set(), tids: new Set(), unknown: new Set(), events: [] };
      this.groups.add(group);
    }
    // A thread went from one container that is waited for to another: from now on they wait together.
    if (byTid !== undefined && byContainer !== undefined && byTid !== byContainer)
      this.merge(byTid, byContainer);
    group.events.push(entry);
    if (containerId !== '') {
      group.containers.add(containerId);
      this.byContainer.set(containerId, group);
    }
    // Records without a thread have no order of their own.
    if (tid >= 0) {
      group.tids.add(tid);
      this.byTid.set(tid, group);
    }
    this.earliestMs = Math.min(this.earliestMs, entry.deadlineMs);
  }

  private merge(into: HoldGroup, from: HoldGroup): void {
    this.groups.delete(from);
    into.events = [...into.events, ...from.events].sort((a, b) => a.meta.num - b.meta.num);
    for (const id of from.containers) {
      into.containers.add(id);
      this.byContainer.set(id, into);
    }
    for (const tid of from.tids) {
      into.tids.add(tid);
      this.byTid.set(tid, into);
    }
    for (const id of from.unknown) into.unknown.add(id);
  }

  private releaseAll(cause: ReleaseCause): void {
    // Oldest first, as far as whole groups have an order.
    const groups = [...this.groups].sort((a, b) => firstNum(a) - firstNum(b));
    for (const group of groups) this.release(group, group.events.length, cause);
  }

  /** Sends the oldest `count` events of the group. */
  private release(group: HoldGroup, count: number, cause: ReleaseCause, asShown: boolean = false): void {
    const events = group.events.splice(0, count);
    if (group.events.length === 0) this.dissolve(group);
    this.findEarliest();
    for (let start = 0; start < events.length; start += CHUNK_EVENTS) {
      this.sendChunk(group, events.slice(start, start + CHUNK_EVENTS), cause, asShown);
    }
    this.port.endIfDone();
  }

  private sendChunk(
    group: HoldGroup,
    events: readonly HeldEvent[],
    cause: ReleaseCause,
    asShown: boolean,
  ): void {
    const { held, port } = this;
    const rows = new Array<MatchedRow | undefined>(events.length).fill(undefined);
    const exact = new Uint8Array(events.length);
    // The past is cheapest to visit backwards.
    for (let i = events.length - 1; i >= 0 && !port.isDone; i--) {
      if (held.restore(events[i] as HeldEvent)) exact[i] = 1;
      if (asShown) held.readAsShown();
      if (port.matches(held.event)) rows[i] = port.read(held.event);
    }
    events.forEach((entry, i) => {
      const { containerId } = entry;
      const isUnknown = held.pending.has(containerId) || group.unknown.has(containerId);
      held.free(entry);
      const row = rows[i];
      if (row === undefined || port.isDone) return;
      const isIncomplete = isUnknown || exact[i] === 0;
      if (isIncomplete) this.countIncomplete(isUnknown ? cause : 'state-forgotten');
      else held.counters.eventsReleasedComplete++;
      port.emit(row, isIncomplete);
    });
  }

  /** An event larger than all the room, behind those it would have waited for. */
  private sendAtOnce(event: InspectedEvent, containerId: string, tid: number): void {
    const group = this.groupOf(containerId, tid);
    if (group !== undefined) this.release(group, group.events.length, 'no-room');
    if (this.port.isDone || !this.port.matches(event)) return;
    const row = this.port.read(event);
    this.held.counters.eventsHeld++;
    this.countIncomplete('no-room');
    this.port.emit(row, true);
  }

  private countIncomplete(cause: ReleaseCause): void {
    const { counters } = this.held;
    counters.eventsReleasedIncomplete++;
    counters.incompleteByCause[cause]++;
  }

  private dissolve(group: HoldGroup): void {
    this.groups.delete(group);
    for (const id of group.containers) this.byContainer.delete(id);
    for (const tid of group.tids) this.byTid.delete(tid);
  }

  private findEarliest(): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { events } of this.groups) earliest = Math.min(earliest, events[0]?.deadlineMs ?? earliest);
    this.earliestMs = earliest;
  }
}

function firstNum(group: HoldGroup): number {
  return group.events[0]?.meta.num ?? 0;
}
