import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../../server/fields/byte-writer.ts';
import type { FieldRow, FieldType, FieldValue } from '../../../server/fields/field.ts';
import { textWriter } from '../../../server/fields/render.ts';
import { jsonText, jsonWriter } from '../../../server/fields/render-json.ts';

function row(type: FieldType, rest: Partial<FieldRow> = {}): FieldRow {
  return {
    name: 'test.field',
    fieldClass: 'test',
    type,
    argument: 'none',
    isList: false,
    format: 'NA',
    description: 'a field',
    bind: () => () => undefined,
    ...rest,
  };
}

function text(type: FieldType, value: Exclude<FieldValue, undefined>, rest?: Partial<FieldRow>): string {
  const writer = new ByteWriter(1);
  textWriter(row(type, rest))(writer, value);
  return writer.text();
}

function json(type: FieldType, value: FieldValue, rest?: Partial<FieldRow>): string {
  const writer = new ByteWriter(1);
  jsonWriter(row(type, rest))(writer, value);
  return writer.view().toString('utf8');
}

test('integers print in the format of their field', () => {
  assert.equal(text('int64', -42, { format: 'DEC' }), '-42');
  assert.equal(text('uint64', 18446744073709551615n, { format: 'ID' }), '18446744073709551615');
  assert.equal(text('uint64', 42, { format: '10_PADDED_DEC' }), '000000042');
  assert.equal(text('int64', -42, { format: '10_PADDED_DEC' }), '-00000042');
  assert.equal(text('uint32', 0xfe00, { format: 'HEX' }), 'FE00');
  assert.equal(text('int32', -1, { format: 'HEX' }), 'FFFFFFFF');
  assert.equal(text('int64', -1n, { format: 'HEX' }), 'FFFFFFFFFFFFFFFF');
  assert.equal(text('uint32', 8, { format: 'OCT' }), '10');
});

test('other types print as a reader expects', () => {
  assert.equal(text('bool', true), 'true');
  assert.equal(text('double', 12.34), '12.3');
  assert.equal(text('bytes', 'ab\0cd'), 'ab');
  assert.equal(text('ipaddr', '\x7f\0\0\x01'), '127.0.0.1');
  assert.equal(text('ipaddr', `${'\0'.repeat(15)}\x01`), '::1');
  assert.equal(text('ipnet', '\x7f\0\0\x01'), '<IPNET>');
  assert.equal(text('string', ['a', 'b'], { isList: true }), '(a,b)');
  assert.equal(text('string', [], { isList: true }), '()');
  assert.equal(text('dynamic', { type: 'uint32', format: 'HEX', value: 255 }), 'FF');
  assert.equal(text('bytes', 'a.b', { bindText: () => () => 'a.b' }), 'a.b');
});

test('JSON keeps types and digits', () => {
  assert.equal(json('uint64', 18446744073709551615n, { format: 'DEC' }), '18446744073709551615');
  assert.equal(json('reltime', 42, { format: '10_PADDED_DEC' }), '42');
  assert.equal(json('int32', 0xfe00, { format: 'HEX' }), '"FE00"');
  assert.equal(json('bool', false), 'false');
  assert.equal(json('double', 3), '3.0');
  assert.equal(json('double', 0.015), '0.015');
  assert.equal(json('double', Number.NaN), 'null');
  assert.equal(json('ipaddr', '\x0a\0\x02\x0f'), '"10.0.2.15"');
  assert.equal(json('string', ['a', 'b'], { isList: true }), '["a","b"]');
  assert.equal(json('string', undefined), 'null');
  assert.equal(json('string', undefined, { isList: true }), 'null');
  assert.equal(json('dynamic', { type: 'uint32', format: 'HEX', value: 255 }), '"FF"');
  assert.equal(json('dynamic', undefined), 'null');
});

test('a field with a JSON form of its own is shown as what it extracts', () => {
  const rest: Partial<FieldRow> = { bindJson: () => () => 1 };
  assert.equal(json('string', 1795457902564282877n, rest), '1795457902564282877');
  assert.equal(json('string', 'text', rest), '"text"');
  assert.equal(json('string', true, rest), 'true');
  assert.equal(json('string', undefined, rest), 'null');
});

test('JSON text: valid UTF-8 passes, other bytes become the replacement character', () => {
  const utf8 = (value: string) => Buffer.from(value, 'utf8').toString('latin1');
  assert.equal(JSON.parse(json('string', utf8('grüße €😀 "\\'))), 'grüße €😀 "\\');
  assert.equal(json('string', 'a\x01\n\t\x7f'), '"a\\u0001\\n\\t\x7f"');
  for (const bad of ['\xff', '\xc0\xaf', '\xed\xa0\x80', '\xf5\x80\x80\x80', '\xe2\x82', '\x80']) {
    assert.equal(JSON.parse(json('string', `x${bad}`)), `x${'\ufffd'.repeat(bad.length)}`);
  }
});

test('any bytes become a JSON string that parses, and valid text comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const binary = Buffer.from(bytes).toString('latin1');
      const parsed: unknown = JSON.parse(Buffer.from(jsonText(binary), 'latin1').toString('utf8'));
      assert.equal(typeof parsed, 'string');
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const binary = Buffer.from(value, 'utf8').toString('latin1');
      const parsed: unknown = JSON.parse(Buffer.from(jsonText(binary), 'latin1').toString('utf8'));
      assert.equal(parsed, Buffer.from(value, 'utf8').toString('utf8'));
    }),
  );
});

test('integers of any size are written as their digits', () => {
  const writer = new ByteWriter(1);
  const check = (value: number | bigint): void => {
    writer.reset();
    writer.integer(value);
    assert.equal(writer.text(), String(value));
  };
  for (const value of [0, 9, 10, 99, 100, 999, 1000, 2147483647, 2147483648, 4294967295]) check(value);
  for (const value of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2n ** 64n - 1n, -(2n ** 63n)])
    check(value);
  fc.assert(fc.property(fc.maxSafeInteger(), check));
});

test('a writer grows and can take back what it wrote', () => {
  const writer = new ByteWriter(1);
  writer.latin1('x'.repeat(100));
  const mark = writer.length;
  writer.copy(Buffer.from('abc'));
  writer.byte(33);
  assert.equal(writer.text(), `${'x'.repeat(100)}abc!`);
  writer.length = mark;
  assert.equal(writer.view().length, 100);
});
