/** All recordings of one inspector: starts them between two events, and ends them with the source. */
import { EventRecord } from '../event/event-record.ts';
import { PPME_ASYNCEVENT_E } from '../event/event-types.ts';
import { StrataError } from '../event/strata-error.ts';
import { STATE_CHANGE_EVENT, supplementText } from '../event/supplement-text.ts';
import { compileTogether, FilterLimitError } from '../filter/filter.ts';
import { changedRows } from '../parser/state-supplement.ts';
import type { Inspector } from './inspector.ts';
import { captureEngineOf, nodeIdentityOf, type QueryContext } from './query/query-context.ts';
import { Recording, type RecordingLoop } from './recording.ts';
import { buildRecord } from './recording-events.ts';
import type { RecordingEnd, RecordingFeed, RecordingListener, RecordingRequest } from './recording-feed.ts';
import { filterFault } from './request-fault.ts';
import type { LoopView } from './subscription.ts';

/** What the recordings ask of the loop. */
export interface RecordingsHost {
  /** A recording has joined: the source need not wait for it any more. */
  onJoined(): void;
  /** Whether the loop may go on has changed. */
  wake(): void;
}

export class Recordings {
  private readonly inspector: Inspector;
  private readonly context: QueryContext;
  private readonly host: RecordingsHost;
  private readonly loop: RecordingLoop;
  private readonly open: Set<Recording>;

  constructor(inspector: Inspector, context: QueryContext, loop: LoopView, host: RecordingsHost) {
    this.inspector = inspector;
    this.context = context;
    this.host = host;
    this.loop = new LoopOf(inspector, loop);
    this.open = new Set();
  }

  /** To be called between events. The listener is called already. Throws StrataError INVALID_ARGUMENT for `condition`. */
  start(request: RecordingRequest, listener: RecordingListener): RecordingFeed {
    const { engine, state } = this.inspector;
    const recording = new Recording(request, compileCondition(request.condition), state, listener, this.loop);
    this.open.add(recording);
    recording.begin();
    this.inspector.addReader(recording);
    // Whoever gets the answer may count on it that what happens next is captured.
    this.inspector.interest.apply();
    this.host.onJoined();
    this.host.wake();
    const leave = (): void => {
      this.reap();
      this.host.wake();
    };
    return {
      started: {
        node: nodeIdentityOf(this.context),
        captureEngine: captureEngineOf(engine),
        captureName: this.context.captureName,
        captureBytes: engine.totalBytes,
      },
      ack: (bytes) => {
        recording.ack(bytes);
        this.host.wake();
      },
      stop: () => {
        recording.stop(BigInt(Date.now()) * 1_000_000n);
        leave();
      },
      cancel: () => {
        recording.cancel();
        leave();
      },
    };
  }

  /** Between two events: these threads have been looked up, and are not what the events made of them. */
  onThreadsChanged(tids: readonly number[]): void {
    if (this.open.size === 0 || tids.length === 0) return;
    const texts = Array.from(changedRows(this.inspector.state, tids), supplementText);
    const values = [0, STATE_CHANGE_EVENT, `[${texts.join(',')}]`];
    const record = buildRecord(PPME_ASYNCEVENT_E, values, this.loop.record);
    for (const recording of this.open) recording.onStateChange(record);
  }

  tick(): void {
    for (const recording of this.open) recording.tick();
  }

  /** Lets go of those that have ended. */
  reap(): void {
    for (const recording of this.open) {
      if (!recording.isEnded) continue;
      this.open.delete(recording);
      this.inspector.removeReader(recording);
    }
  }

  endAll(why: Pick<RecordingEnd, 'reason' | 'errorMessage' | 'errorOffset'>): void {
    for (const recording of this.open) recording.end(why);
    this.reap();
  }
}

class LoopOf implements RecordingLoop {
  private readonly inspector: Inspector;
  private readonly host: LoopView;

  constructor(inspector: Inspector, host: LoopView) {
    this.inspector = inspector;
    this.host = host;
  }

  get record(): EventRecord {
    if (this.inspector.counters.eventsRead > 0) return this.inspector.event.record;
    const ns = BigInt(Date.now()) * 1_000_000n;
    const record = new EventRecord();
    record.tsHi = Number(ns >> 32n);
    record.tsLo = Number(ns & 0xffffffffn);
    return record;
  }

  get eventsShown(): number {
    return this.host.eventsShown;
  }

  get lastNum(): number | undefined {
    return this.host.lastNum;
  }

  get lastTsNs(): bigint | undefined {
    return this.host.lastTsNs;
  }

  get captureBytesRead(): number | undefined {
    return this.host.captureBytesRead;
  }

  nowMs(): number {
    return this.host.nowMs();
  }
}

function compileCondition(condition: string) {
  try {
    const [filter] = compileTogether([condition], (_index, error) => {
      throw filterFault('condition', error);
    });
    if (filter === undefined) throw new Error('a condition compiles to one filter');
    return filter;
  } catch (error) {
    if (!(error instanceof FilterLimitError)) throw error;
    throw new StrataError(
      { code: 'RESOURCE_EXHAUSTED', message: error.message, reason: 'FILTER_LIMIT', field: 'condition' },
      { cause: error },
    );
  }
}
