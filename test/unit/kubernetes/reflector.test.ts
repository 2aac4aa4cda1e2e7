/** Lists that are followed: pages, resuming, and all the ways in which servers end or refuse it. No time passes. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JsonObject } from '../../../server/container/container-json.ts';
import { objectKey, Reflector, type ReflectorOptions } from '../../../server/kubernetes/reflector.ts';
import { eventually } from '../../helpers/eventually.ts';
import { FakeKube, type FakeKubeAnswer } from '../../helpers/fake-kube.ts';
import { fakePod } from '../../helpers/fake-kube-objects.ts';
import { kubeClient } from '../../helpers/kube-fixture.ts';
import { ManualKubeClock } from '../../helpers/manual-kube-clock.ts';

interface Followed {
  readonly fake: FakeKube;
  readonly clock: ManualKubeClock;
  readonly reflector: Reflector;
  /** Names of what there is, as the listener was told. */
  readonly names: () => string[];
  readonly states: string[];
  readonly calls: () => number;
}

async function follow(
  t: TestContext,
  prepare: (fake: FakeKube) => void = () => undefined,
  options: Partial<ReflectorOptions> = {},
): Promise<Followed> {
  const fake = await FakeKube.start();
  t.after(() => fake.stop());
  prepare(fake);
  const clock = new ManualKubeClock();
  const objects = new Map<string, JsonObject>();
  const states: string[] = [];
  let calls = 0;
  const reflector: Reflector = new Reflector(
    {
      name: 'pods',
      path: '/api/v1/pods',
      fieldSelector: 'spec.nodeName=node-1',
      pageSize: 2,
      pageWaitMs: 77,
      watchMs: 300_000,
      retryMsMax: 60_000,
      ...options,
    },
    kubeClient(fake.url),
    {
      onObject: (object) => {
        calls++;
        objects.set(objectKey(object), object);
      },
      onDeleted: (object) => {
        calls++;
        objects.delete(objectKey(object));
      },
      onListed: (keys) => {
        calls++;
        for (const key of [...objects.keys()]) if (!keys.has(key)) objects.delete(key);
      },
      onStatusChanged: () => states.push(reflector.state),
    },
    clock,
  );
  t.after(() => reflector.stop());
  const names = () =>
    [...objects.values()].map((object) => String((object['metadata'] as JsonObject)['name'])).sort();
  return { fake, clock, reflector, names, states, calls: () => calls };
}

const watching = ({ reflector, fake }: Followed) =>
  eventually('watching', () => reflector.state === 'watching' && fake.watches.size === 1);
const shows = ({ names }: Followed, expected: string) =>
  eventually(
    () => `${names()} instead of ${expected}`,
    () => names().join() === expected,
  );

const put = (fake: FakeKube, ...names: string[]) => {
  for (const name of names) fake.put(fakePod(name, 'node-1'));
};

