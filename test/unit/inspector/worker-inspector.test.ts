import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { StrataError } from '../../../server/event/strata-error.ts';
import type { WorkerConfig } from '../../../server/inspector/protocol.ts';
import { WorkerInspector } from '../../../server/inspector/worker-inspector.ts';
import { FeedRecorder, feedRequest } from '../../helpers/feed-recorder.ts';
import { closesCapture, killThread, workerConfig, writeCapture } from '../../helpers/worker-fixture.ts';

const EVENTS = 50;

async function start(
  t: TestContext,
  config: Partial<WorkerConfig> = {},
  onClosed?: () => void,
): Promise<WorkerInspector> {
  const path = writeCapture(t, closesCapture(EVENTS));
  const inspector = await WorkerInspector.start(workerConfig(path, config), { onClosed });
  t.after(() => inspector.close());
  return inspector;
}

function isFault(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof StrataError && error.code === code && message.test(error.message);
}

test('a feed crosses the threads whole: start, batches, end', async (t) => {
  const inspector = await start(t);
  const recorder = new FeedRecorder();
  const { started } = await inspector.subscribe(feedRequest({ batchEventsMax: 20 }), recorder);
  assert.equal(started.captureName, 'test.scap');
  assert.equal(started.node.nodeName, 'node-1');
  assert.ok((started.captureBytes ?? 0) > 1000);
  const end = await recorder.ended();
  assert.deepEqual(
    [end.reason, end.matchedCount, end.captureBytesRead],
    ['capture-end', EVENTS, started.captureBytes],
  );
  assert.deepEqual(recorder.kinds, ['batch', 'batch', 'batch', 'end']);
  assert.deepEqual(
    recorder.lines,
    Array.from({ length: EVENTS }, (_, i) => String(i + 1)),
  );
});

test('credit given back crosses to the thread', async (t) => {
  const inspector = await start(t);
  const recorder = new FeedRecorder();
  const request = feedRequest({ holdsSource: true, creditBytes: 1, batchEventsMax: 10 });
  const feed = await inspector.subscribe(request, recorder);
  recorder.onCall = (call) => {
    if (call.kind === 'batch') feed.ack(call.size);
  };
  assert.equal((await recorder.ended()).matchedCount, EVENTS);
  assert.equal(recorder.lines.length, EVENTS);
});

test('a refusal crosses with its member, position and suggestions', async (t) => {
  const inspector = await start(t);
  const request = feedRequest({ projection: { kind: 'typed', fields: ['evt.num', 'proc.nmae'] } });
  const recorder = new FeedRecorder();
  await assert.rejects(inspector.subscribe(request, recorder), (error) => {
    assert.ok(error instanceof StrataError);
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.equal(error.fault.field, 'fields[1]');
    assert.equal(error.fault.suggestions?.[0], 'proc.name');
    return true;
  });
  assert.deepEqual(recorder.calls, []);
});

test('filters are replaced across the threads; those of an ended feed are refused', async (t) => {
  const inspector = await start(t, { waitSubscribers: 2 });
  const recorder = new FeedRecorder();
  const feed = await inspector.subscribe(feedRequest(), recorder);
  const bad = feed.setFilters([{ id: 1, name: '', condition: 'evt.num >' }]);
  await assert.rejects(bad, isFault('INVALID_ARGUMENT', /./));
  await feed.setFilters([{ id: 2, name: 'few', condition: 'evt.num <= 3' }]);
  await inspector.subscribe(feedRequest(), new FeedRecorder());
  await recorder.ended();
  assert.deepEqual(recorder.lines, ['1', '2', '3']);
  await assert.rejects(
    feed.setFilters([{ id: 3, name: '', condition: '' }]),
    isFault('NOT_FOUND', /has ended/),
  );
});

test('a cancelled feed is told nothing more, and holds nobody up', async (t) => {
  const inspector = await start(t, { waitSubscribers: 2 });
  const cancelled = new FeedRecorder();
  const feed = await inspector.subscribe(
    feedRequest({ holdsSource: true, creditBytes: 1, batchEventsMax: 1 }),
    cancelled,
  );
  feed.cancel();
  const recorder = new FeedRecorder();
  await inspector.subscribe(feedRequest(), recorder);
  assert.equal((await recorder.ended()).matchedCount, EVENTS);
  assert.deepEqual(cancelled.calls, []);
});

