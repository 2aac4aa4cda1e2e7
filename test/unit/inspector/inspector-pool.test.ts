import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { StrataError } from '../../../server/event/strata-error.ts';
import { InspectorPool } from '../../../server/inspector/inspector-pool.ts';
import type { WorkerConfig } from '../../../server/inspector/protocol.ts';
import type { WorkerInspector } from '../../../server/inspector/worker-inspector.ts';
import { FeedRecorder, feedRequest } from '../../helpers/feed-recorder.ts';
import { closesCapture, killThread, workerConfig, writeCapture } from '../../helpers/worker-fixture.ts';

const EVENTS = 20;
const NUMS: readonly string[] = Array.from({ length: EVENTS }, (_, i) => String(i + 1));

interface Started {
  readonly pool: InspectorPool;
  readonly path: string;
  readonly goneErrors: Error[];
}

async function start(t: TestContext, config: Partial<WorkerConfig> = {}, replaysMax = 2): Promise<Started> {
  const path = writeCapture(t, closesCapture(EVENTS));
  const worker = workerConfig(path, { waitSubscribers: 0, ...config });
  const pool = new InspectorPool({ worker, replaysMax });
  const goneErrors: Error[] = [];
  await pool.start((error) => goneErrors.push(error));
  t.after(() => pool.stop());
  return { pool, path, goneErrors };
}

const BAD_REQUEST = feedRequest({ projection: { kind: 'typed', fields: ['no.such'] } });

test('before it has started there is no inspector to ask', () => {
  const pool = new InspectorPool({ worker: workerConfig('/nonexistent'), replaysMax: 1 });
  assert.throws(() => pool.node, StrataError);
});

test('every replay shows the capture from its first event', async (t) => {
  const { pool } = await start(t);
  for (let i = 0; i < 2; i++) {
    const replay = await pool.openReplay();
    const recorder = new FeedRecorder();
    await replay.subscribe(feedRequest(), recorder);
    await recorder.ended();
    assert.deepEqual(recorder.lines, NUMS);
  }
  assert.deepEqual(pool.counters, { replaysStarted: 2, replaysRefused: 0 });
});

test('a replay too many is refused, counted, and possible again when another is closed', async (t) => {
  const { pool } = await start(t);
  // Both at once: those that are still opening count.
  const [first] = await Promise.all([pool.openReplay(), pool.openReplay()]);
  const refused = (error: unknown) =>
    error instanceof StrataError &&
    error.code === 'RESOURCE_EXHAUSTED' &&
    error.fault.reason === 'REPLAYS_MAX';
  await assert.rejects(pool.openReplay(), refused);
  assert.equal(pool.counters.replaysRefused, 1);
  assert.equal(pool.replayCount, 2);
  await first.close();
  assert.equal(pool.replayCount, 1);
  await pool.openReplay();
  assert.equal(pool.replayCount, 2);
});

test("waiting for one subscriber, the first replay is the node's own pass", async (t) => {
  const { pool } = await start(t, { waitSubscribers: 1 });
  const replay = await pool.openReplay();
  assert.equal(pool.replayCount, 0);
  const recorder = new FeedRecorder();
  await replay.subscribe(feedRequest(), recorder);
  await recorder.ended();
  assert.deepEqual(recorder.lines, NUMS);
  const { source } = await pool.node.query('getStatus', undefined);
  assert.equal(source.eventCount, BigInt(EVENTS));
  await replay.close();
  const second = await pool.openReplay();
  assert.equal(pool.replayCount, 1);
  const again = new FeedRecorder();
  await second.subscribe(feedRequest(), again);
  await again.ended();
  assert.deepEqual(again.lines, NUMS);
});

test('a replay that comes to nothing gives the own pass back', async (t) => {
  const { pool } = await start(t, { waitSubscribers: 1 });
  const failed = await pool.openReplay();
  await assert.rejects(failed.subscribe(BAD_REQUEST, new FeedRecorder()), StrataError);
  await failed.close();
  await pool.openReplay();
  assert.equal(pool.replayCount, 0);
});

test('an own pass that a live subscription has begun is not given to a replay', async (t) => {
  const { pool } = await start(t, { waitSubscribers: 1 });
  await assert.rejects(pool.node.subscribe(BAD_REQUEST, new FeedRecorder()), StrataError);
  const live = new FeedRecorder();
  await pool.node.subscribe(feedRequest(), live);
  await live.ended();
  const replay = await pool.openReplay();
  const recorder = new FeedRecorder();
  await replay.subscribe(feedRequest(), recorder);
  await recorder.ended();
  assert.deepEqual(recorder.lines, NUMS);
  assert.equal(pool.replayCount, 1);
});

test('a replay that cannot start is refused with its reason; the node and later replays live on', async (t) => {
  const { pool, path } = await start(t, {}, 1);
  rmSync(path);
  for (let i = 0; i < 2; i++) await assert.rejects(pool.openReplay(), /test\.scap/);
  assert.equal(pool.replayCount, 0);
  assert.equal(pool.counters.replaysStarted, 0);
  const { source } = await pool.node.query('getStatus', undefined);
  assert.equal(source.captureName, 'test.scap');
});

test('a capture that cannot be opened is told once, by the start alone', async () => {
  const pool = new InspectorPool({ worker: workerConfig('/nonexistent/a.scap'), replaysMax: 1 });
  const goneErrors: Error[] = [];
  await assert.rejects(
    pool.start((error) => goneErrors.push(error)),
    /\/nonexistent\/a\.scap/,
  );
  await pool.stop();
  assert.deepEqual(goneErrors, []);
});

test("the death of the node's thread is reported, its end in good order is not", async (t) => {
  const dying = await start(t);
  await killThread(Reflect.get(dying.pool, 'own') as WorkerInspector);
  assert.equal(dying.goneErrors.length, 1);
  const stopping = await start(t);
  await stopping.pool.stop();
  assert.deepEqual(stopping.goneErrors, []);
});

test('a replay whose thread dies leaves its place to another', async (t) => {
  const { pool } = await start(t, {}, 1);
  const replay = await pool.openReplay();
  await killThread(replay as WorkerInspector);
  assert.equal(pool.replayCount, 0);
  await pool.openReplay();
});

test('a stop ends the feeds of the node and of all replays in good order', async (t) => {
  const { pool } = await start(t, { waitSubscribers: 2 });
  const own = new FeedRecorder();
  await pool.node.subscribe(feedRequest(), own);
  const replay = await pool.openReplay();
  const held = new FeedRecorder();
  const request = feedRequest({ holdsSource: true, creditBytes: 1, batchEventsMax: 1 });
  const { promise: hasBatch, resolve } = Promise.withResolvers<void>();
  held.onCall = () => resolve();
  await replay.subscribe(request, held);
  await hasBatch;
  await pool.stop();
  assert.equal((await own.ended()).reason, 'shutdown');
  assert.deepEqual([(await held.ended()).reason, held.lines], ['shutdown', ['1']]);
  assert.equal(pool.replayCount, 0);
});
