/** What answering reuses from one question to the next; one per inspector. */
import { EventRecord } from '../../event/event-record.ts';
import { InspectedEvent } from '../../state/inspected-event.ts';
import { ThreadInfo } from '../../state/thread-info.ts';
import type { Inspector } from '../inspector.ts';
import { BoundFieldCache } from './bound-fields.ts';

export class QueryScratch {
  /** A retained event, restored. The loop's own event stays as it is. */
  readonly restored: InspectedEvent;
  /** Stands for the event where fields are read of something that is none: it has a time and no parameters. */
  readonly eventless: InspectedEvent;
  /** Stands for the thread where fields are read of a container. */
  readonly containerThread: ThreadInfo;
  readonly boundFields: BoundFieldCache;

  constructor(inspector: Inspector) {
    const { state } = inspector;
    this.restored = new InspectedEvent(new EventRecord(), state);
    this.eventless = new InspectedEvent(new EventRecord(), state);
    this.containerThread = new ThreadInfo(-1, -1, state.threads.orphanFds);
    this.boundFields = new BoundFieldCache();
  }
}

const scratches = new WeakMap<Inspector, QueryScratch>();

export function scratchOf(inspector: Inspector): QueryScratch {
  let scratch = scratches.get(inspector);
  if (scratch === undefined) {
    scratch = new QueryScratch(inspector);
    scratches.set(inspector, scratch);
  }
  return scratch;
}
