/**
 * Owner of the loop and of every table. One event is one straight synchronous line: read, parse into state, show to all
 * readers, apply verdicts. Knows nothing of threads, sockets or subscriptions: those are readers.
 */
import {
  type CaptureEngine,
  CaptureError,
  NEXT_END,
  NEXT_EVENT,
  type NextResult,
} from '../capture/capture-engine.ts';
import type { Interest } from '../capture/interest.ts';
import { EventRecord } from '../event/event-record.ts';
import {
  PPM_EVENT_MAX,
  PPME_CONTAINER_E,
  PPME_CONTAINER_JSON_2_E,
  PPME_CONTAINER_JSON_E,
  PPME_GROUP_ADDED_E,
  PPME_GROUP_DELETED_E,
  PPME_PROCINFO_E,
  PPME_USER_ADDED_E,
  PPME_USER_DELETED_E,
} from '../event/event-types.ts';
import { EventParser } from '../parser/event-parser.ts';
import { InitialState } from '../parser/initial-state.ts';
import type { ParserOptions } from '../parser/parser-context.ts';
import { InspectedEvent } from '../state/inspected-event.ts';
import type { OsState } from '../state/os-state.ts';
import {
  type DeliveryCounters,
  type HeldCounters,
  newDeliveryCounters,
  newHeldCounters,
} from './delivery-counters.ts';
import { InterestTracker } from './interest-tracker.ts';
import { PendingContainers } from './pending-containers.ts';
import { RetainedEvents, type RetentionLimits } from './retained-events.ts';
import { stateInterest } from './state-interest.ts';

/** Someone who is shown every event of the types asked for, with the state after it. */
export interface EventReader {
  /** 1 at the index of every event type the reader may want. */
  readonly eventTypes: Uint8Array;
  /** True while the reader cannot take events and the source must wait for it. */
  readonly isHolding: boolean;
  /** What a live source must capture for it; undefined: every event of its types, without the data read or written. */
  readonly interest?: Interest | undefined;
  onEvent(event: InspectedEvent): void;
  /**
   * Called after each event, when its verdicts have been applied: the state is what the next event will find. Readers that
   * have this are shown records that carry state only, too.
   */
  afterEvent?(): void;
  /** The source has lost `count` events just before the next one. */
  onSourceLoss?(count: number): void;
}

/** Block flag of records that carry state only. */
const FLAG_STATE_ONLY = 1;

/**
 * 1 for the event types that may start relative time. Until one of them is shown, `evt.reltime` counts from the epoch, as in
 * the reference: process statistics, containers, users and groups describe what was there before.
 */
const STARTS_TIME: Uint8Array = new Uint8Array(PPM_EVENT_MAX).fill(1);
for (const type of [
  PPME_PROCINFO_E,
  PPME_CONTAINER_E,
  PPME_CONTAINER_JSON_E,
  PPME_CONTAINER_JSON_2_E,
  PPME_USER_ADDED_E,
  PPME_USER_DELETED_E,
  PPME_GROUP_ADDED_E,
  PPME_GROUP_DELETED_E,
]) {
  STARTS_TIME[type] = 0;
}

/** Why `run` returned. */
export type RunResult = 'budget' | 'need-input' | 'held' | 'ended';

export interface InspectorCounters {
  /** Records taken from the engine. */
  eventsRead: number;
  /** Records that carried state only and were shown to nobody. */
  eventsHidden: number;
  /** Events offered to readers. */
  eventsShown: number;
  /** Of them, those of threads in containers, and those whose container was known completely at that moment. */
  containerEvents: number;
  containerEventsComplete: number;
}

/** Follows containers beside the parser. */
export interface ContainerWatch {
  /** Whether `settleDue` has something to do. */
  readonly isDue: boolean;
  readonly injected: number;
  readonly injectionsRefused: number;
  readonly swept: number;
  /** While containers are pending, before an event is parsed: the time it has. */
  onTime(tsHi: number, tsLo: number): void;
  /** Between events: ends the waits that the last event has made an end to. */
  settleDue(): void;
}

export class Inspector {
  readonly state: OsState;
  readonly engine: CaptureEngine;
  readonly parser: EventParser;
  readonly retained: RetainedEvents;
  readonly counters: InspectorCounters;
  readonly interest: InterestTracker;
  /** Containers that are being asked about. */
  readonly pending: PendingContainers;
  /** What delivery makes of events that wait for them. */
  readonly delivery: DeliveryCounters;
  readonly held: HeldCounters;
  /** Set by whoever follows containers. */
  containers: ContainerWatch | undefined;
  /** What stopped the source for good, when it was damage. */
  error: CaptureError | undefined;
  /** The event in the loop, or the last one. */
  readonly event: InspectedEvent;
  private readonly record: EventRecord;
  private readonly retention: RetentionLimits;
  private readonly initialState: InitialState;
  private readers: readonly EventReader[];
  /** Those of them that follow the state itself; most of the time none. */
  private followers: readonly EventReader[];
  private hasFirst: boolean;
  private hasEnded: boolean;
  /** Losses of the source that the readers have been told. */
  private lossTold: number;

