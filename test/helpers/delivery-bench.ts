/** Subscriptions over a scripted source, in which a test says what containers are waited for and when they become known. */
import { ColumnReader, type EventValue } from '../../client/column-reader.ts';
import type { EventBatch } from '../../proto/gen/strata/v1/event_service.ts';
import { CompletionOutcome, StreamEventsResponse } from '../../proto/gen/strata/v1/event_service.ts';
import type { FieldSchema } from '../../proto/gen/strata/v1/value.ts';
import { bareContainer } from '../../server/container/container-rows.ts';
import type { ThreadEntry } from '../../server/event/snapshot.ts';
import type { FeedRequest } from '../../server/inspector/event-feed.ts';
import { DEFAULT_HOLD_LIMITS, HeldEvents, type HoldLimits } from '../../server/inspector/held-events.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import type { SettleOutcome } from '../../server/inspector/pending-containers.ts';
import { type LoopView, Subscription } from '../../server/inspector/subscription.ts';
import { compileFilters, compileSubscription } from '../../server/inspector/subscription-compiler.ts';
import type { ContainerRow } from '../../server/state/container-table.ts';
import { OsState } from '../../server/state/os-state.ts';
import { FeedRecorder, feedRequest } from './feed-recorder.ts';
import { LiveScriptEngine } from './live-script-engine.ts';
import { TEST_LIMITS } from './parser-harness.ts';
import type { ScriptEvent } from './query-fixture.ts';
import { cgroupsOf, containerId } from './tracker-bench.ts';

/** The first moment there is; options and deadlines count from it. */
const START_NS = 1_700_000_000_000_000_000n;
const MS_NS = 1_000_000n;

export interface BenchOptions {
  readonly hold?: Partial<HoldLimits>;
  readonly undoEntriesMax?: number;
  readonly retainEvents?: number;
  readonly threads?: readonly Partial<ThreadEntry>[];
}

/** A completion in readable terms. Values by field name: one per sequence. */
export interface ReadCompletion {
  readonly sequences: readonly number[];
  readonly outcome: 'complete' | 'timed-out' | 'failed';
  readonly containerId: string;
  readonly fields: readonly string[];
  readonly values: Readonly<Record<string, readonly EventValue[]>>;
}

const OUTCOMES = new Map<number, ReadCompletion['outcome']>([
  [CompletionOutcome.COMPLETE, 'complete'],
  [CompletionOutcome.TIMED_OUT, 'timed-out'],
  [CompletionOutcome.FAILED, 'failed'],
]);

/** One subscription and what it was sent. */
export class BenchFeed {
  readonly recorder = new FeedRecorder();
  readonly subscription: Subscription;
  readonly schema: readonly FieldSchema[];

  constructor(subscribe: (recorder: FeedRecorder) => Subscription, schema: readonly FieldSchema[]) {
    this.subscription = subscribe(this.recorder);
    this.schema = schema;
  }

  /** Lines of all events so far; those marked as incomplete end with ` ?`. */
  get lines(): string[] {
    this.subscription.flushFresh(0);
    return this.recorder.batches.flatMap((batch) => {
      const { rendered, incompleteRows } = batchOf(batch.bytes);
      const lines = rendered.toString('latin1').split('\n').slice(0, -1);
      return lines.map((line, i) => (incompleteRows.includes(i) ? `${line} ?` : line));
    });
  }

  /** Since the last call. */
  takeLines(): string[] {
    const { lines } = this;
    this.recorder.batches.length = 0;
    return lines;
  }

  get batches(): EventBatch[] {
    this.subscription.flushFresh(0);
    return this.recorder.batches.map(({ bytes }) => batchOf(bytes));
  }

  /** Bytes of each completion. */
  get completionSizes(): number[] {
    return this.recorder.calls.flatMap((call) =>
      call.kind === 'completion' ? [call.completion.bytes.byteLength] : [],
    );
  }

  get completions(): ReadCompletion[] {
    return this.recorder.calls.flatMap((call) =>
      call.kind === 'completion' ? [readCompletion(call.completion.bytes, this.schema)] : [],
    );
  }
}

export class DeliveryBench implements LoopView {
  readonly engine: LiveScriptEngine;
  readonly inspector: Inspector;
  readonly held: HeldEvents;
  readonly captureBytesRead = undefined;
  readonly feeds: BenchFeed[] = [];
  /** Milliseconds since the first moment. */
  private now = 0;

