import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { InjectingEngine } from '../../../server/capture/injecting-engine.ts';
import { bareContainer, containerJsonOf } from '../../../server/container/container-rows.ts';
import { compileFilter } from '../../../server/filter/filter.ts';
import { ContainerTracker } from '../../../server/inspector/container-tracker.ts';
import { Inspector } from '../../../server/inspector/inspector.ts';
import { InspectorHost } from '../../../server/inspector/inspector-host.ts';
import { PodTracker } from '../../../server/inspector/pod-tracker.ts';
import { Recording } from '../../../server/inspector/recording.ts';
import { podJsonOf } from '../../../server/kubernetes/pod-rows.ts';
import type { PodUpdate } from '../../../server/kubernetes/pod-update.ts';
import { OsState } from '../../../server/state/os-state.ts';
import type { PodRow } from '../../../server/state/pod-table.ts';
import { FeedRecorder, feedRequest } from '../../helpers/feed-recorder.ts';
import { LiveScriptEngine } from '../../helpers/live-script-engine.ts';
import { POD_UID, podRow } from '../../helpers/pod-row.ts';
import { CollectedRecording, RECORD_ALL, rowWriter, TestLoop } from '../../helpers/recording-fixture.ts';
import { replay } from '../../helpers/replay.ts';
import { closeEvents } from '../../helpers/script-engine.ts';
import { born, containerId, ended } from '../../helpers/tracker-bench.ts';

const A = containerId('a');
const LINGER_MS = 10_000;

/** What the runtime tells of a container of the pod. */
const CONTAINER_JSON = containerJsonOf({
  ...bareContainer(A, 'docker'),
  name: 'web',
  image: 'img',
  labels: new Map([['io.kubernetes.pod.uid', POD_UID]]),
  isComplete: true,
});

class PodBench {
  readonly source: LiveScriptEngine;
  readonly inspector: Inspector;
  readonly pods: PodTracker;
  readonly containers: ContainerTracker;
  nowMs: number;

  constructor() {
    this.nowMs = 0;
    this.source = new LiveScriptEngine([{ tid: 1, pid: 1 }]);
    const target = new InjectingEngine(this.source);
    this.inspector = new Inspector(
      new OsState(),
      target,
      { eventsMax: 64, bytesMax: 65_536 },
      {
        onContainerSeen: (fullId, type, tid) => this.containers.onThread(fullId, type, tid),
        onContainerStored: (key) => this.containers.onStored(key),
        onPodStored: () => this.containers.onPodStored(),
      },
    );
    const { state, pending, parser, event } = this.inspector;
    const nowMs = () => this.nowMs;
    this.pods = new PodTracker(state, target, { lingerMs: LINGER_MS, nowMs });
    this.containers = new ContainerTracker(
      { state, pending, parser, target, record: event.record },
      {
        mode: 'ask',
        lookupMs: 5000,
        replayWaitMs: 500,
        lingerMs: LINGER_MS,
        nowMs,
        request: () => undefined,
        isPodMissing: (fullId) => this.pods.isMissing(fullId),
      },
    );
    this.inspector.containers = this.containers;
  }

  /** The container is told by its runtime. */
  found(): void {
    this.containers.apply([{ kind: 'found', fullId: A, json: CONTAINER_JSON, isComplete: true }]);
  }

  tell(...updates: PodUpdate[]): void {
    this.pods.apply(updates);
    this.inspector.run(1000);
  }
}

function told(members: Partial<PodRow> = {}): PodUpdate {
  const row = podRow(members);
  return { kind: 'pod', uid: row.uid, json: podJsonOf(row), isComplete: row.isComplete };
}

async function opened(): Promise<PodBench> {
  const bench = new PodBench();
  await bench.inspector.open();
  return bench;
}

test('a container of a pod waits for it while the API server is followed', async () => {
  const bench = await opened();
  const { pending } = bench.inspector;
  bench.tell({ kind: 'synced' });
  bench.source.push(born(10, A));
  bench.inspector.run(1000);
  bench.found();
  bench.inspector.run(1000);
  assert.equal(pending.has(A), true);
  bench.tell(told({ isComplete: false }));
  assert.equal(pending.has(A), true);
  bench.tell(told());
  assert.equal(pending.has(A), false);
});

test('without an API server nobody waits for pods', async () => {
  const bench = await opened();
  bench.source.push(born(10, A));
  bench.inspector.run(1000);
  bench.found();
  bench.inspector.run(1000);
  assert.equal(bench.inspector.pending.has(A), false);
});

test('a wait for a pod that never comes ends', async () => {
  const bench = await opened();
  bench.tell({ kind: 'synced' });
  bench.found();
  bench.source.push(born(10, A));
  bench.inspector.run(1000);
  assert.equal(bench.inspector.pending.has(A), true);
  bench.nowMs = 20_000;
  bench.containers.tick();
  assert.equal(bench.inspector.pending.has(A), false);
});

test('the same news twice is one event', async () => {
  const bench = await opened();
  bench.tell(told(), told());
  bench.tell(told());
  assert.equal(bench.inspector.counters.eventsShown, 1);
  bench.tell(told({ name: 'renamed' }));
  assert.equal(bench.inspector.counters.eventsShown, 2);
});

