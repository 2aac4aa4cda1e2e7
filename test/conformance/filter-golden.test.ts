/**
 * Generated conditions: the events that match one are those whose golden rows hold it, says an evaluator of its own. What
 * golden rows cannot tell is listed in filter-fields.ts, and these too:
 *
 * - `b64`, `join`, `concat` and `getopt`: few values are made for them; they have tests of their own.
 * - `bcontains` and `bstartswith`: they compare bytes, and the one field of bytes is left out.
 *
 * STRATA_FILTER_SEED and STRATA_FILTER_COUNT ask for other conditions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFilter } from '../../server/filter/filter.ts';
import { capturePath, goldenLines, goldenNames, hasGolden } from '../helpers/golden.ts';
import { replay } from '../helpers/replay.ts';
import { scanCells } from './cells.ts';
import { type Cells, type Condition, holds } from './filter-evaluator.ts';
import { readFilterFields } from './filter-fields.ts';
import { ConditionGenerator, randomFrom } from './filter-generator.ts';
import { writeCondition } from './filter-writer.ts';

const SEED = Number(process.env['STRATA_FILTER_SEED'] ?? 20_261_123);
const FILTERS = Number(process.env['STRATA_FILTER_COUNT'] ?? 250);
/** One row in so many gives values to the generator. */
const SAMPLE_EVERY = 61;
/** Share of conditions that hold for some event and not for another. */
const TELLING_SHARE_MIN = 0.6;
const SHOWN_MAX = 20;

const skip = hasGolden() ? false : 'the golden files are not beside the repository';

interface Subject {
  readonly condition: Condition;
  readonly text: string;
  readonly matches: (event: Parameters<ReturnType<typeof compileFilter>['matches']>[0]) => boolean;
  readonly eventTypes: Uint8Array;
  matched: number;
  /** What was seen first that should not be. */
  fault: string | undefined;
}

function sampleRows(): Cells[] {
  return goldenNames().flatMap((name) =>
    goldenLines(name)
      .filter((_, index) => index % SAMPLE_EVERY === 0)
      .map(scanCells),
  );
}

function makeSubjects(): Subject[] {
  const random = randomFrom(SEED);
  const generator = new ConditionGenerator(random, readFilterFields(), sampleRows());
  return Array.from({ length: FILTERS }, () => {
    const condition = generator.next();
    const text = writeCondition(condition, random);
    try {
      const { matches, eventTypes } = compileFilter(text);
      return { condition, text, matches, eventTypes, matched: 0, fault: undefined };
    } catch (error) {
      return {
        condition,
        text,
        matches: () => false,
        eventTypes: new Uint8Array(0),
        matched: 0,
        fault: `does not compile: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  });
}

test('generated filters match the golden rows that hold them', { skip, timeout: 120_000 }, async (t) => {
  t.diagnostic(`seed ${SEED}, ${FILTERS} filters`);
  const subjects = makeSubjects();
  let events = 0;
  for (const name of goldenNames()) {
    const lines = goldenLines(name);
    let at = 0;
    await replay(capturePath(name), (event) => {
      const cells = scanCells(lines[at++] ?? '{}');
      assert.equal(cells.get('evt.num'), `${event.record.num}`, `event numbers of ${name}`);
      for (const subject of subjects) {
        const actual = subject.eventTypes[event.record.type] === 1 && subject.matches(event);
        if (actual) subject.matched++;
        if (subject.fault !== undefined || actual === holds(subject.condition, cells)) continue;
        subject.fault = `${name}: event ${event.record.num} (${event.record.info.name}) should${actual ? ' not' : ''} match`;
      }
    });
    assert.equal(at, lines.length, `events of ${name}`);
    events += at;
  }
  const wrong = subjects.filter((subject) => subject.fault !== undefined);
  const telling = subjects.filter((subject) => subject.matched > 0 && subject.matched < events).length;
  t.diagnostic(`${events} events, ${telling} filters match some and not all`);
  const report = wrong.slice(0, SHOWN_MAX).map((subject) => `${subject.text}\n    ${subject.fault}`);
  assert.equal(wrong.length, 0, `seed ${SEED}, ${wrong.length} filters:\n${report.join('\n')}`);
  assert.ok(telling >= FILTERS * TELLING_SHARE_MIN, `only ${telling} filters match some events and not all`);
});
