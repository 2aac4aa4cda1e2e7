import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cString, EventRecord, splitNul } from '../../../server/event/event-record.ts';
import { type EventOptions, type ParamValue, recordBytes } from '../../helpers/scap-builder.ts';
import { U64 } from '../../helpers/u64-arbitrary.ts';

/** A cursor over a record that does not stand at the start of its buffer. */
function load(code: string, params: readonly ParamValue[], options: EventOptions = {}): EventRecord {
  const before = Buffer.alloc(7, 0xee);
  const bytes = Buffer.concat([before, recordBytes(code, params, options), Buffer.alloc(9, 0xee)]);
  const record = new EventRecord();
  record.attach(bytes);
  record.load(before.length, 5, 1);
  return record;
}

function little(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, width);
}

test('the header is read at its place', () => {
  const record = load('PPME_SYSCALL_CLOSE_X', [-1, 3], { tid: 4_294_967_297n, tsNs: (1n << 63n) + 5n });
  assert.equal(record.info.code, 'PPME_SYSCALL_CLOSE_X');
  assert.equal(record.timestampNs(), (1n << 63n) + 5n);
  assert.equal(record.tid, 4_294_967_297);
  assert.deepEqual([record.cpu, record.flags, record.paramCount], [5, 1, 2]);
  assert.equal(record.length, recordBytes('PPME_SYSCALL_CLOSE_X', [-1, 3]).length);
});

test('a record of no thread has tid -1', () => {
  assert.equal(load('PPME_SYSCALL_CLOSE_X', [0, 3], { tid: -1 }).tid, -1);
});

test('integers are read in the width they have, signed and unsigned', () => {
  fc.assert(
    fc.property(U64, fc.constantFrom(1, 2, 4, 8), (value, width) => {
      const record = load('PPME_SYSCALL_CLOSE_X', [little(value, width)]);
      const signed = BigInt.asIntN(8 * width, value);
      const unsigned = BigInt.asUintN(8 * width, value);
      assert.equal(BigInt(record.signed(0)), signed);
      assert.equal(BigInt(record.unsigned(0)), unsigned);
      assert.equal(record.number(0), Number(signed));
      assert.equal(record.unsignedNumber(0), Number(unsigned));
    }),
  );
});

test('parameters that are empty, missing or of a strange width are nothing', () => {
  const record = load('PPME_SYSCALL_CLOSE_X', [null, Buffer.alloc(3, 1)]);
  assert.deepEqual([record.isEmpty(0), record.isEmpty(1), record.isEmpty(2)], [true, false, true]);
  for (const index of [0, 1, 2, 60]) {
    assert.equal(record.signed(index), 0);
    assert.equal(record.unsigned(index), 0);
    assert.equal(record.number(index), 0);
    assert.equal(record.unsignedNumber(index), 0);
  }
  for (const index of [0, 2, 60]) {
    assert.equal(record.text(index), '');
    assert.equal(record.binary(index), '');
    assert.deepEqual(record.textList(index), []);
    assert.equal(record.lengthOf(index), 0);
  }
});

test('a record of an older schema has fewer parameters, one of a newer more', () => {
  const few = load('PPME_SYSCALL_CLOSE_X', [-9]);
  assert.deepEqual([few.paramCount, few.number(0), few.number(1)], [1, -9, 0]);
  const many = load('PPME_SYSCALL_CLOSE_X', [-9, 3, 77, 78]);
  assert.deepEqual([many.paramCount, many.number(0), many.number(1), many.isEmpty(2)], [2, -9, 3, true]);
});

test('what a record before had is not read from one with less', () => {
  const record = load('PPME_SYSCALL_CLOSE_X', [-9, 3]);
  const next = recordBytes('PPME_SYSCALL_CLOSE_X', [5]);
  record.attach(next);
  record.load(0, 0, 0);
  assert.equal(record.number(0), 5);
  assert.equal(record.isEmpty(1), true);
  assert.equal(record.number(1), 0);
});

test('large parameters have lengths of four bytes', () => {
  const json = Buffer.alloc(70_000, 'j');
  const record = load('PPME_CONTAINER_JSON_2_E', [json]);
  assert.equal(record.lengthOf(0), 70_000);
  assert.equal(record.binary(0), 'j'.repeat(70_000));
});

test('text ends at its first NUL, and bytes above 127 stay as they are', () => {
  const texts = ['plain\0', 'no end', 'cut\0off\0', '\0', '\xff\xfe\x80\0'];
  for (const text of texts) {
    const record = load('PPME_SYSCALL_CHDIR_X', [0, Buffer.from(text, 'latin1')]);
    assert.equal(record.text(1), text.split('\0')[0]);
    assert.equal(record.binary(1), text);
  }
});

test('lists are divided at NULs; the last NUL makes no item', () => {
  assert.deepEqual(splitNul(''), []);
  assert.deepEqual(splitNul('a\0b\0'), ['a', 'b']);
  assert.deepEqual(splitNul('a\0b'), ['a', 'b']);
  assert.deepEqual(splitNul('a\0\0b\0'), ['a', '', 'b']);
  assert.deepEqual(splitNul('\0'), ['']);
});

test('text is never read beyond its end, whatever stands there', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 20 }),
      fc.uint8Array({ maxLength: 5 }),
      (inside, behind) => {
        const bytes = Buffer.concat([Buffer.from([1, 0]), inside, behind]);
        const expected = Buffer.from(inside).latin1Slice().split('\0')[0];
        assert.equal(cString(bytes, 2, 2 + inside.length), expected);
      },
    ),
  );
});