test('a deleted pod stays while its processes run, and some time after', async () => {
  const bench = await opened();
  const { pods } = bench.inspector.state;
  bench.tell(told({ containerIds: [A] }));
  bench.source.push(born(10, A));
  bench.inspector.run(1000);
  bench.tell({ kind: 'gone', uid: POD_UID });
  const sweepAt = (ms: number): number => {
    bench.nowMs = ms;
    bench.pods.sweep();
    bench.inspector.run(1000);
    return pods.size;
  };
  assert.equal(sweepAt(100_000), 1);
  bench.source.push(ended(10));
  bench.inspector.run(1000);
  assert.deepEqual([sweepAt(101_000), sweepAt(109_000), sweepAt(110_001)], [1, 1, 0]);
  assert.equal(bench.pods.swept, 1);
});

test('a pod that comes back is not swept', async () => {
  const bench = await opened();
  bench.tell(told());
  bench.tell({ kind: 'gone', uid: POD_UID });
  bench.tell(told({ name: 'again' }));
  bench.nowMs = 100_000;
  bench.pods.sweep();
  bench.inspector.run(1000);
  assert.equal(bench.inspector.state.pods.find(POD_UID)?.name, 'again');
});

const FIELDS = ['evt.type', 'container.name', 'k8s.pod.name', 'k8s.deployment.name', 'k8smeta.svc.name'];

async function hostOf(t: TestContext, bench: PodBench): Promise<InspectorHost> {
  const host = new InspectorHost(bench.inspector, {
    nodeName: 'n',
    captureName: '',
    speed: 0,
    waitSubscribers: 0,
    nowMs: () => performance.now(),
    containers: bench.containers,
    pods: bench.pods,
  });
  t.after(() => host.stop());
  await host.start();
  return host;
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!isSo()) {
    assert.ok(performance.now() < endMs, 'it never came');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('in COMPLETE mode events before a late pod carry it', async (t) => {
  const bench = new PodBench();
  const host = await hostOf(t, bench);
  const feed = new FeedRecorder();
  await host.subscribe(
    feedRequest({
      delivery: 'complete',
      filters: [{ id: 0, name: '', condition: 'evt.type in (clone, close) and k8s.deployment.name = cart' }],
      projection: { kind: 'json', fields: FIELDS },
      holdsSource: false,
      batchLatencyMs: 2,
    }),
    feed,
  );
  await new Promise((resolve) => setImmediate(resolve));
  host.onPodUpdates([{ kind: 'synced' }]);
  bench.source.push(born(10, A), ...closeEvents(1, { tid: 10 }));
  host.onContainerUpdates([{ kind: 'found', fullId: A, json: CONTAINER_JSON, isComplete: true }]);
  await until(() => bench.inspector.pending.has(A));
  assert.equal(feed.lines.length, 0);
  host.onPodUpdates([told()]);
  await until(() => feed.lines.length === 2);
  assert.deepEqual(
    feed.lines.map((line) => JSON.parse(line) as unknown),
    ['clone', 'close'].map((type) => ({
      'evt.type': type,
      'container.name': 'web',
      'k8s.pod.name': 'cart-7f9c-x2x4',
      'k8s.deployment.name': 'cart',
      'k8smeta.svc.name': ['cart', 'front'],
    })),
  );
});

test('a recording with pods replays with the same values, whether they came before or while', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-pods-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const isEarly of [true, false]) {
    const bench = await opened();
    if (isEarly) bench.tell(told());
    const recorded = new CollectedRecording();
    const live: string[] = [];
    const write = rowWriter([...FIELDS, 'k8s.pod.labels', 'k8s.ns.labels', 'evt.args']);
    const loop = new TestLoop(bench.inspector, false);
    const recording = new Recording(RECORD_ALL, compileFilter(''), bench.inspector.state, recorded, loop);
    bench.inspector.addReader({
      eventTypes: recording.eventTypes,
      isHolding: false,
      onEvent: (event) => live.push(write(event)),
    });
    recording.begin();
    bench.inspector.addReader(recording);
    bench.found();
    bench.source.push(born(10, A), ...closeEvents(1, { tid: 10 }));
    bench.inspector.run(1000);
    bench.tell(told({ labels: new Map([['new', 'label']]) }), { kind: 'gone', uid: POD_UID });
    bench.source.push(...closeEvents(1, { tid: 10 }), ended(10));
    bench.inspector.run(1000);
    for (const ms of [50_000, 70_000]) {
      bench.nowMs = ms;
      bench.pods.sweep();
      bench.inspector.run(1000);
    }
    recording.end({ reason: 'stopped' });
    const path = join(folder, 'x.scap');
    writeFileSync(path, recorded.file());
    const again: string[] = [];
    await replay(path, (event) => again.push(write(event)));
    assert.ok(live.some((row) => row.includes('"k8s.pod.labels":"new:label"')));
    assert.ok(live.some((row) => row.includes('k8s_pod_removed')));
    assert.deepEqual(again, live, isEarly ? 'before' : 'while');
  }
});
