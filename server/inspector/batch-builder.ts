/** Collects matched events into one encoded message. One builder serves one subscription for its whole life. */
import type { InspectedEvent } from '../state/inspected-event.ts';

export interface BatchBuilder {
  /** Events in the batch under construction. */
  readonly count: number;
  /** Size in bytes the batch would have now, within a few percent. */
  readonly byteLength: number;
  /** Adds the event; `matched` holds the ids of the filters that matched when there are several. */
  add(event: InspectedEvent, matched: readonly number[] | undefined): void;
  /** The encoded `StreamEventsResponse`, in memory of its own; the builder is empty afterwards. Only with `count` > 0. */
  finish(firstSequence: number): Uint8Array;
}
