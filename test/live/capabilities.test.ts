/** After the probe is attached the process may do little, in all its threads, and captures on. A file, so a process, of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  capabilityNames,
  currentCapabilities,
  KEPT_CAPABILITIES,
  parseCapabilities,
} from '../../server/capture/ebpf/capabilities.ts';
import { EngineReader, interestIn } from './helpers/engine-reader.ts';
import { liveOrSkip } from './helpers/live-permission.ts';

const MARK = `strata-mark-${process.pid}`;

/** Capabilities by thread, for those that hold more than is kept. */
function excess(): string[] {
  return readdirSync('/proc/self/task').flatMap((tid) => {
    const status = readFileSync(`/proc/self/task/${tid}/status`, 'latin1');
    const sets = ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'] as const;
    return sets.flatMap((set) =>
      capabilityNames(parseCapabilities(status, set))
        .filter((name) => !KEPT_CAPABILITIES.includes(name))
        .map((name) => `${tid} ${set} ${name}`),
    );
  });
}

test('no thread keeps more than it needs, and capture goes on', liveOrSkip(), async () => {
  // Threads of all kinds: libuv's pool, a worker.
  await readFile('/etc/hostname');
  const worker = new Worker('setInterval(() => undefined, 1000)', { eval: true });
  await new Promise((resolve) => worker.once('online', resolve));
  const reader = await EngineReader.open(interestIn('execve', 'execveat'), { dropCapabilities: true });
  const late = new Worker('setInterval(() => undefined, 1000)', { eval: true });
  try {
    await new Promise((resolve) => late.once('online', resolve));
    assert.deepEqual(excess(), []);
    assert.deepEqual(currentCapabilities(), KEPT_CAPABILITIES);
    assert.deepEqual(reader.engine.status().capabilities, KEPT_CAPABILITIES);

    spawnSync('/bin/echo', [MARK], { argv0: MARK });
    const events = await reader.readUntil(({ texts }) => texts.includes(MARK), 5000);
    assert.ok(events.some(({ texts }) => texts.includes(MARK)));

    reader.engine.setInterest(interestIn('procexit', 'signaldeliver'));
    spawnSync('/bin/sh', ['-c', 'kill -USR1 $$; true']);
    const names = new Set((await reader.readFor(500)).map(({ name }) => name));
    assert.ok(names.has('signaldeliver') && names.has('procexit'), [...names].join());
    assert.deepEqual(
      reader.engine.status().lostByCause.filter(({ count }) => count > 0),
      [],
    );
    // What is started now has no more than this process, although it runs as root.
    const { stdout } = spawnSync('cat', ['/proc/self/status'], { encoding: 'latin1' });
    assert.deepEqual(capabilityNames(parseCapabilities(stdout, 'CapEff')), KEPT_CAPABILITIES);
  } finally {
    await reader.engine.close();
    await Promise.all([worker.terminate(), late.terminate()]);
  }
});