test('questions are answered across the threads, and their refusals too', async (t) => {
  const inspector = await start(t);
  const { thread } = await inspector.query('getThread', {
    tid: 100n,
    includeAncestors: false,
    scope: undefined,
  });
  assert.equal(thread?.tid, 100n);
  const unknown = inspector.query('getThread', { tid: 4711n, includeAncestors: false, scope: undefined });
  await assert.rejects(unknown, isFault('NOT_FOUND', /4711/));
});

test('a capture that cannot be opened is refused with its reason', async (t) => {
  const missing = WorkerInspector.start(workerConfig('/nonexistent/x.scap'));
  await assert.rejects(missing, /\/nonexistent\/x\.scap/);
  const closed = Promise.withResolvers<void>();
  const path = writeCapture(t, Buffer.from('this is no capture file at all'));
  const garbage = WorkerInspector.start(workerConfig(path), { onClosed: () => closed.resolve() });
  await assert.rejects(garbage, isFault('FAILED_PRECONDITION', /byte 0/));
  await closed.promise;
});

test('a thread that dies rejects its calls, faults its feeds, and is reported once', async (t) => {
  let closedCount = 0;
  const inspector = await start(t, { waitSubscribers: 2 }, () => closedCount++);
  const recorder = new FeedRecorder();
  const feed = await inspector.subscribe(feedRequest(), recorder);
  const waiting = inspector.query('getStatus', undefined);
  const rejected = assert.rejects(waiting, isFault('UNAVAILABLE', /inspector has ended/));
  await killThread(inspector);
  await rejected;
  const last = await recorder.finished;
  assert.ok(isFault('UNAVAILABLE', /inspector has ended/)(last));
  assert.deepEqual(recorder.kinds, ['fault']);
  assert.equal(closedCount, 1);
  // Whatever comes now is refused or goes nowhere, and nothing waits.
  await assert.rejects(inspector.query('getStatus', undefined), isFault('UNAVAILABLE', /ended/));
  await assert.rejects(
    inspector.subscribe(feedRequest(), new FeedRecorder()),
    isFault('UNAVAILABLE', /ended/),
  );
  feed.ack(1);
  feed.stop();
  feed.cancel();
  await inspector.stop();
  await inspector.close();
});

test('a stop ends the feeds in good order, and then the thread', async (t) => {
  const closed = Promise.withResolvers<void>();
  const inspector = await start(t, { waitSubscribers: 2 }, () => closed.resolve());
  const recorder = new FeedRecorder();
  await inspector.subscribe(feedRequest(), recorder);
  await inspector.stop();
  assert.equal((await recorder.ended()).reason, 'shutdown');
  await closed.promise;
  assert.deepEqual(recorder.kinds, ['end']);
});

test('one feed is stopped in good order while others go on', async (t) => {
  const inspector = await start(t, { waitSubscribers: 2 });
  const stopped = new FeedRecorder();
  (await inspector.subscribe(feedRequest(), stopped)).stop();
  assert.equal((await stopped.ended()).reason, 'shutdown');
  const recorder = new FeedRecorder();
  await inspector.subscribe(feedRequest(), recorder);
  assert.equal((await recorder.ended()).matchedCount, EVENTS);
});

test('a damaged capture ends its feeds with the place of the damage', async (t) => {
  const whole = closesCapture(EVENTS);
  const path = writeCapture(t, whole.subarray(0, whole.length - 5));
  const inspector = await WorkerInspector.start(workerConfig(path));
  t.after(() => inspector.close());
  const recorder = new FeedRecorder();
  await inspector.subscribe(feedRequest(), recorder);
  const end = await recorder.ended();
  assert.deepEqual([end.reason, end.matchedCount], ['capture-error', EVENTS - 1]);
  assert.ok((end.errorOffset ?? 0) > whole.length - 100);
});
