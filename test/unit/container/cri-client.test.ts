import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { CriClient } from '../../../server/container/runtime/cri-client.ts';
import type { RuntimeContainer } from '../../../server/container/runtime/runtime-client.ts';
import { type FakeContainer, fakeContainer } from '../../helpers/fake-container.ts';
import { FakeContainerd, strings } from '../../helpers/fake-containerd.ts';
import { FakeCri } from '../../helpers/fake-cri.ts';
import type { FakeGrpcRuntime } from '../../helpers/fake-grpc-runtime.ts';

const CALL_TIMEOUT_MS = 20_000;

let dir = '';
let opened: (FakeGrpcRuntime | CriClient)[] = [];
let given = new AbortController();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cri-'));
  given = new AbortController();
});

afterEach(async () => {
  given.abort();
  for (const one of opened) await one.close();
  opened = [];
  rmSync(dir, { recursive: true });
});

const POD = {
  podId: 'b'.repeat(64),
  podName: 'web-1',
  podNamespace: 'shop',
  podUid: 'uid-1',
  ip: '10.201.7.3',
};

function sandboxOf(pod: Partial<FakeContainer> = {}): FakeContainer {
  return fakeContainer({ name: 'web-1', id: POD.podId, isSandbox: true, ...POD, ...pod });
}

async function listening<T extends FakeGrpcRuntime>(runtime: T): Promise<T> {
  opened.push(runtime);
  await runtime.listen();
  return runtime;
}

function clientOf(runtime: FakeGrpcRuntime): CriClient {
  const client = new CriClient({ socketPath: runtime.socket.path, callTimeoutMs: CALL_TIMEOUT_MS });
  opened.push(client);
  return client;
}

async function cri(options: ConstructorParameters<typeof FakeCri>[1] = {}): Promise<[FakeCri, CriClient]> {
  const runtime = await listening(new FakeCri(join(dir, 'cri.sock'), options));
  return [runtime, clientOf(runtime)];
}

/** What was told, and a wait for more. */
class News {
  readonly told: string[] = [];
  readonly facts: Map<string, RuntimeContainer | undefined> = new Map();
  private waiting: (() => void) | undefined = undefined;

  onCreated(id: string, facts?: RuntimeContainer): void {
    this.facts.set(id, facts);
    this.add(`created ${id}`);
  }
  onStarted(id: string): void {
    this.add(`started ${id}`);
  }
  onEnded(id: string): void {
    this.add(`ended ${id}`);
  }
  async count(wanted: number): Promise<void> {
    while (this.told.length < wanted) await new Promise<void>((resolve) => (this.waiting = resolve));
  }
  private add(text: string): void {
    this.told.push(text);
    this.waiting?.();
  }
}

/** Watches until the test is over; the promise inside says how it ended. */
async function watching(client: CriClient, news: News): Promise<{ over: Promise<void> }> {
  const ready = Promise.withResolvers<void>();
  const over = client.watch(news, ready.resolve, given.signal);
  await Promise.race([ready.promise, over]);
  return { over };
}

test('says who answers, and in which version of CRI', async () => {
  const [, client] = await cri({ runtimeName: 'cri-o', runtimeVersion: '1.29.1' });
  assert.equal(await client.connect(given.signal), 'cri-o 1.29.1 (CRI v1)');
});

test('speaks the version before with those who know nothing newer', async () => {
  const [runtime, client] = await cri({ versions: ['v1alpha2'] });
  runtime.containers.set('a', fakeContainer({ name: 'a', id: 'a' }));
  assert.equal(await client.connect(given.signal), 'containerd 1.6.20~ds1 (CRI v1alpha2)');
  assert.equal((await client.inspect('a', given.signal))?.row.name, 'a');
});

test('asks for the version by itself when nobody connected before', async () => {
  const [runtime, client] = await cri({ versions: ['v1alpha2'], runtimeName: 'cri-o' });
  runtime.containers.set('a', fakeContainer({ name: 'a', id: 'a' }));
  assert.equal((await client.list(given.signal))[0]?.row.type, 'cri-o');
});

test('a server without CRI is refused with words that say so', async () => {
  const runtime = await listening(new FakeContainerd(join(dir, 'containerd.sock')));
  const client = clientOf(runtime);
  await assert.rejects(client.connect(given.signal), {
    fault: 'refused',
    message: `${runtime.socket.path}: does not speak CRI (neither v1 nor v1alpha2)`,
  });
});

