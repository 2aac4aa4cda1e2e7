/** Readers that want no events but hold the source: until enough subscribers are there, or to keep a pace. */
import { PPM_EVENT_MAX } from '../event/event-types.ts';
import { u64Difference } from '../event/u64.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { EventReader } from './inspector.ts';

/** Holds the source before its first event until `wanted` subscriptions have joined. */
export class HoldReader implements EventReader {
  readonly eventTypes: Uint8Array;
  private missing: number;

  constructor(wanted: number) {
    this.eventTypes = new Uint8Array(PPM_EVENT_MAX);
    this.missing = wanted;
  }

  get isHolding(): boolean {
    return this.missing > 0;
  }

  onEvent(): void {}

  onSubscriber(): void {
    this.missing--;
  }
}

/** Time that goes back further than this is a new recording (another section of the file): the pace starts anew. */
const REORDER_MS_MAX = 1000;

/** Holds the source after an event until as much time has passed as passed in the recording, divided by the speed. */
export class PaceReader implements EventReader {
  readonly eventTypes: Uint8Array;
  private readonly speed: number;
  private readonly nowMs: () => number;
  private startedAtMs: number;
  private firstTsHi: number;
  private firstTsLo: number;
  private dueMs: number;

  constructor(speed: number, nowMs: () => number) {
    this.eventTypes = new Uint8Array(PPM_EVENT_MAX).fill(1);
    this.speed = speed;
    this.nowMs = nowMs;
    this.startedAtMs = -1;
    this.firstTsHi = 0;
    this.firstTsLo = 0;
    this.dueMs = 0;
  }

  get isHolding(): boolean {
    return this.dueMs > 0 && this.nowMs() < this.dueMs;
  }

  onEvent(event: InspectedEvent): void {
    const { tsHi, tsLo } = event.record;
    const elapsedMs = u64Difference(tsHi, tsLo, this.firstTsHi, this.firstTsLo) / 1e6;
    if (this.startedAtMs < 0 || elapsedMs < -REORDER_MS_MAX) {
      this.startedAtMs = this.nowMs();
      this.firstTsHi = tsHi;
      this.firstTsLo = tsLo;
      this.dueMs = this.startedAtMs;
      return;
    }
    this.dueMs = this.startedAtMs + elapsedMs / this.speed;
  }
}
