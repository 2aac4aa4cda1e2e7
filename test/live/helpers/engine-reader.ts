/** An engine in this process, and the events it hands out as plain objects. What tests start here is captured: `captureSelf`. */
import { NEXT_EVENT } from '../../../server/capture/capture-engine.ts';
import { EbpfEngine } from '../../../server/capture/ebpf/ebpf-engine.ts';
import type { LiveOptions } from '../../../server/capture/live-options.ts';
import { EventRecord } from '../../../server/event/event-record.ts';
import { EVENT_TABLE } from '../../../server/event/event-table.ts';
import { LIVE_DEFAULTS } from './capture-request.ts';
import { IGNORING_SINK } from './ignoring-sink.ts';

export interface ReadEvent {
  readonly num: number;
  readonly name: string;
  readonly tid: number;
  readonly tsNs: bigint;
  /** Texts of its parameters, '' for those that are none. */
  readonly texts: readonly string[];
}

/** Both outcomes of the named events. */
export function interestIn(...names: readonly string[]): Uint8Array {
  const interest = new Uint8Array(EVENT_TABLE.length);
  for (const row of EVENT_TABLE) {
    if (names.includes(row.name)) interest[row.id] = 3;
  }
  return interest;
}

export class EngineReader {
  readonly engine: EbpfEngine;
  private readonly record: EventRecord;

  private constructor(engine: EbpfEngine) {
    this.engine = engine;
    this.record = new EventRecord();
  }

  static async open(interest: Uint8Array, options: Partial<LiveOptions> = {}): Promise<EngineReader> {
    const engine = new EbpfEngine(
      { ...LIVE_DEFAULTS, dropCapabilities: false, captureSelf: true, ...options },
      interest,
    );
    await engine.open(IGNORING_SINK);
    return new EngineReader(engine);
  }

  /** Reads until `isEnough` holds for an event, or `timeoutMs` has passed; returns all events read. */
  async readUntil(isEnough: (event: ReadEvent) => boolean, timeoutMs: number): Promise<ReadEvent[]> {
    const events: ReadEvent[] = [];
    const end = performance.now() + timeoutMs;
    while (performance.now() < end) {
      if (this.engine.next(this.record) !== NEXT_EVENT) {
        await this.engine.fill();
        continue;
      }
      const event = this.read();
      events.push(event);
      if (isEnough(event)) return events;
    }
    return events;
  }

  /** Reads all there is, for a while. */
  readFor(ms: number): Promise<ReadEvent[]> {
    return this.readUntil(() => false, ms);
  }

  private read(): ReadEvent {
    const { record } = this;
    const texts = record.info.params.map((param, i) =>
      /CHARBUF|PATH/.test(param.type) ? record.text(i) : '',
    );
    return { num: record.num, name: record.info.name, tid: record.tid, tsNs: record.timestampNs(), texts };
  }
}
