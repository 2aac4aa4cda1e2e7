import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ContainerdClient } from '../../../server/container/runtime/containerd-client.ts';
import type { RuntimeContainer, RuntimeEvents } from '../../../server/container/runtime/runtime-client.ts';
import { fakeContainer } from '../../helpers/fake-container.ts';
import { FakeContainerd, strings } from '../../helpers/fake-containerd.ts';

let dir = '';
let runtime: FakeContainerd;
let client: ContainerdClient;
let given = new AbortController();

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'containerd-'));
  given = new AbortController();
  runtime = new FakeContainerd(join(dir, 'containerd.sock'));
  await runtime.listen();
  client = new ContainerdClient({ socketPath: runtime.socket.path, callTimeoutMs: 20_000 });
});

afterEach(async () => {
  given.abort();
  client.close();
  await runtime.close();
  rmSync(dir, { recursive: true });
});

const told: { news: string; facts: RuntimeContainer | undefined }[] = [];

/** Watches until the test is over. Resolves with a wait for so many news. */
async function watching(): Promise<(count: number) => Promise<readonly string[]>> {
  told.length = 0;
  let wake = (): void => undefined;
  const add = (news: string, facts?: RuntimeContainer) => {
    told.push({ news, facts });
    wake();
  };
  const events: RuntimeEvents = {
    onCreated: (id, facts) => add(`created ${id}`, facts),
    onStarted: (id) => add(`started ${id}`),
    onEnded: (id) => add(`ended ${id}`),
  };
  const ready = Promise.withResolvers<void>();
  const over = client.watch(events, ready.resolve, given.signal);
  await Promise.race([ready.promise, over]);
  return async (count) => {
    while (told.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return told.map(({ news }) => news);
  };
}

test('says who answers', async () => {
  assert.equal(await client.connect(given.signal), 'containerd 1.6.20~ds1');
});

test('lists what runs in all namespaces, and says in which', async () => {
  const docker = fakeContainer({ name: 'docker' });
  runtime.containersOf('lab').set('n1', fakeContainer({ name: 'n1', id: 'n1', pid: 12 }));
  runtime.containersOf('lab').set('n2', fakeContainer({ name: 'n2', id: 'n2', state: 'exited' }));
  runtime.containersOf('moby').set(docker.id, docker);
  const listed = await client.list(given.signal);
  assert.deepEqual(
    listed.map(({ row, pid, isRunning, namespace }) => [
      row.fullId,
      pid,
      isRunning,
      namespace,
      row.isComplete,
    ]),
    [
      ['n1', 12, true, 'lab', true],
      [docker.id, 4711, true, 'moby', true],
    ],
  );
  assert.equal(listed[0]?.row.imageDigest, `sha256:${'2'.repeat(64)}`);
});

test('without word of tasks every container counts as running', async () => {
  runtime.containersOf('lab').set('n1', fakeContainer({ name: 'n1', id: 'n1', state: 'exited' }));
  runtime.faults.set('Tasks.List', 'refused');
  const [listed] = await client.list(given.signal);
  assert.equal(listed?.isRunning, true);
  assert.equal(listed?.pid, 0);
});

test('of one name in two namespaces the running one is listed', async () => {
  runtime.containersOf('a').set('n1', fakeContainer({ name: 'x', id: 'n1', pid: 1 }));
  runtime.containersOf('b').set('n1', fakeContainer({ name: 'y', id: 'n1', state: 'created' }));
  const listed = await client.list(given.signal);
  assert.deepEqual(
    listed.map((one) => [one.namespace, one.isRunning]),
    [['a', true]],
  );
  assert.equal((await client.inspect('n1', given.signal))?.namespace, 'a');
});

test('two thousand containers are listed', async () => {
  for (let i = 0; i < 2000; i++) {
    runtime.containersOf('lab').set(`n${i}`, fakeContainer({ name: `n${i}`, id: `n${i}` }));
  }
  assert.equal((await client.list(given.signal)).length, 2000);
  // One image is asked for once.
  assert.equal(runtime.requestCount('Images.Get'), 1);
});

test('namespaces that cannot be sent as a header are passed over', async () => {
  runtime.containersOf('bad\nname').set('n1', fakeContainer({ name: 'n1', id: 'n1' }));
  runtime.containersOf('lab').set('n2', fakeContainer({ name: 'n2', id: 'n2' }));
  assert.deepEqual(
    (await client.list(given.signal)).map(({ row }) => row.fullId),
    ['n2'],
  );
});

test('finds a container whatever its namespace, and remembers where', async () => {
  for (const name of ['a', 'b', 'c']) runtime.containersOf(name);
  runtime.containersOf('c').set('free.form-id', fakeContainer({ name: 'x', id: 'free.form-id', pid: 9 }));
  const found = await client.inspect('free.form-id', given.signal);
  assert.deepEqual([found?.namespace, found?.pid, found?.row.name], ['c', 9, 'free.form-id']);
  await client.inspect('free.form-id', given.signal);
  assert.equal(runtime.requestCount('Namespaces.List'), 1);
});

test('a container that moved to another namespace is found again', async () => {
  runtime.containersOf('a').set('n1', fakeContainer({ name: 'n1', id: 'n1' }));
  await client.inspect('n1', given.signal);
  runtime.containersOf('a').clear();
  assert.equal(await client.inspect('n1', given.signal), undefined);
  runtime.containersOf('b').set('n1', fakeContainer({ name: 'n1', id: 'n1' }));
  assert.equal((await client.inspect('n1', given.signal))?.namespace, 'b');
});

test('what is unknown everywhere is undefined', async () => {
  runtime.containersOf('a');
  assert.equal(await client.inspect('nobody', given.signal), undefined);
  assert.equal(await client.inspect('', given.signal), undefined);
});

test('a container without a task does not run', async () => {
  runtime.containersOf('a').set('n1', fakeContainer({ name: 'n1', id: 'n1' }));
  runtime.faults.set('Tasks.Get', 'refused');
  const found = await client.inspect('n1', given.signal);
  assert.deepEqual([found?.isRunning, found?.pid, found?.row.isComplete], [false, 0, true]);
});

test('facts come with the creation, and what follows comes after them', async () => {
  const news = await watching();
  runtime.latenciesMs.set('Containers.Get', 30);
  runtime.create('lab', fakeContainer({ name: 'n1', id: 'n1' }));
  runtime.start('lab', 'n1');
  runtime.die('lab', 'n1');
  assert.deepEqual(await news(3), ['created n1', 'started n1', 'ended n1']);
  assert.equal(told[0]?.facts?.row.isComplete, true);
  assert.equal(told[0]?.facts?.namespace, 'lab');
});

test('the end of a process that was run in a container later is not its end', async () => {
  const news = await watching();
  runtime.tell('lab', '/tasks/exit', 'TaskExit', strings([1, 'n1'], [2, 'exec-1']));
  runtime.tell('lab', '/tasks/exit', 'TaskExit', strings([1, 'n2'], [2, 'n2']));
  assert.deepEqual(await news(1), ['ended n2']);
});

test('a creation whose facts cannot be had is told all the same', async () => {
  const news = await watching();
  runtime.faults.set('Containers.Get', 'refused');
  runtime.create('lab', fakeContainer({ name: 'n1', id: 'n1' }));
  assert.deepEqual(await news(1), ['created n1']);
  assert.equal(told[0]?.facts, undefined);
});

test('beyond so many fetches at a time creations are told at once', async () => {
  const news = await watching();
  runtime.faults.set('Containers.Get', 'hang');
  for (let i = 0; i < 70; i++) runtime.create('lab', fakeContainer({ name: `n${i}`, id: `n${i}` }));
  assert.deepEqual(
    await news(6),
    [64, 65, 66, 67, 68, 69].map((i) => `created n${i}`),
  );
});

test('an event of nothing that is known is passed over', async () => {
  const news = await watching();
  runtime.tell('bad\nname', '/containers/create', 'ContainerCreate', strings([1, 'n0']));
  runtime.tell('lab', '/snapshot/prepare', 'SnapshotPrepare', Buffer.from([255, 255]));
  runtime.tell('lab', '/tasks/start', 'TaskStart', Buffer.alloc(0));
  runtime.tell('lab', '/containers/delete', 'ContainerDelete', strings([1, 'n1']));
  assert.deepEqual(await news(1), ['ended n1']);
});

for (const how of ['no-json', 'wrong-types'] as const) {
  test(`a record with ${how} as its spec still has its labels`, async () => {
    runtime.containersOf('lab').set('n1', fakeContainer({ name: 'n1', id: 'n1' }));
    runtime.faults.set('Containers.Get', how);
    const found = await client.inspect('n1', given.signal);
    assert.equal(found?.row.labels.get('app'), 'n1');
    assert.equal(found?.row.isPrivileged, false);
  });
}
