import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { EventStream } from '../../client/event-stream.ts';
import {
  EndReason,
  OutputPreset,
  OverflowPolicy,
  Rendering,
} from '../../proto/gen/strata/v1/event_service.ts';
import { BUNDLED_CAPTURE } from '../../server/app.ts';
import { type AppFixture, withApp } from '../helpers/app-fixture.ts';

const FIELDS = [
  'evt.num',
  'evt.rawtime',
  'evt.type',
  'proc.name',
  'thread.tid',
  'fd.name',
  'fd.num',
  'proc.tty',
];

interface Lost {
  readonly delivered: number;
  readonly lost: number;
}

/** Reads to the end; returns the bytes and counts. */
async function readAll(stream: EventStream): Promise<{ readonly text: string; readonly count: number }> {
  const parts: Buffer[] = [];
  let count = 0;
  for await (const batch of stream.batches()) {
    parts.push(batch.rendered);
    count += batch.count;
  }
  return { text: Buffer.concat(parts).toString(), count };
}

/** Events in the bundled capture. */
let eventCount = 0;

before(() =>
  withApp(async ({ client }) => {
    const stream = client.streamEvents({ fields: ['evt.num'] });
    eventCount = (await readAll(stream)).count;
    assert.ok(eventCount > 100);
    assert.equal(Number(stream.ended?.seenCount), eventCount);
  }),
);

test('typed columns and JSON say the same', () =>
  withApp(async ({ client }) => {
    const json = client.streamEvents({ fields: FIELDS, rendering: Rendering.JSON });
    const lines = (await readAll(json)).text.trimEnd().split('\n');
    assert.equal(lines.length, eventCount);
    let row = 0;
    for await (const event of client.streamEvents({ fields: FIELDS })) {
      const { 'evt.rawtime': time, ...rest } = event.toObject();
      const { 'evt.rawtime': jsonTime, ...expected } = JSON.parse(lines[row] ?? '') as Record<
        string,
        unknown
      >;
      const values = Object.entries(rest).map(([name, value]) => [name, value ?? null]);
      assert.deepEqual(Object.fromEntries(values), expected);
      // Beyond 2^53: JSON.parse rounds what JSON writes exactly.
      assert.equal(Number(time), jsonTime);
      assert.ok(lines[row]?.includes(String(time)));
      row++;
    }
    assert.equal(row, eventCount);
  }));

test('text comes from a template or a preset, one line per event', () =>
  withApp(async ({ client }) => {
    const template = await readAll(client.streamEvents({ outputFormat: '*%evt.num %proc.name' }));
    const lines = template.text.trimEnd().split('\n');
    assert.equal(lines.length, eventCount);
    assert.match(lines[0] ?? '', /^\d+ \S/);
    const preset = client.streamEvents({ outputPreset: OutputPreset.DEFAULT, eventsMax: 10n });
    assert.equal((await readAll(preset)).text.trimEnd().split('\n').length, 10);
    assert.equal(preset.ended?.reason, EndReason.EVENTS_MAX);
  }));

test('every event says which of several filters matched', () =>
  withApp(async ({ client }) => {
    const stream = client.streamEvents({
      fields: ['evt.type'],
      filters: [
        { name: 'opens', condition: 'evt.type in (open, openat)' },
        { name: 'all', condition: '' },
        { name: 'closes', condition: 'evt.type = close' },
      ],
    });
    let count = 0;
    for await (const event of stream) {
      const type = event.get('evt.type');
      const expected = ['all'];
      if (type === 'open' || type === 'openat') expected.unshift('opens');
      if (type === 'close') expected.push('closes');
      assert.deepEqual(event.matchedFilters, expected);
      count++;
    }
    assert.equal(count, eventCount);
  }));

/** Lets a client stall until the replay is over, then reads on and adds up. */
async function stall({ client }: AppFixture, overflowPolicy: OverflowPolicy): Promise<Lost> {
  let lost = 0n;
  const request = {
    // Wide events, so that they outgrow what the transport buffers by itself.
    fields: Array.from({ length: 40 }, () => 'proc.env'),
    rendering: Rendering.JSON,
    overflowPolicy,
    backlogBytesMax: 65_536n,
    batchLimits: { eventsMax: 16 },
  };
  const stream = client.streamEvents(request, {
    onGap: (gap) => {
      lost += gap.lostCount;
    },
  });
  let delivered = 0;
  for await (const batch of stream.batches()) {
    if (delivered === 0) await untilMatched(client, eventCount);
    delivered += batch.count;
  }
  assert.equal(Number(stream.ended?.matchedCount), eventCount);
  assert.equal(Number(stream.ended?.sentCount), delivered);
  assert.equal(stream.ended?.lostCount, lost);
  return { delivered, lost: Number(lost) };
}

