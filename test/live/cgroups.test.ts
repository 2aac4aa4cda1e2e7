/** Processes in cgroups as runtimes name them: seen by the probe when they start, and in /proc by whoever comes later. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { collectSnapshot } from '../../server/capture/snapshot/collect-snapshot.ts';
import { InitialState } from '../../server/parser/initial-state.ts';
import { OsState } from '../../server/state/os-state.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { type LiveServer, startLiveServer } from './helpers/live-server.ts';
import { MadeCgroups } from './helpers/made-cgroups.ts';

const HEX = '0123456789abcdef';
const POD = HEX.repeat(4);
const NO_RUNTIMES = ['docker', 'podman', 'containerd'].flatMap((kind) => [`--${kind}-socket`, 'none']);
const SEEN_MS_MAX = 5000;

/** Another id for every case. */
function idOf(i: number): string {
  return `${i.toString(16).padStart(4, '0')}${HEX.repeat(4)}`.slice(0, 64);
}

/** `ID` stands for an id, `POD` for another one; `host`: no container. */
const SHAPES: readonly (readonly [what: string, path: string, expected?: 'host' | string])[] = [
  ['docker', '/docker/ID'],
  ['docker under systemd', '/system.slice/docker-ID.scope'],
  ['docker, with systemd inside', '/system.slice/docker-ID.scope/init.scope'],
  ['podman', '/libpod_parent/libpod-ID'],
  ['podman, in a pod', '/libpod_parent/POD/libpod-ID'],
  ['podman under systemd', '/machine.slice/libpod-ID.scope/container'],
  ['podman in docker', '/docker/POD/libpod_parent/libpod-ID'],
  ['podman, split', '/system.slice/web.service/libpod-payload-ID'],
  ['the monitor of podman', '/libpod_parent/conmon', 'host'],
  ['the monitor of a pod', '/libpod_parent/POD/conmon', 'host'],
  ['the monitor under systemd', '/machine.slice/libpod-conmon-ID.scope', 'host'],
  ['containerd of Kubernetes', '/kubepods/burstable/pod1/ID'],
  ['the same under systemd', '/kubepods.slice/kubepods-pod1.slice/cri-containerd-ID.scope'],
  ['k3s', '/k3s/kubepods-besteffort-pod1.slice:cri-containerd:ID'],
  ['k3s in docker', '/docker/POD/kubepods/besteffort/pod1/ID'],
  ['CRI-O', '/kubepods/burstable/pod1/crio-ID'],
  ['CRI-O under systemd', '/kubepods.slice/kubepods-pod1.slice/crio-ID.scope/container'],
  ['LXC', '/lxc.payload.web/init.scope', 'web'],
  ['a unit with a short id', '/system.slice/0123456789abcdef0123456789abcdef', 'host'],
  ['containerd, named by a client', '/prod/web', 'host'],
];
const UNIFIED_SHAPES = SHAPES.filter(([what]) => ['docker under systemd', 'podman', 'CRI-O'].includes(what));

interface Case {
  readonly what: string;
  readonly containerId: string;
  readonly pid: number;
}

describe('processes in cgroups of runtimes', liveOrSkip('unshare', 'mount', 'find'), () => {
  let made: MadeCgroups;
  let live: LiveServer;
  const cases: Case[] = [];

  async function start(
    [what, shape, expected = 'ID']: (typeof SHAPES)[number],
    enter: (path: string) => Promise<number>,
    where = '',
  ): Promise<void> {
    const id = idOf(cases.length);
    const pid = await enter(shape.replace('ID', id).replace('POD', POD));
    const containerId = expected === 'host' ? '' : expected.replace('ID', id);
    cases.push({ what: `${what}${where}`, containerId, pid });
  }

  before(async () => {
    made = new MadeCgroups();
    live = await startLiveServer(NO_RUNTIMES);
    const command = ['unshare', '-C', 'sleep', '60'];
    if (made.root === undefined) process.stderr.write('NO CGROUPS OF VERSION 1: second version only\n');
    else {
      for (const shape of SHAPES) await start(shape, (path) => made.enter(path));
      const docker = SHAPES[0] as (typeof SHAPES)[number];
      await start(docker, (path) => made.enter(path, command), ', in a cgroup namespace of its own');
    }
    for (const shape of UNIFIED_SHAPES) {
      await start(shape, (path) => made.enterUnified(path), ', by version 2 alone');
      await start(shape, (path) => made.enterUnified(path, command), ', there in a namespace of its own');
    }
  });

  after(async () => {
    await live?.stop();
    await made?.remove();
  });

  it('are in their containers as soon as they run', async () => {
    for (const { what, containerId, pid } of cases) {
      const endMs = performance.now() + SEEN_MS_MAX;
      for (;;) {
        const { thread } = await live.client.getThread({ tid: BigInt(pid) });
        if (thread?.comm.toString() === 'sleep') {
          assert.equal(thread.containerId, containerId, what);
          break;
        }
        assert.ok(performance.now() < endMs, `${what}: its program was not seen`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  });

  for (const source of ['procfs', 'iterators'] as const) {
    it(`are in their containers for who comes later and reads ${source}`, async () => {
      const state = new OsState();
      const initial = new InitialState(state);
      await collectSnapshot(initial, { source, environment: { allow: [] } });
      initial.finish();
      for (const { what, containerId, pid } of cases) {
        assert.equal(state.findThread(pid)?.containerId, containerId, what);
      }
    });
  }

  it('are the containers that are listed', async () => {
    const { containers } = await live.client.listContainers();
    const ids = new Set(containers.map(({ fullId }) => fullId));
    for (const { what, containerId } of cases) if (containerId !== '') assert.ok(ids.has(containerId), what);
    assert.equal(ids.has(POD), false);
  });
});
