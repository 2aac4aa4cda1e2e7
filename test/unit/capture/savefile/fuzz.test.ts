import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runSavefileFuzz } from '../../../fuzz/savefile.ts';

describe('savefile fuzzer', () => {
  it('finds nothing in its first thousand files, the same ones every time', async () => {
    const lines: string[] = [];
    const summary = await runSavefileFuzz({ iterations: 1_000, seed: 7, log: (line) => lines.push(line) });
    assert.ok(summary.files >= 1_000);
    assert.equal(summary.files, summary.sound + summary.damaged);
    assert.ok(summary.sound > 50 && summary.damaged > 500 && summary.rewritten > 10);
    assert.match(lines[0] ?? '', /seed 7/);
  });
});
