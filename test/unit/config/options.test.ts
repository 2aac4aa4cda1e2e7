import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPTION_ROWS, type OptionRow } from '../../../server/config/options.ts';

const ROWS: readonly OptionRow[] = OPTION_ROWS;

test('every option has a name of its own, a description, and a word for its value', () => {
  assert.equal(new Set(ROWS.map(({ name }) => name)).size, ROWS.length);
  for (const row of ROWS) {
    assert.match(row.name, /^[a-z][a-z0-9]*(-[a-z]+)*$/);
    assert.match(row.description, /^[a-z]/, row.name);
    if (row.type !== 'boolean') assert.match(row.placeholder ?? '', /^[A-Z]+$/, row.name);
  }
});

test('defaults fit their own type, choices and limits', () => {
  for (const { name, type, default: value, choices, min, max } of ROWS) {
    if (value === undefined) continue;
    const expected = {
      string: 'string',
      integer: 'number',
      number: 'number',
      boolean: 'boolean',
      list: 'object',
    };
    assert.equal(typeof value, expected[type], name);
    if (choices !== undefined) assert.ok(choices.includes(String(value)), name);
    if (typeof value !== 'number') continue;
    assert.ok(value >= (min ?? value) && value <= (max ?? value), name);
    if (type === 'integer') assert.ok(Number.isSafeInteger(value), name);
  }
});

test('every limit says what happens when it is reached', () => {
  for (const row of ROWS) {
    if (!row.name.endsWith('-max')) continue;
    assert.ok((row.atLimit ?? '').length > 10, row.name);
    assert.ok(row.min !== undefined, row.name);
  }
});
