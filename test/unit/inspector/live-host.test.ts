import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  addInterest,
  emptyInterest,
  type Interest,
  WANT_ALL,
  WANT_PAYLOAD,
} from '../../../server/capture/interest.ts';
import {
  PPME_PAGE_FAULT_E,
  PPME_SYSCALL_READ_X,
  PPME_SYSCALL_UNLINKAT_2_X,
} from '../../../server/event/event-types.ts';
import type { ThreadChange } from '../../../server/event/snapshot.ts';
import { Healing } from '../../../server/inspector/healing.ts';
import { Inspector } from '../../../server/inspector/inspector.ts';
import { type HostOptions, InspectorHost } from '../../../server/inspector/inspector-host.ts';
import { stateInterest } from '../../../server/inspector/state-interest.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { FeedRecorder, feedRequest } from '../../helpers/feed-recorder.ts';
import { LiveScriptEngine } from '../../helpers/live-script-engine.ts';
import { threadEntry } from '../../helpers/parser-harness.ts';
import { closeEvents } from '../../helpers/script-engine.ts';

interface Bench {
  readonly host: InspectorHost;
  readonly engine: LiveScriptEngine;
  readonly inspector: Inspector;
}

async function start(t: TestContext, options: Partial<HostOptions> = {}): Promise<Bench> {
  const engine = new LiveScriptEngine([{ tid: 5, pid: 5, comm: 'known' }]);
  const inspector = new Inspector(
    new OsState(),
    engine,
    { eventsMax: 64, bytesMax: 65_536 },
    {
      addsBootTime: true,
      onPlaceholder: (tid) => options.healing?.request(tid),
    },
    [PPME_PAGE_FAULT_E],
  );
  const host = new InspectorHost(inspector, {
    nodeName: 'n',
    captureName: '',
    speed: 0,
    waitSubscribers: 0,
    nowMs: () => performance.now(),
    ...options,
  });
  t.after(() => host.stop());
  await host.start();
  return { host, engine, inspector };
}

