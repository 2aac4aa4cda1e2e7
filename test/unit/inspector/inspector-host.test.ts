import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CaptureError } from '../../../server/capture/capture-engine.ts';
import { StrataError } from '../../../server/event/strata-error.ts';
import { Inspector } from '../../../server/inspector/inspector.ts';
import { type HostOptions, InspectorHost } from '../../../server/inspector/inspector-host.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { FeedRecorder, feedRequest } from '../../helpers/feed-recorder.ts';
import { closeEvents, ScriptEngine, type ScriptStep } from '../../helpers/script-engine.ts';

interface Bench {
  readonly host: InspectorHost;
  readonly engine: ScriptEngine;
  readonly inspector: Inspector;
}

async function start(
  t: TestContext,
  steps: readonly ScriptStep[],
  options: Partial<HostOptions> = {},
): Promise<Bench> {
  const engine = new ScriptEngine(steps);
  const inspector = new Inspector(new OsState(), engine, { eventsMax: 64, bytesMax: 65_536 });
  const host = new InspectorHost(inspector, {
    nodeName: 'n',
    captureName: 'script.scap',
    speed: 0,
    waitSubscribers: 1,
    nowMs: () => performance.now(),
    ...options,
  });
  t.after(() => host.stop());
  await host.start();
  return { host, engine, inspector };
}

/** Resolves after everything that is due by now has run. */
async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const NUMS = ['1', '2', '3', '4', '5'];

test('the first event waits for as many subscriptions as wanted, and all of them see it', async (t) => {
  const { host, engine } = await start(t, closeEvents(5), { waitSubscribers: 2 });
  const first = new FeedRecorder();
  await host.subscribe(feedRequest(), first);
  await turns();
  assert.equal(engine.eventCount, 0);
  const second = new FeedRecorder();
  await host.subscribe(feedRequest(), second);
  for (const recorder of [first, second]) {
    assert.equal((await recorder.ended()).reason, 'capture-end');
    assert.deepEqual(recorder.lines, NUMS);
  }
});

test('with nobody to wait for the loop runs by itself, and a late subscription is told that it ended', async (t) => {
  const { host, inspector } = await start(t, closeEvents(5), { waitSubscribers: 0 });
  while (!inspector.isEnded) await turns(1);
  const recorder = new FeedRecorder();
  await host.subscribe(feedRequest(), recorder);
  const end = await recorder.ended();
  assert.deepEqual([end.reason, end.seenCount, end.matchedCount, end.lastNum], ['capture-end', 0, 0, 5]);
});

test('a request that does not compile is refused, and counts as nobody', async (t) => {
  const { host, engine } = await start(t, closeEvents(5));
  const filters = [{ id: 0, name: '', condition: 'evt.type =' }];
  const refused = host.subscribe(feedRequest({ filters }), new FeedRecorder());
  await assert.rejects(refused, (error) => error instanceof StrataError && error.code === 'INVALID_ARGUMENT');
  await turns();
  assert.equal(engine.eventCount, 0);
});

test('a replay without credit holds the source until its client takes over what is under way', async (t) => {
  const { host, engine } = await start(t, closeEvents(5));
  const recorder = new FeedRecorder();
  const request = feedRequest({ holdsSource: true, creditBytes: 1, batchEventsMax: 1 });
  const feed = await host.subscribe(request, recorder);
  await turns();
  for (let taken = 1; taken <= 5; taken++) {
    assert.equal(engine.eventCount, taken);
    feed.ack(1000);
    await turns();
  }
  assert.equal((await recorder.ended()).matchedCount, 5);
  assert.deepEqual(recorder.lines, NUMS);
});

test('a replay that is cancelled holds nobody up', async (t) => {
  const { host } = await start(t, closeEvents(5), { waitSubscribers: 2 });
  const holding = await host.subscribe(
    feedRequest({ holdsSource: true, creditBytes: 1, batchEventsMax: 1 }),
    new FeedRecorder(),
  );
  const recorder = new FeedRecorder();
  await host.subscribe(feedRequest(), recorder);
  await turns();
  holding.cancel();
  await recorder.ended();
  assert.deepEqual(recorder.lines, NUMS);
});

test('a subscription that leaves before its first turn is told nothing and leaves nothing behind', async (t) => {
  const { host, inspector } = await start(t, ['need-more', ...closeEvents(5)], { waitSubscribers: 0 });
  const added: unknown[] = [];
  t.mock.method(inspector, 'addReader', (reader: unknown) => added.push(reader));
  const cancelled = new FeedRecorder();
  (await host.subscribe(feedRequest(), cancelled)).cancel();
  const stopped = new FeedRecorder();
  (await host.subscribe(feedRequest(), stopped)).stop();
  await turns();
  assert.deepEqual(cancelled.kinds, []);
  assert.deepEqual(stopped.kinds, ['end']);
  assert.deepEqual(added, []);
});

