import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeedRequest } from '../../../server/inspector/event-feed.ts';
import { DeliveryBench } from '../../helpers/delivery-bench.ts';
import { close, exec, heldWriteBytes, open, setuid, write } from '../../helpers/delivery-events.ts';
import { containerId, ended } from '../../helpers/tracker-bench.ts';

const FIELDS = ['evt.type', 'container.name', 'container.id', 'container.label.app', 'user.name', 'fd.name'];

function typed(fields: readonly string[] = FIELDS, condition = ''): Partial<FeedRequest> {
  return {
    projection: { kind: 'typed', fields },
    filters: [{ id: 0, name: '', condition }],
  };
}

async function openBench(...options: ConstructorParameters<typeof DeliveryBench>): Promise<DeliveryBench> {
  return new DeliveryBench(...options).open();
}

test('events are sent at once and marked, and a completion follows with the values that changed, read as of the events', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(typed());
  bench
    .wait('a')
    .run(exec(20, '', 'ps'), exec(10, 'a', 'sh'), open(10, 3, '/x'), setuid(10, 7), close(10, 3), ended(10));
  bench.know('a', {}, [
    [0, 'rooty'],
    [7, 'seven'],
  ]);
  const [batch] = feed.batches;
  assert.deepEqual([batch?.count, batch?.incompleteRows], [6, [1, 2, 3, 4, 5]]);
  assert.deepEqual(feed.completions, [
    {
      sequences: [1, 2, 3, 4, 5],
      outcome: 'complete',
      containerId: containerId('a'),
      fields: ['container.name', 'container.label.app', 'user.name'],
      values: {
        'container.name': Array(5).fill('name-a'),
        'container.label.app': Array(5).fill('a'),
        'user.name': ['rooty', 'rooty', 'seven', 'seven', 'seven'],
      },
    },
  ]);
  assert.deepEqual(feed.recorder.kinds, ['batch', 'completion']);
  assert.deepEqual(
    [bench.held.count, bench.counters.eventsSentIncomplete, bench.counters.eventsCompleted],
    [0, 5, 5],
  );
});

test('nothing is marked or remembered when no field of the subscription can change', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(typed(['evt.num', 'proc.name', 'fd.name'], 'not container.name = x'));
  bench.wait('a').run(exec(10, 'a', 'sh'), write(10, 1));
  assert.equal(bench.held.count, 0);
  bench.know('a');
  assert.deepEqual([feed.batches[0]?.incompleteRows, feed.completions], [[], []]);
});

test('text is marked and has no completions, JSON has typed ones', async () => {
  const bench = await openBench();
  const text = bench.subscribe({ projection: { kind: 'text', template: '*%container.name' } });
  const json = bench.subscribe({ projection: { kind: 'json', fields: ['evt.num', 'container.name'] } });
  bench
    .wait('a')
    .run(exec(10, 'a', 'sh'))
    .know('a');
  assert.deepEqual(text.takeLines(), ['<NA> ?']);
  assert.deepEqual(text.completions, []);
  assert.deepEqual(json.takeLines(), ['{"evt.num":1,"container.name":null} ?']);
  assert.deepEqual(json.completions[0]?.values, { 'container.name': ['name-a'] });
});

test('a wait that ends without an answer is told, too', async () => {
  for (const outcome of ['timed-out', 'failed'] as const) {
    const bench = await openBench();
    const feed = bench.subscribe(typed());
    bench
      .wait('a')
      .run(exec(10, 'a', 'sh'))
      .settle('a', outcome);
    const id = containerId('a');
    assert.deepEqual(feed.completions, [
      { sequences: [0], outcome, containerId: id, fields: [], values: {} },
    ]);
    assert.equal(bench.counters.eventsCompleted, 0);
  }
});

test('at the end of the stream what is still waited for is said to have timed out', async () => {
  const bench = await openBench();
  const feed = bench.subscribe({ ...typed(), eventsMax: 2 });
  bench.wait('a').run(exec(10, 'a', 'sh'), write(10, 1));
  assert.deepEqual(feed.recorder.kinds, ['batch', 'completion', 'end']);
  assert.deepEqual(
    feed.completions.map(({ outcome, sequences }) => [outcome, sequences]),
    [['timed-out', [0, 1]]],
  );
  assert.equal(bench.held.count, 0);
});