  constructor(
    state: OsState,
    engine: CaptureEngine,
    retention: RetentionLimits,
    parserOptions: ParserOptions = {},
    unavailableTypes: readonly number[] = [],
  ) {
    this.state = state;
    this.engine = engine;
    this.retention = retention;
    this.parser = new EventParser(state, parserOptions);
    // Recordings say so, and their replays are parsed alike.
    if (parserOptions.addsBootTime === true) state.isLive = true;
    this.initialState = new InitialState(state);
    this.retained = new RetainedEvents(state, retention);
    this.counters = {
      eventsRead: 0,
      eventsHidden: 0,
      eventsShown: 0,
      containerEvents: 0,
      containerEventsComplete: 0,
    };
    this.pending = new PendingContainers();
    this.delivery = newDeliveryCounters();
    this.held = newHeldCounters();
    this.containers = undefined;
    this.error = undefined;
    this.record = new EventRecord();
    this.event = new InspectedEvent(this.record, state);
    this.readers = [];
    this.followers = [];
    this.hasFirst = false;
    this.hasEnded = false;
    this.lossTold = 0;
    this.interest = new InterestTracker(engine, stateInterest(), () => this.readers, unavailableTypes);
  }

  get isEnded(): boolean {
    return this.hasEnded;
  }

  /** Phase one: opens the source and takes over its initial state. */
  async open(): Promise<void> {
    const logged = this.state.undo.enabled;
    this.state.undo.enabled = false;
    // Before the first event: what the state needs must be captured from the start.
    this.interest.apply();
    await this.engine.open(this.initialState);
    this.initialState.finish();
    this.state.undo.enabled = logged;
  }

  addReader(reader: EventReader): void {
    // What was lost before it came is none of its business.
    this.tellLoss();
    this.setReaders([...this.readers, reader]);
    this.interest.invalidate();
  }

  removeReader(reader: EventReader): void {
    this.setReaders(this.readers.filter((other) => other !== reader));
    this.interest.invalidate();
  }

  /** Phase two: takes up to `budget` events. Synchronous. */
  run(budget: number): RunResult {
    if (this.hasEnded) return 'ended';
    for (let i = 0; i < budget; i++) {
      if (this.isHeld()) return 'held';
      const result = this.read();
      if (this.engine.counters.eventsLost !== this.lossTold) this.tellLoss();
      if (result === NEXT_END) {
        this.hasEnded = true;
        return 'ended';
      }
      if (result !== NEXT_EVENT) return 'need-input';
      this.inspect();
    }
    return 'budget';
  }

  /** Waits for input after `run` returned `need-input`. */
  async fill(): Promise<void> {
    try {
      await this.engine.fill();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Between two events: tells the readers what the source has lost since they were last told. */
  tellLoss(): void {
    const { eventsLost } = this.engine.counters;
    const count = eventsLost - this.lossTold;
    if (count <= 0) return;
    this.lossTold = eventsLost;
    for (const reader of this.readers) reader.onSourceLoss?.(count);
  }

  private setReaders(readers: readonly EventReader[]): void {
    this.readers = readers;
    this.followers = readers.filter((reader) => reader.afterEvent !== undefined);
  }

  private isHeld(): boolean {
    for (const reader of this.readers) {
      if (reader.isHolding) return true;
    }
    return false;
  }

  private read(): NextResult {
    try {
      return this.engine.next(this.record);
    } catch (error) {
      this.fail(error);
      return NEXT_END;
    }
  }

  /** Damage in the source ends it after everything before the damage was shown. Anything else is a broken invariant. */
  private fail(error: unknown): void {
    if (!(error instanceof CaptureError)) throw error;
    this.error = error;
    this.hasEnded = true;
  }

  private inspect(): void {
    const { event, record, parser, counters } = this;
    const { undo } = this.state;
    counters.eventsRead++;
    if (counters.eventsRead === 1) {
      event.previousTsHi = record.tsHi;
      event.previousTsLo = record.tsLo;
    }
    if (!this.hasFirst && (record.flags & FLAG_STATE_ONLY) === 0 && STARTS_TIME[record.type] === 1) {
      this.hasFirst = true;
      event.firstTsHi = record.tsHi;
      event.firstTsLo = record.tsLo;
    }
    if (this.pending.count > 0) this.containers?.onTime(record.tsHi, record.tsLo);
    undo.eventNumber = record.num;
    parser.begin(event);
    parser.parse(event);
    if ((record.flags & FLAG_STATE_ONLY) !== 0) this.hide();
    else this.show();
    // What is removed now must not be missing for those who ask about this event later.
    undo.eventNumber = record.num + 0.5;
    parser.finish(event);
    for (const reader of this.followers) reader.afterEvent?.();
    event.previousTsHi = record.tsHi;
    event.previousTsLo = record.tsLo;
    if (this.containers?.isDue === true) this.containers.settleDue();
  }

  private hide(): void {
    this.counters.eventsHidden++;
    for (const reader of this.followers) reader.onEvent(this.event);
  }

  private show(): void {
    const { event } = this;
    const { type } = this.record;
    this.counters.eventsShown++;
    const containerId = event.thread === undefined ? '' : event.thread.containerId;
    if (containerId !== '') this.countContainer(containerId);
    for (const reader of this.readers) {
      if (reader.eventTypes[type] === 1) reader.onEvent(event);
    }
    if (this.retention.eventsMax > 0) this.retained.keep(event);
  }

  /** One look-up, and nothing allocated: this is for every event of a container. */
  private countContainer(containerId: string): void {
    const { counters } = this;
    counters.containerEvents++;
    if (this.state.containers.find(containerId)?.isComplete === true) counters.containerEventsComplete++;
  }
}
