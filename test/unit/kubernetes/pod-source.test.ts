/** Pods of a node with what is joined to them, against a fake API server. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { PodSource, type PodSourceOptions } from '../../../server/kubernetes/pod-source.ts';
import { eventually } from '../../helpers/eventually.ts';
import { FakeKube } from '../../helpers/fake-kube.ts';
import {
  FAKE_KINDS,
  type FakeObject,
  fakeObject,
  fakePod,
  fakeService,
  referenceTo,
} from '../../helpers/fake-kube-objects.ts';
import { expectedRows, type KubeObjects } from '../../helpers/kube-expected-rows.ts';
import { kubeAccess, podSourceOptions } from '../../helpers/kube-fixture.ts';
import { ManualKubeClock } from '../../helpers/manual-kube-clock.ts';
import { PodFollower } from '../../helpers/pod-follower.ts';

interface Sourced {
  readonly fake: FakeKube;
  readonly source: PodSource;
  readonly follower: PodFollower;
  readonly clock: ManualKubeClock;
}

type Cleaning = Pick<TestContext, 'after'>;

async function follow(
  t: Cleaning,
  prepare: (fake: FakeKube) => void = () => undefined,
  options: Partial<PodSourceOptions> = {},
): Promise<Sourced> {
  const fake = await FakeKube.start();
  const clock = new ManualKubeClock();
  clock.holdMs = 30_000;
  const follower = new PodFollower();
  const source = new PodSource(podSourceOptions(options), kubeAccess(fake.url), follower, clock);
  t.after(async () => {
    await source.stop();
    await fake.stop();
  });
  fake.put(fakeObject('Namespace', 'shop', { labels: { team: 'sales' } }));
  prepare(fake);
  source.start();
  return { fake, source, follower, clock };
}

function objectsOf(fake: FakeKube): KubeObjects {
  return Object.fromEntries(FAKE_KINDS.map(({ kind }) => [kind, fake.values(kind)]));
}

/** What is shown is what there is. */
async function agrees({ fake, follower }: Sourced, nodeName = 'node-1'): Promise<void> {
  let expected: unknown;
  try {
    await eventually(
      'the rows that follow from the objects',
      () => {
        expected = expectedRows(objectsOf(fake), nodeName);
        return (
          follower.syncedCount > 0 && follower.isComplete() && isDeepStrictEqual(follower.shown(), expected)
        );
      },
      5000,
    );
  } catch {
    assert.deepEqual(follower.shown(), expected);
    assert.ok(follower.isComplete() && follower.syncedCount > 0);
  }
}

const owners = (it: Sourced) =>
  [...it.follower.rows.values()][0]?.owners.map(({ kind, name, labels }) =>
    `${kind} ${name} ${[...labels.keys()]}`.trim(),
  );

const CHAINS: readonly (readonly string[])[] = [
  ['ReplicaSet', 'Deployment'],
  ['DaemonSet'],
  ['StatefulSet'],
  ['ReplicationController'],
  ['Job', 'CronJob'],
];

for (const chain of CHAINS) {
  test(`a pod of ${chain.join(' of ')}`, async (t) => {
    const it = await follow(t, (fake) => {
      let owner: FakeObject | undefined;
      for (const kind of chain.toReversed()) {
        owner = fake.put(
          fakeObject(kind, `my-${kind.toLowerCase()}`, { labels: { [kind]: 'x' }, ...(owner && { owner }) }),
        );
      }
      fake.put(fakePod('p', 'node-1', { ...(owner && { owner }) }));
    });
    await agrees(it);
    assert.deepEqual(
      owners(it),
      chain.map((kind) => `${kind} my-${kind.toLowerCase()} ${kind}`),
    );
    assert.equal(it.fake.clusterWideLists().length, 0);
  });
}

test('a CronJob is found under the version that its server has', async (t) => {
  const it = await follow(t, (fake) => {
    const cron = fake.put(fakeObject('CronJob', 'nightly', { labels: { c: 'd' } }));
    const reference = { ...referenceTo(cron), apiVersion: 'batch/v1' };
    const job = fakeObject('Job', 'nightly-1');
    job.metadata['ownerReferences'] = [reference];
    fake.put(fakePod('p', 'node-1', { owner: fake.put(job) }));
  });
  await agrees(it);
  assert.deepEqual(owners(it), ['Job nightly-1', 'CronJob nightly c']);
});

