import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamEventsResponse } from '../../../proto/gen/strata/v1/event_service.ts';
import { type Column, FieldType as WireType } from '../../../proto/gen/strata/v1/value.ts';
import { EventRecord } from '../../../server/event/event-record.ts';
import { ByteWriter } from '../../../server/fields/byte-writer.ts';
import type { FieldRow, FieldType, FieldValue } from '../../../server/fields/field.ts';
import { BatchEncoder, type EncodedField } from '../../../server/inspector/batch-encoder.ts';
import { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { OsState } from '../../../server/state/os-state.ts';

/** An event whose field values are taken from `rows`, by `evt.num`. */
function encode(types: readonly (readonly [FieldType, boolean])[], rows: readonly (readonly FieldValue[])[]) {
  const fields = types.map(([type, isList], column): EncodedField => {
    const row = { name: `f${column}`, type, isList } as unknown as FieldRow;
    return { row, extract: (event) => rows[event.record.num]?.[column] };
  });
  const encoder = BatchEncoder.typed(fields);
  const event = newEvent();
  for (let i = 0; i < rows.length; i++) {
    event.record.num = i;
    encoder.add(event);
  }
  return decodeBatch(encoder.finish(7));
}

function newEvent(): InspectedEvent {
  return new InspectedEvent(new EventRecord(), new OsState({ ...LIMITS }));
}

const LIMITS = {
  threadsMax: 1,
  fdsPerProcessMax: 1,
  usersMax: 1,
  groupsMax: 1,
  containersMax: 1,
  podsMax: 1,
  interfacesMax: 1,
  undoEntriesMax: 0,
};

function decodeBatch(bytes: Buffer) {
  const { message } = StreamEventsResponse.decode(bytes);
  assert.equal(message?.$case, 'batch');
  return message.value;
}

function firstColumn(batch: { readonly columns: readonly Column[] }): Column {
  const column = batch.columns[0];
  assert.ok(column !== undefined);
  return column;
}

test('a batch carries its sequence number, count and event numbers', () => {
  const batch = encode([['string', false]], [['a'], ['b'], ['a']]);
  assert.equal(batch.firstSequence, 7n);
  assert.equal(batch.count, 3);
  assert.equal(batch.firstEventNumber, 0n);
  assert.equal(batch.lastEventNumber, 2n);
});

test('equal texts share one dictionary entry, and bytes that are not UTF-8 survive', () => {
  const long = `/${'x\xff'.repeat(40)}`;
  const column = firstColumn(encode([['string', false]], [['a\xff'], [long], ['a\xff'], ['']]));
  assert.deepEqual(column.dictionary, [
    Buffer.from('a\xff', 'latin1'),
    Buffer.from(long, 'latin1'),
    Buffer.alloc(0),
  ]);
  assert.deepEqual(column.dictionaryIndexes, [0, 1, 0, 2]);
  assert.equal(column.present.length, 0);
});

test('absent rows take a bit and no value', () => {
  const rows: FieldValue[][] = Array.from({ length: 20 }, (_, i) => [i % 9 === 0 ? i : undefined]);
  const column = firstColumn(encode([['uint32', false]], rows));
  assert.deepEqual([...column.present], [0b00000001, 0b00000010, 0b00000100]);
  assert.deepEqual(column.unsignedValues, [0n, 9n, 18n]);
});

test('a column without any value is told apart from a full one', () => {
  const column = firstColumn(encode([['bool', false]], [[undefined], [undefined]]));
  assert.deepEqual([...column.present], [0]);
  assert.deepEqual(column.boolValues, []);
});

test('long batches with few values keep every bit in its row', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6000 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 5999 }), { maxLength: 8 }),
      (count, wanted) => {
        const present = wanted.filter((row) => row < count).sort((a, b) => a - b);
        const rows: FieldValue[][] = Array.from({ length: count }, () => [undefined]);
        for (const row of present) rows[row] = [row];
        const column = firstColumn(encode([['uint32', false]], rows));
        if (present.length === count) return;
        const seen: number[] = [];
        for (let row = 0; row < column.present.length * 8; row++) {
          if (((column.present[row >> 3] as number) >> (row & 7)) & 1) seen.push(row);
        }
        assert.deepEqual(seen, present);
        assert.deepEqual(column.unsignedValues.map(Number), present);
        assert.ok(column.present.length <= (count + 7) >> 3);
      },
    ),
    { numRuns: 60 },
  );
});

test('lists travel as lengths and items', () => {
  const column = firstColumn(encode([['uint32', true]], [[[1, 2]], [[]], [undefined], [[3]]]));
  assert.deepEqual([...column.present], [0b1011]);
  assert.deepEqual(column.listLengths, [2, 0, 1]);
  assert.deepEqual(column.unsignedValues, [1n, 2n, 3n]);
});

