import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnReader, readFieldValue } from '../../../client/column-reader.ts';
import { formatAddress } from '../../../client/ip-address.ts';
import { Column, type DeepPartial, type FieldSchema, FieldType } from '../../../proto/gen/strata/v1/value.ts';

function schemaOf(type: FieldType, isList = false): FieldSchema {
  return { name: 'f', type, isList, fieldClass: 'c', unavailableReason: undefined };
}

function valuesOf(schema: FieldSchema, column: DeepPartial<Column>, rows: number): unknown[] {
  const reader = new ColumnReader(schema, Column.fromPartial(column), rows);
  // Backwards, to show that rows can be read in any order.
  return Array.from({ length: rows }, (_, i) => reader.value(rows - 1 - i)).reverse();
}

test('a full column needs no bitmap', () => {
  assert.deepEqual(valuesOf(schemaOf(FieldType.UINT32), { unsignedValues: [1n, 2n] }, 2), [1, 2]);
});

test('rows without a bit are absent, also beyond the end of the bitmap', () => {
  const column = { present: Buffer.from([0b0101]), boolValues: [true, false] };
  const expected = [true, undefined, false, undefined, undefined, undefined, undefined, undefined, undefined];
  assert.deepEqual(valuesOf(schemaOf(FieldType.BOOL), column, 9), expected);
});

test('integers are numbers while exact', () => {
  const column = { signedValues: [-5n, -(2n ** 60n)] };
  assert.deepEqual(valuesOf(schemaOf(FieldType.INT64), column, 2), [-5, -(2n ** 60n)]);
});

test('text is decoded, and its bytes can be had', () => {
  const column = Column.fromPartial({ dictionary: [Buffer.from('é\xff', 'latin1')], dictionaryIndexes: [0] });
  const reader = new ColumnReader(schemaOf(FieldType.STRING), column, 1);
  assert.equal(reader.value(0), '\ufffd\ufffd');
  assert.deepEqual(reader.value(0, 'bytes'), Buffer.from([0xe9, 0xff]));
});

test('lists hold their rows’ items', () => {
  const column = {
    present: Buffer.from([0b101]),
    dictionary: [Buffer.from('a'), Buffer.from('b')],
    dictionaryIndexes: [1, 0],
    listLengths: [2, 0],
  };
  assert.deepEqual(valuesOf(schemaOf(FieldType.STRING, true), column, 3), [['b', 'a'], undefined, []]);
});

test('dynamic values follow their own type', () => {
  const column = {
    dynamicValues: [
      { kind: { $case: 'signedValue' as const, value: -2n }, type: FieldType.INT32 },
      { kind: { $case: 'bytesValue' as const, value: Buffer.from([127, 0, 0, 1]) }, type: FieldType.IPADDR },
    ],
  };
  assert.deepEqual(valuesOf(schemaOf(FieldType.DYNAMIC), column, 2), [-2, '127.0.0.1']);
});

test('a column that holds fewer values than it says is an error, not a wrong value', () => {
  const reader = new ColumnReader(schemaOf(FieldType.DOUBLE), Column.fromPartial({ doubleValues: [1] }), 2);
  assert.throws(() => reader.value(1), RangeError);
});

test('single values read like columns', () => {
  const schema = schemaOf(FieldType.UINT64, true);
  const item = { kind: { $case: 'unsignedValue' as const, value: 3n }, type: FieldType.UNSPECIFIED };
  const list = {
    kind: { $case: 'listValue' as const, value: { values: [item] } },
    type: FieldType.UNSPECIFIED,
  };
  assert.deepEqual(readFieldValue(schema, list), [3]);
  assert.equal(readFieldValue(schema, { kind: undefined, type: FieldType.UNSPECIFIED }), undefined);
});

test('addresses are written as people write them', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['0a000001', '10.0.0.1'],
    ['00000000000000000000000000000001', '::1'],
    ['00000000000000000000000000000000', '::'],
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010000000000000000', '2001:db8:0:1::'],
    ['00010000000200030004000500060007', '1:0:2:3:4:5:6:7'],
    ['abc0', 'abc0'],
  ];
  for (const [hex, text] of cases) assert.equal(formatAddress(Buffer.from(hex, 'hex')), text);
});
