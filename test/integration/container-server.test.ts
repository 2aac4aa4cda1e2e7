/** The whole server on a made-up node with fake runtimes: what a client is told while runtimes fail, and that events go on. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import type { StrataClient } from '../../client/strata-client.ts';
import { RuntimeState, type RuntimeStatus } from '../../proto/gen/strata/v1/node_service.ts';
import type { Config } from '../../server/config/config.ts';
import { startAppFixture } from '../helpers/app-fixture.ts';
import { eventually } from '../helpers/eventually.ts';
import { type FakeContainer, fakeContainer } from '../helpers/fake-container.ts';
import { type FakeKind, FakeRuntimes } from '../helpers/fake-runtimes.ts';

const SERVING = 1;
const NOT_SERVING = 2;
/** The server's own start included. */
const START_MS_MAX = 15_000;

interface Bed {
  readonly fakes: FakeRuntimes;
  readonly client: StrataClient;
  readonly socketPath: string;
}

async function bed(
  t: TestContext,
  kinds: readonly FakeKind[],
  prepare: (fakes: FakeRuntimes) => void = () => undefined,
  options: Partial<Config> = {},
): Promise<Bed> {
  const fakes = new FakeRuntimes();
  fakes.node.addThread({ pid: 1, comm: 'init' });
  await fakes.listen(...kinds);
  prepare(fakes);
  const startMs = performance.now();
  const fixture = await startAppFixture({
    capture: undefined,
    'capture-engine': 'nodriver',
    'host-root': fakes.node.root,
    'nodriver-refresh-ms': 100,
    'container-call-ms': 300,
    'container-lookup-ms': 2000,
    'container-linger-ms': 100,
    cri: kinds.includes('cri') ? [fakes.socketPath('cri')] : [],
    ...options,
  });
  const ms = performance.now() - startMs;
  t.after(async () => {
    await fixture.close();
    await fakes.close();
  });
  assert.ok(ms < START_MS_MAX, `start took ${ms} ms`);
  return { fakes, client: fixture.client, socketPath: fixture.socketPath };
}

/** A process in the container, as /proc shows it. */
function runIn(fakes: FakeRuntimes, container: FakeContainer, pid: number, prefix = '/docker/'): void {
  fakes.node.addThread({ pid, comm: 'app', cgroup: `3:cpu,cpuacct:${prefix}${container.id}\n` });
}

async function runtime({ client }: Bed, kind: string): Promise<RuntimeStatus | undefined> {
  return (await client.getStatus()).runtimes.find((row) => row.kind === kind);
}

async function inState(at: Bed, kind: string, state: RuntimeState): Promise<RuntimeStatus> {
  return eventually(`${kind} in state ${state}`, async () => {
    const row = await runtime(at, kind);
    return row?.runtimeState === state ? row : undefined;
  });
}

/** What `grpc.health.v1` says of a service. */
function health({ socketPath }: Bed, service: string): Promise<number> {
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure());
  const request = Buffer.concat([Buffer.from([10, service.length]), Buffer.from(service)]);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (bytes: Buffer) => bytes,
      (bytes) => bytes[1] ?? 0,
      request,
      (error, status) => {
        client.close();
        if (error === null) resolve(status ?? 0);
        else reject(error);
      },
    );
  });
}

/** Names of container events as they come. */
async function watchEvents(t: TestContext, { client }: Bed): Promise<string[]> {
  const seen: string[] = [];
  const started = Promise.withResolvers<void>();
  const stream = client.streamEvents(
    { fields: ['evt.type', 'evt.args'], heartbeatIntervalMs: 100 },
    { onStarted: () => started.resolve() },
  );
  t.after(() => stream.cancel());
  void (async () => {
    for await (const event of stream) seen.push(`${event.get('evt.type')} ${event.get('evt.args')}`);
  })().catch(() => undefined);
  await started.promise;
  return seen;
}

async function nameInState({ client }: Bed, container: FakeContainer): Promise<string> {
  const { containers } = await client.listContainers({});
  return containers.find(({ fullId }) => fullId === container.id)?.name ?? '';
}

const WEB = fakeContainer({ name: 'web' });
const OTHER = fakeContainer({ name: 'other' });
const LATER = fakeContainer({ name: 'later' });

