/** Reads a whole capture file through engine, parser and state, and shows every event to a reader. */
import { SavefileEngine } from '../../server/capture/savefile/savefile-engine.ts';
import { PPM_EVENT_MAX } from '../../server/event/event-types.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import type { InspectedEvent } from '../../server/state/inspected-event.ts';
import { OsState } from '../../server/state/os-state.ts';

const BLOCK_BYTES_MAX = 64 * 1024 * 1024;
const EVENTS_PER_TURN = 4096;

export interface ReplayResult {
  readonly inspector: Inspector;
  readonly eventCount: number;
}

/** Throws what ended the capture early. */
export async function replay(path: string, onEvent: (event: InspectedEvent) => void): Promise<ReplayResult> {
  const engine = new SavefileEngine({ path, limits: { blockBytesMax: BLOCK_BYTES_MAX } });
  const inspector = new Inspector(new OsState(), engine, { eventsMax: 0, bytesMax: 0 });
  inspector.addReader({ eventTypes: new Uint8Array(PPM_EVENT_MAX).fill(1), isHolding: false, onEvent });
  try {
    await inspector.open();
    for (;;) {
      const result = inspector.run(EVENTS_PER_TURN);
      if (result === 'ended') break;
      if (result === 'need-input') await inspector.fill();
    }
  } finally {
    await engine.close();
  }
  if (inspector.error !== undefined) throw inspector.error;
  return { inspector, eventCount: inspector.counters.eventsShown };
}
