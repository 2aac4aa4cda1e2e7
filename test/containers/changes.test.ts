/** What happens to containers while they are watched: health checks, commands run in them, restarts, new names, names used again. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LiveServer } from '../live/helpers/live-server.ts';
import { ContainerStream, type ReceivedEvent } from './helpers/container-stream.ts';
import { startLabServer } from './helpers/ready-server.ts';
import { until } from './helpers/until.ts';
import { ContainerLab } from './lab/container-lab.ts';
import { labOrSkip } from './lab/lab-permission.ts';

const IDLE = ['/bin/sleep', '300'];
const FIELDS = [
  'evt.type',
  'proc.name',
  'proc.cmdline',
  'proc.vpid',
  'proc.is_container_healthcheck',
  'container.full_id',
  'container.name',
  'container.image',
  'container.label[turn]',
] as const;

describe('containers that change', labOrSkip(), () => {
  let lab: ContainerLab;
  let server: LiveServer;
  let stream: ContainerStream;

  before(async () => {
    lab = await ContainerLab.up();
    server = await startLabServer(lab);
    stream = await ContainerStream.open(server.client, {
      condition: 'evt.type = execve and container.id != host',
      fields: FIELDS,
      isComplete: true,
    });
  });
  after(async () => {
    await stream?.stop();
    await server?.stop();
    await lab?.down();
  });

  const value = (event: ReceivedEvent, field: (typeof FIELDS)[number]): unknown => stream.value(event, field);
  const execOf = (id: string, cmdline: string): Promise<ReceivedEvent> =>
    until(`an execve of ${cmdline}`, () =>
      stream.events.find(
        (event) =>
          value(event, 'container.full_id') === id && String(value(event, 'proc.cmdline')).includes(cmdline),
      ),
    );

  it("Docker's health check is told from the same command typed by somebody else", async () => {
    const command = ['/bin/sh', '-c', 'while sleep 0.3; do /bin/sh -c "test -d /tmp"; done'];
    const id = await lab.docker.start({ name: 'healthy', command, healthCommand: 'test -d /tmp' });
    const own = (event: ReceivedEvent): boolean =>
      value(event, 'container.full_id') === id && value(event, 'proc.cmdline') === 'sh -c test -d /tmp';
    const isCheck = (event: ReceivedEvent): boolean => value(event, 'proc.is_container_healthcheck') === true;
    await until('three health checks', () =>
      stream.events.filter((event) => own(event) && isCheck(event)).length >= 3 ? true : undefined,
    );
    const state = (await lab.docker.inspect(id))['State'] as { Health: { Log: unknown[] } };
    const checks = stream.events.filter((event) => own(event) && isCheck(event)).length;
    const others = stream.events.filter((event) => own(event) && !isCheck(event)).length;
    assert.ok(
      Math.abs(checks - state.Health.Log.length) <= 1,
      `${checks} seen, ${state.Health.Log.length} made`,
    );
    assert.ok(others > 3, `${others} by the container itself`);
    assert.ok(
      stream.events.every((event) => !isCheck(event) || own(event)),
      'nothing else is taken for one',
    );
    await lab.docker.remove(id);
  });

  for (const kind of ['docker', 'podman', 'cri', 'containerd'] as const) {
    it(`${kind}: a command run in a container is of that container`, async () => {
      const driver = lab.drivers().find((candidate) => candidate.kind === kind);
      assert.ok(driver !== undefined);
      const id = await driver.start({ name: `host-of-${kind}`, command: IDLE, labels: { turn: 'exec' } });
      const mark = `entered-${kind}`;
      assert.equal(await driver.exec(id, ['/bin/echo', mark]), mark);
      const event = await execOf(id, `echo ${mark}`);
      assert.equal(value(event, 'container.name'), `host-of-${kind}`);
      assert.match(String(value(event, 'container.image')), /lab\/tools:1$/);
      assert.equal(value(event, 'container.label[turn]'), 'exec');
      assert.equal(value(event, 'proc.is_container_healthcheck'), false);
      await driver.remove(id);
    });

    it(`${kind}: a name used again is of the new container`, async () => {
      const driver = lab.drivers().find((candidate) => candidate.kind === kind);
      assert.ok(driver !== undefined);
      const ids: string[] = [];
      for (const turn of ['first', 'second', 'third']) {
        const command = ['/bin/sh', '-c', `echo turn-${turn}; sleep 60`];
        const id = await driver.start({ name: `again-${kind}`, command, labels: { turn } });
        const event = await execOf(id, `turn-${turn}`);
        assert.equal(value(event, 'container.name'), `again-${kind}`);
        if (kind !== 'containerd') {
          assert.equal(value(event, 'container.label[turn]'), turn);
          assert.ok(!ids.includes(id));
        }
        ids.push(id);
        await driver.remove(id);
      }
    });
  }

  it('containerd: an id used again has the labels of the new container', async () => {
    for (const turn of ['one', 'two']) {
      const command = ['/bin/sh', '-c', `echo life-${turn}; sleep 60`];
      const id = await lab.ctr.start({ name: 'same-id', command, labels: { turn } });
      const event = await execOf(id, `life-${turn}`);
      assert.equal(value(event, 'container.label[turn]'), turn);
      await lab.ctr.remove(id);
    }
  });

  it('a restarted container is still itself', async () => {
    const command = ['/bin/sh', '-c', 'echo up; exec sleep 300'];
    const id = await lab.docker.start({ name: 'restarted', command, labels: { turn: 'same' } });
    await execOf(id, 'echo up');
    const starts = (): ReceivedEvent[] =>
      stream.events.filter(
        (event) =>
          value(event, 'container.full_id') === id &&
          String(value(event, 'proc.cmdline')).includes('echo up') &&
          value(event, 'evt.type') === 'execve',
      );
    for (const count of [2, 3]) {
      await lab.docker.restart(id);
      await until(`start ${count}`, () => (starts().length >= count ? true : undefined));
    }
    for (const event of starts()) {
      assert.equal(value(event, 'container.name'), 'restarted');
      assert.equal(value(event, 'container.label[turn]'), 'same');
    }
    await lab.docker.remove(id);
  });

  it('a renamed container has its new name', async () => {
    const command = ['/bin/sh', '-c', 'while sleep 0.1; do /bin/echo again; done'];
    const id = await lab.docker.start({ name: 'old-name', command });
    const nameIs = (name: string) => (event: ReceivedEvent) =>
      value(event, 'container.full_id') === id && value(event, 'container.name') === name;
    await until('events with the old name', () => stream.events.find(nameIs('old-name')));
    await lab.docker.rename(id, 'new-name');
    await until('events with the new name', () => stream.events.find(nameIs('new-name')));
    const mark = stream.events.length;
    await until('later events', () => (stream.events.length > mark + 5 ? true : undefined));
    assert.ok(stream.events.slice(mark).every((event) => !nameIs('old-name')(event)));
    await lab.docker.remove(id);
  });
});
