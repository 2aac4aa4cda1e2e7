import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StrataClientError } from '../../../client/client-error.ts';
import { EventStream } from '../../../client/event-stream.ts';
import {
  CompletionOutcome,
  type DeepPartial,
  GapCause,
  Started,
  StreamEventsResponse,
} from '../../../proto/gen/strata/v1/event_service.ts';
import { FieldType } from '../../../proto/gen/strata/v1/value.ts';

type Message = NonNullable<DeepPartial<StreamEventsResponse>['message']>;

function sourceOf(messages: readonly Message[], failure?: Error) {
  let cancelled = 0;
  return {
    cancel: () => {
      cancelled++;
    },
    cancelCount: () => cancelled,
    async *[Symbol.asyncIterator]() {
      for (const message of messages) yield StreamEventsResponse.fromPartial({ message });
      if (failure !== undefined) throw failure;
    },
  };
}

const STARTED: Message = {
  $case: 'started',
  value: Started.fromPartial({
    schema: [
      { name: 'proc.name', type: FieldType.STRING },
      { name: 'evt.num', type: FieldType.UINT64 },
    ],
    filters: [
      { id: 0, name: 'shells' },
      { id: 1, name: 'files' },
    ],
  }),
};

const BATCH: Message = {
  $case: 'batch',
  value: {
    firstSequence: 0n,
    count: 2,
    columns: [
      { present: Buffer.from([0b10]), dictionary: [Buffer.from('cat')], dictionaryIndexes: [0] },
      { unsignedValues: [7n, 9n] },
    ],
    matchedFilterIds: [0, 0, 1],
    matchedFilterCounts: [1, 2],
  },
};

function gapAt(firstSequence: bigint | undefined, lostCount: bigint, cause: GapCause): Message {
  return { $case: 'gap', value: { cause, firstSequence, lostCount } };
}

const ENDED: Message = { $case: 'ended', value: { seenCount: 5n } };

test('events give their fields by name, with the filters that matched', async () => {
  const stream = new EventStream(sourceOf([STARTED, BATCH, ENDED]), {});
  const events = [];
  for await (const event of stream) {
    events.push([event.sequence, event.toObject(), event.matchedFilters]);
    assert.throws(() => event.get('fd.name'), RangeError);
  }
  assert.deepEqual(events, [
    [0n, { 'proc.name': undefined, 'evt.num': 7 }, ['shells']],
    [1n, { 'proc.name': 'cat', 'evt.num': 9 }, ['shells', 'files']],
  ]);
  assert.equal(stream.ended?.seenCount, 5n);
  assert.equal(stream.nextSequence, 2n);
});

test('lines are handed out one by one', async () => {
  const rendered = Buffer.from('one\nthree\n');
  const message: Message = {
    $case: 'batch',
    value: { firstSequence: 0n, count: 3, rendered, lineLengths: [4, 0, 6] },
  };
  const lines = [];
  for await (const event of new EventStream(sourceOf([STARTED, message, ENDED]), {})) {
    lines.push(event.line?.toString());
  }
  assert.deepEqual(lines, ['one', undefined, 'three']);
});

test('gaps are told at their place and explain missing sequence numbers', async () => {
  const later: Message = { $case: 'batch', value: { firstSequence: 12n, count: 1 } };
  const gaps: bigint[] = [];
  const stream = new EventStream(
    sourceOf([
      STARTED,
      BATCH,
      gapAt(2n, 10n, GapCause.BACKLOG_FULL),
      gapAt(undefined, 99n, GapCause.CAPTURE_LOSS),
      later,
      ENDED,
    ]),
    { onGap: (gap) => gaps.push(gap.lostCount) },
  );
  let count = 0;
  for await (const batch of stream.batches()) count += batch.count;
  assert.deepEqual([count, gaps], [3, [10n, 99n]]);
});

test('events that are missing without a gap are an error', async () => {
  const later: Message = { $case: 'batch', value: { firstSequence: 3n, count: 1 } };
  const stream = new EventStream(sourceOf([STARTED, BATCH, later]), {});
  await assert.rejects(collect(stream.batches()), (error) => {
    return error instanceof StrataClientError && error.code === 'DATA_LOSS';
  });
});

