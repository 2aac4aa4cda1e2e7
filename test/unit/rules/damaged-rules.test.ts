/** Rule files with pieces cut out and put in: every fault is a diagnostic with a place, nothing is thrown. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import fc from 'fast-check';
import { loadRules } from '../../../client/rules/load-rules.ts';

const TEXTS = ['sample', 'local', 'operators'].map((name) =>
  readFileSync(new URL(`../../fixtures/rules/${name}.yaml`, import.meta.url), 'utf8'),
);
const PIECES =
  '\n|- |: |[|]|{|}|"|\'|&a |*a|!x |>\n|(|)| or | not |é|\u{1F600}|%|#|~|---\n|append: true\n|\t|\\|\0|<<: '.split(
    '|',
  );

const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.nat(40),
  piece: fc.constantFrom('', ...PIECES),
});

it('reads damaged rule files to their end', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TEXTS),
      fc.array(damage, { minLength: 1, maxLength: 5 }),
      (text, damages) => {
        let damaged = text;
        for (const { at, cut, piece } of damages) {
          const start = Math.floor(at * damaged.length);
          damaged = damaged.slice(0, start) + piece + damaged.slice(start + cut);
        }
        const lineCount = damaged.split('\n').length;
        for (const { place, message } of loadRules([{ name: 'damaged', text: damaged }]).diagnostics) {
          assert.ok(place.line >= 1 && place.line <= lineCount && place.column >= 1, message);
        }
      },
    ),
    { numRuns: 300 },
  );
});
