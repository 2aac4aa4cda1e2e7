/** Runtimes that die, come back, come late, or are two of a kind. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { RuntimeState, type RuntimeStatus } from '../../proto/gen/strata/v1/node_service.ts';
import { type LiveServer, startLiveServer } from '../live/helpers/live-server.ts';
import { ContainerStream } from './helpers/container-stream.ts';
import { HIT_CONDITION, HIT_FIELDS, hitReport } from './helpers/hit-report.ts';
import { runtimesReady, startLabServer } from './helpers/ready-server.ts';
import { runShortLived, type ShortLived } from './helpers/short-lived.ts';
import { until } from './helpers/until.ts';
import { ContainerLab, type LabOptions } from './lab/container-lab.ts';
import { labOrSkip } from './lab/lab-permission.ts';

const IMAGE = /lab\/tools(:1)?$/;
const SHARE_MIN = 0.999;
const SETTLE_MS = 1500;

async function labFor(t: TestContext, options: LabOptions): Promise<ContainerLab> {
  const lab = await ContainerLab.up(options);
  t.after(() => lab.down());
  return lab;
}

async function runtimeOf(server: LiveServer, socketPath: string): Promise<RuntimeStatus | undefined> {
  return (await server.client.getStatus()).runtimes.find((runtime) => runtime.socketPath === socketPath);
}

function assertHits(stream: ContainerStream, containers: readonly ShortLived[], what: string): void {
  const hits = hitReport(stream, containers, IMAGE);
  assert.equal(hits.firstExecCount, containers.length, `${what}: the first exec of each was received`);
  assert.ok(hits.hitCount / hits.eventCount >= SHARE_MIN, `${what}:\n${hits.misses.join('\n')}`);
}

describe('runtimes that fail', labOrSkip(), () => {
  it('killed and started again under load: the others go on, its own are known again by themselves', async (t) => {
    const lab = await labFor(t, { kinds: ['docker', 'podman'] });
    const server = await startLabServer(lab);
    t.after(() => server.stop());
    const stream = await ContainerStream.open(server.client, {
      condition: HIT_CONDITION,
      fields: HIT_FIELDS,
      isComplete: true,
    });
    let failures = 0;
    const load = { driver: lab.docker, concurrency: 2 };
    const before = await runShortLived({ ...load, count: 10, prefix: 'before' });
    const beside = runShortLived({ driver: lab.podman, count: 20, concurrency: 1, prefix: 'beside' });
    const during = runShortLived({ ...load, count: 20, prefix: 'during', onFailure: () => failures++ });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await lab.docker.daemon.kill();
    const down = await until('the server knows that Docker is gone', async () => {
      const runtime = await runtimeOf(server, lab.docker.socketPath);
      return runtime?.runtimeState === RuntimeState.READY ? undefined : runtime;
    });
    assert.ok(down.error !== '' && !down.isWatching, down.error);
    await during;
    assert.ok(failures > 0, 'the load felt it');
    await lab.docker.daemon.start();
    await runtimesReady(server, 2);
    const back = await runtimeOf(server, lab.docker.socketPath);
    assert.ok(back?.runtimeState === RuntimeState.READY && back.reconnectCount > 0n && back.error === '');
    const afterwards = await runShortLived({ ...load, count: 10, prefix: 'after' });
    const others = await beside;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await stream.stop();
    assert.equal(stream.backlogLossCount, 0n);
    assertHits(stream, before, 'before');
    assertHits(stream, others, 'beside');
    assertHits(stream, afterwards, 'afterwards');
    t.diagnostic(
      `${failures} of 20 could not be started or removed meanwhile; ${back.reconnectCount} reconnections`,
    );
  });

  it('a runtime that appears later is found, and what ran in it already is known', async (t) => {
    const lab = await labFor(t, { kinds: ['docker', 'podman'] });
    const old = await lab.podman.start({ name: 'there-before', command: ['/bin/sleep', '300'] });
    await lab.podman.daemon.stop();
    const server = await startLiveServer(lab.serverArgs());
    t.after(() => server.stop());
    await runtimesReady(server, 1);
    const absent = await runtimeOf(server, lab.podman.socketPath);
    assert.ok(absent !== undefined && absent.runtimeState !== RuntimeState.READY);
    await lab.podman.daemon.start();
    await runtimesReady(server, 2);
    const row = await until('the old container is known', async () => {
      const { container } = await server.client
        .getContainer({ containerId: old })
        .catch(() => ({ container: undefined }));
      return container?.isComplete === true ? container : undefined;
    });
    assert.equal(row.name, 'there-before');
    const stream = await ContainerStream.open(server.client, {
      condition: HIT_CONDITION,
      fields: HIT_FIELDS,
      isComplete: true,
    });
    const ran = await runShortLived({ driver: lab.podman, count: 5, concurrency: 1, prefix: 'late' });
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await stream.stop();
    assertHits(stream, ran, 'late');
  });

  it('two Dockers at once are told apart', async (t) => {
    const lab = await labFor(t, { kinds: ['docker'] });
    const second = await lab.secondDocker();
    const server = await startLiveServer([...lab.serverArgs(), '--docker-socket', second.socketPath]);
    t.after(() => server.stop());
    await runtimesReady(server, 2);
    const stream = await ContainerStream.open(server.client, {
      condition: HIT_CONDITION,
      fields: HIT_FIELDS,
      isComplete: true,
    });
    // The same names in both.
    const both = await Promise.all(
      [lab.docker, second].map((driver) =>
        runShortLived({ driver, count: 8, concurrency: 1, prefix: 'both' }),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await stream.stop();
    assertHits(stream, both.flat(), 'both');
  });
});
