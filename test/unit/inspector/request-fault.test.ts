import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fault, StrataError } from '../../../server/event/strata-error.ts';
import { bindField } from '../../../server/fields/field-reference.ts';
import { compileTemplate } from '../../../server/fields/template.ts';
import { BoundFieldCache } from '../../../server/inspector/query/bound-fields.ts';
import { compileMember } from '../../../server/inspector/request-fault.ts';
import { compileFilters } from '../../../server/inspector/subscription-compiler.ts';

function faultOf(run: () => unknown): Partial<Fault> {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StrataError, String(error));
    const { code, reason, field, position } = error.fault;
    return { code, reason, field, position };
  }
  assert.fail('nothing was thrown');
}

function conditionFault(condition: string): Partial<Fault> {
  const rows = [
    { id: 0, name: 'good', condition: 'proc.name = cat' },
    { id: 1, name: 'bad', condition },
  ];
  return faultOf(() => compileFilters(rows));
}

const code = 'INVALID_ARGUMENT';

test('a condition is told from one whose field nobody knows', () => {
  const field = 'filters[1].condition';
  assert.deepEqual(conditionFault('proc.nam = cat'), { code, reason: 'UNKNOWN_FIELD', field, position: 0 });
  assert.deepEqual(conditionFault('evt.num = 1 and'), {
    code,
    reason: 'INVALID_FILTER',
    field,
    position: 15,
  });
  assert.deepEqual(conditionFault('proc.pid = cat'), { code, reason: 'INVALID_FILTER', field, position: 11 });
  assert.deepEqual(conditionFault('proc.pid[1] = 2'), { code, reason: 'INVALID_FILTER', field, position: 8 });
});

test('a field that does not fit is told from one that nobody knows', () => {
  const cache = new BoundFieldCache();
  const fault = (name: string) => faultOf(() => cache.get(['evt.num', name]));
  const field = 'fields[1]';
  assert.deepEqual(fault('proc.nam'), { code, reason: 'UNKNOWN_FIELD', field, position: 0 });
  assert.deepEqual(fault('proc.pid[1]'), { code, reason: 'INVALID_FIELD', field, position: 8 });
});

test('positions in an output format count from its beginning', () => {
  const fault = (text: string) => faultOf(() => compileMember('output_format', () => compileTemplate(text)));
  const field = 'output_format';
  assert.deepEqual(fault('pid %proc.nam'), { code, reason: 'UNKNOWN_FIELD', field, position: 5 });
  assert.deepEqual(fault('pid %'), { code, reason: 'INVALID_FIELD', field, position: 5 });
});

test('defects stay what they are', () => {
  assert.throws(
    () =>
      compileMember('fields[0]', () => {
        bindField('evt.num');
        throw new TypeError('defect');
      }),
    TypeError,
  );
});