  constructor(options: BenchOptions = {}) {
    this.engine = new LiveScriptEngine([
      { tid: 1, pid: 1, cgroups: cgroupsOf('') },
      ...(options.threads ?? []),
    ]);
    const limits = { ...TEST_LIMITS, undoEntriesMax: options.undoEntriesMax ?? TEST_LIMITS.undoEntriesMax };
    this.inspector = new Inspector(new OsState(limits), this.engine, {
      eventsMax: options.retainEvents ?? 0,
      bytesMax: 65_536,
    });
    const { state, pending, delivery } = this.inspector;
    const hold = { ...DEFAULT_HOLD_LIMITS, ...options.hold };
    this.held = new HeldEvents(state, pending, delivery, hold, () => this.now, this.inspector.held);
  }

  get eventsShown(): number {
    return this.inspector.counters.eventsShown;
  }

  get lastNum(): number | undefined {
    return this.inspector.event.record.num;
  }

  get lastTsNs(): bigint | undefined {
    return START_NS + BigInt(this.now) * MS_NS;
  }

  get counters() {
    return this.inspector.delivery;
  }

  nowMs(): number {
    return this.now;
  }

  async open(): Promise<this> {
    await this.inspector.open();
    return this;
  }

  subscribe(request: Partial<FeedRequest>): BenchFeed {
    const full = feedRequest(request);
    const context = {
      inspector: this.inspector,
      nodeName: '',
      captureName: '',
      subscriptionCount: () => this.feeds.length,
    };
    const { filters, encoder, fields, schemaFields, started } = compileSubscription(full, context);
    const late = { held: this.held, fields: schemaFields };
    const feed = new BenchFeed(
      (recorder) => new Subscription(full, filters, encoder, recorder, this, fields, late),
      started.schema,
    );
    this.inspector.addReader(feed.subscription);
    this.feeds.push(feed);
    return feed;
  }

  setFilter(feed: BenchFeed, condition: string): void {
    feed.subscription.setFilters(compileFilters([{ id: 0, name: '', condition }]));
  }

  /** Takes these events now. */
  run(...events: readonly ScriptEvent[]): this {
    const ts = START_NS + BigInt(Math.round(this.now * 1e6));
    this.engine.push(...events.map((event) => ({ ts, ...event })));
    this.inspector.run(1_000_000);
    return this;
  }

  /** Time passes, and what has waited long enough is looked for. */
  pass(ms: number): this {
    this.now += ms;
    this.held.tick();
    return this;
  }

  /** Time passes without anybody looking at the clock. */
  passUnseen(ms: number): this {
    this.now += ms;
    return this;
  }

  wait(name: string): this {
    this.inspector.pending.begin(containerId(name));
    return this;
  }

  settle(name: string, outcome: SettleOutcome): this {
    this.inspector.pending.settle(containerId(name), outcome);
    return this;
  }

  /** Its metadata arrives, with users and groups if any, and the wait for it ends. */
  know(
    name: string,
    row: Partial<ContainerRow> = {},
    users: readonly (readonly [number, string])[] = [],
  ): this {
    this.learn(name, row, users);
    return this.settle(name, 'complete');
  }

  learn(
    name: string,
    row: Partial<ContainerRow> = {},
    users: readonly (readonly [number, string])[] = [],
  ): void {
    const fullId = containerId(name);
    const { containers, users: userTable, groups } = this.inspector.state;
    containers.set(fullId, {
      ...bareContainer(fullId, 'docker'),
      name: `name-${name}`,
      image: `image-${name}`,
      labels: new Map([['app', name]]),
      isComplete: true,
      ...row,
    });
    for (const [uid, user] of users) {
      userTable.set(fullId, uid, { uid, gid: uid, name: user, homedir: `/home/${user}`, shell: '/bin/sh' });
      groups.set(fullId, uid, { gid: uid, name: `${user}s` });
    }
  }
}

function batchOf(bytes: Uint8Array): EventBatch {
  const { message } = StreamEventsResponse.decode(bytes);
  if (message?.$case !== 'batch') throw new Error('not a batch');
  return message.value;
}

function readCompletion(bytes: Uint8Array, schema: readonly FieldSchema[]): ReadCompletion {
  const { message } = StreamEventsResponse.decode(bytes);
  if (message?.$case !== 'completion') throw new Error('not a completion');
  const { sequences, fieldIndexes, columns, outcome, containerId: fullId } = message.value;
  const values: Record<string, EventValue[]> = {};
  fieldIndexes.forEach((index, i) => {
    const field = schema[index];
    const column = columns[i];
    if (field === undefined || column === undefined)
      throw new Error('fields, columns and schema do not agree');
    const reader = new ColumnReader(field, column, sequences.length);
    values[field.name] = sequences.map((_, row) => reader.value(row));
  });
  return {
    sequences: sequences.map(Number),
    outcome: OUTCOMES.get(outcome) ?? 'failed',
    containerId: fullId,
    fields: Object.keys(values),
    values,
  };
}
