import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileFilter } from '../../../server/filter/filter.ts';
import { runFilterFuzz } from '../../fuzz/filter.ts';

describe('the condition language', () => {
  it('survives a short fuzz', async () => {
    const report = await runFilterFuzz({ iterations: 2000, seed: 1 });
    assert.ok(report.compiled > 100 && report.refused > 100);
  });

  it('compiles long lists of wrong names without looking for close ones each time', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `fd.nam${i}`).join(', ');
    const start = process.cpuUsage().user;
    assert.equal(compileFilter(`evt.type in (${names}) or fd.name in (${names})`).warnings.length, 20);
    assert.ok(process.cpuUsage().user - start < 2_000_000);
  });
});
