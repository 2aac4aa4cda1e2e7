/**
 * From event to state. The inspector calls, for every event and in this order: `begin` (find the thread and fd, decode the
 * result), `parse` (apply the change so that all readers see the state after the event), then the readers run, then
 * `finish` (removals and other verdicts that must wait until all have looked).
 */
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { OsState } from '../state/os-state.ts';

export interface ParserCounters {
  /** Placeholder rows made for tids nobody introduced. */
  placeholders: number;
  /** Events whose stored enter half was used / was missing. */
  storedEventsUsed: number;
  storedEventsMissing: number;
}

export class EventParser {
  readonly counters: ParserCounters;
  protected readonly state: OsState;

  constructor(state: OsState) {
    this.state = state;
    this.counters = { placeholders: 0, storedEventsUsed: 0, storedEventsMissing: 0 };
  }

  begin(_event: InspectedEvent): void {}

  parse(_event: InspectedEvent): void {}

  finish(_event: InspectedEvent): void {}
}