test('lists running containers and sandboxes with what their pods say', async () => {
  const [runtime, client] = await cri();
  const running = fakeContainer({ name: 'web', ...POD });
  const exited = fakeContainer({ name: 'old', ...POD, state: 'exited' });
  for (const one of [sandboxOf(), running, exited]) runtime.containers.set(one.id, one);
  const listed = await client.list(given.signal);
  assert.deepEqual(
    listed.map(({ row }) => [row.fullId, row.isPodSandbox, row.isComplete]),
    [
      [POD.podId, true, false],
      [running.id, false, false],
    ],
  );
  const row = listed[1]?.row;
  assert.equal(row?.podSandboxId, POD.podId);
  assert.equal(row?.labels.get('io.kubernetes.pod.namespace'), 'shop');
  assert.equal(row?.image, 'localhost/t/busybox:1');
});

test('a container listed twice is one', async () => {
  const [runtime, client] = await cri();
  runtime.containers.set('x', fakeContainer({ name: 'web', id: 'a' }));
  runtime.containers.set('y', fakeContainer({ name: 'web', id: 'a' }));
  assert.equal((await client.list(given.signal)).length, 1);
});

test('reads all of a container and of its pod', async () => {
  const [runtime, client] = await cri();
  const container = fakeContainer({ name: 'web', ...POD, env: ['A=é'], isPrivileged: true, pid: 77 });
  for (const one of [sandboxOf(), container]) runtime.containers.set(one.id, one);
  const found = await client.inspect(container.id, given.signal);
  assert.equal(found?.pid, 77);
  assert.equal(found?.isRunning, true);
  assert.equal(found?.row.isComplete, true);
  assert.equal(found?.row.ip, POD.ip);
  assert.equal(found?.row.isPrivileged, true);
  assert.deepEqual(found?.row.env, [Buffer.from('A=é', 'utf8').toString('latin1')]);
  assert.deepEqual(found?.row.mounts, [
    { source: '/srv/data', destination: '/data', mode: '', rdwr: false, propagation: 'private' },
  ]);
  assert.equal(
    found?.row.podSandboxCniJson,
    `{"eth0":{"IPConfigs":[{"Gateway":"10.201.7.1","IP":"${POD.ip}"}]}}`,
  );
  assert.equal(found?.row.cgroupPath, `/kubepods/poduid-1/${container.id}`);
  assert.equal(found?.row.createdTimeNs, 1_795_486_327_666_000_000n);
});

test('an id that no container has may be a sandbox', async () => {
  const [runtime, client] = await cri();
  runtime.containers.set(POD.podId, sandboxOf());
  const found = await client.inspect(POD.podId, given.signal);
  assert.equal(found?.row.isPodSandbox, true);
  assert.equal(found?.row.isComplete, true);
  assert.equal(found?.row.name, 'web-1');
  assert.equal(found?.row.labels.get('io.kubernetes.sandbox.id'), POD.podId);
  assert.equal(await client.inspect('c'.repeat(64), given.signal), undefined);
  assert.equal(await client.inspect('', given.signal), undefined);
});

test('a container whose sandbox is not told yet is incomplete', async () => {
  const [runtime, client] = await cri();
  const container = fakeContainer({ name: 'web', ...POD });
  runtime.containers.set(container.id, container);
  const found = await client.inspect(container.id, given.signal);
  assert.equal(found?.row.name, 'web');
  assert.equal(found?.row.isComplete, false);
});

for (const fault of ['no-json', 'wrong-types'] as const) {
  test(`an answer with ${fault} in its details still tells the rest`, async () => {
    const [runtime, client] = await cri();
    const container = fakeContainer({ name: 'web', ...POD });
    for (const one of [sandboxOf(), container]) runtime.containers.set(one.id, one);
    runtime.faults.set('ContainerStatus', fault);
    const found = await client.inspect(container.id, given.signal);
    assert.equal(found?.row.image, 'localhost/t/busybox:1');
    assert.equal(found?.row.isPrivileged, false);
    assert.equal(found?.row.isComplete, fault !== 'no-json');
  });
}

test('answers without members name no container', async () => {
  const [runtime, client] = await cri();
  await client.connect(given.signal);
  runtime.faults.set('', 'empty');
  assert.equal(await client.inspect('a', given.signal), undefined);
  assert.deepEqual(await client.list(given.signal), []);
});

