/**
 * What one node costs the API server of a large cluster, against a fake server that counts: at start, and per hour extrapolated from one
 * end of every watch. Prints the table of docs/decisions/20261124-kubernetes-watches.md.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseJson } from '../../server/container/container-json.ts';
import type { KubeQuery } from '../../server/kubernetes/kube-client.ts';
import { podFacts } from '../../server/kubernetes/object-facts.ts';
import { podJsonOf, podRowOf } from '../../server/kubernetes/pod-rows.ts';
import { PodSource } from '../../server/kubernetes/pod-source.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeKube, type FakeKubeRequest } from '../helpers/fake-kube.ts';
import { allPodsBytes, CLUSTER, clusterLists } from '../helpers/fake-kube-cluster.ts';
import { fakePod } from '../helpers/fake-kube-objects.ts';
import { kubeAccess, kubeClient, podSourceOptions } from '../helpers/kube-fixture.ts';
import { ManualKubeClock } from '../helpers/manual-kube-clock.ts';
import { PodFollower } from '../helpers/pod-follower.ts';
import { podRow } from '../helpers/pod-row.ts';

const signal = new AbortController().signal;
/** Watches end after five minutes and up to half as long again. */
const WATCH_ENDS_PER_HOUR = 3600 / 375;
const CACHE_ENDS_PER_HOUR = 12;

interface Cost {
  readonly requests: number;
  readonly lists: number;
  readonly objects: number;
  readonly bytes: number;
}

function costOf(requests: readonly FakeKubeRequest[]): Cost {
  const sum = (of: (request: FakeKubeRequest) => number) =>
    requests.reduce((total, request) => total + of(request), 0);
  return {
    requests: requests.length,
    lists: requests.filter(({ verb }) => verb === 'list').length,
    objects: sum(({ objectsSent }) => objectsSent),
    bytes: sum(({ bytesSent }) => bytesSent),
  };
}

function shown(name: string, start: Cost, hour: Cost): string {
  const row = (cost: Cost) =>
    `${cost.requests} requests (${cost.lists} lists), ${cost.objects} objects, ${(cost.bytes / 1e6).toFixed(2)} MB`;
  return `${name}: start ${row(start)}; hour ${row(hour)}`;
}

const times = (cost: Cost, factor: number): Cost => ({
  requests: Math.round(cost.requests * factor),
  lists: Math.round(cost.lists * factor),
  objects: Math.round(cost.objects * factor),
  bytes: Math.round(cost.bytes * factor),
});

test('one watch per object: little at start, no lists afterwards', async (t) => {
  const fake = await FakeKube.start({ isTls: true, lists: clusterLists });
  const follower = new PodFollower();
  const clock = new ManualKubeClock();
  const options = podSourceOptions({ nodeName: 'node-0', pageSize: 500 });
  const source = new PodSource(
    options,
    kubeAccess(fake.url, `${fake.caPath}:${join(fake.caPath, '..', 'server.key')}:${fake.caPath}`),
    follower,
    clock,
  );
  t.after(async () => {
    await source.stop();
    await fake.stop();
  });
  const started = performance.now();
  source.start();
  const isAllWatched = () => {
    const { kinds } = source.status();
    const count = kinds.reduce((sum, kind) => sum + kind.listCount, 0);
    return fake.watches.size === count && kinds.every(({ state }) => state === 'watching');
  };
  await eventually(
    'all rows',
    () => follower.rows.size === CLUSTER.podsOfNode && follower.isComplete() && isAllWatched(),
  );
  const tookMs = performance.now() - started;
  const start = costOf(fake.requests);
  const watchCount = fake.watches.size;
  // Streams of HTTP/2, a hundred to a connection.
  assert.ok(fake.connections <= Math.ceil(watchCount / 100), `${fake.connections} connections`);
  assert.equal(fake.clusterWideLists().length, 0);
  const share = start.bytes / allPodsBytes();
  assert.ok(share < 0.01, `${share} of a list of all pods`);
  const owned = [...follower.rows.values()].filter(
    ({ owners, services }) => owners.length > 0 && services.length === 1,
  );
  assert.equal(owned.length >= CLUSTER.podsOfNode - CLUSTER.daemonSets, true);

  // Every watch ends once, with its bookmark, and begins again.
  const before = new Map([...fake.watches].map(({ request }) => [request, request.bytesSent]));
  const asked = fake.requests.length;
  clock.advance(375_000);
  fake.endWatches(true);
  await eventually('watched again', () => fake.requests.length === asked + watchCount && isAllWatched());
  const again = costOf(fake.requests.slice(asked));
  const bookmarkBytes = [...before].reduce((sum, [request, bytes]) => sum + request.bytesSent - bytes, 0);
  assert.equal(again.lists, 0);
  assert.equal(source.status().reflectors.relists, 0);
  const hour = times({ ...again, bytes: again.bytes + bookmarkBytes }, WATCH_ENDS_PER_HOUR);
  t.diagnostic(shown('(a) one watch per object', start, hour));
  t.diagnostic(
    `(a) ${watchCount} watches; ${(share * 100).toFixed(4)} % of a list of all pods (${(allPodsBytes() / 1e6).toFixed(0)} MB); complete after ${tookMs.toFixed(0)} ms`,
  );
});

