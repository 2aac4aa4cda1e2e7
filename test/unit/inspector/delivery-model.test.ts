/**
 * Whenever metadata comes, both ways of delivery come to what a run delivers that knew everything from the start. The container
 * of each event and whatever else it shows are part of its line, so that equal lines are equal events.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EventValue } from '../../../client/column-reader.ts';
import { EventBatch } from '../../../client/event-batch.ts';
import { type BenchFeed, DeliveryBench } from '../../helpers/delivery-bench.ts';
import { close, exec, open, setuid, write } from '../../helpers/delivery-events.ts';
import type { ScriptEvent } from '../../helpers/query-fixture.ts';
import { ended } from '../../helpers/tracker-bench.ts';

const CONTAINERS = ['a', 'b', 'c'] as const;
const FIELDS = [
  'evt.num',
  'thread.tid',
  'container.id',
  'container.full_id',
  'container.name',
  'container.image',
  'container.label.app',
  'container.labels',
  'container.privileged',
  'proc.name',
  'proc.cmdline',
  'proc.pname',
  'proc.fdopencount',
  'fd.num',
  'fd.name',
  'fd.containername',
  'user.uid',
  'user.name',
  'user.homedir',
  'group.name',
  'evt.args',
  'evt.arg.uid',
  'evt.rawarg.fd',
  'evt.deltatime',
];
const LINE = `*${FIELDS.map((field) => `%${field}`).join('|')}`;
const CONDITIONS = [
  '',
  'container.name = name-a',
  'container.name in (name-b, name-c) or evt.type = write',
  'user.name = seven',
  'not container.label.app exists',
  'proc.name = sh and container.image endswith -b',
];
const USERS = [
  [0, 'rooty'],
  [7, 'seven'],
] as const;

/** An event, or the news of a container. */
type Step = ScriptEvent | { readonly know: string };

const tid = fc.integer({ min: 10, max: 12 });
const fd = fc.integer({ min: 3, max: 5 });
const event: fc.Arbitrary<ScriptEvent> = fc.oneof(
  fc
    .record({ tid, where: fc.constantFrom('', ...CONTAINERS), name: fc.constantFrom('sh', 'cat') })
    .map((it) => exec(it.tid, it.where, it.name)),
  fc.record({ tid, fd, path: fc.constantFrom('/x', 'y') }).map((it) => open(it.tid, it.fd, it.path)),
  fc.record({ tid, fd }).map((it) => write(it.tid, it.fd)),
  fc.record({ tid, fd }).map((it) => close(it.tid, it.fd)),
  fc.record({ tid, uid: fc.constantFrom(0, 7, 9) }).map((it) => setuid(it.tid, it.uid)),
  tid.map((it) => ended(it)),
);

const scenario = fc.record({
  events: fc.array(event, { minLength: 1, maxLength: 60, size: 'max' }),
  /** Where in the stream each container becomes known. */
  knownAt: fc.tuple(fc.nat(60), fc.nat(60), fc.nat(60)),
  retainEvents: fc.constantFrom(0, 8, 64),
  condition: fc.constantFrom(...CONDITIONS),
});

function stepsOf(events: readonly ScriptEvent[], knownAt: readonly number[]): Step[] {
  const steps: Step[] = [...events];
  const news = CONTAINERS.map((know, i) => ({ know, at: Math.min(knownAt[i] ?? 0, events.length) }));
  for (const { know, at } of news.sort((x, y) => y.at - x.at)) steps.splice(at, 0, { know });
  return steps;
}

async function play(bench: DeliveryBench, steps: readonly Step[], isEarly: boolean): Promise<void> {
  await bench.open();
  for (const name of CONTAINERS) {
    if (isEarly) bench.learn(name, {}, USERS);
    else bench.wait(name);
  }
  for (const step of steps) {
    bench.passUnseen(1);
    if (!('know' in step)) bench.run(step);
    else if (!isEarly) bench.know(step.know, {}, USERS);
  }
}

function byNumber(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10);
}

function assertAscending(
  lines: readonly string[],
  column: number,
  isOrdered: (value: string) => boolean,
): void {
  const last = new Map<string, number>();
  for (const line of lines) {
    const values = line.split('|');
    const key = values[column] ?? '';
    const num = Number(values[0]);
    if (isOrdered(key))
      assert.ok(num > (last.get(key) ?? 0), `${num} of ${key} stands behind ${last.get(key)}`);
    last.set(key, num);
  }
}

test('COMPLETE delivers what a run that knew everything delivers, in the order of each container and thread', () =>
  fc.assert(
    fc.asyncProperty(scenario, async ({ events, knownAt, retainEvents, condition }) => {
      const steps = stepsOf(events, knownAt);
      const request = {
        delivery: 'complete',
        projection: { kind: 'text', template: LINE },
        filters: [{ id: 0, name: '', condition }],
      } as const;
      const hold = { holdMs: 1e9 };
      const early = new DeliveryBench({ hold, retainEvents });
      const expected = early.subscribe(request);
      await play(early, steps, true);
      const late = new DeliveryBench({ hold, retainEvents });
      const actual = late.subscribe(request);
      await play(late, steps, false);
      const { lines } = actual;
      assert.deepEqual([...lines].sort(byNumber), expected.lines);
      assertAscending(lines, 1, () => true);
      assertAscending(lines, 2, (id) => /^[abc]0/.test(id));
      assert.deepEqual([late.held.count, late.held.bytes], [0, 0]);
    }),
    { numRuns: 100 },
  ));