test('owners of kinds that are not read are told as their references name them', async (t) => {
  const owner = {
    ...fakeObject('Job', 'thing', { uid: 'u' }),
    kind: 'Workflow',
    apiVersion: 'example.com/v1',
  };
  const it = await follow(t, (fake) => {
    fake.put(fakePod('p', 'node-1', { owner }));
  });
  await eventually('the row', () => it.follower.isComplete() && it.follower.rows.size === 1);
  assert.deepEqual(owners(it), ['Workflow thing']);
  assert.equal(
    it.source.status().kinds.some(({ kind }) => kind === 'Workflow'),
    false,
  );
});

test('owners in a circle end', async (t) => {
  const it = await follow(t, (fake) => {
    const job = fakeObject('Job', 'self');
    job.metadata['ownerReferences'] = [referenceTo(job)];
    fake.put(fakePod('p', 'node-1', { owner: fake.put(job) }));
  });
  await eventually('the row', () => it.follower.isComplete() && it.follower.rows.size === 1);
  assert.equal(owners(it)?.length, 4);
});

test('an owner of the same name with another uid is not the owner', async (t) => {
  const old = fakeObject('ReplicaSet', 'rs', { uid: 'old', labels: { old: '' } });
  const it = await follow(t, (fake) => {
    fake.put(fakeObject('ReplicaSet', 'rs', { uid: 'new', labels: { new: '' } }));
    fake.put(fakePod('p', 'node-1', { owner: old }));
  });
  await agrees(it);
  assert.deepEqual(owners(it), ['ReplicaSet rs']);
});

test('mirror pods, the network of the host, all sorts of containers', async (t) => {
  const it = await follow(t, (fake) => {
    const annotations = { 'kubernetes.io/config.hash': 'h', 'kubernetes.io/config.mirror': 'h' };
    fake.put(
      fakePod('etcd', 'node-1', {
        annotations,
        spec: { hostNetwork: true },
        status: {
          podIPs: [{ ip: '192.0.2.1' }],
          initContainerStatuses: [{ containerID: 'containerd://1' }],
          containerStatuses: [{ containerID: 'containerd://2' }],
          ephemeralContainerStatuses: [{ containerID: 'containerd://3' }],
        },
      }),
    );
  });
  await agrees(it);
  const [row] = it.follower.rows.values();
  assert.deepEqual([row?.staticUid, row?.isHostNetwork, row?.containerIds], ['h', true, ['1', '2', '3']]);
});

test('services follow selectors and labels', async (t) => {
  const it = await follow(t, (fake) => {
    fake.put(fakePod('p', 'node-1', { labels: { app: 'cart', tier: 'web' } }));
    fake.put(fakeService('cart', { app: 'cart' }));
    fake.put(fakeService('all-of-it', { app: 'cart', tier: 'web' }));
    fake.put(fakeService('other', { app: 'other' }));
    fake.put(fakeService('none', undefined));
    fake.put(fakeService('elsewhere', { app: 'cart' }, { namespace: 'bank' }));
  });
  await agrees(it);
  const names = () => [...it.follower.rows.values()][0]?.services.map(({ name }) => name);
  assert.deepEqual(names(), ['all-of-it', 'cart']);
  it.fake.put(fakePod('p', 'node-1', { labels: { app: 'other' } }));
  await agrees(it);
  assert.deepEqual(names(), ['other']);
  it.fake.put(fakeService('other', { app: 'gone' }));
  await agrees(it);
  assert.deepEqual(names(), []);
});

for (const fault of ['forbidden', 'absent'] as const) {
  test(`kinds that are ${fault} leave the rest as it is, and the status says so`, async (t) => {
    const it = await follow(t, (fake) => {
      const rs = fake.put(fakeObject('ReplicaSet', 'rs', { labels: { a: '' } }));
      fake.put(fakePod('p', 'node-1', { owner: rs, labels: { app: 'x' } }));
      fake.put(fakeService('x', { app: 'x' }));
      for (const kind of ['ReplicaSet', 'Namespace']) fake[`${fault}Kinds`].add(kind);
    });
    await eventually('the row', () => it.follower.isComplete() && it.follower.rows.size === 1);
    const [row] = it.follower.rows.values();
    assert.deepEqual(owners(it), ['ReplicaSet rs']);
    assert.deepEqual(
      row?.services.map(({ name }) => name),
      ['x'],
    );
    assert.equal(row?.namespaceUid, '');
    const states = () => Object.fromEntries(it.source.status().kinds.map(({ kind, state }) => [kind, state]));
    const expected = { Pod: 'watching', Service: 'watching', ReplicaSet: fault, Namespace: fault };
    // Both that were refused wait until they may ask again.
    await eventually(
      () => JSON.stringify(states()),
      () => isDeepStrictEqual(states(), expected) && it.clock.pauses.length === 2,
    );
    it.fake[`${fault}Kinds`].clear();
    it.clock.advance(60_000);
    await agrees(it);
    assert.equal(it.follower.syncedCount, 1);
  });
}

