/** Pods of a node as a real API server has them: after every change the rows follow from what the server itself says. */
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { KubeAccess } from '../../server/kubernetes/kube-access.ts';
import { type KubeClock, SYSTEM_KUBE_CLOCK } from '../../server/kubernetes/kube-clock.ts';
import { PodSource } from '../../server/kubernetes/pod-source.ts';
import { eventually } from '../helpers/eventually.ts';
import { expectedRows, type KubeObjects } from '../helpers/kube-expected-rows.ts';
import { podSourceOptions } from '../helpers/kube-fixture.ts';
import { PodFollower } from '../helpers/pod-follower.ts';
import { KubeLab, kubeLabSkip } from './lab/kube-lab.ts';

const NODE = 'node-1';
const READER_TOKEN = 'reader-token';
/** How soon a change must be seen. */
const SOON_MS = 1000;
/** After which time a source that was refused, or found nobody, asks again here: a minute is too long for tests. */
const PAUSE_MS_MAX = 200;

const impatient: KubeClock = {
  ...SYSTEM_KUBE_CLOCK,
  pause: (delayMs, signal) => SYSTEM_KUBE_CLOCK.pause(Math.min(delayMs, PAUSE_MS_MAX), signal),
};

const LISTS: Readonly<Record<string, string>> = {
  Pod: '/api/v1/pods',
  Namespace: '/api/v1/namespaces',
  Service: '/api/v1/services',
  ReplicationController: '/api/v1/replicationcontrollers',
  ReplicaSet: '/apis/apps/v1/replicasets',
  Deployment: '/apis/apps/v1/deployments',
  DaemonSet: '/apis/apps/v1/daemonsets',
  StatefulSet: '/apis/apps/v1/statefulsets',
  Job: '/apis/batch/v1/jobs',
  CronJob: '/apis/batch/v1beta1/cronjobs',
};

/** What the product needs, and nothing else. */
const READ = ['get', 'list', 'watch'];
const RULES = [
  { apiGroups: [''], resources: ['pods', 'namespaces', 'services', 'replicationcontrollers'], verbs: READ },
  {
    apiGroups: ['apps'],
    resources: ['replicasets', 'deployments', 'daemonsets', 'statefulsets'],
    verbs: READ,
  },
  { apiGroups: ['batch'], resources: ['jobs', 'cronjobs'], verbs: READ },
];

type Body = Record<string, unknown>;

