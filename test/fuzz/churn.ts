/** As many short-lived containers as iterations: memory is at its level when they are gone. The seed plays no part. */
import assert from 'node:assert/strict';
import { type ChurnReport, churnContainers } from '../helpers/container-churn.ts';

const WARM_UP = 2000;
const HEAP_GROWTH_BYTES_MAX = 8 * 1024 * 1024;

export async function runChurn({ iterations }: { readonly iterations: number }): Promise<ChurnReport> {
  const report = await churnContainers(Math.max(1, iterations - WARM_UP), WARM_UP);
  const growth = report.heapAfterBytes - report.heapBeforeBytes;
  console.log(
    `  ${report.containers} containers in ${Math.round(report.ms / 1000)} s, heap ${report.heapBeforeBytes} -> ${report.heapAfterBytes}`,
  );
  assert.deepEqual([report.execs, report.named], [report.containers, report.containers], 'first execs named');
  const { threads, ...left } = report.left;
  assert.equal(threads, 1);
  for (const [table, count] of Object.entries(left)) assert.equal(count, 0, table);
  assert.ok(growth < HEAP_GROWTH_BYTES_MAX, `the heap has grown by ${growth} bytes`);
  return report;
}