test('when pods cannot be read nobody waits for them', async (t) => {
  const it = await follow(t, (fake) => {
    fake.put(fakePod('p', 'node-1'));
    fake.forbiddenKinds.add('Pod');
  });
  await eventually('synced', () => it.follower.syncedCount === 1);
  assert.equal(it.follower.rows.size, 0);
  it.fake.forbiddenKinds.clear();
  it.clock.advance(60_000);
  await agrees(it);
});

test('pods of other nodes are none of ours, whatever the server makes of selectors', async (t) => {
  const it = await follow(t, (fake) => {
    fake.put(fakePod('mine', 'node-1'));
    fake.fault = ({ params }) => {
      params.delete('fieldSelector');
      return undefined;
    };
    fake.put(fakePod('foreign', 'node-2'));
    fake.put(fakePod('unbound', ''));
  });
  await eventually('the row', () => it.follower.rows.size === 1 && it.follower.syncedCount === 1);
  assert.equal([...it.follower.rows.values()][0]?.name, 'mine');
  it.fake.put(fakePod('unbound', 'node-1'));
  await eventually('bound', () => it.follower.rows.size === 2);
  assert.equal(it.source.status().podCount, 2);
});

test('without a node name all pods are followed, page by page', async (t) => {
  const it = await follow(
    t,
    (fake) => {
      for (let i = 0; i < 10; i++) fake.put(fakePod(`p${i}`, `node-${i}`));
    },
    { nodeName: '' },
  );
  await eventually('all rows', () => it.follower.rows.size === 10 && it.follower.syncedCount === 1);
  assert.equal(it.fake.requests.filter(({ plural, verb }) => plural === 'pods' && verb === 'list').length, 4);
});

test('more pods and lists than the limits allow are refused and counted', async (t) => {
  const it = await follow(
    t,
    (fake) => {
      const rs = fake.put(fakeObject('ReplicaSet', 'rs', { labels: { a: '' } }));
      for (const name of ['a', 'b', 'c']) fake.put(fakePod(name, 'node-1', { owner: rs }));
    },
    { podsMax: 2, listsMax: 1 },
  );
  await eventually('the rows', () => it.follower.rows.size === 2 && it.follower.isComplete());
  const status = it.source.status();
  assert.equal(status.podsRefused, 1);
  assert.equal(status.listsRefused > 0, true);
  assert.equal([...it.follower.rows.values()][0]?.owners[0]?.labels.size, 0);
});

test('lists are shared, kept for a minute after the last pod, and then let go of', async (t) => {
  const it = await follow(t, (fake) => {
    const rs = fake.put(fakeObject('ReplicaSet', 'rs'));
    for (const name of ['a', 'b', 'c']) fake.put(fakePod(name, 'node-1', { owner: rs }));
  });
  await agrees(it);
  const lists = () =>
    it.source
      .status()
      .kinds.filter(({ kind }) => kind !== 'Pod')
      .map(({ listCount }) => listCount);
  assert.deepEqual(lists(), [1, 1, 1]);
  await eventually('four watches', () => it.fake.watches.size === 4);
  for (const name of ['a', 'b', 'c']) it.fake.remove(fakePod(name, 'node-1'));
  await agrees(it);
  it.clock.advance(59_000);
  assert.deepEqual(lists(), [1, 1, 1]);
  it.fake.put(fakePod('d', 'node-1'));
  await agrees(it);
  it.clock.advance(61_000);
  await eventually('the owner is let go of', () => it.fake.watches.size === 3);
  assert.deepEqual(lists(), [1, 1]);
  const before = it.source.status().reflectors;
  assert.equal(before.lists, 4);
});

