/** A thread may end while it waits: of the native code nothing is left that calls into nowhere. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../helpers/waiting-thread.ts', import.meta.url));

for (const way of ['exit', 'terminate']) {
  test(`a thread that waits for a ring ends with its process: ${way}`, () => {
    const { status, signal, stderr } = spawnSync(process.execPath, [PROGRAM, way], { encoding: 'utf8' });
    assert.deepEqual({ status, signal }, { status: 0, signal: null }, stderr);
  });
}
