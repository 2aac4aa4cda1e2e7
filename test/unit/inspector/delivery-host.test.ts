import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { InjectingEngine } from '../../../server/capture/injecting-engine.ts';
import type { ContainerUpdate } from '../../../server/container/container-update.ts';
import { ContainerTracker } from '../../../server/inspector/container-tracker.ts';
import type { FeedRequest } from '../../../server/inspector/event-feed.ts';
import { Inspector } from '../../../server/inspector/inspector.ts';
import { InspectorHost } from '../../../server/inspector/inspector-host.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { exec } from '../../helpers/delivery-events.ts';
import { type FeedCall, FeedRecorder, feedRequest } from '../../helpers/feed-recorder.ts';
import { LiveScriptEngine } from '../../helpers/live-script-engine.ts';
import { containerId, foundJson } from '../../helpers/tracker-bench.ts';

const A = containerId('a');
/** No batch goes because its time is up. */
const PATIENT = { batchLatencyMs: 1e9, markIntervalMs: 1e9 };

interface Live {
  readonly source: LiveScriptEngine;
  readonly inspector: Inspector;
  subscribe(request: Partial<FeedRequest>): Promise<FeedRecorder>;
  tell(update: ContainerUpdate): void;
}

async function start(t: TestContext, holdMs: number): Promise<Live> {
  const source = new LiveScriptEngine([{ tid: 1, pid: 1 }]);
  const target = new InjectingEngine(source);
  let tracker: ContainerTracker | undefined;
  const inspector = new Inspector(
    new OsState(),
    target,
    { eventsMax: 0, bytesMax: 0 },
    {
      onContainerSeen: (fullId, type, tid) => tracker?.onThread(fullId, type, tid),
      onContainerStored: (key) => tracker?.onStored(key),
    },
  );
  const { state, pending, parser, event } = inspector;
  const nowMs = () => performance.now();
  tracker = new ContainerTracker(
    { state, pending, parser, target, record: event.record },
    { mode: 'ask', lookupMs: 60_000, replayWaitMs: 500, lingerMs: 10_000, nowMs, request: () => undefined },
  );
  const host = new InspectorHost(inspector, {
    nodeName: 'n',
    captureName: '',
    speed: 0,
    waitSubscribers: 0,
    nowMs,
    containers: tracker,
    hold: { holdMs, eventsMax: 100, bytesMax: 1_000_000 },
  });
  t.after(() => host.stop());
  await host.start();
  return {
    source,
    inspector,
    subscribe: async (request) => {
      const recorder = new FeedRecorder();
      await host.subscribe(feedRequest({ ...PATIENT, ...request }), recorder);
      await new Promise((resolve) => setImmediate(resolve));
      return recorder;
    },
    tell: (update) => host.onContainerUpdates([update]),
  };
}

/** The next call of a kind. */
function next(recorder: FeedRecorder, kind: FeedCall['kind']): Promise<FeedCall> {
  const { promise, resolve } = Promise.withResolvers<FeedCall>();
  recorder.onCall = (call) => {
    if (call.kind === kind) resolve(call);
  };
  return promise;
}

const COMPLETE = {
  delivery: 'complete',
  projection: { kind: 'text', template: '*%proc.name %container.name' },
  filters: [{ id: 0, name: '', condition: 'evt.type = execve' }],
} as const;

test('a live event waits for its container, and leaves as soon as it is known', async (t) => {
  const live = await start(t, 1e9);
  const late = await live.subscribe(COMPLETE);
  const early = await live.subscribe({
    ...COMPLETE,
    delivery: 'immediate',
    projection: { kind: 'json', fields: ['container.name'] },
  });
  const first = next(early, 'batch');
  live.source.push(exec(10, 'a', 'sh'));
  await first;
  assert.deepEqual(late.lines, []);
  const released = next(late, 'batch');
  const completed = next(early, 'completion');
  live.tell({ kind: 'found', fullId: A, json: foundJson(A), isComplete: true });
  await Promise.all([released, completed]);
  assert.deepEqual(late.lines, ['sh web']);
  assert.equal(live.inspector.state.undo.enabled, false);
});

test('a live event does not wait for a container that nobody knows, nor for ever', async (t) => {
  for (const isAnswered of [true, false]) {
    const live = await start(t, isAnswered ? 1e9 : 30);
    const recorder = await live.subscribe(COMPLETE);
    const released = next(recorder, 'batch');
    live.source.push(exec(10, 'a', 'sh'));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.deepEqual(recorder.lines, []);
    if (isAnswered) live.tell({ kind: 'unknown', fullId: A });
    await released;
    assert.deepEqual(recorder.lines, ['sh <NA>']);
    const { expired, unanswered } = live.inspector.delivery.incompleteByCause;
    assert.deepEqual([expired, unanswered], isAnswered ? [0, 1] : [1, 0]);
  }
});