describe('a real API server', { skip: kubeLabSkip() }, () => {
  let lab: KubeLab;

  before(async () => {
    lab = await KubeLab.start({ reader: READER_TOKEN });
    const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
    await lab.must('POST', role, { metadata: { name: 'strata' }, rules: RULES });
    await bind('User', 'reader');
    await lab.must('POST', '/api/v1/nodes', { metadata: { name: NODE } });
    await lab.must('POST', '/api/v1/nodes', { metadata: { name: 'node-2' } });
    await lab.must('POST', '/api/v1/namespaces', { metadata: { name: 'shop', labels: { team: 'sales' } } });
  });
  after(() => lab?.stop());

  async function bind(kind: string, name: string): Promise<void> {
    const group = 'rbac.authorization.k8s.io';
    const apiGroup = kind === 'User' ? { apiGroup: group } : { namespace: 'shop' };
    await lab.must('POST', `/apis/${group}/v1/clusterrolebindings`, {
      metadata: { name: `strata-${name}` },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'strata' },
      subjects: [{ kind, name, ...apiGroup }],
    });
  }

  const at = (kind: string, name = ''): string => {
    const [, root, plural] = /^(.*)\/([^/]+)$/.exec(LISTS[kind] ?? '') ?? [];
    return `${root}/namespaces/shop/${plural}${name === '' ? '' : `/${name}`}`;
  };

  const template = (app: string) => ({
    metadata: { labels: { app } },
    spec: { containers: [{ name: 'main', image: 'none' }] },
  });

  /** With what the kind needs beside its metadata. */
  const create = (kind: string, name: string, owner?: Body): Promise<Body> => {
    const selector = { matchLabels: { app: name } };
    const restarting = { ...template(name), spec: { ...template(name).spec, restartPolicy: 'Never' } };
    const specs: Record<string, unknown> = {
      ReplicationController: { replicas: 0, selector: { app: name }, template: template(name) },
      Job: { template: restarting },
      CronJob: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: restarting } } },
      StatefulSet: { serviceName: name, selector, template: template(name) },
    };
    return lab.must('POST', at(kind), {
      metadata: { name, labels: { app: name, kind }, ...ownedBy(owner) },
      spec: specs[kind] ?? { selector, template: template(name) },
    });
  };

  const createPod = (name: string, owner?: Body): Promise<Body> =>
    lab.must('POST', at('Pod'), {
      metadata: { name, labels: { app: 'cart' }, annotations: { note: 'n\u00f6' }, ...ownedBy(owner) },
      spec: { containers: [{ name: 'main', image: 'none' }] },
    });

  const bindPod = (name: string, node = NODE) =>
    lab.must('POST', `${at('Pod', name)}/binding`, {
      metadata: { name },
      target: { kind: 'Node', name: node },
    });

  const deleteNow = (kind: string, name: string) =>
    lab.must('DELETE', `${at(kind, name)}?gracePeriodSeconds=0&propagationPolicy=Background`);

  async function objects(): Promise<KubeObjects> {
    const lists = Object.entries(LISTS).map(async ([kind, path]) => {
      const { items } = await lab.must('GET', path);
      return [kind, items as Body[]] as const;
    });
    return Object.fromEntries(await Promise.all(lists));
  }

  /** The rows are those of the API server's own JSON. Milliseconds that took. */
  async function agrees(follower: PodFollower, what: string, patienceMs = SOON_MS): Promise<number> {
    const started = performance.now();
    const expected = binary(expectedRows(await objects(), NODE));
    const isSame = () =>
      follower.syncedCount > 0 && follower.isComplete() && isDeepStrictEqual(follower.shown(), expected);
    await eventually(what, isSame, patienceMs).catch(() => undefined);
    const tookMs = performance.now() - started;
    assert.deepEqual(follower.shown(), expected, what);
    assert.ok(follower.isComplete(), what);
    return tookMs;
  }

  function follow(t: TestContext, access: KubeAccess, clock: KubeClock = impatient) {
    const follower = new PodFollower();
    const source = new PodSource(
      podSourceOptions({ nodeName: NODE, pageSize: 100 }),
      access,
      follower,
      clock,
    );
    t.after(() => source.stop());
    source.start();
    return { source, follower };
  }

  const asReader = () => {
    const found = KubeAccess.find({
      apiUrl: undefined,
      apiCert: undefined,
      kubeconfig: lab.kubeconfigFor(READER_TOKEN),
      env: {},
    });
    assert.ok(found);
    return found;
  };

  const patch = (path: string, body: Body) => lab.must('PATCH', path, body);

  test('objects of every kind, bound, changed and deleted', async (t) => {
    const { follower, source } = follow(t, asReader());
    const times: string[] = [];
    const step = async (what: string, act: () => Promise<unknown>) => {
      await act();
      times.push(`${what}: ${(await agrees(follower, what)).toFixed(0)} ms`);
    };
    await step('nothing', () => eventually('synced', () => follower.syncedCount === 1));
    const deployment = await create('Deployment', 'cart');
    const set = await create('ReplicaSet', 'cart-1', deployment);
    await createPod('cart-1-a', set);
    await step('a pod that is not bound', async () => undefined);
    assert.equal(follower.rows.size, 0);
    await step('bound here', () => bindPod('cart-1-a'));
    assert.equal([...follower.rows.values()][0]?.owners.length, 2);
    await createPod('elsewhere', set);
    await step('bound elsewhere', () => bindPod('elsewhere', 'node-2'));
    assert.equal(follower.rows.size, 1);
    await step('a service', () =>
      lab.must('POST', at('Service'), {
        metadata: { name: 'cart', labels: { s: '1' } },
        spec: { selector: { app: 'cart' }, ports: [{ port: 80 }] },
      }),
    );
    assert.equal([...follower.rows.values()][0]?.services.length, 1);
    for (const kind of ['DaemonSet', 'StatefulSet', 'ReplicationController']) {
      const owner = await create(kind, `my-${kind.toLowerCase()}`);
      await createPod(`of-${kind.toLowerCase()}`, owner);
      await step(kind, () => bindPod(`of-${kind.toLowerCase()}`));
    }
    const cron = await create('CronJob', 'nightly');
    await createPod('of-cron', await create('Job', 'nightly-1', cron));
    await step('CronJob', () => bindPod('of-cron'));
    assert.deepEqual(
      [...follower.rows.values()]
        .find(({ name }) => name === 'of-cron')
        ?.owners.map(({ labels }) => labels.get('kind')),
      ['Job', 'CronJob'],
    );
    await step('pod labels', () =>
      patch(at('Pod', 'cart-1-a'), { metadata: { labels: { app: 'other', x: 'y' } } }),
    );
    await step('namespace labels', () =>
      patch('/api/v1/namespaces/shop', { metadata: { labels: { team: 'ops' } } }),
    );
    await step('deployment labels', () =>
      patch(at('Deployment', 'cart'), { metadata: { labels: { v: '2' } } }),
    );
    await step('service selector', () =>
      patch(at('Service', 'cart'), { spec: { selector: { app: 'other' } } }),
    );
    await step('addresses and containers', () =>
      patch(`${at('Pod', 'cart-1-a')}/status`, {
        status: {
          podIP: '10.1.0.7',
          podIPs: [{ ip: '10.1.0.7' }],
          containerStatuses: [
            {
              name: 'main',
              image: 'none',
              imageID: '',
              ready: true,
              restartCount: 0,
              containerID: `containerd://${'ab'.repeat(32)}`,
            },
          ],
        },
      }),
    );
    assert.equal(
      [...follower.rows.values()].filter(({ containerIds }) => containerIds.length === 1).length,
      1,
    );
    await step('service deleted', () => deleteNow('Service', 'cart'));
    await step('deployment deleted', () => deleteNow('Deployment', 'cart'));
    await step('pod deleted', () => deleteNow('Pod', 'of-cron'));
    t.diagnostic(times.join('; '));
    const { reflectors } = source.status();
    assert.equal(reflectors.relists, 0);
  });

  test('the server is killed and comes back: every list is read anew once at most', async (t) => {
    const { follower, source } = follow(t, asReader());
    await agrees(follower, 'before', 10_000);
    await lab.restartServer();
    t.diagnostic(`after a restart: ${(await agrees(follower, 'restarted', 5000)).toFixed(0)} ms`);
    await eventually('watching', () => source.status().kinds.every(({ state }) => state === 'watching'));
    // It knows no history from before its start.
    const listCount = source.status().kinds.reduce((sum, kind) => sum + kind.listCount, 0);
    assert.ok(source.status().reflectors.relists <= listCount, 'a list was read anew more than once');
    await patch(at('Pod', 'cart-1-a'), { metadata: { labels: { round: '1' } } });
    await agrees(follower, 'a change after the restart');
    await lab.killServer();
    await eventually('noticed', () => source.status().kinds.every(({ state }) => state !== 'watching'));
    await lab.startServer();
    await agrees(follower, 'killed and started', 5000);
    assert.ok(source.status().reflectors.relists <= 2 * listCount);
  });

  test('a version that was compacted away while the server was restarted is listed anew', async (t) => {
    let isHeld = false;
    // Who waits to ask again waits until the past is forgotten.
    const held: KubeClock = {
      ...impatient,
      pause: async (delayMs, signal) => {
        do await impatient.pause(Math.min(delayMs, 20), signal);
        while (isHeld && !signal.aborted);
      },
    };
    const { follower, source } = follow(t, asReader(), held);
    await agrees(follower, 'before', 10_000);
    isHeld = true;
    await lab.killServer();
    await eventually('noticed', () => source.status().kinds.every(({ state }) => state === 'failing'));
    await lab.startServer();
    for (let i = 0; i < 3; i++)
      await patch(at('Pod', 'cart-1-a'), { metadata: { labels: { round: `c${i}` } } });
    await lab.compact();
    await lab.restartServer();
    isHeld = false;
    const tookMs = await agrees(follower, 'compacted', 5000);
    const { relists } = source.status().reflectors;
    t.diagnostic(`after compaction: ${tookMs.toFixed(0)} ms, ${relists} lists anew`);
    assert.ok(relists > 0, 'no list was read anew');
    await patch(at('Pod', 'cart-1-a'), { metadata: { labels: { round: 'last' } } });
    await agrees(follower, 'a change afterwards');
  });

  test('a token that the server takes no more, as its account is gone, is replaced by the one in the file', async (t) => {
    const accounts = '/api/v1/namespaces/shop/serviceaccounts';
    const token = join(lab.folder, 'account-token');
    const renew = async (name: string): Promise<void> => {
      const answer = await lab.must('POST', `${accounts}/${name}/token`, {
        spec: { expirationSeconds: 600 },
      });
      writeFileSync(`${token}.new`, `${(answer['status'] as Body)['token']}\n`);
      renameSync(`${token}.new`, token);
    };
    for (const name of ['first', 'second']) {
      await lab.must('POST', accounts, { metadata: { name } });
      await bind('ServiceAccount', name);
    }
    await renew('first');
    const config = join(lab.folder, 'account-config');
    const users = [
      { name: 'user', user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: token } } } },
    ];
    const { readFileSync } = await import('node:fs');
    const base = JSON.parse(readFileSync(lab.kubeconfigFor('none', 'base'), 'utf8')) as Body;
    writeFileSync(config, JSON.stringify({ ...base, users }));
    const access = KubeAccess.find({ apiUrl: undefined, apiCert: undefined, kubeconfig: config, env: {} });
    assert.ok(access);
    const { follower, source } = follow(t, access);
    await agrees(follower, 'with the first token', 10_000);
    await lab.must('DELETE', `${accounts}/first`);
    await lab.restartServer();
    await eventually('401', () => source.status().kinds.some(({ error }) => error.includes('status 401')));
    await patch(at('Pod', 'cart-1-a'), { metadata: { labels: { token: 'second' } } });
    await renew('second');
    t.diagnostic(`after a new token: ${(await agrees(follower, 'with the second token')).toFixed(0)} ms`);
  });

  test('a kind that may not be read any more, and then again', async (t) => {
    const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/strata';
    await patch(role, {
      rules: RULES.map((rule) => ({
        ...rule,
        resources: rule.resources.filter((name) => name !== 'replicasets'),
      })),
    });
    // Others learn of roles a moment later.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { follower, source } = follow(t, asReader());
    const stateOf = (kind: string) => source.status().kinds.find((row) => row.kind === kind);
    await eventually('forbidden', () => stateOf('ReplicaSet')?.state === 'forbidden');
    await eventually('rows', () => follower.rows.size > 0 && follower.isComplete());
    assert.match(stateOf('ReplicaSet')?.error ?? '', /403.*replicasets.*is forbidden/);
    assert.equal(stateOf('Pod')?.state, 'watching');
    const row = () => [...follower.rows.values()].find(({ name }) => name === 'cart-1-a');
    assert.deepEqual(
      row()?.owners.map(({ kind, labels }) => [kind, labels.size]),
      [['ReplicaSet', 0]],
    );
    await patch(role, { rules: RULES });
    t.diagnostic(
      `after the permission is back: ${(await agrees(follower, 'permitted', 5000)).toFixed(0)} ms`,
    );
    assert.equal(stateOf('ReplicaSet')?.state, 'watching');
  });

  test('a certificate of somebody else is told as such', async (t) => {
    const access = KubeAccess.find({ apiUrl: lab.url, apiCert: undefined, kubeconfig: undefined, env: {} });
    assert.ok(access);
    const { follower, source } = follow(t, access);
    await eventually('told', () => follower.syncedCount === 1);
    const [pods] = source.status().kinds;
    assert.equal(pods?.state, 'failing');
    assert.match(pods?.error ?? '', /self-signed certificate/);
    assert.equal(follower.rows.size, 0);
  });

  test('no API server at all is told, and nobody waits', async (t) => {
    const access = KubeAccess.find({
      apiUrl: 'https://127.0.0.1:1',
      apiCert: undefined,
      kubeconfig: undefined,
      env: {},
    });
    assert.ok(access);
    const { follower, source } = follow(t, access);
    await eventually('told', () => follower.syncedCount === 1);
    assert.match(source.status().kinds[0]?.error ?? '', /ECONNREFUSED/);
  });
});

function ownedBy(owner: Body | undefined): Body {
  if (owner === undefined) return {};
  const { name, uid } = owner['metadata'] as Body;
  return {
    ownerReferences: [{ apiVersion: owner['apiVersion'], kind: owner['kind'], name, uid, controller: true }],
  };
}

/** Rows hold bytes, one a character. */
function binary<Value>(value: Value): Value {
  return JSON.parse(Buffer.from(JSON.stringify(value), 'utf8').toString('latin1')) as Value;
}