test('leaving a stream early cancels it, reading to its end does not', async () => {
  const left = sourceOf([STARTED, BATCH, ENDED]);
  for await (const _ of new EventStream(left, {})) break;
  assert.equal(left.cancelCount(), 1);
  const read = sourceOf([STARTED, BATCH, ENDED]);
  for await (const _ of new EventStream(read, {}));
  assert.equal(read.cancelCount(), 0);
});

test('a cancelled stream ends without an error', async () => {
  const stream = new EventStream(sourceOf([STARTED, BATCH], new Error('cancelled')), {});
  let count = 0;
  for await (const _ of stream.batches()) {
    count++;
    stream.cancel();
  }
  assert.equal(count, 1);
});

test('a stream is iterated once', async () => {
  const stream = new EventStream(sourceOf([STARTED, ENDED]), {});
  for await (const _ of stream);
  await assert.rejects(collect(stream), TypeError);
});

test('messages of kinds this client does not know are passed over', async () => {
  const unknown = StreamEventsResponse.decode(Buffer.from([0x7a, 0x01, 0x00]));
  assert.equal(unknown.message, undefined);
  const source = {
    cancel: () => undefined,
    async *[Symbol.asyncIterator]() {
      yield unknown;
      yield StreamEventsResponse.fromPartial({ message: ENDED });
    },
  };
  const stream = new EventStream(source, {});
  for await (const _ of stream);
  assert.ok(stream.ended !== undefined);
});

async function collect(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of items) count++;
  return count;
}

const MARKED: Message = { $case: 'batch', value: { ...BATCH.value, incompleteRows: [0] } };
const LATER: Message = {
  $case: 'batch',
  value: { ...BATCH.value, firstSequence: 2n, incompleteRows: [1] },
};

function completionOf(sequences: readonly bigint[], name: string): Message {
  const columns = [{ dictionary: [Buffer.from(name)], dictionaryIndexes: sequences.map(() => 0) }];
  return {
    $case: 'completion',
    value: {
      sequences: [...sequences],
      fieldIndexes: [0],
      columns,
      outcome: CompletionOutcome.COMPLETE,
      containerId: 'c1',
    },
  };
}

test('marked events are told apart, and completions are read by sequence and field', async () => {
  const seen: unknown[] = [];
  const stream = new EventStream(sourceOf([STARTED, MARKED, completionOf([0n], 'late'), ENDED]), {
    onCompletion: (completion) => {
      seen.push(completion.containerId, completion.outcome, completion.fields, [...completion]);
    },
  });
  for await (const event of stream) seen.push([event.sequence, event.isIncomplete, event.lateOutcome]);
  assert.deepEqual(seen, [
    [0n, true, undefined],
    [1n, false, undefined],
    'c1',
    'complete',
    ['proc.name'],
    [{ sequence: 0n, values: { 'proc.name': 'late' } }],
  ]);
});

test('completed() holds marked events back until their late values are in place', async () => {
  const messages = [STARTED, MARKED, LATER, completionOf([0n, 3n, 99n], 'late'), ENDED];
  const seen: unknown[] = [];
  for await (const event of new EventStream(sourceOf(messages), {}).completed()) {
    seen.push([event.sequence, event.get('proc.name'), event.get('evt.num'), event.lateOutcome]);
  }
  assert.deepEqual(seen, [
    [1n, 'cat', 9, undefined],
    [2n, undefined, 7, undefined],
    [0n, 'late', 7, 'complete'],
    [3n, 'late', 9, 'complete'],
  ]);
});

test('completed() lets events go as they are when too many wait, when completions were lost, and at the end', async () => {
  const heartbeat: Message = { $case: 'heartbeat', value: { lostCompletionCount: 1n } };
  const order = async (messages: readonly Message[], eventsMax: number) => {
    const seen: string[] = [];
    const stream = new EventStream(sourceOf(messages), {});
    for await (const event of stream.completed({ eventsMax }))
      seen.push(`${event.sequence} ${event.lateOutcome ?? '-'}`);
    return seen;
  };
  const late = [STARTED, MARKED, LATER, completionOf([0n], 'late'), ENDED];
  assert.deepEqual(await order(late, 1), ['1 -', '2 -', '0 -', '3 -']);
  assert.deepEqual(await order(late, 2), ['1 -', '2 -', '0 complete', '3 -']);
  assert.deepEqual(await order([STARTED, MARKED, heartbeat, LATER, ENDED], 9), ['1 -', '0 -', '2 -', '3 -']);
});
