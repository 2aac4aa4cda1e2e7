import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { InjectingEngine } from '../../../server/capture/injecting-engine.ts';
import type { ContainerRequest, ContainerUpdate } from '../../../server/container/container-update.ts';
import { compileFilter } from '../../../server/filter/filter.ts';
import { ContainerTracker } from '../../../server/inspector/container-tracker.ts';
import { Inspector } from '../../../server/inspector/inspector.ts';
import { type HostOptions, InspectorHost } from '../../../server/inspector/inspector-host.ts';
import { Recording } from '../../../server/inspector/recording.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { FeedRecorder, feedRequest } from '../../helpers/feed-recorder.ts';
import { LiveScriptEngine } from '../../helpers/live-script-engine.ts';
import type { ScriptEvent } from '../../helpers/query-fixture.ts';
import { CollectedRecording, RECORD_ALL, rowWriter, TestLoop } from '../../helpers/recording-fixture.ts';
import { replay } from '../../helpers/replay.ts';
import { closeEvents } from '../../helpers/script-engine.ts';
import { born, containerId, ended, foundJson, TrackerBench } from '../../helpers/tracker-bench.ts';

const A = containerId('a');
const T0 = 1_700_000_000_000_000_000n;

interface Bench {
  readonly host: InspectorHost;
  readonly source: LiveScriptEngine;
}

/** A host on a live source; `hub` answers what the inspector asks. */
async function start(
  t: TestContext,
  hub: (request: ContainerRequest, tell: (...updates: ContainerUpdate[]) => void) => void,
  options: Partial<HostOptions> = {},
): Promise<Bench> {
  const source = new LiveScriptEngine([{ tid: 1, pid: 1 }]);
  const target = new InjectingEngine(source);
  let tracker: ContainerTracker | undefined;
  const inspector = new Inspector(
    new OsState(),
    target,
    { eventsMax: 64, bytesMax: 65_536 },
    {
      onContainerSeen: (fullId, type, tid) => tracker?.onThread(fullId, type, tid),
      onContainerStored: (key) => tracker?.onStored(key),
    },
  );
  const { state, pending, parser, event } = inspector;
  const nowMs = () => performance.now();
  tracker = new ContainerTracker(
    { state, pending, parser, target, record: event.record },
    {
      mode: 'ask',
      lookupMs: 5000,
      replayWaitMs: 500,
      lingerMs: 10_000,
      nowMs,
      request: (request) => hub(request, (...updates) => host.onContainerUpdates(updates)),
    },
  );
  const host = new InspectorHost(inspector, {
    nodeName: 'n',
    captureName: '',
    speed: 0,
    waitSubscribers: 0,
    nowMs,
    containers: tracker,
    ...options,
  });
  t.after(() => host.stop());
  await host.start();
  return { host, source };
}

const REQUEST = feedRequest({
  filters: [{ id: 0, name: '', condition: '' }],
  projection: { kind: 'json', fields: ['evt.num', 'evt.type', 'evt.source', 'container.name'] },
  holdsSource: false,
  batchLatencyMs: 5,
});

