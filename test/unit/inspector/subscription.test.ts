import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamEventsResponse } from '../../../proto/gen/strata/v1/event_service.ts';
import { PPM_EVENT_MAX } from '../../../server/event/event-types.ts';
import { StrataError } from '../../../server/event/strata-error.ts';
import { ByteWriter } from '../../../server/fields/byte-writer.ts';
import { BatchEncoder } from '../../../server/inspector/batch-encoder.ts';
import type { FeedRequest } from '../../../server/inspector/event-feed.ts';
import { type ActiveFilter, type LoopView, Subscription } from '../../../server/inspector/subscription.ts';
import { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { buildEvent } from '../../helpers/event-builder.ts';
import { type FeedCall, FeedRecorder, feedRequest } from '../../helpers/feed-recorder.ts';

const TYPE = 3;

/** Matches the event numbers that `test` says. */
function filter(
  id: number,
  matches: (num: number) => boolean,
  types: readonly number[] = [TYPE],
): ActiveFilter {
  const eventTypes = new Uint8Array(PPM_EVENT_MAX);
  for (const type of types) eventTypes[type] = 1;
  return {
    row: { id, name: `f${id}`, condition: '' },
    compiled: {
      matches: (event) => matches(event.record.num),
      eventTypes,
      text: '',
      fields: [],
      warnings: [],
      root: undefined,
    },
  };
}

const ALL = filter(0, () => true);

function callAt<K extends FeedCall['kind']>(recorder: FeedRecorder, index: number, kind: K) {
  const call = recorder.calls.at(index);
  assert.equal(call?.kind, kind);
  return call as Extract<FeedCall, { readonly kind: K }>;
}

/** A loop around one subscription whose events are their numbers, one line each. */
class Bench implements LoopView {
  readonly recorder = new FeedRecorder();
  readonly subscription: Subscription;
  readonly captureBytesRead = 77;
  lastTsNs: bigint | undefined = 5n;
  lastNum: number | undefined = undefined;
  eventsShown = 10;
  now = 1_000_000;
  /** Bytes of the line of an event, where it is not just its number. */
  readonly lineBytes = new Map<number, number>();
  private readonly event: InspectedEvent;

  constructor(request: Partial<FeedRequest> = {}, filters: readonly ActiveFilter[] = [ALL]) {
    this.event = new InspectedEvent(buildEvent('PPME_SYSCALL_CLOSE_X'), new OsState());
    const encoder = BatchEncoder.lines(new ByteWriter(), ({ record }, out) => {
      out.latin1(`${String(record.num).padEnd(this.lineBytes.get(record.num) ?? 0, '.')}\n`);
    });
    this.subscription = new Subscription(feedRequest(request), filters, encoder, this.recorder, this);
  }

  nowMs(): number {
    return this.now;
  }

  show(...nums: readonly number[]): this {
    for (const num of nums) {
      this.event.record.num = num;
      this.lastNum = num;
      this.eventsShown++;
      this.subscription.onEvent(this.event);
    }
    return this;
  }

  /** Shows an event whose record is as long. */
  showLong(num: number, length: number): void {
    const short = this.event.record.length;
    this.event.record.length = length;
    this.show(num);
    this.event.record.length = short;
  }

  tickAfter(ms: number): void {
    this.now += ms;
    this.subscription.tick();
  }

  /** Gives all credit back. */
  ackAll(): void {
    this.subscription.ack(1_000_000_000);
  }

  /** `[first sequence, lines]` of the batches so far. */
  get batches(): [number, readonly string[]][] {
    return this.recorder.calls.flatMap((call) =>
      call.kind === 'batch' ? [[call.first, call.lines] as [number, readonly string[]]] : [],
    );
  }

  get losses() {
    return this.recorder.calls.flatMap((call) => (call.kind === 'loss' ? [call.loss] : []));
  }
}

test('a batch is sent when it has as many events as it may', () => {
  const bench = new Bench({ batchEventsMax: 3 }).show(1, 2, 3, 4, 5, 6, 7);
  assert.deepEqual(bench.batches, [
    [0, ['1', '2', '3']],
    [3, ['4', '5', '6']],
  ]);
  assert.deepEqual(
    bench.recorder.batches.map(({ count, firstNum, lastNum }) => [count, firstNum, lastNum]),
    [
      [3, 1, 3],
      [3, 4, 6],
    ],
  );
});

test('a batch is sent when it has as many bytes as it may', () => {
  // A line of three digits takes four bytes and one for its length.
  const bench = new Bench({ batchBytesMax: 10 }).show(100, 101, 102);
  assert.deepEqual(bench.batches, [[0, ['100', '101']]]);
});

test('a batch is sent when its first event has waited long enough', () => {
  const bench = new Bench({ batchLatencyMs: 100 });
  bench.tickAfter(1000);
  bench.show(1);
  bench.tickAfter(60);
  bench.show(2);
  bench.tickAfter(39);
  assert.deepEqual(bench.batches, []);
  bench.tickAfter(1);
  assert.deepEqual(bench.batches, [[0, ['1', '2']]]);
  bench.tickAfter(1000);
  assert.equal(bench.batches.length, 1);
});

test('events that do not match take no sequence number', () => {
  const bench = new Bench({ batchEventsMax: 2 }, [filter(0, (num) => num % 2 === 0)]);
  bench.show(1, 2, 3, 4, 5, 6, 7, 8);
  assert.deepEqual(bench.batches, [
    [0, ['2', '4']],
    [2, ['6', '8']],
  ]);
});

test('without credit matched events are lost, and told exactly before the next batch', () => {
  const bench = new Bench({ batchEventsMax: 1, creditBytes: 1 }, [filter(0, (num) => num !== 6)]);
  bench.show(4, 5, 6, 9, 14, 15);
  assert.deepEqual(bench.recorder.kinds, ['batch']);
  bench.ackAll();
  bench.show(20);
  assert.deepEqual(bench.recorder.kinds, ['batch', 'loss', 'batch']);
  assert.deepEqual(bench.losses, [
    { cause: 'backlog-full', count: 4, firstSequence: 1, firstNum: 5, lastNum: 15 },
  ]);
  assert.deepEqual(bench.batches, [
    [0, ['4']],
    [5, ['20']],
  ]);
});

test('credit counts bytes: as long as some is left, events are taken', () => {
  const bench = new Bench({ batchEventsMax: 1, creditBytes: 1_000_000 }).show(1);
  const size = bench.recorder.batches[0]?.bytes.byteLength ?? 0;
  const tight = new Bench({ batchEventsMax: 1, creditBytes: 2 * size + 1 }).show(1, 2, 3, 4);
  assert.equal(tight.batches.length, 3);
  tight.subscription.ack(size - 2);
  tight.show(5);
  assert.equal(tight.losses.length, 0);
  tight.subscription.ack(size);
  assert.deepEqual(
    tight.losses.map(({ count, firstNum, lastNum }) => [count, firstNum, lastNum]),
    [[2, 4, 5]],
  );
  tight.show(6);
  assert.deepEqual(tight.batches.at(-1), [5, ['6']]);
});

test('losses apart from each other are told apart', () => {
  const bench = new Bench({ batchEventsMax: 1, creditBytes: 1 }).show(1, 2);
  bench.ackAll();
  bench.show(3, 4, 5);
  bench.ackAll();
  assert.deepEqual(
    bench.losses.map(({ count, firstSequence, firstNum, lastNum }) => [
      count,
      firstSequence,
      firstNum,
      lastNum,
    ]),
    [
      [1, 1, 2, 2],
      [2, 3, 4, 5],
    ],
  );
});

test('a subscription that holds the source loses nothing: it holds without credit and goes on with an ack', () => {
  const bench = new Bench({ batchEventsMax: 1, creditBytes: 1, holdsSource: true });
  assert.equal(bench.subscription.isHolding, false);
  bench.show(1);
  assert.equal(bench.subscription.isHolding, true);
  // What was under way when it began to hold is taken nevertheless.
  bench.show(2);
  assert.equal(bench.subscription.isHolding, true);
  bench.ackAll();
  assert.equal(bench.subscription.isHolding, false);
  bench.show(3);
  assert.deepEqual(bench.recorder.lines, ['1', '2', '3']);
  assert.deepEqual(bench.losses, []);
});

test('a subscription that drops never holds, and one that has ended does not either', () => {
  const dropping = new Bench({ batchEventsMax: 1, creditBytes: 1 }).show(1, 2);
  assert.equal(dropping.subscription.isHolding, false);
  const ended = new Bench({ batchEventsMax: 1, creditBytes: 1, holdsSource: true }).show(1);
  ended.subscription.cancel();
  assert.equal(ended.subscription.isHolding, false);
});

test('the feed ends behind as many matched events as asked for', () => {
  const bench = new Bench({ eventsMax: 3 }, [filter(0, (num) => num % 2 === 1)]);
  bench.show(1, 2, 3, 4, 5, 6, 7);
  assert.deepEqual(bench.recorder.kinds, ['batch', 'end']);
  assert.deepEqual(bench.recorder.lines, ['1', '3', '5']);
  const end = callAt(bench.recorder, -1, 'end');
  assert.equal(end.end.reason, 'events-max');
  assert.equal(end.end.matchedCount, 3);
  assert.equal(end.end.seenCount, 5);
  assert.equal(end.end.lastNum, 5);
  assert.equal(bench.subscription.isEnded, true);
});

test('lost events count towards the events asked for and are told before the end', () => {
  const bench = new Bench({ eventsMax: 3, batchEventsMax: 1, creditBytes: 1 }).show(1, 2, 3, 4);
  assert.deepEqual(bench.recorder.kinds, ['batch', 'loss', 'end']);
  assert.deepEqual(bench.losses[0]?.count, 2);
});

test('with several filters every event says which matched', () => {
  const even = filter(7, (num) => num % 2 === 0);
  const third = filter(9, (num) => num % 3 === 0);
  const bench = new Bench({ batchEventsMax: 4 }, [even, third]).show(1, 2, 3, 4, 5, 6);
  const { message } = StreamEventsResponse.decode(bench.recorder.batches[0]?.bytes ?? new Uint8Array(0));
  assert.ok(message?.$case === 'batch');
  assert.deepEqual(bench.recorder.lines, ['2', '3', '4', '6']);
  assert.deepEqual(message.value.matchedFilterIds, [7, 9, 7, 7, 9]);
  assert.deepEqual(message.value.matchedFilterCounts, [1, 1, 1, 2]);
});

test('the event types are those of any filter', () => {
  const bench = new Bench({}, [filter(0, () => true, [3, 8]), filter(1, () => true, [8, 9])]);
  const types = [...bench.subscription.eventTypes.entries()].flatMap(([type, wanted]) =>
    wanted ? [type] : [],
  );
  assert.deepEqual(types, [3, 8, 9]);
});

test('filters are replaced between two events: what matched before stands before the change', () => {
  const bench = new Bench({}, [filter(0, (num) => num < 10)]).show(1, 2);
  const after = filter(4, (num) => num > 2, [5]);
  bench.subscription.setFilters([after]);
  bench.show(3);
  bench.subscription.end({ reason: 'shutdown' });
  assert.deepEqual(bench.recorder.kinds, ['batch', 'filters', 'batch', 'end']);
  assert.deepEqual(bench.batches, [
    [0, ['1', '2']],
    [2, ['3']],
  ]);
  const call = callAt(bench.recorder, 1, 'filters');
  assert.deepEqual(call.change, { filters: [after.row], nextSequence: 2 });
  assert.equal(bench.subscription.eventTypes[5], 1);
  assert.equal(bench.subscription.eventTypes[TYPE], 0);
});

test('events lost before a change of filters are told before it', () => {
  const bench = new Bench({ batchEventsMax: 1, creditBytes: 1 }).show(1, 2, 3);
  bench.subscription.setFilters([ALL]);
  assert.deepEqual(bench.recorder.kinds, ['batch', 'loss', 'filters']);
});

test('filters of a feed that has ended cannot be replaced, and nothing follows its end', () => {
  const bench = new Bench();
  bench.subscription.end({ reason: 'capture-end' });
  assert.throws(
    () => bench.subscription.setFilters([ALL]),
    (error) => error instanceof StrataError && error.code === 'NOT_FOUND',
  );
  assert.deepEqual(bench.recorder.kinds, ['end']);
});

test('the end delivers what matched, tells what was lost, and is the last word', () => {
  const bench = new Bench({ batchEventsMax: 2, creditBytes: 1 }).show(1, 2, 3);
  bench.subscription.end({ reason: 'capture-error', errorMessage: 'torn', errorOffset: 99 });
  bench.subscription.end({ reason: 'shutdown' });
  bench.show(4);
  bench.tickAfter(100_000);
  bench.ackAll();
  assert.deepEqual(bench.recorder.kinds, ['batch', 'loss', 'end']);
  const end = callAt(bench.recorder, 2, 'end');
  assert.deepEqual(end.end, {
    reason: 'capture-error',
    errorMessage: 'torn',
    errorOffset: 99,
    seenCount: 3,
    matchedCount: 3,
    lastNum: 3,
    captureBytesRead: 77,
    lostCompletionCount: 0,
  });
});

test('a cancelled feed says nothing more', () => {
  const bench = new Bench().show(1);
  bench.subscription.cancel();
  bench.show(2);
  bench.tickAfter(100_000);
  bench.subscription.end({ reason: 'shutdown' });
  assert.deepEqual(bench.recorder.calls, []);
});

test('an event too large for a message is lost alone when its record is large', () => {
  const bench = new Bench({ batchBytesMax: 2_000_000 });
  bench.lineBytes.set(2, 4_000_001);
  bench.show(1);
  bench.showLong(2, 4_000_001);
  bench.show(3);
  bench.subscription.end({ reason: 'shutdown' });
  assert.deepEqual(bench.recorder.kinds, ['batch', 'loss', 'batch', 'end']);
  assert.deepEqual(bench.losses, [
    { cause: 'event-too-large', count: 1, firstSequence: 1, firstNum: 2, lastNum: 2 },
  ]);
  assert.deepEqual(bench.batches, [
    [0, ['1']],
    [2, ['3']],
  ]);
});

test('an event too large for a message takes no credit', () => {
  const bench = new Bench({ creditBytes: 10, holdsSource: true });
  bench.lineBytes.set(1, 4_000_001);
  bench.showLong(1, 4_000_001);
  assert.equal(bench.subscription.isHolding, false);
});

test('a mark comes at its interval, behind every match before it', () => {
  const bench = new Bench({ markIntervalMs: 500, batchLatencyMs: 10_000 }).show(1, 2);
  bench.tickAfter(499);
  assert.deepEqual(bench.recorder.calls, []);
  bench.tickAfter(1);
  assert.deepEqual(bench.recorder.kinds, ['batch', 'mark']);
  const { mark } = callAt(bench.recorder, 1, 'mark');
  assert.deepEqual(mark, {
    watermarkNum: 2,
    watermarkTsNs: 5n,
    nextSequence: 2,
    captureBytesRead: 77,
    lostCompletionCount: 0,
  });
  bench.tickAfter(499);
  assert.equal(bench.recorder.calls.length, 2);
});

test('a mark tells of losses before it', () => {
  const bench = new Bench({ markIntervalMs: 500, batchEventsMax: 1, creditBytes: 1 }).show(1, 2);
  bench.tickAfter(500);
  assert.deepEqual(bench.recorder.kinds, ['batch', 'loss', 'mark']);
});

type Step = { readonly show: boolean } | { readonly ack: number } | { readonly tick: number };

const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ show: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ ack: fc.nat(80) }) },
    { weight: 1, arbitrary: fc.record({ tick: fc.nat(150) }) },
  ),
  { maxLength: 200 },
);

