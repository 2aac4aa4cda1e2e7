import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StrataError } from '../../../server/event/strata-error.ts';
import { compileFilters } from '../../../server/inspector/subscription-compiler.ts';

function faultOf(conditions: readonly string[]): StrataError['fault'] {
  try {
    compileFilters(conditions.map((condition, id) => ({ id, name: `f${id}`, condition })));
  } catch (error) {
    assert.ok(error instanceof StrataError);
    return error.fault;
  }
  assert.fail('it compiled');
}

test('a condition that does not compile is named with its place', () => {
  const fault = faultOf(['proc.name = a', 'proc.name = b and proc.nam = c']);
  assert.equal(fault.code, 'INVALID_ARGUMENT');
  assert.equal(fault.field, 'filters[1].condition');
  assert.equal(fault.position, 18);
  assert.ok(fault.suggestions?.includes('proc.name'));
});

test('filters that are too much together are refused as such', () => {
  const heavy = Array.from({ length: 200 }, (_, i) => `proc.name regex "${'(a|b){1,50}'.repeat(10)}${i}"`);
  const fault = faultOf(heavy);
  assert.equal(fault.code, 'RESOURCE_EXHAUSTED');
  assert.equal(fault.field, 'filters');
  assert.match(fault.message, /regular expressions/);
});