test('texts that hardly repeat are still read back as they were', () => {
  const texts = Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 'same' : `text ${i}`));
  const column = firstColumn(
    encode(
      [['string', false]],
      texts.map((text) => [text]),
    ),
  );
  assert.deepEqual(
    column.dictionaryIndexes.map((index) => column.dictionary[index]?.toString()),
    texts,
  );
});

test('dynamic values say their own type', () => {
  const column = firstColumn(
    encode(
      [['dynamic', false]],
      [
        [{ type: 'int64', format: 'DEC', value: -5 }],
        [undefined],
        [{ type: 'string', format: 'NA', value: 'x' }],
      ],
    ),
  );
  assert.deepEqual(column.dynamicValues, [
    { kind: { $case: 'signedValue', value: -5n }, type: WireType.INT64 },
    { kind: { $case: 'bytesValue', value: Buffer.from('x') }, type: WireType.STRING },
  ]);
});

test('an encoder starts every batch afresh', () => {
  const field: EncodedField = {
    row: { type: 'string', isList: false } as unknown as FieldRow,
    extract: (event) => (event.record.num === 1 ? undefined : `v${event.record.num}`),
  };
  const encoder = BatchEncoder.typed([field]);
  const event = newEvent();
  const batches = [];
  for (let i = 0; i < 3; i++) {
    event.record.num = i;
    encoder.add(event);
    batches.push(decodeBatch(encoder.finish(i)));
  }
  assert.deepEqual(
    batches.map((batch) => [
      firstColumn(batch).dictionary.map(String),
      [...firstColumn(batch).present],
      batch.count,
    ]),
    [
      [['v0'], [], 1],
      [[], [0], 1],
      [['v2'], [], 1],
    ],
  );
  assert.equal(encoder.count, 0);
});

test('matched filters are told per event, counts only when they differ from one', () => {
  const encoder = BatchEncoder.typed([]);
  const event = newEvent();
  encoder.add(event, [3]);
  encoder.add(event, [300]);
  let batch = decodeBatch(encoder.finish(0));
  assert.deepEqual([batch.matchedFilterIds, batch.matchedFilterCounts], [[3, 300], []]);
  encoder.add(event, [1, 2]);
  encoder.add(event, [2]);
  batch = decodeBatch(encoder.finish(2));
  assert.deepEqual(
    [batch.matchedFilterIds, batch.matchedFilterCounts],
    [
      [1, 2, 2],
      [2, 1],
    ],
  );
});

test('lines are sent back to back with their lengths; an event without a line has length 0', () => {
  const encoder = BatchEncoder.lines(new ByteWriter(4), (event, out) => {
    if (event.record.num === 1) return;
    const line = Buffer.from(`event ${event.record.num}\n`);
    out.copy(line);
  });
  const event = newEvent();
  for (let i = 0; i < 3; i++) {
    event.record.num = i;
    encoder.add(event);
  }
  assert.ok(encoder.byteCount >= 16);
  const batch = decodeBatch(encoder.finish(0));
  assert.equal(batch.rendered.toString(), 'event 0\nevent 2\n');
  assert.deepEqual(batch.lineLengths, [8, 0, 8]);
});

test('any integer, double and text is read back as it was written', () => {
  const unsigned = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  const signed = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  );
  const text = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  const row = fc.tuple(
    fc.option(unsigned, { nil: undefined }),
    fc.option(signed, { nil: undefined }),
    fc.option(fc.double(), { nil: undefined }),
    fc.option(text, { nil: undefined }),
    fc.option(fc.array(text, { maxLength: 4 }), { nil: undefined }),
  );
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
      const batch = encode(
        [
          ['uint64', false],
          ['int64', false],
          ['double', false],
          ['string', false],
          ['string', true],
        ],
        rows,
      );
      const [unsignedColumn, signedColumn, doubleColumn, textColumn, listColumn] = batch.columns;
      const given = <T>(at: number) =>
        rows.map((values) => values[at]).filter((value) => value !== undefined) as T[];
      assert.deepEqual(unsignedColumn?.unsignedValues, given<number>(0).map(BigInt));
      assert.deepEqual(signedColumn?.signedValues, given<number>(1).map(BigInt));
      assert.deepEqual(doubleColumn?.doubleValues, given<number>(2));
      const look = (column: Column | undefined) =>
        column?.dictionaryIndexes.map((index) => column.dictionary[index]?.toString('latin1'));
      assert.deepEqual(look(textColumn), given<string>(3));
      assert.deepEqual(look(listColumn), given<string[]>(4).flat());
      assert.deepEqual(
        listColumn?.listLengths,
        given<string[]>(4).map((list) => list.length),
      );
    }),
    { numRuns: 200 },
  );
});
