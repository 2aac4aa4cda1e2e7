import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProcfsFuzz } from '../../../fuzz/procfs.ts';

test('damaged texts of /proc and records of iterators are read or left, in time', async () => {
  const report = await runProcfsFuzz({ iterations: 2000, seed: 1 });
  assert.ok(report.read > 500, JSON.stringify(report));
  assert.ok(report.recordsRefused > 200 && report.recordsRefused < 1000, JSON.stringify(report));
});