/** Namespaces of the pods of node-0. */
const NAMESPACES = Array.from({ length: 41 }, (_, i) => `ns-${i}`);
const OWNERS = ['replicasets', 'deployments', 'daemonsets', 'statefulsets'];

async function listed(
  t: { diagnostic(text: string): void },
  name: string,
  queries: readonly KubeQuery[],
  perHour: number,
) {
  const fake = await FakeKube.start({ lists: clusterLists });
  try {
    const client = kubeClient(fake.url, { answerBytesMax: 64 * 1024 * 1024, callTimeoutMs: 60_000 });
    for (const query of queries) await client.list(query, signal);
    const lists = costOf(fake.requests);
    const start = { ...lists, requests: lists.requests * (perHour === 0 ? 2 : 1) };
    const hour =
      perHour === 0
        ? times(
            { requests: queries.length, lists: 0, objects: 0, bytes: 100 * queries.length },
            WATCH_ENDS_PER_HOUR,
          )
        : times(lists, perHour);
    t.diagnostic(shown(name, start, hour));
    return start;
  } finally {
    await fake.stop();
  }
}

const MINE: KubeQuery = { path: '/api/v1/pods', params: { fieldSelector: 'spec.nodeName=node-0' } };

test('what the other ways cost', async (t) => {
  const wide = NAMESPACES.flatMap((namespace): KubeQuery[] => [
    { path: `/api/v1/namespaces/${namespace}/services` },
    ...OWNERS.map((plural) => ({
      path: `/apis/apps/v1/namespaces/${namespace}/${plural}`,
      isMetadataOnly: true,
    })),
  ]);
  const spaces: KubeQuery = { path: '/api/v1/namespaces', isMetadataOnly: true };
  const byNamespace = await listed(t, '(b) watch per namespace and kind', [MINE, spaces, ...wide], 0);
  assert.ok(byNamespace.objects > 5000);
  const single = (path: string, name: string): KubeQuery => ({
    path,
    params: { fieldSelector: `metadata.name=${name}` },
    isMetadataOnly: true,
  });
  const cached = NAMESPACES.flatMap((namespace, i): KubeQuery[] => [
    single('/api/v1/namespaces', namespace),
    { path: `/api/v1/namespaces/${namespace}/services` },
    ...(i === 0
      ? []
      : [
          single(`/apis/apps/v1/namespaces/${namespace}/replicasets`, `app-${i}-7f9c`),
          single(`/apis/apps/v1/namespaces/${namespace}/deployments`, `app-${i}`),
        ]),
  ]);
  await listed(t, '(c) cached reads, five minutes old at most', cached, CACHE_ENDS_PER_HOUR);
  const bytes = allPodsBytes();
  t.diagnostic(
    `(d) watches of the whole cluster: pods alone ${CLUSTER.pods} objects, ${(bytes / 1e6).toFixed(0)} MB at start (computed); an update of each pod an hour is as much again`,
  );
});

test('250 pods with 50 labels each take less than 20 MB', (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const labels = (i: number) =>
    Object.fromEntries(
      Array.from({ length: 50 }, (_, k) => [`example.com/label-${k}`, `value-${i}-${k}-${'x'.repeat(30)}`]),
    );
  const kept: unknown[] = [];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 250; i++) {
    // Both sides: facts and JSON in the source, the row in the table.
    const facts = podFacts(JSON.parse(JSON.stringify(fakePod(`p${i}`, 'n', { labels: labels(i) }))));
    const json = podJsonOf(podRow({ uid: `u${i}`, labels: facts.labels }));
    kept.push(facts, json, podRowOf(parseJson(json) ?? {}));
  }
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  assert.equal(kept.length, 750);
  t.diagnostic(`${(bytes / 1e6).toFixed(1)} MB`);
  assert.ok(bytes < 20e6, `${bytes} bytes`);
});
