/**
 * A large cluster whose objects are made when they are listed: 5,000 nodes, 150,000 pods, 15,000 deployments and 2,000 services in 200
 * namespaces. node-0 has 50 pods: ten of DaemonSets in one namespace, forty of deployments in forty others, as schedulers spread them.
 */
import type { FakeKubeLists } from './fake-kube.ts';
import { type FakeObject, fakeObject, fakePod, fakeService } from './fake-kube-objects.ts';

export const CLUSTER = {
  nodes: 5000,
  pods: 150_000,
  namespaces: 200,
  deployments: 15_000,
  services: 2000,
  podsOfNode: 50,
  daemonSets: 10,
};
const PER_NAMESPACE = CLUSTER.deployments / CLUSTER.namespaces;
const SERVICES_PER_NAMESPACE = CLUSTER.services / CLUSTER.namespaces;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const namespaceOf = (deployment: number): string => `ns-${deployment % CLUSTER.namespaces}`;

/** What managers write beside: as long as it is in real clusters. */
const MANAGED = [{ manager: 'kubelet', operation: 'Update', fieldsV1: { f: 'x'.repeat(1500) } }];

function managed(object: FakeObject): FakeObject {
  object.metadata['managedFields'] = MANAGED;
  object.metadata['resourceVersion'] = '50';
  return object;
}

function deployment(i: number): FakeObject {
  return managed(
    fakeObject('Deployment', `app-${i}`, {
      namespace: namespaceOf(i),
      labels: { app: `app-${i}`, 'app.kubernetes.io/managed-by': 'Helm' },
      spec: { template: 'x'.repeat(2000) },
    }),
  );
}

function replicaSet(i: number): FakeObject {
  return managed(
    fakeObject('ReplicaSet', `app-${i}-7f9c`, {
      namespace: namespaceOf(i),
      labels: { app: `app-${i}`, 'pod-template-hash': '7f9c' },
      owner: deployment(i),
      spec: { template: 'x'.repeat(2000) },
    }),
  );
}

const daemonSet = (i: number): FakeObject =>
  managed(fakeObject('DaemonSet', `agent-${i}`, { namespace: 'ns-0', labels: { agent: String(i) } }));

const service = (i: number): FakeObject =>
  fakeService(`svc-${i}`, { app: `app-${i}` }, { namespace: namespaceOf(i) });

/** Any pod of a cluster, 5 KB as JSON. */
export function clusterPod(name: string, nodeName: string, owner: FakeObject, app: string): FakeObject {
  return managed(
    fakePod(name, nodeName, {
      namespace: String(owner.metadata['namespace']),
      owner,
      labels: { app, 'pod-template-hash': '7f9c', 'app.kubernetes.io/name': app },
      annotations: { 'prometheus.io/scrape': 'true' },
      spec: { containers: [{ name: 'main', image: `registry.invalid/${app}:1`, env: 'x'.repeat(2000) }] },
      status: { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }], conditions: 'x'.repeat(800) },
    }),
  );
}

function* podsOf(nodeName: string): Generator<FakeObject> {
  if (nodeName !== 'node-0') return;
  for (let i = 0; i < CLUSTER.daemonSets; i++) {
    yield clusterPod(`agent-${i}-${nodeName}`, nodeName, daemonSet(i), `agent-${i}`);
  }
  for (let i = 0; i < CLUSTER.podsOfNode - CLUSTER.daemonSets; i++) {
    yield clusterPod(`app-${i + 1}-7f9c-0`, nodeName, replicaSet(i + 1), `app-${i + 1}`);
  }
}

const namespaceObject = (i: number): FakeObject =>
  managed(fakeObject('Namespace', `ns-${i}`, { labels: { team: `t${i}` } }));
/** Of those in a namespace, all are `ns + k * namespaces`. */
const inNamespace = (namespace: string, count: number): number[] =>
  range(count).map((k) => Number(namespace.slice(3)) + k * CLUSTER.namespaces);

type ByNumber = readonly [(i: number) => FakeObject, number];

const TABLE: Readonly<Record<string, ByNumber>> = {
  deployments: [deployment, PER_NAMESPACE],
  replicasets: [replicaSet, PER_NAMESPACE],
  services: [service, SERVICES_PER_NAMESPACE],
};

export const clusterLists: FakeKubeLists = (plural, namespace, selector) => {
  const named = /^metadata\.name=\D+(\d+)/.exec(selector)?.[1];
  if (plural === 'pods') {
    const nodeName = /^spec\.nodeName=(.*)$/.exec(selector)?.[1];
    if (nodeName === undefined) throw new Error('a list of all pods');
    return podsOf(nodeName);
  }
  if (plural === 'namespaces')
    return named === undefined
      ? range(CLUSTER.namespaces).map(namespaceObject)
      : [namespaceObject(Number(named))];
  if (plural === 'daemonsets') return namespace === 'ns-0' ? range(CLUSTER.daemonSets).map(daemonSet) : [];
  const [make, count] = TABLE[plural] ?? [];
  if (make === undefined || count === undefined) return [];
  return named === undefined ? inNamespace(namespace, count).map(make) : [make(Number(named))];
};

/** Of all pods, as a list of the cluster would be. */
export function allPodsBytes(): number {
  const pod = clusterPod('app-12345-7f9c-5', 'node-1234', replicaSet(12_345), 'app-12345');
  return Buffer.byteLength(JSON.stringify(pod)) * CLUSTER.pods;
}
