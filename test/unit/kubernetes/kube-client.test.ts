/** Answers of the API server, good and bad: what requests carry, what errors say, what is bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeBackoff } from '../../../server/kubernetes/kube-backoff.ts';
import type { KubeWatchEvent } from '../../../server/kubernetes/kube-client.ts';
import { KubeError, statusError } from '../../../server/kubernetes/kube-error.ts';
import { KubeLines } from '../../../server/kubernetes/kube-lines.ts';
import { FakeKube, type FakeKubeAnswer } from '../../helpers/fake-kube.ts';
import { fakeObject, fakePod } from '../../helpers/fake-kube-objects.ts';
import { KUBE_LIMITS, kubeClient } from '../../helpers/kube-fixture.ts';
import { ManualKubeClock } from '../../helpers/manual-kube-clock.ts';

const signal = new AbortController().signal;
const PODS = { path: '/api/v1/pods' };

async function startFake(t: { after(end: () => Promise<void>): void }): Promise<FakeKube> {
  const fake = await FakeKube.start();
  t.after(() => fake.stop());
  return fake;
}

test('lists come in pages', async (t) => {
  const fake = await startFake(t);
  for (let i = 0; i < 5; i++) fake.put(fakePod(`p${i}`, 'node-1'));
  const client = kubeClient(fake.url);
  const first = await client.list({ ...PODS, params: { limit: '3' } }, signal);
  const next = await client.list({ ...PODS, params: { limit: '3', continue: first.continueToken } }, signal);
  assert.deepEqual([first.items.length, next.items.length, next.continueToken], [3, 2, '']);
  assert.equal(first.resourceVersion, '105');
});

test('metadata alone is asked for in a way that older servers may ignore', async (t) => {
  const fake = await startFake(t);
  fake.put(fakeObject('Deployment', 'cart', { spec: { replicas: 3 }, labels: { a: 'b' } }));
  const client = kubeClient(fake.url);
  const path = '/apis/apps/v1/namespaces/shop/deployments/cart';
  const whole = await client.get({ path }, signal);
  const bare = await client.get({ path, isMetadataOnly: true }, signal);
  assert.deepEqual(whole['spec'], { replicas: 3 });
  assert.equal(bare['spec'], undefined);
  assert.deepEqual(bare['metadata'], whole['metadata']);
  assert.match(
    String(fake.requests[1]?.headers['accept']),
    /as=PartialObjectMetadata;.*, application\/json$/,
  );
});

const REFUSALS: readonly [FakeKubeAnswer, Partial<KubeError>][] = [
  [{ status: 401 }, { fault: 'unauthorized' }],
  [
    { status: 403, message: 'pods is forbidden' },
    { fault: 'forbidden', message: 'GET /api/v1/pods: status 403 pods is forbidden' },
  ],
  [{ status: 404, text: 'page not found\n' }, { fault: 'not-found' }],
  [{ status: 410 }, { fault: 'gone' }],
  [
    { status: 429, headers: { 'retry-after': '7' } },
    { fault: 'throttled', retryAfterMs: 7000 },
  ],
  [{ status: 429 }, { fault: 'throttled', retryAfterMs: undefined }],
  [
    { status: 503, headers: { 'retry-after': '1' } },
    { fault: 'throttled', retryAfterMs: 1000 },
  ],
  [{ status: 503 }, { fault: 'server' }],
  [{ status: 500, text: `\u0001${'x'.repeat(100_000)}` }, { fault: 'server' }],
  [
    { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    { fault: 'protocol', status: 302 },
  ],
  [
    { status: 200, text: 'not json' },
    { fault: 'protocol', message: 'GET /api/v1/pods: the answer is no JSON' },
  ],
  [
    { status: 200, text: '[1]' },
    { fault: 'protocol', message: 'GET /api/v1/pods: the answer is no object' },
  ],
];

for (const [answer, expected] of REFUSALS) {
  test(`status ${answer.status} ${answer.text?.slice(0, 8) ?? ''} is ${expected.fault}`, async (t) => {
    const fake = await startFake(t);
    fake.fault = () => answer;
    const client = kubeClient(fake.url);
    const error: unknown = await client.list(PODS, signal).catch((cause) => cause);
    assert.ok(error instanceof KubeError);
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(error[name as keyof KubeError], value, name);
    }
    assert.ok(error.message.length < 400 && !/\p{Cc}/u.test(error.message));
    assert.equal(client.counters.failures, 1);
  });
}

test('a Retry-After may be a date, and is never longer than ten minutes', () => {
  const at = (header: string) =>
    statusError('x', 429, '', header, Date.parse('2026-01-01T00:00:00Z')).retryAfterMs;
  assert.equal(at('Thu, 01 Jan 2026 00:00:05 GMT'), 5000);
  assert.equal(at('100000'), 600_000);
  assert.equal(at('Wed, 31 Dec 2025 00:00:00 GMT'), undefined);
  assert.equal(at('soon'), undefined);
});

test('a broken connection, none at all, and silence', async (t) => {
  const fake = await startFake(t);
  const client = kubeClient(fake.url, { ...KUBE_LIMITS, callTimeoutMs: 30 });
  fake.fault = () => 'break';
  await assert.rejects(client.list(PODS, signal), { fault: 'unreachable' });
  fake.fault = () => 'hang';
  await assert.rejects(client.list(PODS, signal), { fault: 'timeout', message: /nothing for 30 ms/ });
  await assert.rejects(kubeClient('http://127.0.0.1:1').list(PODS, signal), { fault: 'unreachable' });
});

test('an answer, a refusal and an event that are too long are not read to the end', async (t) => {
  const fake = await startFake(t);
  fake.put(fakePod('big', 'node-1', { annotations: { a: 'x'.repeat(10_000) } }));
  const client = kubeClient(fake.url, { ...KUBE_LIMITS, answerBytesMax: 5000 });
  await assert.rejects(client.list(PODS, signal), { fault: 'protocol', message: /more than 5000 bytes/ });
  const watch = client.watch({ ...PODS, params: { resourceVersion: '0' } }, 20_000, () => undefined, signal);
  await assert.rejects(watch, { fault: 'protocol', message: /an event of more than 5000 bytes/ });
});

test('a watch ends without an error when the server ends it, and with one when it breaks', async (t) => {
  const fake = await startFake(t);
  const client = kubeClient(fake.url);
  for (const [end, isError] of [
    ['endWatches', false],
    ['cut', true],
  ] as const) {
    const events: KubeWatchEvent[] = [];
    const watch = client.watch(
      { ...PODS, params: { resourceVersion: '100' } },
      20_000,
      (event) => events.push(event),
      signal,
      () => fake[end](),
    );
    if (isError) await assert.rejects(watch, { fault: 'unreachable' });
    else await watch;
  }
});

test('an ERROR inside a watch is the error it names', async (t) => {
  const fake = await startFake(t);
  fake.put(fakePod('p', 'node-1'));
  fake.store.compact();
  const client = kubeClient(fake.url);
  const watch = client.watch({ ...PODS, params: { resourceVersion: '5' } }, 20_000, () => undefined, signal);
  await assert.rejects(watch, { fault: 'gone', status: 410, message: /too old resource version/ });
});

test('garbage inside a watch ends it with an error, after what came before', async (t) => {
  const fake = await startFake(t);
  const client = kubeClient(fake.url);
  for (const garbage of ['{"type":\n', '7\n', '[]\n', 'null\n', '\u0000\n']) {
    const events: KubeWatchEvent[] = [];
    const watch = client.watch(
      { ...PODS, params: { resourceVersion: '100' } },
      20_000,
      (event) => events.push(event),
      signal,
      () => {
        for (const open of fake.watches) open.sendText(`{"type":"ADDED","object":{"a":1}}\n${garbage}`);
      },
    );
    await assert.rejects(watch, { fault: 'protocol', message: /an event that is no object/ });
    assert.deepEqual(events, [{ type: 'ADDED', object: { a: 1 } }]);
  }
});

test('a call that is given up ends at once, also while it waits for authorization', async (t) => {
  const fake = await startFake(t);
  fake.fault = () => 'hang';
  const client = kubeClient(fake.url);
  const stop = new AbortController();
  const list = client.list(PODS, stop.signal);
  stop.abort();
  await assert.rejects(list, { name: 'KubeError' });
});

test('lines are the same however they are cut', () => {
  const text = Buffer.from('{"a":"\u00e4"}\n\n{"b":2}\r\n{"c":3}\n');
  for (let size = 1; size <= text.length; size++) {
    const lines = new KubeLines('x', 100);
    const found: unknown[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...lines.push(text.subarray(at, at + size)));
    lines.end();
    assert.deepEqual(found, [{ a: '\u00e4' }, { b: 2 }, { c: 3 }]);
  }
  const cut = new KubeLines('x', 100);
  assert.deepEqual([...cut.push(Buffer.from('{"a"'))], []);
  assert.throws(() => cut.end(), { fault: 'unreachable' });
});

test('waits grow up to a bound, spread by chance, and follow the server where it names a time', () => {
  const clock = new ManualKubeClock();
  const backoff = new KubeBackoff(clock, { firstMs: 100, maxMs: 1000 });
  const wait = (chance: number, error = new KubeError('unreachable', 'x')): number => {
    clock.chances.push(chance, 0);
    const ms = backoff.next(error);
    clock.chances.length = 0;
    return ms;
  };
  assert.deepEqual([wait(0), wait(0), wait(0), wait(0), wait(0)], [50, 100, 200, 400, 500]);
  assert.equal(wait(0.999_999) > 999, true);
  backoff.reset();
  assert.equal(wait(0), 50);
  assert.equal(wait(0, new KubeError('forbidden', 'x')), 30_000);
  const patient = new KubeError('throttled', 'x', { retryAfterMs: 5000 });
  assert.equal(wait(0, patient), 5000);
  assert.equal(wait(0.5, patient), 6250);
});
