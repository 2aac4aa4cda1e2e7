import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EndReason, GapCause } from '../../../proto/gen/strata/v1/event_service.ts';
import { StrataError } from '../../../server/event/strata-error.ts';
import { encodeMessage } from '../../../server/stream/stream-messages.ts';
import { type OverflowPolicyName, Subscriber } from '../../../server/stream/subscriber.ts';
import {
  FakeFeed,
  FakeSink,
  fakeBatch,
  fakeCompletion,
  fakeEnd,
  fakeMark,
  ManualClock,
} from '../../helpers/fake-stream.ts';

const STARTED = encodeMessage({
  $case: 'heartbeat',
  value: {
    watermarkEventNumber: undefined,
    watermarkTimestampNs: undefined,
    lagNs: undefined,
    nextSequence: 0n,
    resumeToken: Buffer.alloc(0),
    captureBytesRead: undefined,
    lostCompletionCount: 0n,
  },
});

function setUp(policy: OverflowPolicyName, backlogBytesMax: number, highWater = 1) {
  const sink = new FakeSink(highWater);
  const feed = new FakeFeed();
  const clock = new ManualClock();
  let closedCount = 0;
  const options = { policy, backlogBytesMax, isLive: true, disconnectGraceMs: 1000 };
  const subscriber = new Subscriber(sink, options, clock, () => {
    closedCount++;
  });
  subscriber.start(feed, STARTED);
  sink.messages.length = 0;
  return {
    sink,
    feed,
    clock,
    subscriber,
    closedCount: () => closedCount,
    readAll() {
      while (sink.flush(() => subscriber.onDrain()));
    },
  };
}

test('a client that keeps up gets every batch and the totals', () => {
  const { sink, feed, subscriber, readAll, closedCount } = setUp('drop-oldest', 1000);
  for (let i = 0; i < 5; i++) {
    subscriber.onBatch(fakeBatch(i * 3, 3, 400));
    readAll();
  }
  subscriber.onEnd(fakeEnd(15));
  readAll();
  assert.deepEqual(sink.kinds(), ['batch', 'batch', 'batch', 'batch', 'batch', 'ended']);
  const last = sink.messages.at(-1);
  assert.ok(last?.$case === 'ended');
  assert.equal(last.value.reason, EndReason.CAPTURE_END);
  assert.deepEqual([last.value.matchedCount, last.value.sentCount, last.value.lostCount], [15n, 15n, 0n]);
  assert.ok(sink.isEnded);
  assert.equal(closedCount(), 1);
  assert.ok(feed.ackedBytes > 2000);
});

test('DROP_OLDEST puts one gap in front of what is kept', () => {
  const { sink, subscriber, readAll } = setUp('drop-oldest', 1000);
  // The sink is full with the first message; the rest waits: room for two batches of 400 bytes.
  for (let i = 0; i < 6; i++) subscriber.onBatch(fakeBatch(i * 10, 10, 400));
  readAll();
  assert.deepEqual(sink.kinds(), ['gap', 'batch', 'batch']);
  const [gap, batch] = sink.messages;
  assert.ok(gap?.$case === 'gap' && batch?.$case === 'batch');
  assert.equal(gap.value.cause, GapCause.BACKLOG_FULL);
  assert.deepEqual(
    [
      gap.value.lostCount,
      gap.value.firstSequence,
      gap.value.firstEventNumber,
      gap.value.lastEventNumber,
      batch.value.firstSequence,
    ],
    [40n, 0n, 0n, 390n, 40n],
  );
});

