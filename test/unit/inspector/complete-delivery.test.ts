import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeedRequest } from '../../../server/inspector/event-feed.ts';
import { DeliveryBench } from '../../helpers/delivery-bench.ts';
import { close, exec, heldWriteBytes, open, setuid, write } from '../../helpers/delivery-events.ts';
import { ended } from '../../helpers/tracker-bench.ts';

const LINE = '*%evt.num %proc.name %evt.type %container.name';

function complete(template = LINE, condition = ''): Partial<FeedRequest> {
  return {
    delivery: 'complete',
    projection: { kind: 'text', template },
    filters: [{ id: 0, name: '', condition }],
  };
}

const EXECS = 'evt.type = execve';

async function openBench(...options: ConstructorParameters<typeof DeliveryBench>): Promise<DeliveryBench> {
  return new DeliveryBench(...options).open();
}

test('the first exec of a container carries its name, and others do not wait for it', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(complete());
  bench.wait('a').run(exec(10, 'a', 'sh'), exec(20, '', 'ps'), write(10, 1));
  assert.deepEqual(feed.takeLines(), ['2 ps execve host']);
  bench.know('a');
  assert.deepEqual(feed.takeLines(), ['1 sh execve name-a', '3 sh write name-a']);
  bench.run(write(10, 1));
  assert.deepEqual(feed.takeLines(), ['4 sh write name-a']);
  assert.deepEqual([bench.held.count, bench.held.bytes, bench.counters.eventsHeld], [0, 0, 2]);
  assert.equal(bench.counters.eventsReleasedComplete, 2);
});

test('sequence numbers follow the order of delivery', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(complete());
  bench.wait('a').run(exec(10, 'a', 'sh'), exec(20, '', 'ps'));
  bench.know('a').run(close(20, 1));
  const sent = feed.batches.map(({ firstSequence, count }) => [firstSequence, count]);
  assert.deepEqual(sent, [[0n, 3]]);
  assert.deepEqual(
    feed.lines.map((line) => line.split(' ')[0]),
    ['2', '1', '3'],
  );
});

test('values are those as of the event: exec, exit, fd closes and user changes in between do not show', async () => {
  for (const retainEvents of [0, 16]) {
    const bench = await openBench({ retainEvents });
    const feed = bench.subscribe(
      complete('*%evt.num %proc.name %fd.name %user.uid %user.name %proc.fdopencount %container.image'),
    );
    bench
      .wait('a')
      .run(
        exec(10, 'a', 'sh'),
        open(10, 3, '/tmp/first'),
        write(10, 3),
        close(10, 3),
        open(10, 3, '/tmp/second'),
        setuid(10, 7),
        write(10, 3),
        exec(10, 'a', 'cat'),
        ended(10),
        exec(30, '', 'ps'),
      );
    bench.know('a', {}, [
      [0, 'rooty'],
      [7, 'seven'],
    ]);
    assert.deepEqual(feed.takeLines(), [
      '10 ps <NA> 0 root 0 <NA>',
      '1 sh <NA> 0 rooty 0 image-a',
      '2 sh /tmp/first 0 rooty 1 image-a',
      '3 sh /tmp/first 0 rooty 1 image-a',
      '4 sh /tmp/first 0 rooty 1 image-a',
      '5 sh /tmp/second 0 rooty 1 image-a',
      '6 sh <NA> 7 seven 1 image-a',
      '7 sh /tmp/second 7 seven 1 image-a',
      '8 cat <NA> 0 rooty 1 image-a',
      '9 cat <NA> 0 rooty 1 image-a',
    ]);
    assert.equal(bench.inspector.state.undo.enabled, retainEvents > 0);
    assert.equal(bench.inspector.state.undo.pinnedNumber, Number.POSITIVE_INFINITY);
  }
});

test('a condition on the container is asked when it is known, and one that cannot hold keeps nothing', async () => {
  const bench = await openBench();
  const named = bench.subscribe(complete(LINE, 'container.name = name-a'));
  const other = bench.subscribe(complete(LINE, 'container.name = name-b'));
  const programs = bench.subscribe(complete(LINE, 'proc.name = nginx'));
  bench.wait('a').run(exec(10, 'a', 'sh'), write(10, 1));
  assert.deepEqual([bench.held.count, bench.counters.eventsHeld], [2, 4]);
  bench.know('a');
  assert.deepEqual(named.takeLines(), ['1 sh execve name-a', '2 sh write name-a']);
  assert.deepEqual([other.takeLines(), programs.takeLines()], [[], []]);
});

test('with several filters an event says which held when it was released', async () => {
  const bench = await openBench();
  const feed = bench.subscribe({
    ...complete(),
    filters: [
      { id: 4, name: 'named', condition: 'container.name = name-a' },
      { id: 5, name: 'unnamed', condition: 'not container.name = name-a' },
      { id: 6, name: 'all', condition: '' },
    ],
  });
  bench
    .wait('a')
    .run(exec(10, 'a', 'sh'), exec(20, '', 'ps'))
    .know('a');
  const [batch] = feed.batches;
  assert.deepEqual(
    [batch?.matchedFilterIds, batch?.matchedFilterCounts],
    [
      [5, 6, 4, 6],
      [2, 2],
    ],
  );
});