async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for something the host does in its own time. */
async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 2000;
  while (!isSo()) {
    assert.ok(performance.now() < endMs, 'it never came');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function withState(own: (interest: Interest) => void): Interest {
  const interest = emptyInterest();
  addInterest(interest, stateInterest());
  own(interest);
  return interest;
}

function request(condition: string, fields: readonly string[] = ['evt.num']) {
  return feedRequest({
    filters: [{ id: 0, name: '', condition }],
    projection: { kind: 'json', fields },
    holdsSource: false,
    batchLatencyMs: 10_000,
  });
}

test('what is captured follows the subscriptions, in the turn in which they come, change and go', async (t) => {
  const { host, engine } = await start(t);
  assert.deepEqual(engine.interests, [stateInterest()]);
  const feed = await host.subscribe(request('evt.type = unlinkat'), new FeedRecorder());
  await turns();
  const unlink = withState((interest) => {
    interest[PPME_SYSCALL_UNLINKAT_2_X] = WANT_ALL;
  });
  assert.equal(engine.interest[PPME_SYSCALL_UNLINKAT_2_X], unlink[PPME_SYSCALL_UNLINKAT_2_X]);
  await feed.setFilters([{ id: 1, name: '', condition: 'evt.type = read and evt.buffer contains x' }]);
  await turns();
  assert.equal(engine.interest[PPME_SYSCALL_UNLINKAT_2_X], 0);
  assert.equal(engine.interest[PPME_SYSCALL_READ_X], WANT_ALL | WANT_PAYLOAD);
  feed.cancel();
  await turns();
  assert.deepEqual(engine.interest, stateInterest());
});

test('changes of one turn go down together, and what changes nothing does not go down', async (t) => {
  const { host, engine, inspector } = await start(t);
  await Promise.all([1, 2, 3].map(() => host.subscribe(request('evt.type = read'), new FeedRecorder())));
  await turns();
  assert.equal(engine.interests.length, 2);
  assert.equal(inspector.interest.changeCount, 2);
});

test('a subscription without a filter wants everything but what needs an option, and data only when asked for', async (t) => {
  const { host, engine } = await start(t);
  await host.subscribe(request(''), new FeedRecorder());
  await turns();
  assert.equal(engine.interest[PPME_SYSCALL_READ_X], WANT_ALL);
  assert.equal(engine.interest[PPME_PAGE_FAULT_E], 0);
  await host.subscribe(request('', ['evt.info']), new FeedRecorder());
  await turns();
  assert.equal(engine.interest[PPME_SYSCALL_READ_X], WANT_ALL | WANT_PAYLOAD);
});

test('losses of the source are told to everyone there, exactly, behind what came before and before what comes after', async (t) => {
  const { host, engine } = await start(t);
  engine.lose(3);
  const first = new FeedRecorder();
  await host.subscribe(request(''), first);
  await turns();
  engine.push(...closeEvents(2));
  await turns();
  engine.lose(5);
  engine.push(...closeEvents(1));
  await until(() => first.lines.length === 3);
  const late = new FeedRecorder();
  await host.subscribe(request(''), late);
  await turns();
  engine.lose(2);
  await until(() => late.calls.some(({ kind }) => kind === 'loss'));
  const losses = (recorder: FeedRecorder) =>
    recorder.calls.map((call) => (call.kind === 'loss' ? `lost ${call.loss.count}` : call.kind));
  assert.deepEqual(
    losses(first).filter((text) => text !== 'mark'),
    ['batch', 'lost 5', 'batch', 'lost 2'],
  );
  assert.deepEqual(losses(late), ['lost 2']);
  const [loss] = late.calls;
  assert.ok(
    loss?.kind === 'loss' && loss.loss.cause === 'capture-loss' && loss.loss.firstSequence === undefined,
  );
});

test('an event that nothing follows is not held back for the batch to fill', async (t) => {
  const { host, engine } = await start(t);
  const recorder = new FeedRecorder();
  await host.subscribe(request(''), recorder);
  await turns();
  engine.push(...closeEvents(1));
  await turns();
  assert.deepEqual(recorder.lines.length, 1);
  engine.push(...closeEvents(1));
  await until(() => recorder.lines.length === 2);
  assert.ok(recorder.calls.length >= 2);
});

test('a thread nobody introduced is looked up, and what its event saw stays known', async (t) => {
  const wanted: number[] = [];
  const found: ThreadChange[] = [];
  const lookup = {
    counters: { tried: 7, healed: 6 },
    request: (tid: number) => void wanted.push(tid),
    heal: () => found.splice(0),
  };
  const healing = new Healing(lookup, (entry) => ({ ...entry, args: 'clean' }));
  const { host, engine, inspector } = await start(t, { healing });
  engine.push(...closeEvents(1, { tid: 77 }));
  await until(() => wanted.length > 0);
  assert.deepEqual(wanted, [77]);
  assert.equal(inspector.state.threads.find(77)?.isPlaceholder, true);
  found.push({ thread: threadEntry({ tid: 77, pid: 77, comm: 'late', args: 'secret' }), fds: undefined });
  await until(() => inspector.state.threads.find(77)?.comm === 'late');
  assert.deepEqual(inspector.state.threads.find(77)?.args, ['clean']);
  const past = await host.query('getThread', {
    tid: 77n,
    scope: { subscriptionId: '', eventNumber: 1n },
    includeAncestors: false,
  } as Parameters<typeof host.query<'getThread'>>[1]);
  assert.equal(past.thread?.isPlaceholder, true);
  const { source } = await host.query('getStatus', undefined);
  assert.equal(source.live?.healedThreadCount, 6n);
  assert.equal(source.live?.lostByCause[0]?.count, 4n);
  assert.ok((source.live?.eventTypesWanted ?? 0) > 40);
});