async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!isSo()) {
    assert.ok(performance.now() < endMs, 'it never came');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function rowsOf(feed: FeedRecorder): string[] {
  return feed.lines.map((line) => Object.values(JSON.parse(line) as Record<string, unknown>).join(' '));
}

test('what a runtime tells is an event of the stream, also while the source is quiet', async (t) => {
  const { host, source } = await start(t, (request, tell) => {
    if (request.kind !== 'wanted') return;
    setTimeout(
      () => tell({ kind: 'found', fullId: request.fullId, json: foundJson(A), isComplete: true }),
      1,
    );
  });
  const feed = new FeedRecorder();
  await host.subscribe(REQUEST, feed);
  await turns();
  source.push(born(10, A));
  // The source says nothing more: only the answer can bring the second event.
  await until(() => feed.lines.length === 2);
  source.push(...closeEvents(1, { tid: 10 }));
  await until(() => feed.lines.length === 3);
  assert.deepEqual(rowsOf(feed), ['1 clone syscall ', '2 container syscall web', '3 close syscall web']);
});

test('the first event waits for the list of containers, and is not kept waiting by news of them', async (t) => {
  const { host, source } = await start(t, () => undefined, { containersWaitMs: 60_000 });
  const feed = new FeedRecorder();
  await host.subscribe(REQUEST, feed);
  source.push(born(10, A));
  await turns(20);
  host.onContainerUpdates([{ kind: 'found', fullId: A, json: foundJson(A), isComplete: true }]);
  await turns(20);
  assert.equal(feed.lines.length, 0);
  host.onContainersListed();
  await until(() => feed.lines.length === 2);
  assert.deepEqual(rowsOf(feed), ['1 container syscall web', '2 clone syscall web']);
});

test('without an answer the first event comes all the same', async (t) => {
  const { host, source } = await start(t, () => undefined, { containersWaitMs: 20 });
  const feed = new FeedRecorder();
  await host.subscribe(REQUEST, feed);
  source.push(born(10, A));
  await until(() => feed.lines.length === 1);
});

/** Everything about containers that can happen in a stream. */
function story(bench: TrackerBench): void {
  const at = (ms: number) => T0 + BigInt(ms) * 1_000_000n;
  const close = (ms: number, tid: number): ScriptEvent[] => closeEvents(1, { tid, ts: at(ms) });
  bench.run(born(10, A, at(1)), ...close(2, 10));
  bench.tracker.apply([
    { kind: 'found', fullId: A, json: foundJson(A, 'caf\xc3\xa9'), isComplete: true },
    {
      kind: 'users',
      fullId: A,
      users: [{ uid: 0, gid: 0, name: 'boss', homedir: '/r', shell: '/bin/ash' }],
      groups: [{ gid: 0, name: 'bosses' }],
    },
  ]);
  bench.run(...close(3, 10), ...close(4, 1));
  bench.tracker.apply([
    {
      kind: 'users',
      fullId: A,
      users: [{ uid: 0, gid: 0, name: 'chief', homedir: '/r', shell: '' }],
      groups: [],
    },
    { kind: 'gone', fullId: A },
  ]);
  bench.run(...close(5, 10), { ...ended(10), ts: at(6) });
  bench.nowMs = 100_000;
  bench.tracker.sweep();
  bench.run(...close(7, 1), born(11, A, at(8)), ...close(9, 11));
}

test('a recording of injected records replays with the same values, whenever it began', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-injected-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const fields = [
    'evt.type',
    'evt.rawtime',
    'evt.args',
    'container.id',
    'container.name',
    'container.image',
    'user.name',
    'user.shell',
    'group.name',
    'thread.tid',
  ];
  for (const begins of ['at the start', 'in the middle']) {
    const bench = await new TrackerBench().open();
    const recorded = new CollectedRecording();
    const live: string[] = [];
    const write = rowWriter(fields);
    const filter = compileFilter('');
    const begin = () => {
      const loop = new TestLoop(bench.inspector, false);
      const recording = new Recording(RECORD_ALL, filter, bench.inspector.state, recorded, loop);
      bench.inspector.addReader({
        eventTypes: recording.eventTypes,
        isHolding: false,
        onEvent: (event) => live.push(write(event)),
      });
      recording.begin();
      bench.inspector.addReader(recording);
      return recording;
    };
    if (begins === 'in the middle') {
      bench.run(born(10, A, T0));
      bench.tracker.apply([{ kind: 'found', fullId: A, json: foundJson(A, 'early'), isComplete: true }]);
      bench.run();
    }
    const recording = begin();
    story(bench);
    recording.end({ reason: 'stopped' });
    const path = join(folder, 'x.scap');
    writeFileSync(path, recorded.file());
    const again: string[] = [];
    await replay(path, (event) => again.push(write(event)));
    assert.ok(
      live.some((row) => row.includes('"container.name":"caf')),
      live.join('\n'),
    );
    assert.ok(live.some((row) => row.includes('container_removed')));
    assert.ok(live.some((row) => row.includes('"user.name":"chief"')));
    assert.deepEqual(again, live, begins);
  }
});