test('a runtime that hangs: the server starts, the other runtime is used, health and status say which one is sick, until it is well', async (t) => {
  const at = await bed(t, ['docker', 'podman'], (made) => {
    made.docker.containers.set(WEB.id, WEB);
    made.podman.containers.set(OTHER.id, OTHER);
    made.docker.faults.set('', 'hang');
    runIn(made, WEB, 100);
    runIn(made, OTHER, 200, '/libpod_parent/libpod-');
  });
  const { fakes } = at;
  const sick = await inState(at, 'docker', RuntimeState.DEGRADED);
  assert.ok(sick.error.includes(fakes.socketPath('docker')) && sick.callTimeoutCount > 0n, sick.error);
  await inState(at, 'podman', RuntimeState.READY);
  assert.deepEqual([await health(at, ''), await health(at, 'containers')], [SERVING, NOT_SERVING]);
  const seen = await watchEvents(t, at);
  fakes.podman.create(LATER);
  fakes.podman.start(LATER.id);
  await eventually('an event of the other runtime', () => seen.some((line) => line.includes('later')));
  const failures = (await at.client.getCounters()).counters.find(
    ({ name }) => name === 'runtime_call_failures',
  );
  assert.ok((failures?.value ?? 0n) > 0n);
  fakes.docker.faults.clear();
  await inState(at, 'docker', RuntimeState.READY);
  assert.equal(await health(at, 'containers'), SERVING);
  await eventually('the row', async () => (await nameInState(at, WEB)) === 'web');
  const { containers } = await at.client.getStatus();
  assert.ok((containers?.injectedCount ?? 0n) >= 2n);
});

test('runtimes that come, go and come back while the server runs', async (t) => {
  const at = await bed(t, []);
  const { fakes } = at;
  assert.deepEqual((await at.client.getStatus()).runtimes, []);
  assert.equal(await health(at, 'containers'), SERVING);
  await fakes.listen('docker', 'containerd');
  await inState(at, 'docker', RuntimeState.READY);
  await inState(at, 'containerd', RuntimeState.READY);
  fakes.docker.create(WEB);
  runIn(fakes, WEB, 100);
  await eventually('the row', async () => (await nameInState(at, WEB)) === 'web');
  await fakes.docker.socket.vanish();
  await eventually(
    'not ready',
    async () => (await runtime(at, 'docker'))?.runtimeState !== RuntimeState.READY,
  );
  assert.equal((await runtime(at, 'containerd'))?.runtimeState, RuntimeState.READY);
  // What was known stays known.
  assert.equal(await nameInState(at, WEB), 'web');
  fakes.docker.containers.set(LATER.id, LATER);
  runIn(fakes, LATER, 101);
  await fakes.docker.socket.comeBack();
  await inState(at, 'docker', RuntimeState.READY);
  await eventually('the other row', async () => (await nameInState(at, LATER)) === 'later');
  assert.ok(((await runtime(at, 'docker'))?.reconnectCount ?? 0n) > 0n);
});

test('garbage from every runtime at once: the server starts, serves, and rows hold what cgroups tell', async (t) => {
  const at = await bed(t, ['docker', 'podman', 'containerd', 'cri'], (made) => {
    made.docker.faults.set('', 'garbage');
    made.podman.faults.set('', 'wrong-shape');
    made.containerd.faults.set('', 'garbage');
    made.cri.faults.set('', 'huge');
    runIn(made, WEB, 100);
  });
  for (const kind of ['docker', 'podman', 'containerd', 'cri'])
    await inState(at, kind, RuntimeState.DEGRADED);
  const { containers } = await at.client.listContainers({});
  assert.deepEqual(
    containers.map(({ fullId, name, type }) => [fullId, name, type]),
    [[WEB.id, '', 'docker']],
  );
  assert.equal(await health(at, ''), SERVING);
  const status = await at.client.getStatus();
  assert.ok(status.memoryRssBytes < 2_000_000_000n);
});

test('a container that the runtime tells is in the stream, in the state, and leaves after its last thread', async (t) => {
  const at = await bed(t, ['docker']);
  const { fakes } = at;
  await inState(at, 'docker', RuntimeState.READY);
  const seen = await watchEvents(t, at);
  fakes.docker.create(WEB);
  fakes.docker.start(WEB.id);
  runIn(fakes, WEB, 100);
  await eventually('the event', () =>
    seen.some((line) => line.startsWith('container ') && line.includes('web')),
  );
  await eventually('the thread in it', async () => {
    const { threads } = await at.client.listThreads({});
    return threads.some(({ containerId }) => containerId !== '');
  });
  fakes.node.endProcess(100);
  fakes.docker.die(WEB.id);
  fakes.docker.remove(WEB.id);
  await eventually('its removal', () => seen.some((line) => line.startsWith('container_removed')));
  await eventually('no row', async () => (await at.client.listContainers({})).containers.length === 0);
});

test('2,000 containers at the start', async (t) => {
  const at = await bed(t, ['docker'], ({ docker }) => {
    for (let i = 0; i < 2000; i++) {
      const container = fakeContainer({ name: `c${i}` });
      docker.containers.set(container.id, container);
    }
  });
  await eventually('all of them', async () => (await runtime(at, 'docker'))?.containerCount === 2000n);
  await eventually('their rows', async () => {
    const tables = (await at.client.getStatus()).tables.find(({ name }) => name === 'containers');
    return tables?.rowCount === 2000n;
  });
});
