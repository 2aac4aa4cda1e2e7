/** An inspector over a written-out source, and questions to it. */
import {
  type CaptureEngine,
  NEXT_END,
  NEXT_EVENT,
  type NextResult,
} from '../../server/capture/capture-engine.ts';
import type { EventRecord } from '../../server/event/event-record.ts';
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  SnapshotSink,
  ThreadEntry,
  UserEntry,
} from '../../server/event/snapshot.ts';
import { StrataError } from '../../server/event/strata-error.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import type { Queries, QueryKind } from '../../server/inspector/queries.ts';
import { answerQuery } from '../../server/inspector/query/answer-query.ts';
import type { QueryContext } from '../../server/inspector/query/query-context.ts';
import type { RetentionLimits } from '../../server/inspector/retained-events.ts';
import { OsState, type StateLimits } from '../../server/state/os-state.ts';
import { buildEventBytes, type EventOptions, loadEvent, type ParamValue } from './event-builder.ts';
import { TEST_LIMITS, threadEntry } from './parser-harness.ts';
import { fdRow, machineRow } from './scap-rows.ts';

export interface ScriptEvent extends EventOptions {
  readonly code: string;
  readonly params?: Readonly<Record<string, ParamValue>> | undefined;
}

/** Initial state and events of a source; events are numbered from 1 unless they say otherwise. */
export interface Script {
  readonly threads?: readonly Partial<ThreadEntry>[] | undefined;
  readonly fds?: readonly (readonly [tid: number, entries: readonly Partial<FdEntry>[]])[] | undefined;
  readonly users?: readonly UserEntry[] | undefined;
  readonly groups?: readonly GroupEntry[] | undefined;
  readonly interfaces?: readonly InterfaceEntry[] | undefined;
  readonly events?: readonly ScriptEvent[] | undefined;
}

export interface FixtureOptions {
  readonly retention?: RetentionLimits | undefined;
  readonly limits?: Partial<StateLimits> | undefined;
  readonly nodeName?: string | undefined;
}

export const TEST_BOOT_NS = 1_600_000_000_000_000_000n;
const RETENTION: RetentionLimits = { eventsMax: 64, bytesMax: 65_536 };

export class QueryFixture {
  readonly inspector: Inspector;
  readonly context: QueryContext;

  private constructor(script: Script, options: FixtureOptions) {
    const state = new OsState({ ...TEST_LIMITS, ...options.limits });
    this.inspector = new Inspector(state, new ScriptEngine(script), options.retention ?? RETENTION);
    this.context = {
      inspector: this.inspector,
      nodeName: options.nodeName ?? '',
      captureName: 'script.scap',
      subscriptionCount: () => 0,
    };
  }

  /** Takes over the initial state and the first `events` events. */
  static async open(
    script: Script,
    events = Number.POSITIVE_INFINITY,
    options: FixtureOptions = {},
  ): Promise<QueryFixture> {
    const fixture = new QueryFixture(script, options);
    await fixture.inspector.open();
    fixture.run(events);
    return fixture;
  }

  /** Takes further events. */
  run(events = Number.POSITIVE_INFINITY): void {
    this.inspector.run(Math.min(events, 1 << 20));
  }

  ask<K extends QueryKind>(kind: K, request: Queries[K]['request']): Queries[K]['response'] {
    return answerQuery(kind, request, this.context);
  }

  /** The refusal of a question; fails when it is answered. */
  refusal<K extends QueryKind>(kind: K, request: Queries[K]['request']): StrataError {
    try {
      this.ask(kind, request);
    } catch (error) {
      if (error instanceof StrataError) return error;
      throw error;
    }
    throw new Error(`${kind} was answered`);
  }
}

/** `scope` for the state as of an event. */
export function asOf(eventNumber: number): { subscriptionId: string; eventNumber: bigint } {
  return { subscriptionId: '', eventNumber: BigInt(eventNumber) };
}

class ScriptEngine implements CaptureEngine {
  readonly name = 'savefile';
  readonly counters = { bytesRead: 4321, unknownEvents: 0, absorbedEvents: 0, eventsLost: 0 };
  readonly totalBytes = 5000;
  private readonly script: Script;
  private at: number;

  constructor(script: Script) {
    this.script = script;
    this.at = 0;
  }

  async open(sink: SnapshotSink): Promise<void> {
    const { threads, fds, users, groups, interfaces } = this.script;
    sink.onMachine(machineRow({ bootTsNs: TEST_BOOT_NS }));
    sink.onInterfaces(interfaces ?? []);
    for (const entry of users ?? []) sink.onUser(entry);
    for (const entry of groups ?? []) sink.onGroup(entry);
    for (const entry of threads ?? []) sink.onThread(threadEntry(entry));
    for (const [tid, entries] of fds ?? [])
      sink.onFds(
        tid,
        entries.map((entry) => fdRow({ ino: 0, type: 1, ...entry })),
      );
  }

  next(record: EventRecord): NextResult {
    const event = this.script.events?.[this.at];
    if (event === undefined) return NEXT_END;
    this.at++;
    loadEvent(record, buildEventBytes(event.code, event.params, event), { num: this.at, ...event });
    return NEXT_EVENT;
  }

  async fill(): Promise<void> {
    throw new Error('everything is there already');
  }

  async close(): Promise<void> {}
}