async function untilMatched(client: AppFixture['client'], count: number): Promise<void> {
  for (;;) {
    const { subscriptions } = await client.getStatus();
    if (subscriptions.some((subscription) => Number(subscription.matchedCount) >= count)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const policy of ['DROP_OLDEST', 'DROP_NEWEST'] as const) {
  test(`a stalled client with ${policy} is told exactly what it missed`, () =>
    withApp(async (fixture) => {
      const { delivered, lost } = await stall(fixture, OverflowPolicy[policy]);
      assert.ok(lost > 0, 'the backlog did not overflow');
      assert.equal(delivered + lost, eventCount);
    }));
}

test('a stalled client holds up nobody else', () =>
  withApp(async (fixture) => {
    const slow = fixture.client.streamEvents({ fields: ['proc.env'], batchLimits: { eventsMax: 1 } });
    const messages = slow.messages();
    await messages.next();
    const { count } = await readAll(fixture.client.streamEvents({ fields: FIELDS }));
    assert.equal(count, eventCount);
    await messages.return();
  }));

test('live subscriptions share the pass of the node', () =>
  withApp(
    async ({ client }) => {
      const start = { $case: 'live' as const, value: {} };
      const streams = [0, 1].map(() => client.streamEvents({ fields: ['evt.num'], start }));
      const results = await Promise.all(streams.map(readAll));
      assert.deepEqual(
        results.map(({ count }) => count),
        [eventCount, eventCount],
      );
    },
    { 'capture-wait-subscribers': 2 },
  ));

test('filters change on a running stream at a place the stream tells', () =>
  withApp(
    async ({ client }) => {
      const start = { $case: 'live' as const, value: {} };
      const filters = [{ name: 'opens', condition: 'evt.type = openat' }];
      const stream = client.streamEvents({ fields: ['evt.type'], filters, start });
      const messages = stream.messages();
      await messages.next();
      const { filters: changed } = await client.updateSubscription({
        subscriptionId: stream.started?.subscriptionId ?? '',
        addFilters: [{ name: 'closes', condition: 'evt.type = close' }],
        removeFilterNames: ['opens'],
      });
      assert.deepEqual(
        changed.map(({ name }) => name),
        ['closes'],
      );
      const next = await messages.next();
      assert.ok(next.value?.message?.$case === 'filtersChanged');
      await messages.return();
    },
    // Nobody else comes: the source stands still.
    { 'capture-wait-subscribers': 2 },
  ));

test('a damaged capture delivers what is before the damage and names its place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-damaged-'));
  const whole = readFileSync(BUNDLED_CAPTURE);
  const path = join(folder, 'damaged.scap');
  writeFileSync(path, whole.subarray(0, whole.length - 7));
  try {
    await withApp(
      async ({ client }) => {
        const stream = client.streamEvents({ fields: ['evt.num'] });
        const { count } = await readAll(stream);
        assert.ok(count > 100 && count <= eventCount);
        assert.equal(stream.ended?.reason, EndReason.CAPTURE_ERROR);
        assert.ok((stream.ended.captureError?.byteOffset ?? 0n) > 0n);
        assert.match(stream.ended.captureError?.message ?? '', /byte/);
      },
      { capture: path },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a stream ends in good order when the server stops', () =>
  withApp(
    async ({ client, close }) => {
      const stream = client.streamEvents({ fields: ['evt.num'], start: { $case: 'live', value: {} } });
      const messages = stream.messages();
      await messages.next();
      const closing = close();
      let last: string | undefined;
      await assert.doesNotReject(async () => {
        for await (const { message } of messages) last = message?.$case;
      });
      assert.equal(last, 'ended');
      assert.equal(stream.ended?.reason, EndReason.SHUTDOWN);
      await closing;
    },
    { 'capture-wait-subscribers': 5 },
  ));
