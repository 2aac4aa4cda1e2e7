/** The same figures where the server sees the node only under /host. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ContainedServer, startInChroot, startInContainer } from './helpers/contained-server.ts';
import { ContainerStream } from './helpers/container-stream.ts';
import { HIT_CONDITION, HIT_FIELDS, hitReport } from './helpers/hit-report.ts';
import { runtimesReady } from './helpers/ready-server.ts';
import { runShortLived, type ShortLived } from './helpers/short-lived.ts';
import { until } from './helpers/until.ts';
import { ContainerLab } from './lab/container-lab.ts';
import { LAB_USER } from './lab/lab-images.ts';
import { labOrSkip } from './lab/lab-permission.ts';

const PER_RUNTIME = 15;
const SHARE_MIN = 0.999;
const IMAGE = /lab\/tools(:1)?$/;
const SETTLE_MS = 1500;

const PLACES: readonly { name: string; start: (lab: ContainerLab) => Promise<ContainedServer> }[] = [
  { name: 'a chroot, with runtimes found by themselves', start: startInChroot },
  { name: 'a container', start: startInContainer },
];

describe('a server under HOST_ROOT', labOrSkip(), () => {
  let lab: ContainerLab;
  before(async () => {
    lab = await ContainerLab.up();
  });
  after(() => lab?.down());

  for (const place of PLACES) {
    it(`in ${place.name}`, async (t) => {
      const server = await place.start(lab);
      try {
        await runtimesReady(server, lab.drivers().length);
        const stream = await ContainerStream.open(server.client, {
          condition: HIT_CONDITION,
          fields: [...HIT_FIELDS, 'user.name'],
          isComplete: true,
        });
        const ran: ShortLived[] = [];
        for (const driver of lab.drivers())
          ran.push(
            ...(await runShortLived({ driver, count: PER_RUNTIME, concurrency: 2, prefix: 'under-host' })),
          );
        const command = ['/bin/sh', '-c', 'while sleep 0.2; do /bin/echo own-user; done'];
        const id = await lab.docker.start({ name: 'with-user', command, user: LAB_USER.name });
        await until('an event with the user of the container', () =>
          stream.events.find(
            (event) =>
              stream.value(event, 'container.full_id') === id &&
              stream.value(event, 'user.name') === LAB_USER.name,
          ),
        );
        await lab.docker.remove(id);
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        await stream.stop();
        const hits = hitReport(stream, ran, IMAGE);
        t.diagnostic(
          `${hits.hitCount} of ${hits.eventCount} events, first execs ${hits.firstExecHitCount} of ${hits.firstExecCount}`,
        );
        assert.equal(stream.backlogLossCount, 0n);
        assert.equal(hits.firstExecCount, ran.length);
        assert.ok(hits.hitCount / hits.eventCount >= SHARE_MIN, hits.misses.join('\n'));
      } finally {
        await server.stop();
      }
    });
  }
});