test('what has waited as long as it may goes, marked, and those behind it have their own time', async () => {
  const bench = await openBench({ hold: { holdMs: 80 } });
  const feed = bench.subscribe(complete());
  bench
    .wait('a')
    .run(exec(10, 'a', 'sh'))
    .pass(40)
    .run(write(10, 1))
    .pass(39);
  assert.deepEqual(feed.takeLines(), []);
  bench.pass(1);
  assert.deepEqual(feed.takeLines(), ['1 sh execve <NA> ?']);
  bench.know('a');
  assert.deepEqual(feed.takeLines(), ['2 sh write name-a']);
  assert.equal(bench.counters.incompleteByCause.expired, 1);
});

test('metadata that comes after the deadline is not for the event, whether or not somebody looked in between', async () => {
  for (const looks of [true, false]) {
    const bench = await openBench({ hold: { holdMs: 80 } });
    const feed = bench.subscribe(complete());
    bench
      .wait('a')
      .run(exec(10, 'a', 'sh'))
      .passUnseen(40)
      .run(write(10, 1))
      .passUnseen(41);
    if (looks) bench.pass(0);
    bench.know('a');
    assert.deepEqual(feed.takeLines(), ['1 sh execve <NA> ?', '2 sh write name-a']);
    const { expired, unanswered } = bench.counters.incompleteByCause;
    assert.deepEqual([expired, unanswered, bench.counters.eventsReleasedComplete], [1, 0, 1]);
  }
});

test('a container that no runtime knows lets its events go, marked', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(complete());
  bench
    .wait('a')
    .run(exec(10, 'a', 'sh'))
    .settle('a', 'failed')
    .run(write(10, 1));
  assert.deepEqual(feed.takeLines(), ['1 sh execve <NA> ?', '2 sh write <NA>']);
  assert.equal(bench.counters.incompleteByCause.unanswered, 1);
});

test('a thread that leaves its container does not overtake its own events', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(complete(LINE, EXECS));
  bench.wait('a').run(exec(10, 'a', 'sh'), exec(10, '', 'nsenter'), exec(20, '', 'ps'), exec(10, '', 'top'));
  assert.deepEqual(feed.takeLines(), ['3 ps execve host']);
  bench.know('a');
  assert.deepEqual(feed.takeLines(), ['1 sh execve name-a', '2 nsenter execve host', '4 top execve host']);
});

test('a thread that goes from one container to another makes them wait together, in order', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(complete(LINE, EXECS));
  bench.wait('a').wait('b');
  bench.run(
    exec(10, 'a', 'sh'),
    exec(20, 'b', 'ls'),
    exec(10, 'b', 'cat'),
    exec(30, 'a', 'ps'),
    exec(40, 'c', 'w'),
  );
  assert.deepEqual(feed.takeLines(), ['5 w execve <NA>']);
  bench.know('b');
  assert.deepEqual(feed.takeLines(), []);
  bench.settle('a', 'failed');
  assert.deepEqual(feed.takeLines(), [
    '1 sh execve <NA> ?',
    '2 ls execve name-b',
    '3 cat execve name-b',
    '4 ps execve <NA> ?',
  ]);
  assert.equal(bench.held.count, 0);
});

test('when too many events are held, those that wait with the oldest go', async () => {
  const bench = await openBench({ hold: { eventsMax: 3 } });
  const feed = bench.subscribe(complete(LINE, EXECS));
  bench.wait('a').wait('b');
  bench.run(exec(10, 'a', 'a1'), exec(20, 'b', 'b1'), exec(10, 'a', 'a2'), exec(20, 'b', 'b2'));
  assert.deepEqual(feed.takeLines(), ['1 a1 execve <NA> ?', '3 a2 execve <NA> ?']);
  bench.know('b');
  assert.deepEqual(feed.takeLines(), ['2 b1 execve name-b', '4 b2 execve name-b']);
  assert.equal(bench.counters.incompleteByCause['no-room'], 2);
  const { countMax, added, evicted } = bench.inspector.held;
  assert.deepEqual([countMax, added, evicted], [3, 4, 1]);
});

test('bytes are bounded, and an event larger than all the room goes at once behind those it would have waited for', async () => {
  const bench = await openBench({ hold: { bytesMax: heldWriteBytes(100) * 2 } });
  const feed = bench.subscribe(complete(LINE, 'evt.type = write'));
  bench.wait('a').run(exec(10, 'a', 'sh'));
  bench.run(write(10, 1, 'x'.repeat(100)), write(10, 1, 'x'.repeat(100)));
  assert.equal(bench.held.bytes, heldWriteBytes(100) * 2);
  bench.run(write(10, 1, 'x'.repeat(100)));
  assert.deepEqual(feed.takeLines(), ['2 sh write <NA> ?', '3 sh write <NA> ?']);
  bench.run(write(10, 1, 'x'.repeat(1000)));
  assert.deepEqual(feed.takeLines(), ['4 sh write <NA> ?', '5 sh write <NA> ?']);
  assert.deepEqual([bench.held.count, bench.held.bytes], [0, 0]);
});