test('a list is read page by page with a wait between, then watched from there', async (t) => {
  const it = await follow(t, (fake) => {
    put(fake, 'a', 'b', 'c', 'd', 'e');
    fake.put(fakePod('foreign', 'node-2'));
  });
  it.reflector.start();
  await watching(it);
  assert.deepEqual(it.names(), ['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual(it.clock.pauses, [77, 77]);
  const [first, , , watch] = it.fake.requests;
  assert.equal(first?.params.get('limit'), '2');
  assert.equal(first?.params.get('resourceVersion'), null);
  assert.equal(watch?.params.get('resourceVersion'), '106');
  assert.equal(watch?.params.get('allowWatchBookmarks'), 'true');
  assert.equal(watch?.params.get('timeoutSeconds'), '375');
  assert.deepEqual(it.states, ['listing', 'watching']);
  assert.equal(it.reflector.isListed, true);
});

test('short lists are read at once from the memory of the server', async (t) => {
  const it = await follow(t, (fake) => put(fake, 'a', 'b', 'c'), { pageSize: 0 });
  it.reflector.start();
  await watching(it);
  assert.equal(it.fake.requests[0]?.params.get('resourceVersion'), '0');
  assert.equal(it.fake.requests[0]?.params.get('limit'), null);
  it.fake.store.compact();
  put(it.fake, 'd');
  it.fake.store.compact();
  it.clock.advance(5000);
  it.fake.endWatches();
  await shows(it, 'a,b,c,d');
});

test('a short list that is read anew comes from the memory of the server, too, unless it has it no more', async (t) => {
  const it = await follow(t, (fake) => put(fake, 'a'), { pageSize: 0 });
  it.reflector.start();
  await watching(it);
  const answers = [{ status: 410 }, { status: 503, headers: { 'retry-after': '1' } }, { status: 504 }];
  it.fake.fault = ({ params }) => (params.get('resourceVersion') === null ? undefined : answers.shift());
  it.clock.advance(5000);
  it.fake.endWatches();
  await eventually('listed again', () => it.reflector.counters.relists === 3);
  await watching(it);
  const versions = it.fake.requests
    .filter(({ verb }) => verb === 'list')
    .map(({ params }) => params.get('resourceVersion'));
  assert.deepEqual(versions, ['0', '101', '101', null]);
});

test('changes are told as they come; objects of other nodes are not', async (t) => {
  const it = await follow(t);
  it.reflector.start();
  await watching(it);
  put(it.fake, 'a', 'b');
  it.fake.put(fakePod('foreign', 'node-2'));
  await shows(it, 'a,b');
  it.fake.remove(fakePod('a', 'node-1'));
  await shows(it, 'b');
});

test('a watch that the server ends goes on from the last version, bookmarks included', async (t) => {
  const it = await follow(t, (fake) => put(fake, 'a'));
  it.reflector.start();
  await watching(it);
  for (let i = 0; i < 50; i++) it.fake.put(fakePod(`foreign${i}`, 'node-2'));
  it.clock.advance(5000);
  it.fake.endWatches(true);
  await eventually('another watch', () => it.reflector.counters.watches === 2 && it.fake.watches.size === 1);
  assert.equal(it.fake.requests.at(-1)?.params.get('resourceVersion'), '151');
  assert.deepEqual(
    { ...it.reflector.counters },
    { lists: 1, relists: 0, watches: 2, bookmarks: 1, failures: 0, throttled: 0 },
  );
  assert.deepEqual(it.clock.pauses, []);
  put(it.fake, 'b');
  await shows(it, 'a,b');
});

test('nothing is lost between two watches', async (t) => {
  const it = await follow(t, (fake) => put(fake, 'a', 'b'));
  it.reflector.start();
  await watching(it);
  it.fake.fault = ({ verb }) => (verb === 'watch' ? { status: 500 } : undefined);
  it.fake.cut();
  await eventually('failing', () => it.reflector.state === 'failing');
  put(it.fake, 'c');
  it.fake.remove(fakePod('a', 'node-1'));
  it.fake.fault = () => undefined;
  await shows(it, 'b,c');
  assert.equal(it.reflector.counters.relists, 0);
  assert.equal(it.reflector.error, '');
});

test('a version that the server has forgotten makes it list anew: in the watch, and as its status', async (t) => {
  const it = await follow(t, (fake) => put(fake, 'a', 'b'));
  it.reflector.start();
  await watching(it);
  it.fake.fault = () => 'break';
  it.fake.cut();
  it.fake.remove(fakePod('a', 'node-1'));
  put(it.fake, 'c');
  it.fake.store.compact();
  it.fake.fault = () => undefined;
  await shows(it, 'b,c');
  assert.equal(it.reflector.counters.relists, 1);
  await watching(it);
  let refusals = 0;
  it.fake.fault = ({ verb }) => (verb === 'watch' && refusals++ === 0 ? { status: 410 } : undefined);
  it.clock.advance(5000);
  it.fake.endWatches();
  await eventually('listed again', () => it.reflector.counters.relists === 2);
  await watching(it);
});

test('a server that is back without its history is listed soon, and seldom when that never ends', async (t) => {
  const it = await follow(t);
  it.fake.fault = () => 'break';
  it.reflector.start();
  await eventually('long waits', () => it.clock.pauses.length >= 9);
  it.fake.fault = ({ verb }) => (verb === 'watch' ? { status: 410 } : undefined);
  const waits = await eventually('waits for lists', () => {
    const start = it.clock.pauses.lastIndexOf(375);
    return start > 5 && it.clock.pauses.length >= start + 4 && it.clock.pauses.slice(start, start + 4);
  });
  assert.deepEqual(waits, [375, 750, 1500, 3000]);
});

test('a list whose next page is too old begins anew', async (t) => {
  const it = await follow(t, (fake) => put(fake, 'a', 'b', 'c', 'd'));
  let isDone = false;
  it.fake.fault = ({ params }) => {
    if (params.get('continue') !== null && !isDone) {
      isDone = true;
      put(it.fake, 'e');
      it.fake.store.compact();
    }
    return undefined;
  };
  it.reflector.start();
  await watching(it);
  assert.deepEqual(it.names(), ['a', 'b', 'c', 'd', 'e']);
  assert.equal(it.reflector.counters.lists, 2);
});

test('a server that ends each watch at once, also after a bookmark, is asked more and more seldom', async (t) => {
  const it = await follow(t);
  it.fake.fault = ({ verb }) => {
    if (verb === 'watch') setImmediate(() => it.fake.endWatches(true));
    return undefined;
  };
  it.reflector.start();
  await eventually('eight watches', () => it.clock.pauses.length >= 8);
  assert.deepEqual(it.clock.pauses.slice(0, 8), [375, 750, 1500, 3000, 6000, 12_000, 24_000, 45_000]);
  assert.equal(it.reflector.counters.lists, 1);
});

const STATES: readonly [FakeKubeAnswer, string, number][] = [
  [{ status: 403 }, 'forbidden', 45_000],
  [{ status: 404, text: 'nothing' }, 'absent', 45_000],
  [{ status: 401 }, 'failing', 375],
  [{ status: 500 }, 'failing', 375],
  [{ status: 200, text: 'garbage' }, 'failing', 45_000],
  [{ status: 200, text: '{"items":[]}' }, 'failing', 45_000],
  [{ status: 429, headers: { 'retry-after': '20' } }, 'failing', 20_000 * 1.25 + 250],
];

for (const [answer, state, waitMs] of STATES) {
  test(`status ${answer.status} ${answer.text ?? ''} makes it ${state}, until it is better`, async (t) => {
    const it = await follow(t);
    it.clock.holdMs = 1;
    it.fake.fault = () => answer;
    it.reflector.start();
    await eventually(state, () => it.clock.pauses.length === 1);
    assert.equal(it.reflector.state, state);
    assert.notEqual(it.reflector.error, '');
    assert.deepEqual(it.clock.pauses, [waitMs]);
    assert.equal(it.reflector.counters.throttled, answer.status === 429 ? 1 : 0);
    it.fake.fault = () => undefined;
    it.clock.advance(waitMs);
    await watching(it);
    assert.equal(it.reflector.error, '');
  });
}

const UNDER_WAY: Readonly<Record<string, (it: Followed) => void>> = {
  'a list': ({ fake }) => {
    fake.fault = () => 'hang';
  },
  'the wait between pages': ({ fake, clock }) => {
    put(fake, 'a', 'b', 'c');
    clock.holdMs = 1;
  },
  'a watch that has not begun': ({ fake }) => {
    fake.fault = ({ verb }) => (verb === 'watch' ? 'hang' : undefined);
  },
  'a watch': () => undefined,
  'the wait after a failure': ({ fake, clock }) => {
    fake.fault = () => 'break';
    clock.holdMs = 1;
  },
};

for (const [what, prepare] of Object.entries(UNDER_WAY)) {
  test(`it stops during ${what}, and is silent afterwards`, async (t) => {
    const it = await follow(t);
    prepare(it);
    it.reflector.start();
    const asked = what.includes('watch') ? 2 : 1;
    await eventually('under way', () => {
      if (what === 'a watch') return it.fake.watches.size === 1;
      return what.includes('wait') ? it.clock.pauses.length > 0 : it.fake.requests.length === asked;
    });
    await it.reflector.stop();
    assert.equal(it.reflector.state, 'stopped');
    const calls = it.calls();
    const requests = it.fake.requests.length;
    it.fake.fault = () => undefined;
    put(it.fake, 'z');
    it.clock.advance(1_000_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(it.calls(), calls);
    assert.equal(it.fake.requests.length, requests);
  });
}

test('one that never began can be stopped', async (t) => {
  const it = await follow(t);
  await it.reflector.stop();
  assert.equal(it.fake.requests.length, 0);
});

test('objects are known by uid, and by place and name without one', () => {
  assert.equal(objectKey({ metadata: { uid: 'u', name: 'n' } }), 'u');
  assert.equal(objectKey({ metadata: { namespace: 's', name: 'n' } }), 's/n');
  assert.equal(objectKey({ metadata: 7 }), '/');
});
