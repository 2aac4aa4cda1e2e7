import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../../server/fields/byte-writer.ts';
import { halves, U64 } from '../../helpers/u64-arbitrary.ts';

/** What `write` appends to a writer that has something in it and no room left. */
function written(write: (out: ByteWriter) => void): string {
  const out = new ByteWriter(2);
  out.latin1('<<');
  write(out);
  out.byte(62);
  const text = out.text();
  assert.equal(text.slice(0, 2), '<<');
  assert.equal(text.at(-1), '>');
  return text.slice(2, -1);
}

test('unsigned 64-bit integers are written with all their digits', () => {
  fc.assert(
    fc.property(U64, (value) => {
      assert.equal(
        written((out) => out.decimalU64(...halves(value))),
        String(value),
      );
    }),
    { numRuns: 500 },
  );
});

test('signed 64-bit integers are written with their sign and all their digits', () => {
  fc.assert(
    fc.property(U64, (value) => {
      assert.equal(
        written((out) => out.decimalI64(...halves(value))),
        String(BigInt.asIntN(64, value)),
      );
    }),
    { numRuns: 500 },
  );
});

test('the smallest and largest of each kind are written', () => {
  assert.equal(
    written((out) => out.decimalI64(0x80000000, 0)),
    '-9223372036854775808',
  );
  assert.equal(
    written((out) => out.decimalI64(0xffffffff, 0xffffffff)),
    '-1',
  );
  assert.equal(
    written((out) => out.decimalI64(0xffffffff, 0)),
    '-4294967296',
  );
  assert.equal(
    written((out) => out.decimalU64(0xffffffff, 0xffffffff)),
    '18446744073709551615',
  );
});

test('hexadecimal integers are written in upper case without leading zeros', () => {
  fc.assert(
    fc.property(U64, (value) => {
      assert.equal(
        written((out) => out.hexU64(...halves(value))),
        value.toString(16).toUpperCase(),
      );
    }),
    { numRuns: 500 },
  );
});

test('padded integers have exactly their width', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 15 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (width, share) => {
        const value = Math.floor(share * (10 ** width - 1));
        assert.equal(
          written((out) => out.padded(value, width)),
          String(value).padStart(width, '0'),
        );
      },
    ),
  );
});

test('integers are written as their own text, numbers and bigints', () => {
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.bigInt()), (value) => {
      assert.equal(
        written((out) => out.integer(value)),
        String(value),
      );
    }),
  );
});

test('a range is copied as it is, short or long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), fc.nat(80), (source, a, b) => {
      const bytes = Buffer.from(source);
      const from = Math.min(a, b, bytes.length);
      const to = Math.min(Math.max(a, b), bytes.length);
      assert.equal(
        written((out) => out.range(bytes, from, to)),
        bytes.latin1Slice(from, to),
      );
      assert.equal(
        written((out) => out.copy(source)),
        bytes.latin1Slice(),
      );
    }),
  );
});

test('binary strings keep every byte, short or long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (source) => {
      const text = Buffer.from(source).latin1Slice();
      assert.equal(
        written((out) => out.latin1(text)),
        text,
      );
    }),
  );
});

test('writes one after the other stand one after the other, however often the buffer grows', () => {
  const out = new ByteWriter(1);
  let expected = '';
  for (let i = 0; i < 2000; i++) {
    out.integer(i);
    out.byte(44);
    expected += `${i},`;
  }
  assert.equal(out.text(), expected);
  assert.equal(out.view().latin1Slice(), expected);
  out.length = 4;
  assert.equal(out.text(), '0,1,');
  out.reset();
  assert.equal(out.text(), '');
});