test('DROP_NEWEST keeps what waits and puts the gap behind it', () => {
  const { sink, subscriber, readAll } = setUp('drop-newest', 1000);
  for (let i = 0; i < 6; i++) subscriber.onBatch(fakeBatch(i * 10, 10, 400));
  readAll();
  subscriber.onBatch(fakeBatch(60, 10, 400));
  readAll();
  assert.deepEqual(sink.kinds(), ['batch', 'batch', 'gap', 'batch']);
  const gap = sink.messages[2];
  assert.ok(gap?.$case === 'gap');
  assert.deepEqual(
    [gap.value.firstSequence, gap.value.lostCount, gap.value.lastEventNumber],
    [20n, 40n, 590n],
  );
});

test('DISCONNECT delivers what waits, then ends with RESOURCE_EXHAUSTED', () => {
  const { sink, feed, clock, subscriber, readAll, closedCount } = setUp('disconnect', 1000);
  for (let i = 0; i < 4; i++) subscriber.onBatch(fakeBatch(i * 10, 10, 400));
  assert.ok(feed.isCancelled);
  assert.equal(sink.error === undefined, true);
  readAll();
  assert.deepEqual(sink.kinds(), ['batch', 'batch']);
  assert.ok(sink.error instanceof StrataError);
  assert.equal(sink.error.code, 'RESOURCE_EXHAUSTED');
  assert.match(sink.error.message, /sequence 20/);
  assert.equal(clock.timerCount, 0);
  assert.equal(closedCount(), 1);
});

test('DISCONNECT does not wait for ever', () => {
  const { sink, clock, subscriber, closedCount } = setUp('disconnect', 1000);
  for (let i = 0; i < 4; i++) subscriber.onBatch(fakeBatch(i * 10, 10, 400));
  clock.advance(1000);
  assert.ok(sink.error instanceof StrataError);
  assert.equal(closedCount(), 1);
  assert.equal(subscriber.counters.backlogBytes < 1000, true);
});

test('BLOCK gives credit back only for what the client has read', () => {
  const { sink, feed, subscriber, readAll } = setUp('block', 1000);
  const batches = [0, 1, 2].map((i) => fakeBatch(i * 10, 10, 400));
  for (const batch of batches) subscriber.onBatch(batch);
  assert.equal(feed.ackedBytes, 0);
  readAll();
  assert.equal(
    feed.ackedBytes,
    batches.reduce((sum, batch) => sum + batch.bytes.length, 0),
  );
  assert.deepEqual(sink.kinds(), ['batch', 'batch', 'batch']);
});

test('one batch larger than the whole backlog is still delivered', () => {
  for (const policy of ['drop-oldest', 'drop-newest', 'disconnect'] as const) {
    const { sink, subscriber, readAll } = setUp(policy, 100);
    subscriber.onBatch(fakeBatch(0, 1, 5000));
    readAll();
    assert.deepEqual(sink.kinds(), ['batch']);
  }
});

test('a stalled client holds a bounded number of bytes', () => {
  const { subscriber } = setUp('drop-oldest', 10_000);
  for (let i = 0; i < 1000; i++) subscriber.onBatch(fakeBatch(i, 1, 900));
  const { backlogBytes, lostCount, matchedCount } = subscriber.counters;
  assert.ok(backlogBytes < 11_000, String(backlogBytes));
  assert.equal(matchedCount, 1000);
  assert.ok(lostCount > 980);
});

test('only the newest heartbeat waits, and its lag is that of the moment it is sent', () => {
  const { sink, clock, subscriber, readAll } = setUp('drop-oldest', 1000);
  subscriber.onMark(fakeMark(1));
  subscriber.onBatch(fakeBatch(1, 1, 10));
  subscriber.onMark(fakeMark(2));
  clock.advance(5);
  readAll();
  assert.deepEqual(sink.kinds(), ['batch', 'heartbeat']);
  const heartbeat = sink.messages[1];
  assert.ok(heartbeat?.$case === 'heartbeat');
  assert.equal(heartbeat.value.nextSequence, 2n);
  assert.equal(heartbeat.value.lagNs, 105_000_000n);
});