test('when too many events are remembered, those of the oldest container get no values and are told', async () => {
  const bench = await openBench({ hold: { eventsMax: 3 } });
  const feed = bench.subscribe(typed(['container.name'], 'evt.type = execve'));
  bench
    .wait('a')
    .wait('b')
    .run(exec(10, 'a', 'sh'), exec(20, 'b', 'ls'), exec(10, 'a', 'cat'), exec(20, 'b', 'w'));
  bench.know('a').know('b');
  assert.deepEqual(
    feed.completions.map(({ outcome, sequences, values }) => [outcome, sequences, values['container.name']]),
    [
      ['failed', [0, 2], undefined],
      ['complete', [1, 3], ['name-b', 'name-b']],
    ],
  );
  assert.equal(bench.counters.completionsLost, 1);
});

test('an event larger than all the room, and one whose state is forgotten, are told to have failed', async () => {
  const bench = await openBench({ hold: { bytesMax: heldWriteBytes(800) }, undoEntriesMax: 1 });
  const feed = bench.subscribe(typed(['container.name'], 'evt.type in (write, execve)'));
  bench.wait('a').run(exec(10, 'a', 'sh'), write(10, 1, 'x'.repeat(2000)));
  assert.deepEqual(
    feed.completions.map(({ outcome, sequences }) => [outcome, sequences]),
    [['failed', [1]]],
  );
  bench.run(exec(20, '', 'x'), exec(20, '', 'y')).know('a');
  assert.deepEqual(
    feed.completions.map(({ outcome, sequences }) => [outcome, sequences]),
    [
      ['failed', [1]],
      ['failed', [0]],
    ],
  );
  assert.equal(bench.held.count, 0);
});

test('completions come in pieces, sequences ascending over all of them', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(typed(['container.labels', 'container.name'], 'evt.type = write'));
  bench.wait('a').run(exec(10, 'a', 'sh'));
  for (let i = 0; i < 5; i++) bench.run(write(10, 1));
  bench.know('a', { labels: new Map([['big', 'x'.repeat(2_200_000)]]) });
  const { completions } = feed;
  assert.deepEqual(
    completions.flatMap(({ sequences }) => sequences),
    [0, 1, 2, 3, 4],
  );
  assert.equal(completions.length, 5);
  for (const size of feed.completionSizes) assert.ok(size < 4_000_000);
});

test('a completion larger than a message is not sent, and its events are told to have failed', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(typed(['container.labels'], 'evt.type = write'));
  bench.wait('a').run(exec(10, 'a', 'sh'), write(10, 1));
  bench.know('a', { labels: new Map([['big', 'x'.repeat(5_000_000)]]) });
  assert.deepEqual(
    feed.completions.map(({ outcome, sequences }) => [outcome, sequences]),
    [['failed', [0]]],
  );
  assert.equal(bench.counters.completionsLost, 1);
});

test('without credit a completion is lost and counted, and an event that was lost has none', async () => {
  const bench = await openBench();
  const feed = bench.subscribe({ ...typed(['container.name']), creditBytes: 1, markIntervalMs: 10 });
  bench.wait('a').run(exec(10, 'a', 'sh'));
  feed.subscription.flushFresh(0);
  bench.run(write(10, 1));
  assert.equal(bench.held.count, 1);
  bench.know('a').passUnseen(10);
  feed.subscription.tick();
  assert.deepEqual(feed.recorder.kinds, ['batch', 'loss', 'mark']);
  const mark = feed.recorder.calls.at(-1);
  assert.equal(mark?.kind === 'mark' && mark.mark.lostCompletionCount, 1);
  assert.equal(bench.counters.completionsLost, 1);
});

test('filters may change while completions are owed', async () => {
  const bench = await openBench();
  const feed = bench.subscribe(typed(['container.name']));
  bench.wait('a').run(exec(10, 'a', 'sh'));
  bench.setFilter(feed, 'evt.type = write');
  bench.run(exec(10, 'a', 'cat'), write(10, 1)).know('a');
  assert.deepEqual(feed.completions[0]?.sequences, [0, 1]);
});
