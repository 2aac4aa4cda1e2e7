/** Keeps a live source capturing exactly what the state and the readers of the moment need. */
import type { CaptureEngine } from '../capture/capture-engine.ts';
import {
  addInterest,
  emptyInterest,
  GENERIC_INTEREST,
  type Interest,
  sameInterest,
  WANT_ALL,
} from '../capture/interest.ts';
import { PPME_GENERIC_X } from '../event/event-types.ts';
import type { EventReader } from './inspector.ts';

export class InterestTracker {
  /** Changes that went down to the engine. */
  changeCount: number;
  private readonly engine: CaptureEngine;
  /** What is always wanted. */
  private readonly base: Interest;
  private readonly readers: () => Iterable<EventReader>;
  private readonly unavailable: readonly number[];
  private applied: Interest | undefined;
  private isDue: boolean;

  /** `unavailable`: event types that are not captured, whoever wants them: each has an option of its own. */
  constructor(
    engine: CaptureEngine,
    base: Interest,
    readers: () => Iterable<EventReader>,
    unavailable: readonly number[] = [],
  ) {
    this.changeCount = 0;
    this.engine = engine;
    this.base = base;
    this.readers = readers;
    this.unavailable = unavailable;
    this.applied = undefined;
    this.isDue = false;
  }

  /** The readers, or what one of them wants, have changed. Changes of one turn of the loop go down together. */
  invalidate(): void {
    if (this.isDue || this.engine.setInterest === undefined) return;
    this.isDue = true;
    queueMicrotask(() => {
      this.isDue = false;
      this.apply();
    });
  }

  /** Tells the engine now, unless it knows. */
  apply(): void {
    if (this.engine.setInterest === undefined) return;
    const wanted = this.wanted();
    if (this.applied !== undefined && sameInterest(this.applied, wanted)) return;
    this.engine.setInterest(wanted);
    this.applied = wanted;
    this.changeCount++;
  }

  wanted(): Interest {
    const union = emptyInterest();
    addInterest(union, this.base);
    for (const reader of this.readers()) {
      if (reader.interest !== undefined) addInterest(union, reader.interest);
      else addTypes(union, reader.eventTypes);
    }
    for (const type of this.unavailable) union[type] = 0;
    return union;
  }
}

function addTypes(interest: Interest, eventTypes: Uint8Array): void {
  for (let type = 0; type < eventTypes.length; type++) {
    if (eventTypes[type] === 1) interest[type] = (interest[type] as number) | WANT_ALL;
  }
  if (eventTypes[PPME_GENERIC_X] !== 1) return;
  for (let at = GENERIC_INTEREST; at < interest.length; at++) interest[at] = WANT_ALL;
}
