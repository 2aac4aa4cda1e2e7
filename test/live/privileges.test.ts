/** What the server may do once it captures, and what is left of it in the kernel when it is killed. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { kernelIds } from '../../server/capture/ebpf/bpf.ts';
import {
  capabilityNames,
  KEPT_CAPABILITIES,
  parseCapabilities,
} from '../../server/capture/ebpf/capabilities.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { startLiveServer, withLiveServer } from './helpers/live-server.ts';
import { LoadProcess } from './helpers/load-process.ts';

/** The kernel frees programs and maps a little after their last user is gone. */
const FREED_MS_MAX = 5000;

test(
  'no thread of a capturing server holds more than it needs, and events still come',
  liveOrSkip('python3'),
  async () => {
    await withLiveServer(async ({ client, pid }) => {
      for (const tid of readdirSync(`/proc/${pid}/task`)) {
        const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1');
        for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'] as const) {
          const excess = capabilityNames(parseCapabilities(status, set)).filter(
            (name) => !KEPT_CAPABILITIES.includes(name),
          );
          assert.deepEqual(excess, [], `${set} of thread ${tid}`);
        }
      }
      const { sources } = await client.getStatus();
      assert.deepEqual(
        [...(sources[0]?.live?.capabilities ?? [])].sort(),
        [...KEPT_CAPABILITIES].sort(),
        'in the status',
      );
      // A call that nothing in the state needs: its capture begins now, without the privileges.
      const marker = await LoadProcess.start('marker.py', 1, 20);
      const stream = client.streamEvents({
        filters: [
          { name: '', condition: `proc.pid = ${marker.pid} and evt.type = close and evt.rawres = -9` },
        ],
        fields: ['fd.num'],
        eventsMax: 20n,
        start: { $case: 'live', value: {} },
      });
      const messages = stream.messages();
      await messages.next();
      await marker.run();
      let events = 0;
      for await (const { message } of messages) if (message?.$case === 'batch') events += message.value.count;
      assert.equal(events, 20);
    });
  },
);

test('kill -9 leaves nothing in the kernel', liveOrSkip(), async () => {
  const server = await startLiveServer();
  let before: { programs: number[]; maps: number[] };
  try {
    before = kernelObjects(server.pid);
  } finally {
    await server.kill();
  }
  assert.ok(before.programs.length > 0 && before.maps.length > 0, 'programs and maps of the server are seen');
  const deadline = Date.now() + FREED_MS_MAX;
  let left: string[] = [];
  do {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const programs = new Set(kernelIds('program'));
    const maps = new Set(kernelIds('map'));
    left = [
      ...before.programs.filter((id) => programs.has(id)).map((id) => `program ${id}`),
      ...before.maps.filter((id) => maps.has(id)).map((id) => `map ${id}`),
    ];
  } while (left.length > 0 && Date.now() < deadline);
  assert.deepEqual(left, []);
});

/** Numbers of the programs and maps a process holds, from what /proc says of its fds. */
function kernelObjects(pid: number): { programs: number[]; maps: number[] } {
  const found = { programs: new Set<number>(), maps: new Set<number>() };
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const text = fdInfo(pid, fd);
    const program = /^prog_id:\s*(\d+)/m.exec(text)?.[1];
    const map = /^map_id:\s*(\d+)/m.exec(text)?.[1];
    if (program !== undefined) found.programs.add(Number(program));
    if (map !== undefined) found.maps.add(Number(map));
  }
  return { programs: [...found.programs], maps: [...found.maps] };
}

/** '' for an fd that was closed since it was listed: the server looks for runtimes, for instance. */
function fdInfo(pid: number, fd: string): string {
  try {
    return readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
