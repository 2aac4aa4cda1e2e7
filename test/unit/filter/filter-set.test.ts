/** Filters asked together say what each says by itself. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BUNDLED_CAPTURE } from '../../../server/app.ts';
import { PPM_EVENT_MAX, PPME_SYSCALL_CLOSE_X } from '../../../server/event/event-types.ts';
import type { FieldRow } from '../../../server/fields/field.ts';
import { parseFieldReference } from '../../../server/fields/field-reference.ts';
import {
  compileFilter,
  compileTogether,
  FilterError,
  FilterLimitError,
} from '../../../server/filter/filter.ts';
import { FilterSet } from '../../../server/filter/filter-set.ts';
import { EventContext } from '../../helpers/event-context.ts';
import { replay } from '../../helpers/replay.ts';
import { ruleConditions } from '../../helpers/rule-conditions.ts';

function fail(_index: number, error: FilterError): never {
  throw error;
}

function setOf(conditions: readonly string[]): FilterSet {
  const compiled = compileTogether(conditions, fail);
  return new FilterSet(compiled.map((filter, i) => ({ id: i, filter })));
}

const CHECKS = [
  'evt.type = open',
  'evt.type in (close, read)',
  'evt.type != close',
  'syscall.type exists',
  'evt.arg.fd exists',
  'evt.num > 3',
  'evt.num = 0',
  'evt.is_io_read = true',
  'proc.name = bash',
  'proc.name != bash',
  'proc.pname exists',
  'tolower(proc.name) startswith b',
  'evt.rawres exists',
];

const condition = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...CHECKS),
    fc
      .array(tie('tree'), { minLength: 2, maxLength: 4 })
      .map((parts) => parts.map((text) => `(${text})`).join(' and ')),
    fc
      .array(tie('tree'), { minLength: 2, maxLength: 4 })
      .map((parts) => parts.map((text) => `(${text})`).join(' or ')),
    tie('tree').map((text) => `not (${text})`),
  ),
})).tree;

describe('FilterSet', () => {
  it('says of every event what each filter says by itself', () => {
    const context = new EventContext();
    context.process(1000, 'bash');
    const events = fc.array(
      fc.tuple(
        fc.constantFrom(
          'PPME_SYSCALL_OPEN_X',
          'PPME_SYSCALL_CLOSE_X',
          'PPME_SYSCALL_READ_X',
          'PPME_PROCEXIT_1_E',
          'PPME_GENERIC_X',
        ),
        fc.integer({ min: 1, max: 5 }),
      ),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(fc.array(condition, { minLength: 1, maxLength: 8 }), events, (texts, shown) => {
        const set = setOf(texts);
        const apart = texts.map((text) => compileFilter(text));
        for (const [code, num] of shown) {
          const event = context.show(code, {}, { num });
          const ids: number[] = [];
          set.matchInto(event, ids);
          assert.deepEqual(
            ids,
            apart.flatMap((filter, i) => (filter.matches(event) ? [i] : [])),
          );
          if (ids.length > 0) assert.equal(set.eventTypes[event.record.type], 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with filters asked one by one over a capture, for rules of the usual shape', async () => {
    // Without the macro in front, so that something matches.
    const texts = ruleConditions(60).flatMap((text) => [text, `not (${text}) and proc.name != nobody`]);
    const set = setOf(texts);
    const apart = texts.map((text) => compileFilter(text));
    let matches = 0;
    await replay(BUNDLED_CAPTURE, (event) => {
      if (event.record.num % 5 !== 0) return;
      const ids: number[] = [];
      set.matchInto(event, ids);
      assert.deepEqual(
        ids,
        apart.flatMap((filter, i) => (filter.matches(event) ? [i] : [])),
      );
      matches += ids.length;
    });
    assert.ok(matches > 0);
  });

  it('reads a field of many filters once per event, and not at all for types no filter wants', () => {
    let reads = 0;
    const catalogue = {
      parseFieldReference: (text: string) => {
        const { row, argument } = parseFieldReference(text);
        if (row.name !== 'proc.name') return { row, argument };
        const counted: FieldRow = {
          ...row,
          bind: (given) => {
            const read = row.bind(given);
            return (event) => {
              reads++;
              return read(event);
            };
          },
        };
        return { row: counted, argument };
      },
      findField: () => undefined,
    };
    const texts = Array.from(
      { length: 200 },
      (_, i) => `evt.type = open and (proc.name = n${i} or tolower(proc.name) = m${i})`,
    );
    const set = new FilterSet(
      compileTogether(texts, fail, undefined, catalogue).map((filter, id) => ({ id, filter })),
    );
    const context = new EventContext();
    context.process(1000, 'n7');
    const ids: number[] = [];
    set.matchInto(context.show('PPME_SYSCALL_OPEN_X'), ids);
    assert.deepEqual(ids, [7]);
    assert.equal(reads, 1);
    ids.length = 0;
    set.matchInto(context.show('PPME_SYSCALL_CLOSE_X'), ids);
    assert.deepEqual([ids, reads, set.eventTypes[PPME_SYSCALL_CLOSE_X]], [[], 1, 0]);
  });

  it('takes filters that were compiled apart, and empty ones', () => {
    const context = new EventContext();
    context.process(1000, 'bash');
    const set = new FilterSet([
      { id: 4, filter: compileFilter('') },
      { id: 9, filter: compileFilter('proc.name = bash') },
      ...compileTogether(['proc.name = bash', 'proc.name = sh'], fail).map((filter, i) => ({
        id: 10 + i,
        filter,
      })),
    ]);
    const ids: number[] = [];
    set.matchInto(context.show('PPME_SYSCALL_OPEN_X'), ids);
    assert.deepEqual(ids, [4, 9, 10]);
    assert.equal(
      set.eventTypes.reduce((sum, bit) => sum + bit, 0),
      PPM_EVENT_MAX,
    );
  });
});

describe('compileTogether', () => {
  it('names the condition at fault', () => {
    const faults: number[] = [];
    const note = (index: number, error: FilterError): never => {
      faults.push(index);
      throw error;
    };
    assert.throws(() => compileTogether(['proc.name = a', 'proc.name ='], note), FilterError);
    assert.throws(() => compileTogether(['proc.name = a', '', 'no.field = 1'], note), FilterError);
    assert.deepEqual(faults, [1, 2]);
  });

  it('refuses too much text and too long regular expressions together; equal ones count once', () => {
    const limits = { textBytesMax: 200, regexElementsMax: 4 };
    const regexes = (count: number) => Array.from({ length: count }, (_, i) => `proc.name regex "a${i}"`);
    compileTogether([...regexes(2), ...regexes(2)], fail, limits);
    assert.throws(() => compileTogether(regexes(3), fail, limits), FilterLimitError);
    assert.throws(() => compileTogether([`proc.name = ${'x'.repeat(200)}`], fail, limits), FilterLimitError);
  });
});
