import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StrataError } from '../../../server/event/strata-error.ts';
import { type ListOrder, pageOf } from '../../../server/inspector/query/page.ts';

type Row = readonly [text: string, number: number];

const ORDER: ListOrder<Row> = { text: ([text]) => text, number: ([, number]) => number };

function compare(a: Row, b: Row): number {
  return a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1;
}

const rowsArbitrary = fc.uniqueArray(fc.tuple(fc.constantFrom('', 'a', 'b\0:c', 'ÿ'), fc.integer()), {
  selector: ([text, number]) => `${number}:${text}`,
  maxLength: 60,
});

test('all pages together are all rows, once each, in order', () => {
  fc.assert(
    fc.property(rowsArbitrary, fc.integer({ min: 1, max: 70 }), (rows, pageSize) => {
      const shown: Row[] = [];
      let pageToken = '';
      do {
        const { rows: part, page } = pageOf<Row>(rows, ORDER, { pageSize, pageToken });
        assert.ok(part.length <= pageSize);
        assert.equal(page.totalCount, BigInt(rows.length));
        shown.push(...part);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      assert.deepEqual(shown, [...rows].sort(compare));
    }),
  );
});

test('no page is asked for in vain: the last has no token', () => {
  const rows: Row[] = [
    ['', 1],
    ['', 2],
  ];
  assert.equal(pageOf(rows, ORDER, { pageSize: 2, pageToken: '' }).page.nextPageToken, '');
  assert.equal(pageOf([], ORDER, undefined).page.nextPageToken, '');
});

test('sizes are 1,000 when none is given and at most 10,000', () => {
  const rows = Array.from({ length: 12_000 }, (_, i): Row => ['', i]);
  assert.equal(pageOf(rows, ORDER, undefined).rows.length, 1000);
  assert.equal(pageOf(rows, ORDER, { pageSize: 0, pageToken: '' }).rows.length, 1000);
  assert.equal(pageOf(rows.reverse(), ORDER, { pageSize: 4_000_000_000, pageToken: '' }).rows.length, 10_000);
});

test('a token that no list has given is INVALID_ARGUMENT', () => {
  const forged = Buffer.from('12', 'latin1').toString('base64url');
  for (const pageToken of ['x', '!!', forged, `${Buffer.from('1:').toString('base64url')}=`]) {
    assert.throws(
      () => pageOf([], ORDER, { pageSize: 1, pageToken }),
      (error) =>
        error instanceof StrataError &&
        error.code === 'INVALID_ARGUMENT' &&
        error.fault.field === 'page.page_token',
    );
  }
});
