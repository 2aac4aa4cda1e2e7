/** Recordings of this node: their replay gives the values that a stream gave at the time, and readers of the format take them. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { StrataClient } from '../../client/strata-client.ts';
import { Rendering } from '../../proto/gen/strata/v1/event_service.ts';
import type { RecordProgress } from '../../proto/gen/strata/v1/recording_service.ts';
import { scanCells } from '../conformance/cells.ts';
import { CliRunner } from '../e2e/cli-process.ts';
import { everyField, rowWriter } from '../helpers/recording-fixture.ts';
import { replay } from '../helpers/replay.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { startLiveServer } from './helpers/live-server.ts';

const run = promisify(execFile);

const PIPELINE = `
for i in 1 2 3; do echo line $i | cat | tr a-z A-Z > out; done
ls -l / | sort -r | head -3
cp /etc/hosts hosts; chmod 600 hosts; ln -s hosts link; cat link | wc -l; rm link hosts out
mkdir -p deep/er; cd deep/er; pwd; cd ../..; rm -r deep
exec 5<>/dev/null; echo x >&5; exec 5>&-
false || true
(sleep 0.05; exit 3) & wait $!
nosuchcommand 2>/dev/null
python3 -c 'import socket,threading
s=socket.socket(); s.bind(("127.0.0.1",0)); s.listen()
t=threading.Thread(target=lambda: s.accept()[0].sendall(b"hello")); t.start()
c=socket.create_connection(s.getsockname()); c.recv(9); t.join()'
`;

/** Values that hang on where a capture begins, or on which events were left out. */
const RELATIVE = /^(evt\.(num|reltime|deltatime)|util\.cnt)/;
/** Time for what was done to reach the readers. */
const SETTLE_MS = 500;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'strata-record-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function workload(cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', PIPELINE], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
}

/** Rows of a stream, as JSON, from now on until `stop`. */
async function collectRows(client: StrataClient, condition: string, fields: readonly string[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stream = client.streamEvents(
    { filters: [{ name: '', condition }], fields: [...fields], rendering: Rendering.JSON },
    {
      onStarted: () => resolve(),
      onGap: (gap) => {
        lostCount += gap.lostCount;
      },
    },
  );
  let text = '';
  let lostCount = 0n;
  const done = (async () => {
    for await (const { message } of stream.messages()) {
      if (message?.$case !== 'batch') continue;
      text += message.value.rendered.toString('latin1');
    }
  })();
  await promise;
  return {
    stop: async () => {
      stream.cancel();
      await done;
      return { lines: text.split('\n').filter((line) => line !== ''), lostCount };
    },
  };
}

/** Records until `stop`. */
async function startRecording(client: StrataClient, condition: string) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const chunks: Uint8Array[] = [];
  let progress: RecordProgress | undefined;
  const done = (async () => {
    for await (const { message } of client.record({ condition })) {
      if (message?.$case === 'started') resolve(message.value.recordingId);
      else if (message?.$case === 'chunk') chunks.push(message.value);
      else if (message?.$case === 'progress') progress = message.value;
    }
  })();
  const id = await promise;
  return {
    stop: async () => {
      await client.stopRecording(id);
      await done;
      assert.ok(progress !== undefined);
      return { file: Buffer.concat(chunks), progress };
    },
  };
}

describe('recordings of this node', liveOrSkip('python3'), () => {
  it('replay with every value that a stream gave at the same time', async (t) => {
    const dir = folder(t);
    const live = await startLiveServer(['--capture-self']);
    t.after(() => live.stop());
    const condition = `proc.cwd startswith ${dir}`;
    // Parameters one by one would be most of a row, and are in evt.args together.
    const every = everyField().filter((field) => !field.startsWith('evt.rawarg.'));
    const fields = [...every, 'evt.rawtime', 'thread.tid'];
    const rows = await collectRows(live.client, condition, [...new Set(fields)]);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const recording = await startRecording(live.client, condition);
    await workload(dir);
    const { file, progress } = await recording.stop();
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const streamed = new Map<string, ReadonlyMap<string, string | undefined>>();
    const { lines, lostCount } = await rows.stop();
    for (const line of lines) {
      const cells = scanCells(line);
      streamed.set(keyOf(cells), cells);
    }
    const path = join(dir, 'recorded.scap');
    writeFileSync(path, file);
    const write = rowWriter([...new Set(fields)]);
    const differences: string[] = [];
    let compared = 0;
    let missing = 0;
    await replay(path, (event) => {
      const cells = scanCells(write(event));
      const live = streamed.get(keyOf(cells));
      if (live === undefined) {
        missing++;
        return;
      }
      compared++;
      for (const field of new Set([...cells.keys(), ...live.keys()])) {
        if (RELATIVE.test(field) || cells.get(field) === live.get(field)) continue;
        differences.push(`${keyOf(cells)} ${field}: ${live.get(field)} then ${cells.get(field)}`);
      }
    });
    t.diagnostic(
      `${compared} events, ${progress.stateOnlyCount} of state only, ${progress.lostCount} lost, ${missing} not in the stream`,
    );
    if (progress.lostCount === 0n) assert.deepEqual(differences.slice(0, 40), []);
    assert.ok(compared > 300, `${compared} events`);
    // Rows of all fields are large: the stream may have had to leave some out, and said so.
    assert.ok(missing <= lostCount, `${missing} events are not in the stream, which lost ${lostCount}`);
    assert.equal(BigInt(compared + missing), progress.eventCount);
  });

  it('by the command line: a command, its exit code, and a file that sysdig opens', async (t) => {
    const dir = folder(t);
    const cli = new CliRunner();
    t.after(() => cli.remove());
    const path = join(dir, 'x.scap');
    const { code, stderr, stdout } = await cli.run([
      'record',
      path,
      '--only-command',
      '--',
      'sh',
      '-c',
      'grep CapBnd /proc/self/status; echo hello | cat | wc -c; exit 7',
    ]);
    assert.equal(code, 7, stderr);
    assert.match(stderr, /wrote .*x\.scap: \d+ events/);
    const own = (await readFile('/proc/self/status', 'latin1')).match(/CapBnd:.*/)?.[0];
    assert.deepEqual(stdout.toString().trim().split('\n'), [own, '6'], 'the command has its privileges');
    const seen = new Set<string>();
    await replay(path, (event) => seen.add(`${event.record.info.name} ${event.thread?.comm}`));
    for (const word of ['execve cat', 'execve wc', 'execve grep', 'procexit sh']) {
      assert.ok(seen.has(word), `${word} of ${[...seen].join(', ')}`);
    }
    try {
      const { stdout: lines } = await run('sysdig', ['-r', path, '-p', '%proc.name', 'evt.type = execve']);
      assert.ok(lines.includes('wc'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      t.diagnostic('SYSDIG IS NOT INSTALLED: the recording was not read by it');
    }
    assert.deepEqual(cli.leftovers(), []);
  });
});

function keyOf(cells: ReadonlyMap<string, string | undefined>): string {
  return `${cells.get('evt.rawtime')} ${cells.get('thread.tid')} ${cells.get('evt.type')}`;
}
