/** A live source in the hands of a test: events appear when pushed, losses when said, and what is wanted of it is written down. */
import {
  type CaptureEngine,
  NEXT_END,
  NEXT_EVENT,
  NEXT_NEED_MORE,
  type NextResult,
} from '../../server/capture/capture-engine.ts';
import type { CaptureStatus } from '../../server/capture/capture-status.ts';
import type { Interest } from '../../server/capture/interest.ts';
import type { EventRecord } from '../../server/event/event-record.ts';
import type { SnapshotSink, ThreadEntry } from '../../server/event/snapshot.ts';
import { buildEventBytes, loadEvent } from './event-builder.ts';
import { threadEntry } from './parser-harness.ts';
import type { ScriptEvent } from './query-fixture.ts';

export const LIVE_STATUS: CaptureStatus = {
  generated: 12,
  suppressed: 1,
  unread: 2,
  truncated: 3,
  failed: 0,
  lostByCause: [{ name: 'ring-full', count: 4 }],
  lostByType: [{ name: 'openat', count: 4 }],
  ringCount: 2,
  ringBytes: 8192,
  ringUsedBytes: 100,
  ringUsedBytesMax: 4000,
  systemCallsWanted: 70,
  snapshotSource: 'iterators',
  snapshotEndNs: 1_700_000_000_000_000_000n,
  snapshotThreads: 1,
  snapshotMs: 12.4,
  capabilities: ['CAP_BPF'],
  notes: ['no BTF'],
};

export class LiveScriptEngine implements CaptureEngine {
  readonly name = 'ebpf';
  readonly totalBytes = undefined;
  readonly counters = { bytesRead: 0, unknownEvents: 0, absorbedEvents: 0, eventsLost: 0 };
  /** Every `setInterest`, oldest first. */
  readonly interests: Interest[] = [];
  private readonly threads: readonly Partial<ThreadEntry>[];
  private readonly queue: ScriptEvent[] = [];
  private wake: (() => void) | undefined;
  private isClosed = false;
  private num = 0;

  constructor(threads: readonly Partial<ThreadEntry>[] = []) {
    this.threads = threads;
  }

  get interest(): Interest {
    return this.interests.at(-1) as Interest;
  }

  push(...events: readonly ScriptEvent[]): void {
    this.queue.push(...events);
    this.wake?.();
  }

  lose(count: number): void {
    this.counters.eventsLost += count;
    this.wake?.();
  }

  async open(sink: SnapshotSink): Promise<void> {
    for (const entry of this.threads) sink.onThread(threadEntry(entry));
  }

  next(record: EventRecord): NextResult {
    if (this.isClosed) return NEXT_END;
    const event = this.queue.shift();
    if (event === undefined) return NEXT_NEED_MORE;
    loadEvent(record, buildEventBytes(event.code, event.params, event), { num: ++this.num, ...event });
    return NEXT_EVENT;
  }

  async fill(): Promise<void> {
    if (this.queue.length > 0 || this.isClosed) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = undefined;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.wake?.();
  }

  setInterest(types: Interest): void {
    this.interests.push(types.slice());
  }

  status(): CaptureStatus {
    return LIVE_STATUS;
  }
}