function rowsOf(feed: BenchFeed): Record<string, EventValue>[] {
  const positions = new Map(feed.schema.map((field, position) => [field.name, position]));
  const schema = { fields: feed.schema, positions, filters: new Map() };
  return feed.batches.flatMap((batch) => [...new EventBatch(batch, schema)].map((row) => row.toObject()));
}

test('IMMEDIATE patched with its completions is what a run that knew everything delivers', () =>
  fc.assert(
    fc.asyncProperty(scenario, async ({ events, knownAt, retainEvents }) => {
      const steps = stepsOf(events, knownAt);
      const request = { projection: { kind: 'typed', fields: FIELDS } } as const;
      const early = new DeliveryBench({ retainEvents });
      const expected = early.subscribe(request);
      await play(early, steps, true);
      const late = new DeliveryBench({ retainEvents });
      const actual = late.subscribe(request);
      await play(late, steps, false);
      const rows = rowsOf(actual);
      const marked = new Set(
        actual.batches.flatMap(({ firstSequence, incompleteRows }) =>
          incompleteRows.map((row) => Number(firstSequence) + row),
        ),
      );
      for (const { sequences, values, outcome } of actual.completions) {
        assert.equal(outcome, 'complete');
        sequences.forEach((sequence, i) => {
          assert.ok(marked.delete(sequence), `${sequence} is completed once, and was marked`);
          for (const [field, column] of Object.entries(values))
            Object.assign(rows[sequence] ?? {}, { [field]: column[i] });
        });
      }
      assert.equal(marked.size, 0);
      assert.deepEqual(rows, rowsOf(expected));
    }),
    { numRuns: 100 },
  ));

/** What else may happen between events. */
type Incident =
  | { readonly kind: 'wait' | 'know' | 'fail' | 'time-out'; readonly name: string }
  | { readonly kind: 'pass' | 'pass-unseen'; readonly ms: number }
  | { readonly kind: 'filter'; readonly condition: string };

const incident: fc.Arbitrary<Incident> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('wait' as const, 'know' as const, 'fail' as const, 'time-out' as const),
    name: fc.constantFrom(...CONTAINERS),
  }),
  fc.record({ kind: fc.constantFrom('pass' as const, 'pass-unseen' as const), ms: fc.nat(30) }),
  fc.record({ kind: fc.constant('filter' as const), condition: fc.constantFrom('', 'evt.num > 0') }),
);

function happen(bench: DeliveryBench, feeds: readonly BenchFeed[], it: Incident): void {
  switch (it.kind) {
    case 'wait':
      bench.wait(it.name);
      return;
    case 'know':
      bench.know(it.name, {}, USERS);
      return;
    case 'fail':
    case 'time-out':
      bench.settle(it.name, it.kind === 'fail' ? 'failed' : 'timed-out');
      return;
    case 'pass':
      bench.pass(it.ms);
      return;
    case 'pass-unseen':
      bench.passUnseen(it.ms);
      return;
    case 'filter':
      for (const feed of feeds) bench.setFilter(feed, it.condition);
  }
}

test('whatever the bounds and whatever happens, every event is delivered once, in order, and nothing stays behind', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 3, arbitrary: event }, { weight: 2, arbitrary: incident }), {
        maxLength: 80,
        size: 'max',
      }),
      fc.record({
        holdMs: fc.integer({ min: 0, max: 60 }),
        eventsMax: fc.integer({ min: 1, max: 12 }),
        bytesMax: fc.integer({ min: 300, max: 4000 }),
      }),
      fc.constantFrom(1, 10, 10_000),
      fc.constantFrom(0, 4, 64),
      async (steps, hold, undoEntriesMax, retainEvents) => {
        const bench = await new DeliveryBench({ hold, undoEntriesMax, retainEvents }).open();
        const complete = bench.subscribe({
          delivery: 'complete',
          projection: { kind: 'text', template: '*%evt.num|%thread.tid|%container.id|%container.name' },
        });
        const immediate = bench.subscribe({
          projection: { kind: 'typed', fields: ['evt.num', 'container.name', 'user.name'] },
        });
        let events = 0;
        for (const step of steps) {
          if ('code' in step) {
            events++;
            bench.run(step);
          } else {
            happen(bench, [complete, immediate], step);
          }
          assert.ok(bench.held.count <= hold.eventsMax && bench.held.bytes <= hold.bytesMax);
        }
        for (const feed of bench.feeds) feed.subscription.end({ reason: 'shutdown' });
        const lines = complete.lines.map((line) => line.replace(/ \?$/, ''));
        const numbers = lines.map((line) => Number.parseInt(line, 10));
        assert.deepEqual(
          numbers.sort((a, b) => a - b),
          Array.from({ length: events }, (_, i) => i + 1),
        );
        assertAscending(lines, 1, () => true);
        // Without the state as of the event a line may tell where its thread is now.
        if (undoEntriesMax > 1000) assertAscending(lines, 2, (id) => /^[abc]0/.test(id));
        const marked = immediate.batches.flatMap(({ firstSequence, incompleteRows }) =>
          incompleteRows.map((row) => Number(firstSequence) + row),
        );
        const told = immediate.completions.flatMap(({ sequences }) => sequences);
        assert.deepEqual(
          told.sort((a, b) => a - b),
          marked,
        );
        assert.deepEqual([bench.held.count, bench.held.bytes], [0, 0]);
        const { undo } = bench.inspector.state;
        assert.deepEqual([undo.pinnedNumber, undo.enabled], [Number.POSITIVE_INFINITY, retainEvents > 0]);
      },
    ),
    { numRuns: 300 },
  ));