function lostCompletions({ messages }: FakeSink): bigint | undefined {
  const last = messages.at(-1);
  return last?.$case === 'ended' || last?.$case === 'heartbeat' ? last.value.lostCompletionCount : undefined;
}

test('completions keep their place behind the batches and take room of the backlog', () => {
  const { sink, feed, subscriber, readAll } = setUp('drop-oldest', 10_000);
  subscriber.onBatch(fakeBatch(0, 3, 400));
  subscriber.onBatch(fakeBatch(3, 3, 400));
  subscriber.onCompletion(fakeCompletion(0, 6, 400));
  subscriber.onBatch(fakeBatch(6, 1, 400));
  assert.ok(subscriber.counters.backlogBytes > 1600);
  assert.ok(feed.ackedBytes > 1600);
  readAll();
  assert.deepEqual(sink.kinds(), ['batch', 'batch', 'completion', 'batch']);
  assert.equal(subscriber.counters.backlogBytes, 0);
});

test('DROP_OLDEST gives up events before completions, and counts completions it gives up', () => {
  const { sink, subscriber, readAll } = setUp('drop-oldest', 1000);
  subscriber.onBatch(fakeBatch(0, 1, 400));
  subscriber.onBatch(fakeBatch(1, 2, 400));
  subscriber.onCompletion(fakeCompletion(1, 2, 400));
  subscriber.onBatch(fakeBatch(3, 1, 400));
  subscriber.onCompletion(fakeCompletion(3, 1, 400));
  subscriber.onCompletion(fakeCompletion(4, 1, 400));
  subscriber.onEnd(fakeEnd(4));
  readAll();
  assert.deepEqual(sink.kinds(), ['gap', 'completion', 'completion', 'ended']);
  assert.deepEqual([subscriber.counters.lostCount, lostCompletions(sink)], [4, 1n]);
});

test('DROP_NEWEST drops completions without room, and heartbeats tell how many', () => {
  const { sink, subscriber, readAll } = setUp('drop-newest', 500);
  subscriber.onBatch(fakeBatch(0, 1, 400));
  subscriber.onBatch(fakeBatch(1, 1, 400));
  subscriber.onCompletion(fakeCompletion(0, 2, 400));
  subscriber.onMark({ ...fakeMark(2), lostCompletionCount: 2 });
  readAll();
  assert.deepEqual(sink.kinds(), ['batch', 'gap', 'heartbeat']);
  assert.equal(lostCompletions(sink), 3n);
});

test('DISCONNECT and BLOCK treat completions like batches', () => {
  const cut = setUp('disconnect', 500);
  cut.subscriber.onBatch(fakeBatch(0, 1, 400));
  cut.subscriber.onBatch(fakeBatch(1, 1, 400));
  cut.subscriber.onCompletion(fakeCompletion(0, 2, 400));
  cut.readAll();
  assert.ok(cut.sink.error instanceof StrataError);
  const blocked = setUp('block', 500);
  blocked.subscriber.onBatch(fakeBatch(0, 1, 400));
  blocked.subscriber.onCompletion(fakeCompletion(0, 1, 400));
  assert.equal(blocked.feed.ackedBytes, 0);
  blocked.readAll();
  assert.ok(blocked.feed.ackedBytes > 800);
  assert.deepEqual(blocked.sink.kinds(), ['batch', 'completion']);
});

test('losses told by the inspector keep their place and cause', () => {
  const { sink, subscriber, readAll } = setUp('drop-oldest', 10_000);
  subscriber.onBatch(fakeBatch(0, 2, 10));
  subscriber.onLoss({ cause: 'event-too-large', count: 1, firstSequence: 2, firstNum: 20, lastNum: 20 });
  subscriber.onLoss({
    cause: 'capture-loss',
    count: 9,
    firstSequence: undefined,
    firstNum: undefined,
    lastNum: undefined,
  });
  subscriber.onBatch(fakeBatch(3, 2, 10));
  subscriber.onEnd(fakeEnd(5));
  readAll();
  assert.deepEqual(sink.kinds(), ['batch', 'gap', 'gap', 'batch', 'ended']);
  const ended = sink.messages[4];
  assert.ok(ended?.$case === 'ended');
  assert.deepEqual([ended.value.sentCount, ended.value.lostCount], [4n, 1n]);
});