test('batches and losses together are every match, once and in order, whatever happens', () => {
  const limits = fc.record({
    batchEventsMax: fc.integer({ min: 1, max: 5 }),
    batchBytesMax: fc.integer({ min: 1, max: 40 }),
    creditBytes: fc.integer({ min: 1, max: 120 }),
  });
  fc.assert(
    fc.property(limits, STEPS, (request, steps) => {
      const matching = new Set<number>();
      const bench = new Bench(request, [filter(0, (num) => matching.has(num))]);
      let num = 0;
      for (const step of steps) {
        if ('tick' in step) bench.tickAfter(step.tick);
        else if ('ack' in step) bench.subscription.ack(step.ack);
        else {
          num += 3;
          if (step.show) matching.add(num);
          bench.show(num);
        }
      }
      bench.subscription.end({ reason: 'capture-end' });
      const matched = [...matching];
      let next = 0;
      for (const call of bench.recorder.calls) {
        if (call.kind === 'batch') {
          assert.equal(call.first, next);
          assert.deepEqual(call.lines, matched.slice(next, next + call.lines.length).map(String));
          next += call.lines.length;
        } else if (call.kind === 'loss') {
          const { loss } = call;
          assert.equal(loss.firstSequence, next);
          assert.equal(loss.firstNum, matched[next]);
          next += loss.count;
          assert.equal(loss.lastNum, matched[next - 1]);
        }
      }
      assert.equal(next, matched.length);
    }),
    { numRuns: 300 },
  );
});