test('a feed that is stopped gets what matched, then its end', async (t) => {
  const steps: ScriptStep[] = [...closeEvents(2), 'need-more', ...closeEvents(3)];
  const { host, engine } = await start(t, steps);
  const { promise: isWaiting, resolve } = Promise.withResolvers<void>();
  engine.onFill = () => {
    resolve();
    return new Promise(() => undefined);
  };
  const recorder = new FeedRecorder();
  const feed = await host.subscribe(feedRequest({ batchLatencyMs: 60_000 }), recorder);
  await isWaiting;
  feed.stop();
  const end = await recorder.ended();
  assert.deepEqual([end.reason, end.matchedCount, end.lastNum], ['shutdown', 2, 2]);
  assert.deepEqual(recorder.lines, ['1', '2']);
});

test('events that wait for their batch are sent in time while the source is silent', async (t) => {
  const { host, engine } = await start(t, [...closeEvents(2), 'need-more']);
  engine.onFill = () => new Promise(() => undefined);
  const recorder = new FeedRecorder();
  const { promise: hasBatch, resolve } = Promise.withResolvers<void>();
  recorder.onCall = () => resolve();
  await host.subscribe(feedRequest({ batchLatencyMs: 1 }), recorder);
  await hasBatch;
  assert.deepEqual(recorder.lines, ['1', '2']);
});

test('damage in the source ends every feed with its place, behind the events before it', async (t) => {
  const steps = [...closeEvents(3), new CaptureError('torn', 123)];
  const { host } = await start(t, steps, { waitSubscribers: 2 });
  const recorders = [new FeedRecorder(), new FeedRecorder()];
  for (const recorder of recorders) await host.subscribe(feedRequest(), recorder);
  for (const recorder of recorders) {
    const end = await recorder.ended();
    assert.deepEqual([end.reason, end.errorOffset, end.matchedCount], ['capture-error', 123, 3]);
    assert.match(end.errorMessage ?? '', /torn \(at byte 123\)/);
    assert.deepEqual(recorder.lines, ['1', '2', '3']);
  }
});

test('filters are replaced on a running feed; a bad one changes nothing', async (t) => {
  const { host } = await start(t, closeEvents(5), { waitSubscribers: 2 });
  const recorder = new FeedRecorder();
  const feed = await host.subscribe(feedRequest(), recorder);
  await assert.rejects(feed.setFilters([{ id: 1, name: '', condition: 'no.such = 1' }]), StrataError);
  await feed.setFilters([{ id: 2, name: 'late', condition: 'evt.num > 3' }]);
  await host.subscribe(feedRequest(), new FeedRecorder());
  await recorder.ended();
  assert.deepEqual(recorder.lines, ['4', '5']);
  assert.deepEqual(recorder.kinds, ['filters', 'batch', 'end']);
  await assert.rejects(
    feed.setFilters([{ id: 3, name: '', condition: '' }]),
    (error) => error instanceof StrataError && error.code === 'NOT_FOUND',
  );
});

test('a subscription that has had its events leaves; the others go on', async (t) => {
  const { host } = await start(t, closeEvents(5), { waitSubscribers: 2 });
  const short = new FeedRecorder();
  const long = new FeedRecorder();
  await host.subscribe(feedRequest({ eventsMax: 2 }), short);
  await host.subscribe(feedRequest(), long);
  assert.equal((await short.ended()).reason, 'events-max');
  assert.equal((await long.ended()).matchedCount, 5);
  const { source } = await host.query('getStatus', undefined);
  assert.equal(source.captureName, 'script.scap');
});

test('a stop ends all feeds and closes the source, even while it is being read', async (t) => {
  const { host, engine } = await start(t, [...closeEvents(1), 'need-more']);
  const { promise: isWaiting, resolve } = Promise.withResolvers<void>();
  const { promise: fill, reject } = Promise.withResolvers<void>();
  engine.onFill = () => {
    resolve();
    return fill;
  };
  const recorder = new FeedRecorder();
  await host.subscribe(feedRequest(), recorder);
  await isWaiting;
  await host.stop();
  assert.equal(engine.isClosed, true);
  assert.equal((await recorder.ended()).reason, 'shutdown');
  assert.deepEqual(recorder.lines, ['1']);
  // The read that was under way fails, as its file is closed: nobody's fault.
  reject(new Error('EBADF'));
  await turns();
});

test('the pace of the recording holds the source by the clock passed in', async (t) => {
  const TS = 1_700_000_000_000_000_000n;
  const at = (ms: bigint) => ({ code: 'PPME_SYSCALL_CLOSE_X', ts: TS + ms * 1_000_000n });
  let now = 1000;
  const steps = [at(0n), at(5000n), at(5001n)];
  const { host, engine } = await start(t, steps, { speed: 2, nowMs: () => now });
  const recorder = new FeedRecorder();
  const feed = await host.subscribe(feedRequest({ batchLatencyMs: 0 }), recorder);
  await turns();
  assert.equal(engine.eventCount, 2);
  now += 2499;
  feed.ack(0);
  await turns();
  assert.equal(engine.eventCount, 2);
  now += 2;
  feed.ack(0);
  await turns();
  assert.equal(engine.eventCount, 3);
  await recorder.ended();
});
