/** Every cell of the golden files, or a reviewed reason why not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goldenNames, hasGolden } from '../helpers/golden.ts';
import { compareCapture, type Difference } from './golden-compare.ts';
import { type KnownFailing, matches, readKnownFailing } from './known-failing.ts';
import { summarize } from './summary.ts';

/** Share of cells that may be on the reviewed list. */
const LISTED_SHARE_MAX = 0.001;

const skip = hasGolden() ? false : 'the golden files are not beside the repository';

test('every golden cell is equal or on the reviewed list', { skip, timeout: 600_000 }, async (t) => {
  const known = readKnownFailing();
  const used = new Set<KnownFailing>();
  const unlisted: Difference[] = [];
  let cells = 0;
  let equal = 0;
  let listed = 0;
  for (const capture of goldenNames()) {
    const result = await compareCapture(capture);
    cells += result.cells;
    equal += result.equal;
    for (const difference of result.differences) {
      const row = known.find((candidate) => matches(candidate, difference));
      if (row === undefined) unlisted.push(difference);
      else {
        used.add(row);
        listed++;
      }
    }
  }
  const share = ((100 * listed) / cells).toFixed(4);
  t.diagnostic(`cells ${cells}, equal ${equal}, listed ${listed} (${share} %), different ${unlisted.length}`);
  assert.equal(unlisted.length, 0, `differences:\n${summarize(unlisted)}`);
  const unused = known.filter((row) => !used.has(row));
  assert.deepEqual(unused, [], 'rows of known-failing.txt that match nothing');
  assert.ok(listed <= cells * LISTED_SHARE_MAX, `${listed} of ${cells} cells are listed`);
});
