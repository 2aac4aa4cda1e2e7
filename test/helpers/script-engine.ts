/** A source written out step by step: events, waits for input, and failures. */
import {
  type CaptureEngine,
  NEXT_END,
  NEXT_EVENT,
  NEXT_NEED_MORE,
  type NextResult,
} from '../../server/capture/capture-engine.ts';
import type { EventRecord } from '../../server/event/event-record.ts';
import type { SnapshotSink, ThreadEntry } from '../../server/event/snapshot.ts';
import { buildEventBytes, loadEvent } from './event-builder.ts';
import { threadEntry } from './parser-harness.ts';
import type { ScriptEvent } from './query-fixture.ts';

/** `need-more` waits for one `fill`; an error is thrown by `next`, or by the `fill` that a `fill-error` asks for. */
export type ScriptStep = ScriptEvent | 'need-more' | Error | { readonly fillError: Error };

export class ScriptEngine implements CaptureEngine {
  readonly name = 'savefile';
  readonly counters = { bytesRead: 0, unknownEvents: 0, absorbedEvents: 0, eventsLost: 0 };
  readonly totalBytes = 5000;
  isClosed = false;
  /** Events handed out so far. */
  eventCount = 0;
  /** Replaces what `fill` does. */
  onFill: (() => Promise<void>) | undefined;
  private readonly steps: readonly ScriptStep[];
  private readonly threads: readonly Partial<ThreadEntry>[];
  private at = 0;

  constructor(steps: readonly ScriptStep[], threads: readonly Partial<ThreadEntry>[] = []) {
    this.steps = steps;
    this.threads = threads;
  }

  async open(sink: SnapshotSink): Promise<void> {
    for (const entry of this.threads) sink.onThread(threadEntry(entry));
  }

  next(record: EventRecord): NextResult {
    const step = this.steps[this.at];
    if (step === undefined) return NEXT_END;
    if (step instanceof Error) throw step;
    if (step === 'need-more' || 'fillError' in step) return NEXT_NEED_MORE;
    this.at++;
    this.eventCount++;
    this.counters.bytesRead += 10;
    loadEvent(record, buildEventBytes(step.code, step.params, step), { num: this.eventCount, ...step });
    return NEXT_EVENT;
  }

  async fill(): Promise<void> {
    if (this.onFill !== undefined) return this.onFill();
    const step = this.steps[this.at];
    if (typeof step === 'object' && 'fillError' in step) throw step.fillError;
    this.at++;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

/** Events of one kind, numbered from 1. */
export function closeEvents(count: number, rest: Partial<ScriptEvent> = {}): ScriptEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    code: 'PPME_SYSCALL_CLOSE_X',
    params: { res: 0, fd: i },
    ...rest,
  }));
}