test('a cancelled client costs nothing more', () => {
  const { sink, feed, subscriber, closedCount } = setUp('drop-oldest', 1000);
  for (let i = 0; i < 3; i++) subscriber.onBatch(fakeBatch(i, 1, 400));
  subscriber.onCancelled();
  subscriber.onBatch(fakeBatch(3, 1, 400));
  subscriber.onEnd(fakeEnd(4));
  assert.ok(feed.isCancelled);
  assert.deepEqual(sink.messages, []);
  assert.equal(closedCount(), 1);
});

test('an inspector that breaks down ends the stream with its error', () => {
  const { sink, subscriber, readAll } = setUp('drop-oldest', 1000);
  subscriber.onBatch(fakeBatch(0, 1, 10));
  subscriber.onFault(new Error('gone'));
  readAll();
  assert.deepEqual(sink.kinds(), ['batch']);
  assert.equal(sink.error?.message, 'gone');
});

test('whatever the client does, every matched event is sent or in a gap, in order', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('batch' as const),
      count: fc.integer({ min: 1, max: 9 }),
      size: fc.integer({ min: 0, max: 900 }),
    }),
    fc.record({ kind: fc.constant('loss' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('mark' as const) }),
    fc.record({ kind: fc.constant('filters' as const) }),
    fc.record({ kind: fc.constant('read' as const) }),
  );
  const policy = fc.constantFrom('drop-oldest' as const, 'drop-newest' as const, 'block' as const);
  fc.assert(
    fc.property(
      policy,
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 80 }),
      (chosen, water, steps) => {
        const { sink, subscriber, readAll } = setUp(chosen, 1500, water);
        let sequence = 0;
        for (const action of steps) {
          switch (action.kind) {
            case 'batch':
              subscriber.onBatch(fakeBatch(sequence, action.count, action.size));
              sequence += action.count;
              break;
            case 'loss':
              subscriber.onLoss({
                cause: 'backlog-full',
                count: action.count,
                firstSequence: sequence,
                firstNum: undefined,
                lastNum: undefined,
              });
              sequence += action.count;
              break;
            case 'mark':
              subscriber.onMark(fakeMark(sequence));
              break;
            case 'filters':
              subscriber.onFiltersChanged({ filters: [], nextSequence: sequence });
              break;
            default:
              sink.flush(() => subscriber.onDrain());
          }
          if (chosen !== 'block') assert.ok(subscriber.counters.backlogBytes <= 1500 + 4 * 1000);
        }
        subscriber.onEnd(fakeEnd(sequence));
        readAll();
        checkStream(sink, sequence);
      },
    ),
    { numRuns: 300 },
  );
});

function checkStream(sink: FakeSink, matched: number): void {
  let next = 0n;
  let sent = 0;
  for (const message of sink.messages) {
    if (message.$case === 'batch') {
      assert.equal(message.value.firstSequence, next);
      next += BigInt(message.value.count);
      sent += message.value.count;
    } else if (message.$case === 'gap') {
      assert.equal(message.value.firstSequence, next);
      next += message.value.lostCount;
    } else if (message.$case === 'heartbeat' || message.$case === 'filtersChanged') {
      assert.equal(message.value.nextSequence, next);
    }
  }
  const ended = sink.messages.at(-1);
  assert.ok(ended?.$case === 'ended' && sink.isEnded);
  assert.equal(next, BigInt(matched));
  assert.equal(ended.value.sentCount, BigInt(sent));
  assert.equal(ended.value.sentCount + ended.value.lostCount, ended.value.matchedCount);
}
