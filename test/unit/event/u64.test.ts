import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { i64, nsSeconds, nsSubsecond, u64, u64Big, u64Difference } from '../../../server/event/u64.ts';
import { halves, U64 } from '../../helpers/u64-arbitrary.ts';

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

test('an unsigned value is exact: a number as long as numbers are, then a bigint', () => {
  fc.assert(
    fc.property(U64, (value) => {
      const made = u64(...halves(value));
      assert.equal(BigInt(made), value);
      assert.equal(typeof made, value <= SAFE_MAX ? 'number' : 'bigint');
      assert.equal(u64Big(...halves(value)), value);
    }),
  );
});

test('a signed value is exact, too', () => {
  fc.assert(
    fc.property(U64, (value) => {
      const signed = BigInt.asIntN(64, value);
      const made = i64(...halves(value));
      assert.equal(BigInt(made), signed);
      if (signed >= -SAFE_MAX && signed <= SAFE_MAX) assert.equal(typeof made, 'number');
    }),
  );
});

test('zero is not negative zero', () => {
  assert.ok(Object.is(u64(0, 0), 0));
  assert.ok(Object.is(i64(0, 0), 0));
});

test('a difference is exact below 2^53, whichever is larger', () => {
  const distance = fc.bigInt({ min: -SAFE_MAX, max: SAFE_MAX });
  fc.assert(
    fc.property(U64, distance, (a, by) => {
      const b = a - by;
      fc.pre(b >= 0n && b < 1n << 64n);
      assert.equal(BigInt(u64Difference(...halves(a), ...halves(b))), by);
    }),
  );
});

test('nanoseconds are divided into seconds and the rest exactly, over the whole range', () => {
  fc.assert(
    fc.property(U64, (ns) => {
      assert.equal(BigInt(nsSeconds(...halves(ns))), ns / 1_000_000_000n);
      assert.equal(BigInt(nsSubsecond(...halves(ns))), ns % 1_000_000_000n);
    }),
  );
});
