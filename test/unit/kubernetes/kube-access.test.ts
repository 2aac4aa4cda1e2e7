/** Where the API server is found and how requests are let in. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KubeAccess, type KubeAccessOptions } from '../../../server/kubernetes/kube-access.ts';
import { KubeClient } from '../../../server/kubernetes/kube-client.ts';
import { KubeError } from '../../../server/kubernetes/kube-error.ts';
import { FakeKube } from '../../helpers/fake-kube.ts';
import { fakePod } from '../../helpers/fake-kube-objects.ts';
import { KUBE_LIMITS } from '../../helpers/kube-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-kube-access-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const NONE: KubeAccessOptions = { apiUrl: undefined, apiCert: undefined, kubeconfig: undefined, env: {} };
const signal = new AbortController().signal;
const PODS = { path: '/api/v1/pods' };

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function must(options: Partial<KubeAccessOptions>, nowMs: () => number = () => 0): KubeAccess {
  const access = KubeAccess.find({ ...NONE, ...options }, nowMs);
  assert.ok(access !== undefined);
  return access;
}

test('without anything that names a server there is none', () => {
  assert.equal(KubeAccess.find({ ...NONE, env: { HOME: folder } }), undefined);
});

test('user and password of the URL go into the header, and not into the origin', async () => {
  const access = must({ apiUrl: 'http://me:p%40ss@127.0.0.1:8080/prefix/' });
  const { serverUrl, headers } = await access.authorize();
  assert.equal(serverUrl, 'http://127.0.0.1:8080/prefix');
  assert.equal(headers['Authorization'], `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  assert.doesNotMatch(access.origin, /me|ss/);
  await access.close();
});

test('a token file is sent without the newline at its end', async () => {
  const access = must({ apiUrl: 'http://127.0.0.1:1', apiCert: file('token', 'secret\n') });
  assert.equal((await access.authorize()).headers['Authorization'], 'Bearer secret');
  await access.close();
});

test('flags that cannot be understood are refused, without passwords in the text', () => {
  const bad: Partial<KubeAccessOptions>[] = [
    { apiUrl: '127.0.0.1:8080' },
    { apiUrl: 'ftp://me:secret@host' },
    { apiUrl: 'https://host', apiCert: 'a:b:c:d' },
    { apiUrl: 'https://host', apiCert: 'a::c' },
    { apiUrl: 'https://host', apiCert: '' },
  ];
  for (const options of bad) {
    assert.throws(
      () => must(options),
      (error) =>
        error instanceof KubeError && error.fault === 'protocol' && !error.message.includes('secret'),
      JSON.stringify(options),
    );
  }
});

test('files that are not there are told as such, and read when they have come', async () => {
  const path = join(folder, 'late-token');
  const access = must({ apiUrl: 'http://127.0.0.1:1', apiCert: path });
  await assert.rejects(access.authorize(), {
    name: 'KubeError',
    fault: 'unauthorized',
    message: /late-token/,
  });
  writeFileSync(path, 'here');
  assert.equal((await access.authorize()).headers['Authorization'], 'Bearer here');
  await access.close();
});

test('the service account of a pod: address, token and CA', async (t) => {
  const fake = await FakeKube.start({ isTls: true });
  t.after(() => fake.stop());
  fake.tokens.set('of-the-account', 'system:serviceaccount:strata');
  const serviceAccountPath = join(folder, 'account');
  mkdirSync(serviceAccountPath);
  file('account/token', 'of-the-account');
  const { readFileSync } = await import('node:fs');
  file('account/ca.crt', readFileSync(fake.caPath, 'utf8'));
  const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(fake.port) };
  const access = must({ env, serviceAccountPath });
  const client = new KubeClient(access, KUBE_LIMITS);
  assert.equal((await client.list(PODS, signal)).resourceVersion, '100');
  assert.equal(fake.requests[0]?.client, 'system:serviceaccount:strata');
  await access.close();
});

test('a kubeconfig: from the option, from KUBECONFIG, from the home folder', async () => {
  const text = {
    clusters: [{ name: 'c', cluster: { server: 'https://kube.invalid:6443' } }],
    users: [{ name: 'u', user: { token: 'abc' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  const path = file('config', JSON.stringify(text));
  mkdirSync(join(folder, '.kube'));
  file('.kube/config', JSON.stringify(text));
  for (const options of [{ kubeconfig: path }, { env: { KUBECONFIG: path } }, { env: { HOME: folder } }]) {
    const access = must(options);
    const { serverUrl, headers } = await access.authorize();
    assert.equal(serverUrl, 'https://kube.invalid:6443');
    assert.equal(headers['Authorization'], 'Bearer abc');
    assert.match(access.origin, /^kubeconfig /);
    await access.close();
  }
});

test('a kubeconfig that cannot be read, or names no server, is an error of the access', async () => {
  const nothing = must({ kubeconfig: join(folder, 'not-there') });
  await assert.rejects(nothing.authorize(), { fault: 'unauthorized', message: /not-there/ });
  const empty = must({ kubeconfig: file('empty', '{"clusters":[],"users":[],"contexts":[]}') });
  await assert.rejects(empty.authorize(), { fault: 'protocol', message: /names no API server/ });
});

test('a token that was refused is read anew for the next request', async (t) => {
  const fake = await FakeKube.start();
  t.after(() => fake.stop());
  fake.tokens.set('old', 'me');
  const path = file('rotating', 'old');
  const access = must({ apiUrl: fake.url, apiCert: path });
  const client = new KubeClient(access, KUBE_LIMITS);
  await client.list(PODS, signal);
  fake.tokens.clear();
  fake.tokens.set('new', 'me');
  file('rotating', 'new');
  await assert.rejects(client.list(PODS, signal), { fault: 'unauthorized', status: 401 });
  await client.list(PODS, signal);
  await access.close();
});

test('a CA that is replaced is read anew after a refused certificate, while watches go on', async (t) => {
  const [old, young] = [await FakeKube.start({ isTls: true }), await FakeKube.start({ isTls: true })];
  t.after(() => Promise.all([old.stop(), young.stop()]));
  const { copyFileSync } = await import('node:fs');
  const ca = join(folder, 'rotating-ca.crt');
  copyFileSync(old.caPath, ca);
  const cluster = { name: 'c', cluster: { server: young.url, 'certificate-authority': ca } };
  const config = {
    clusters: [cluster],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  const access = must({ kubeconfig: file('ca-config', JSON.stringify(config)) });
  const client = new KubeClient(access, KUBE_LIMITS);
  await assert.rejects(client.list(PODS, signal), { fault: 'tls', message: /certificate/ });
  copyFileSync(young.caPath, ca);
  await client.list(PODS, signal);
  const stop = new AbortController();
  const names: unknown[] = [];
  const begun = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<void>();
  const watch = client.watch(
    { ...PODS, params: { resourceVersion: '100' } },
    20_000,
    ({ object }) => {
      names.push((object['metadata'] as Record<string, unknown>)['name']);
      seen.resolve();
    },
    stop.signal,
    begun.resolve,
  );
  await begun.promise;
  access.reload();
  young.put(fakePod('late', 'node-1'));
  await seen.promise;
  assert.deepEqual(names, ['late']);
  stop.abort();
  await watch;
  await access.close();
});

test('certificates are presented, and the server checked by the CA that is named', async (t) => {
  const fake = await FakeKube.start({ isTls: true });
  t.after(() => fake.stop());
  const key = join(fake.caPath, '..', 'server.key');
  const access = must({ apiUrl: fake.url, apiCert: `${fake.caPath}:${key}:${fake.caPath}` });
  const client = new KubeClient(access, KUBE_LIMITS);
  assert.equal((await client.list(PODS, signal)).resourceVersion, '100');
  await access.close();
  const without = must({ apiUrl: fake.url, apiCert: `${fake.caPath}:${key}` });
  await assert.rejects(new KubeClient(without, KUBE_LIMITS).list(PODS, signal), { fault: 'tls' });
  await without.close();
});

test('what is read is read anew after five minutes', async () => {
  let now = 0;
  const path = file('aging', 'first');
  const access = must({ apiUrl: 'http://127.0.0.1:1', apiCert: path }, () => now);
  await access.authorize();
  file('aging', 'second');
  now = 5 * 60_000;
  assert.equal((await access.authorize()).headers['Authorization'], 'Bearer second');
  await access.close();
});