test('an event held for several subscriptions is kept once and goes with the last of them', async () => {
  const bench = await openBench();
  const first = bench.subscribe(complete());
  const second = bench.subscribe(complete('*%proc.name', EXECS));
  bench.wait('a').run(exec(10, 'a', 'sh'), write(10, 1));
  assert.deepEqual([bench.held.count, bench.counters.eventsHeld], [2, 3]);
  first.subscription.cancel();
  assert.deepEqual([bench.held.count, first.lines], [1, []]);
  bench.know('a');
  assert.deepEqual([second.takeLines(), bench.held.count], [['sh'], 0]);
});

test('filters apply to events from their change on: what is held is decided by the old ones', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(complete(LINE, EXECS));
  bench.wait('a').run(exec(10, 'a', 'sh'), write(10, 1));
  bench.setFilter(feed, 'evt.type = write');
  bench.run(exec(10, 'a', 'cat'), write(10, 1)).know('a');
  assert.deepEqual(feed.takeLines(), ['1 sh execve <NA> ?', '4 cat write name-a']);
  assert.deepEqual(feed.recorder.kinds, ['batch', 'filters', 'batch']);
  assert.equal(bench.counters.incompleteByCause['filters-changed'], 1);
});

test('at the end of the source what is held is sent, marked', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(complete());
  bench.wait('a').run(exec(10, 'a', 'sh'), write(10, 1));
  feed.subscription.end({ reason: 'capture-end' });
  assert.deepEqual(feed.takeLines(), ['1 sh execve <NA> ?', '2 sh write <NA> ?']);
  assert.deepEqual(feed.recorder.kinds, ['batch', 'end']);
  assert.deepEqual([bench.held.count, bench.counters.incompleteByCause.ended], [0, 2]);
  bench.know('a');
  assert.deepEqual(feed.lines, []);
});

test('a subscription that wants so many events ends with the last of them in the middle of a release', async () => {
  const bench = await openBench();
  const feed = bench.subscribe({ ...complete(), eventsMax: 2 });
  bench
    .wait('a')
    .wait('b')
    .run(exec(10, 'a', 'sh'), write(10, 1), write(10, 1), exec(20, 'b', 'ls'));
  bench.know('a');
  assert.deepEqual(feed.lines, ['1 sh execve name-a', '2 sh write name-a']);
  const last = feed.recorder.calls.at(-1);
  assert.equal(last?.kind === 'end' && last.end.matchedCount, 2);
  assert.equal(bench.held.count, 0);
});

test('when the state as of the event is forgotten, it is sent with that of now and marked', async () => {
  const bench = await openBench({ undoEntriesMax: 2 });
  const feed = bench.subscribe(complete(LINE, EXECS));
  bench
    .wait('a')
    .run(exec(10, 'a', 'sh'), exec(20, '', 'a'), exec(20, '', 'b'), exec(20, '', 'c'), exec(10, 'a', 'cat'));
  feed.takeLines();
  bench.know('a');
  const lines = feed.takeLines();
  assert.deepEqual(lines[0], '1 cat execve name-a ?');
  assert.equal(lines.length, 2);
  assert.ok(bench.counters.incompleteByCause['state-forgotten'] > 0);
});

test('a heartbeat does not claim events that are still held', async () => {
  const bench = await openBench();
  const feed = bench.subscribe({ ...complete(), markIntervalMs: 100 });
  bench
    .run(exec(20, '', 'ps'))
    .wait('a')
    .run(exec(10, 'a', 'sh'), exec(20, '', 'w'));
  bench.passUnseen(100);
  feed.subscription.tick();
  bench.know('a').passUnseen(100);
  feed.subscription.tick();
  const marks = feed.recorder.calls.flatMap((call) => (call.kind === 'mark' ? [call.mark.watermarkNum] : []));
  assert.deepEqual(marks, [1, 3]);
});

test('two subscriptions with different modes each get theirs', async () => {
  const bench = await openBench();
  const late = bench.subscribe(complete());
  const early = bench.subscribe({ ...complete(), delivery: 'immediate' });
  bench.wait('a').run(exec(10, 'a', 'sh'));
  assert.deepEqual([late.takeLines(), early.takeLines()], [[], ['1 sh execve <NA> ?']]);
  bench.know('a');
  assert.deepEqual([late.takeLines(), early.takeLines()], [['1 sh execve name-a'], []]);
});

test('a container that takes long does not make finished ones pile up', async () => {
  const bench = await openBench({ hold: { holdMs: 1e9 } });
  bench.subscribe(complete(LINE, EXECS));
  bench.wait('a').run(exec(10, 'a', 'sh'));
  for (let i = 0; i < 3000; i++)
    bench
      .wait('b')
      .run(exec(20, 'b', 'x'))
      .settle('b', 'complete');
  assert.equal(bench.held.count, 1);
  const { entries } = bench.held as unknown as { readonly entries: readonly unknown[] };
  assert.ok(entries.length <= 1100, `${entries.length} entries`);
});
