/** Short-lived containers in numbers: memory returns to its level, and the first exec of each carries its name. `npm run fuzz` runs 100,000. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ChurnReport } from '../helpers/container-churn.ts';

const CONTAINERS = 3000;
const WARM_UP = 1000;
/** Compiled code, caches of the libraries. A leak this small shows in the longer run of the fuzzer. */
const HEAP_GROWTH_BYTES_MAX = 8 * 1024 * 1024;
const MAIN = fileURLToPath(new URL('../helpers/churn-main.ts', import.meta.url));

test('thousands of containers come and go: all are named from their first exec on, and nothing is left of them', async (t) => {
  // The runner keeps something for every promise of a test: here that would be all there is to see.
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, String(CONTAINERS), String(WARM_UP)]);
  const report = JSON.parse(stdout) as ChurnReport;
  t.diagnostic(
    `${Math.round((CONTAINERS / report.ms) * 1000)} containers a second, heap ${report.heapBeforeBytes} -> ${report.heapAfterBytes}`,
  );
  assert.deepEqual([report.execs, report.named], [report.containers, report.containers]);
  const { threads, ...left } = report.left;
  // Of process 1.
  assert.equal(threads, 1);
  for (const [table, count] of Object.entries(left)) assert.equal(count, 0, table);
  const growth = report.heapAfterBytes - report.heapBeforeBytes;
  assert.ok(growth < HEAP_GROWTH_BYTES_MAX, `${growth} bytes more for ${CONTAINERS} containers`);
});
