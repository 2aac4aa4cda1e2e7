/** Recordings of containers: their replay says of each event what the stream said, and other readers take them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { StrataClient } from '../../client/strata-client.ts';
import { DeliveryMode, Rendering } from '../../proto/gen/strata/v1/event_service.ts';
import { scanCells } from '../conformance/cells.ts';
import { rowWriter } from '../helpers/recording-fixture.ts';
import { replay } from '../helpers/replay.ts';
import { missingCommand } from '../live/helpers/live-permission.ts';
import { startLabServer } from './helpers/ready-server.ts';
import { LABEL, runShortLived, type ShortLived } from './helpers/short-lived.ts';
import { ContainerLab } from './lab/container-lab.ts';
import { labOrSkip } from './lab/lab-permission.ts';

const run = promisify(execFile);

/** Programs, files and users: what every container does, few enough for rows of many fields to be sent in time. */
const CONDITION =
  'container.id != host and evt.type in (clone, clone3, vfork, execve, execveat, procexit, openat, setuid, setgid, chdir)';
const PER_RUNTIME = 15;
const SETTLE_MS = 1500;
const KEYS = ['evt.rawtime', 'thread.tid', 'evt.type'] as const;
/** Those that hang on the moment at which they are asked for are left out: durations and start times. */
const FIELDS = [
  'container.id',
  'container.full_id',
  'container.name',
  'container.image',
  'container.image.id',
  'container.image.repository',
  'container.image.tag',
  'container.image.digest',
  'container.type',
  'container.privileged',
  'container.mounts',
  'container.ip',
  'container.host_pid',
  'container.host_network',
  'container.host_ipc',
  'container.labels',
  `container.label[${LABEL}]`,
  'container.start_ts',
  'container.duration',
  'k8s.pod.name',
  'k8s.ns.name',
  'k8s.pod.uid',
  'k8s.pod.full_sandbox_id',
  'k8s.pod.labels',
  'user.name',
  'user.uid',
  'group.name',
  'proc.is_container_healthcheck',
  'proc.name',
  'fd.containername',
] as const;

/** Rows of a stream as JSON, as they were sent. */
async function collectRows(client: StrataClient) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = '';
  let lostCount = 0n;
  const stream = client.streamEvents(
    {
      filters: [{ name: '', condition: CONDITION }],
      fields: [...KEYS, ...FIELDS],
      rendering: Rendering.JSON,
      deliveryMode: DeliveryMode.IMMEDIATE,
    },
    {
      onStarted: () => resolve(),
      onGap: (gap) => {
        lostCount += gap.lostCount;
      },
    },
  );
  const done = (async () => {
    for await (const { message } of stream.messages())
      if (message?.$case === 'batch') text += message.value.rendered.toString('latin1');
  })();
  await promise;
  return async () => {
    stream.cancel();
    await done;
    return { lines: text.split('\n').filter((line) => line !== ''), lostCount };
  };
}

async function startRecording(client: StrataClient) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const chunks: Uint8Array[] = [];
  const done = (async () => {
    for await (const { message } of client.record({ condition: CONDITION })) {
      if (message?.$case === 'started') resolve(message.value.recordingId);
      else if (message?.$case === 'chunk') chunks.push(message.value);
    }
  })();
  const id = await promise;
  return async () => {
    await client.stopRecording(id);
    await done;
    return Buffer.concat(chunks);
  };
}

type Cells = ReadonlyMap<string, string | undefined>;

function keyOf(cells: Cells): string {
  return KEYS.map((key) => cells.get(key)).join(' ');
}

describe('recordings of containers', labOrSkip(), () => {
  it('replay with what the stream said of every event; sysdig reads them', async (t) => {
    const lab = await ContainerLab.up();
    t.after(() => lab.down());
    const server = await startLabServer(lab);
    t.after(() => server.stop());
    // One that is there before the recording begins.
    const old = await lab.docker.start({
      name: 'old-one',
      command: ['/bin/sh', '-c', 'while sleep 0.3; do cat /etc/passwd >/dev/null; done'],
      labels: { [LABEL]: 'before' },
    });
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const stopRows = await collectRows(server.client);
    const stopRecording = await startRecording(server.client);
    const ran: ShortLived[] = [];
    for (const driver of lab.drivers())
      ran.push(...(await runShortLived({ driver, count: PER_RUNTIME, concurrency: 2, prefix: 'rec' })));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const file = await stopRecording();
    const { lines, lostCount } = await stopRows();
    const path = join(lab.folder, 'containers.scap');
    writeFileSync(path, file);

    const streamed = new Map<string, Cells>();
    for (const line of lines) {
      const cells = scanCells(line);
      streamed.set(keyOf(cells), cells);
    }
    const write = rowWriter([...KEYS, ...FIELDS]);
    const differences: string[] = [];
    let comparedCount = 0;
    let namedCount = 0;
    const names = new Set<string>();
    await replay(path, (event) => {
      const cells = scanCells(write(event));
      const live = streamed.get(keyOf(cells));
      if (live === undefined) return;
      comparedCount++;
      if (cells.get('container.name') !== undefined) namedCount++;
      names.add(String(cells.get('container.name')));
      for (const field of FIELDS)
        if (cells.get(field) !== live.get(field))
          differences.push(`${keyOf(cells)} ${field}: ${live.get(field)} then ${cells.get(field)}`);
    });
    t.diagnostic(
      `${comparedCount} events compared, ${namedCount} with a name, ${lines.length} streamed, ${lostCount} lost, ${file.length} bytes`,
    );
    assert.equal(lostCount, 0n);
    assert.deepEqual(differences.slice(0, 20), [], `${differences.length} differences`);
    assert.ok(comparedCount >= lines.length * 0.99, `${comparedCount} of ${lines.length}`);
    for (const { name } of ran)
      assert.ok(names.has(`"${name}"`) || names.has(name), `${name} in the recording`);
    assert.ok(names.has('"old-one"') || names.has('old-one'));
    await lab.docker.remove(old);

    const missing = missingCommand('sysdig');
    if (missing === undefined) t.diagnostic(await sysdigFigures(path));
    else process.stderr.write(`NOT READ BY SYSDIG: ${missing}\n`);
  });
});

/** How many events of containers another reader of the same file gives a name and an image. */
async function sysdigFigures(path: string): Promise<string> {
  const format = '*%container.id|%container.name|%container.image';
  const { stdout } = await run('sysdig', ['-r', path, '-p', format, CONDITION], {
    maxBuffer: 256 * 1024 * 1024,
  });
  const rows = stdout.split('\n').filter((line) => line.includes('|'));
  const named = rows.filter((row) => {
    const [, name, image] = row.split('|');
    return ![name, image].some((text) => text === undefined || text === '<NA>' || text === 'incomplete');
  });
  return `sysdig on the same recording: ${named.length} of ${rows.length} events of containers with name and image`;
}
