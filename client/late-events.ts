/**
 * Puts completions into the events they are about: events that were sent incomplete wait for theirs, bounded, and come out with
 * the late values in place. Others pass them.
 */
import type { StreamedEvent } from './event-batch.ts';
import type { EventCompletion } from './event-completion.ts';

export class LateEvents {
  private readonly eventsMax: number;
  private readonly waiting: Map<bigint, StreamedEvent>;

  /** At most `eventsMax` wait; the oldest go as they are when there are more. */
  constructor(eventsMax: number) {
    this.eventsMax = eventsMax;
    this.waiting = new Map();
  }

  /** Events that go out now that this one has come. */
  add(event: StreamedEvent): readonly StreamedEvent[] {
    if (!event.isIncomplete) return [event];
    this.waiting.set(event.sequence, event);
    if (this.waiting.size <= this.eventsMax) return [];
    for (const [sequence, oldest] of this.waiting) {
      this.waiting.delete(sequence);
      return [oldest];
    }
    return [];
  }

  /** Events that go out with what has become known of them. */
  complete(completion: EventCompletion): readonly StreamedEvent[] {
    const events: StreamedEvent[] = [];
    completion.sequences.forEach((sequence, row) => {
      const event = this.waiting.get(sequence);
      if (event === undefined) return;
      this.waiting.delete(sequence);
      event.complete(completion, row);
      events.push(event);
    });
    return events;
  }

  /** Everything that still waits, as it is. */
  takeAll(): readonly StreamedEvent[] {
    const events = [...this.waiting.values()];
    this.waiting.clear();
    return events;
  }
}