test('a pod that comes and goes between two looks is never told', async (t) => {
  const it = await follow(t, (fake) => fake.put(fakePod('stays', 'node-1')));
  await agrees(it);
  await eventually('watching', () => [...it.fake.watches].some(({ request }) => request.plural === 'pods'));
  const told = it.follower.updateCount;
  const [watch] = [...it.fake.watches].filter(({ request }) => request.plural === 'pods');
  const brief = fakePod('brief', 'node-1', { uid: 'brief' });
  const line = (type: string) => `${JSON.stringify({ type, object: brief })}\n`;
  watch?.sendText(line('ADDED') + line('DELETED'));
  it.fake.put(fakePod('last', 'node-1'));
  await agrees(it);
  assert.equal(it.follower.rows.size, 2);
  // The last one, before and after its lists have been looked at.
  assert.ok(it.follower.updateCount - told <= 2);
});

test('stopped, it tells nothing more and leaves no connection', async (t) => {
  const it = await follow(t, (fake) => fake.put(fakePod('a', 'node-1')));
  await agrees(it);
  await it.source.stop();
  const told = it.follower.updateCount;
  it.fake.put(fakePod('b', 'node-1'));
  await eventually('no watch', () => it.fake.watches.size === 0);
  assert.equal(it.follower.updateCount, told);
});

type Change = (it: Sourced) => void;

const small = fc.nat({ max: 2 });
const label = fc.constantFrom('x', 'y');
const OWNERS = ['ReplicaSet', 'Deployment', 'Job', 'StatefulSet'];

/** Changes of a cluster, and faults that the result must not depend on. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc
    .tuple(fc.nat({ max: 5 }), fc.constantFrom('node-1', 'node-1', 'node-2'), small, label, fc.option(small))
    .map(
      ([i, node, generation, app, owner]): Change =>
        ({ fake }) => {
          // One of the same name is another pod only after the first is gone.
          const old = fake.values('Pod').find(({ metadata }) => metadata['name'] === `p${i}`);
          if (old !== undefined && old.metadata['uid'] !== `p${i}-${generation}`) fake.remove(old);
          const set = fakeObject(OWNERS[owner ?? 0] ?? '', `o${owner}`, { namespace: `ns${i % 2}` });
          fake.put(
            fakePod(`p${i}`, node, {
              uid: `p${i}-${generation}`,
              namespace: `ns${i % 2}`,
              labels: { app },
              ...(owner === null ? {} : { owner: set }),
            }),
          );
        },
    ),
  fc.nat({ max: 5 }).map(
    (i): Change =>
      ({ fake }) => {
        const found = fake.values('Pod').find(({ metadata }) => metadata['name'] === `p${i}`);
        if (found !== undefined) fake.remove(found);
      },
  ),
  fc.tuple(small, small, label).map(
    ([i, space, value]): Change =>
      ({ fake }) => {
        const namespace = `ns${space}`;
        const owner = fakeObject('Deployment', 'd', { namespace });
        fake.put(
          fakeObject(OWNERS[i] ?? '', `o${i}`, { namespace, labels: { value }, ...(i === 0 && { owner }) }),
        );
        if (i === 0) fake.put(fakeObject('Deployment', 'd', { namespace, labels: { value } }));
      },
  ),
  fc.tuple(small, label).map(
    ([i, app]): Change =>
      ({ fake }) => {
        fake.put(fakeService(`s${i}`, { app }, { namespace: `ns${i % 2}`, labels: { app } }));
        fake.put(fakeObject('Namespace', `ns${i % 2}`, { labels: { app } }));
      },
  ),
  fc.constantFrom<Change>(
    ({ fake }) => fake.cut(),
    ({ fake }) => fake.endWatches(),
    ({ fake }) => fake.endWatches(true),
    ({ fake }) => {
      fake.cut();
      fake.store.compact();
    },
    ({ clock }) => clock.advance(61_000),
    () => undefined,
  ),
);

test('after any changes and faults the rows are those that follow from the objects', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(change, fc.boolean()), { minLength: 5, maxLength: 40 }),
      async (changes) => {
        const ends: (() => unknown)[] = [];
        const it = await follow({ after: (end) => ends.push(end as () => unknown) });
        it.clock.holdMs = Number.POSITIVE_INFINITY;
        try {
          for (const [apply, isAwaited] of changes) {
            apply(it);
            if (isAwaited) await new Promise((resolve) => setImmediate(resolve));
          }
          await agrees(it);
        } finally {
          for (const end of ends) await end();
        }
      },
    ),
    { numRuns: 40, endOnFailure: true },
  );
});
