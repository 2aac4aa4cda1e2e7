/**
 * `node test/conformance/golden-diff.ts [CAPTURE|all] [FIELD]`: what differs from the golden files.
 * Without FIELD a summary by field, with FIELD every difference of that field (FIELD may end in `*`).
 */
import { goldenFields, goldenNames, hasGolden } from '../helpers/golden.ts';
import { compareCapture, type Difference } from './golden-compare.ts';
import { matches, readKnownFailing } from './known-failing.ts';
import { describe, summarize } from './summary.ts';

const LINES_MAX = 200;

const [wantedCapture = 'all', wantedField] = process.argv.slice(2);
if (!hasGolden()) throw new Error('the golden files are not beside the repository');
const fields = goldenFields().filter((field) => {
  if (wantedField === undefined) return true;
  return wantedField.endsWith('*') ? field.startsWith(wantedField.slice(0, -1)) : field === wantedField;
});
const captures = wantedCapture === 'all' ? goldenNames() : [wantedCapture];
const known = readKnownFailing();
const differences: Difference[] = [];
let cells = 0;
let listed = 0;
for (const capture of captures) {
  try {
    const result = await compareCapture(capture, fields);
    cells += result.cells;
    for (const difference of result.differences) {
      if (known.some((row) => matches(row, difference))) listed++;
      else differences.push(difference);
    }
  } catch (error) {
    console.log(`${capture}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
if (wantedField === undefined) console.log(summarize(differences));
else console.log(differences.slice(0, LINES_MAX).map(describe).join('\n'));
console.log(`cells ${cells}, listed ${listed}, different ${differences.length}`);