test('containerd is asked for its own events, of the containers of CRI only', async () => {
  const runtime = await listening(new FakeContainerd(join(dir, 'containerd.sock'), { hasCri: true }));
  const news = new News();
  const { over } = await watching(clientOf(runtime), news);
  const container = fakeContainer({ name: 'web', ...POD });
  for (const one of [sandboxOf(), container]) runtime.cri?.containers.set(one.id, one);
  runtime.create('k8s.io', container);
  await news.count(1);
  runtime.start('k8s.io', container.id);
  runtime.die('k8s.io', container.id);
  await news.count(3);
  assert.equal(runtime.requestCount('GetContainerEvents'), 0);
  assert.deepEqual(
    news.told,
    ['created', 'started', 'ended'].map((verb) => `${verb} ${container.id}`),
  );
  // CRI knew it already: everything is told with the creation.
  assert.equal(news.facts.get(container.id)?.row.isComplete, true);
  given.abort();
  await over;
});

test('before CRI knows a container, what containerd has of it is told', async () => {
  const runtime = await listening(new FakeContainerd(join(dir, 'containerd.sock'), { hasCri: true }));
  const news = new News();
  await watching(clientOf(runtime), news);
  const container = fakeContainer({ name: 'web', ...POD });
  runtime.create('k8s.io', container);
  await news.count(1);
  const row = news.facts.get(container.id)?.row;
  assert.equal(row?.isComplete, false);
  assert.equal(row?.image, 'localhost/t/busybox:1');
  assert.equal(row?.labels.get('app'), 'web');
  assert.equal(row?.podSandboxId, POD.podId);
});

test('a creation is told even when nothing is found', async () => {
  const runtime = await listening(new FakeContainerd(join(dir, 'containerd.sock'), { hasCri: true }));
  const news = new News();
  await watching(clientOf(runtime), news);
  runtime.tell('k8s.io', '/containers/create', 'ContainerCreate', strings([1, 'gone']));
  await news.count(1);
  assert.deepEqual(news.told, ['created gone']);
  assert.equal(news.facts.get('gone'), undefined);
});

test('an event that cannot be read ends the watch', async () => {
  const runtime = await listening(new FakeContainerd(join(dir, 'containerd.sock'), { hasCri: true }));
  const { over } = await watching(clientOf(runtime), new News());
  runtime.tell('k8s.io', '/containers/create', 'ContainerCreate', Buffer.from([10, 200]));
  await assert.rejects(over, { fault: 'protocol' });
});

test('CRI-O tells events itself', async () => {
  const [runtime, client] = await cri({ runtimeName: 'cri-o' });
  const news = new News();
  await watching(client, news);
  const container = fakeContainer({ name: 'web', ...POD });
  runtime.containers.set(POD.podId, sandboxOf());
  runtime.create(container);
  runtime.start(container.id);
  runtime.die(container.id);
  runtime.remove(container.id);
  await news.count(4);
  const verbs = ['created', 'started', 'ended', 'ended'];
  assert.deepEqual(
    news.told,
    verbs.map((verb) => `${verb} ${container.id}`),
  );
  const row = news.facts.get(container.id)?.row;
  assert.equal(row?.name, 'web');
  assert.equal(row?.podSandboxLabels.get('app'), 'web-1');
  assert.equal(row?.isComplete, false);
});

test('runtimes without events of any kind are told apart from broken ones', async () => {
  const [runtime, client] = await cri({ runtimeName: 'other' });
  runtime.hasEvents = false;
  await assert.rejects(
    client.watch(new News(), () => undefined, given.signal),
    {
      fault: 'refused',
      message: `${runtime.socket.path}: other offers no container events`,
    },
  );
});

test('a stream that breaks ends the watch', async () => {
  const [runtime, client] = await cri({ runtimeName: 'cri-o' });
  const { over } = await watching(client, new News());
  runtime.socket.drop();
  await assert.rejects(over, { fault: 'unreachable' });
});

test('a stream that ends by itself ends the watch', async () => {
  const [runtime, client] = await cri({ runtimeName: 'cri-o' });
  const { over } = await watching(client, new News());
  runtime.endStreams();
  await assert.rejects(over, { fault: 'unreachable' });
});

test('a watch that is given up resolves', async () => {
  const [, client] = await cri({ runtimeName: 'cri-o' });
  const { over } = await watching(client, new News());
  given.abort();
  await over;
});

test('a runtime that stops answering ends the watch', async () => {
  const runtime = await listening(new FakeCri(join(dir, 'cri.sock'), { runtimeName: 'cri-o' }));
  const client = new CriClient({ socketPath: runtime.socket.path, callTimeoutMs: 300, probeIntervalMs: 10 });
  opened.push(client);
  const { over } = await watching(client, new News());
  runtime.faults.set('Version', 'hang');
  await assert.rejects(over, { fault: 'timeout' });
});
