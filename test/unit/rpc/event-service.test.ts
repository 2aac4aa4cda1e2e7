import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StrataClientError } from '../../../client/client-error.ts';
import {
  type DeepPartial,
  type DeliveryMode,
  EndReason,
  OverflowPolicy,
  Rendering,
  type StreamEventsRequest,
} from '../../../proto/gen/strata/v1/event_service.ts';
import { StrataError } from '../../../server/event/strata-error.ts';
import { FakeInspectors } from '../../helpers/fake-inspectors.ts';
import { fakeBatch, fakeEnd } from '../../helpers/fake-stream.ts';
import { NAME_SCHEMA, type RpcFixture, startRpcFixture } from '../../helpers/rpc-fixture.ts';

/** Runs `body` against a server of its own. */
async function withFixture(
  body: (fixture: RpcFixture) => Promise<void>,
  options: Parameters<typeof startRpcFixture>[0] = {},
): Promise<void> {
  const fixture = await startRpcFixture(options);
  try {
    await body(fixture);
  } finally {
    await fixture.close();
  }
}

async function failure(promise: Promise<unknown>): Promise<StrataClientError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StrataClientError, String(error));
  return error;
}

async function drain(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of stream) count++;
  return count;
}

test('a stream starts with its schema, delivers batches and ends with the totals', () =>
  withFixture(async ({ client, inspectors }) => {
    inspectors.onReplay = (replay) => {
      replay.onSubscribed = ({ listener }) => {
        listener.onBatch(fakeBatch(0, 3, 10));
        listener.onBatch(fakeBatch(3, 2, 10));
        listener.onEnd(fakeEnd(5));
      };
    };
    const stream = client.streamEvents({ fields: ['proc.name'] });
    const sequences: bigint[] = [];
    for await (const event of stream) sequences.push(event.sequence);
    assert.deepEqual(sequences, [0n, 1n, 2n, 3n, 4n]);
    const { started, ended } = stream;
    assert.equal(started?.schema[0]?.name, 'proc.name');
    assert.equal(started.rendering, Rendering.TYPED);
    assert.equal(started.overflowPolicy, OverflowPolicy.BLOCK);
    assert.equal(started.serverVersion, '1.2.3');
    assert.equal(started.node?.hostname, 'host-1');
    assert.equal(started.captureBytes, 1000n);
    assert.match(started.subscriptionId, /^[0-9a-f]{32}$/);
    assert.equal(ended?.reason, EndReason.CAPTURE_END);
    assert.equal(ended.sentCount, 5n);
  }));

const REFUSED: readonly (readonly [string, DeepPartial<StreamEventsRequest>, string, string | undefined])[] =
  [
    ['no fields', {}, 'INVALID_ARGUMENT', 'fields'],
    [
      'fields for text',
      { fields: ['a'], outputFormat: '%a', rendering: Rendering.TEXT },
      'INVALID_ARGUMENT',
      'fields',
    ],
    [
      'a template for JSON',
      { outputFormat: '%a', rendering: Rendering.JSON },
      'INVALID_ARGUMENT',
      'output_format',
    ],
    ['an unknown source', { fields: ['a'], source: 'nowhere' }, 'NOT_FOUND', 'source'],
    ['a limit of zero events', { fields: ['a'], eventsMax: 0n }, 'INVALID_ARGUMENT', 'events_max'],
    [
      'hasty heartbeats',
      { fields: ['a'], heartbeatIntervalMs: 5 },
      'INVALID_ARGUMENT',
      'heartbeat_interval_ms',
    ],
    [
      'BLOCK on a shared source',
      { fields: ['a'], overflowPolicy: OverflowPolicy.BLOCK, start: { $case: 'live', value: {} } },
      'INVALID_ARGUMENT',
      'overflow_policy',
    ],
    [
      'two filters of one name',
      {
        fields: ['a'],
        filters: [
          { name: 'x', condition: '' },
          { name: 'x', condition: '' },
        ],
      },
      'INVALID_ARGUMENT',
      'filters[1].name',
    ],
    [
      'an unknown delivery mode',
      { fields: ['a'], deliveryMode: 9 as DeliveryMode },
      'INVALID_ARGUMENT',
      'delivery_mode',
    ],
    [
      'resuming',
      {
        fields: ['a'],
        start: { $case: 'resume', value: { resumeToken: Buffer.from('t'), nextSequence: 1n } },
      },
      'UNIMPLEMENTED',
      undefined,
    ],
  ];

for (const [what, request, code, field] of REFUSED) {
  test(`${what} is refused as ${code}`, () =>
    withFixture(async ({ client }) => {
      const error = await failure(drain(client.streamEvents(request)));
      assert.deepEqual([error.code, error.field], [code, field]);
      assert.ok(error.message.length > 10);
    }));
}

test('a beginning cannot be had of a live source', () =>
  withFixture(
    async ({ client }) => {
      const request = { fields: ['a'], start: { $case: 'beginning' as const, value: {} } };
      assert.equal((await failure(drain(client.streamEvents(request)))).code, 'FAILED_PRECONDITION');
    },
    { inspectors: new FakeInspectors(NAME_SCHEMA, false) },
  ));

test('what the inspector says about a field reaches the client with its place', () =>
  withFixture(async ({ client, inspectors }) => {
    inspectors.onReplay = (replay) => {
      replay.refusal = new StrataError({
        code: 'INVALID_ARGUMENT',
        message: 'unknown field proc.nam',
        reason: 'UNKNOWN_FIELD',
        field: 'template',
        position: 4,
        suggestions: ['proc.name', 'proc.pname'],
      });
    };
    const error = await failure(drain(client.streamEvents({ outputFormat: '%proc.nam' })));
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.equal(error.reason, 'UNKNOWN_FIELD');
    assert.equal(error.field, 'output_format');
    assert.equal(error.position, 4);
    assert.deepEqual(error.suggestions, ['proc.name', 'proc.pname']);
    assert.ok(inspectors.replays[0]?.isClosed);
  }));

test('a defect is hidden from the client and logged', () =>
  withFixture(async ({ client, inspectors, loggedErrors }) => {
    inspectors.onReplay = (replay) => {
      replay.refusal = new TypeError('secret');
    };
    const error = await failure(drain(client.streamEvents({ fields: ['a'] })));
    assert.equal(error.code, 'INTERNAL');
    assert.doesNotMatch(error.message, /secret/);
    assert.equal(loggedErrors.length, 1);
  }));

test('streams beyond the limit are refused, and a place becomes free again', () =>
  withFixture(
    async ({ client, inspectors, server }) => {
      const first = client.streamEvents({ fields: ['a'] });
      const messages = first.messages();
      await messages.next();
      assert.equal((await failure(drain(client.streamEvents({ fields: ['a'] })))).code, 'RESOURCE_EXHAUSTED');
      assert.equal(server.subscriptions.counters.refused, 1);
      await messages.return();
      while (inspectors.replays[0]?.isClosed !== true) await new Promise(setImmediate);
      const again = client.streamEvents({ fields: ['a'] }).messages();
      assert.equal((await again.next()).value?.message?.$case, 'started');
      await again.return();
    },
    { subscriptionsMax: 1 },
  ));

test('a client that leaves cancels its feed and ends its replay', () =>
  withFixture(async ({ client, inspectors }) => {
    const stream = client.streamEvents({ fields: ['a'] });
    for await (const { message } of stream.messages()) {
      if (message?.$case === 'started') break;
    }
    const [replay] = inspectors.replays;
    while (replay?.isClosed !== true) await new Promise(setImmediate);
    assert.ok(replay.feeds[0]?.isCancelled);
  }));

test('a replay answers for a while after its stream is over, and then no more', () =>
  withFixture(async ({ client, inspectors, clock }) => {
    inspectors.onReplay = (replay) => {
      replay.onSubscribed = ({ listener }) => listener.onEnd(fakeEnd(0));
      replay.answers = { listInterfaces: () => ({ interfaces: [] }) };
    };
    const stream = client.streamEvents({ fields: ['a'] });
    await drain(stream);
    const scope = { subscriptionId: stream.started?.subscriptionId ?? '' };
    assert.deepEqual(await client.listInterfaces({ scope }), { interfaces: [] });
    clock.advance(1000);
    assert.equal((await failure(client.listInterfaces({ scope }))).code, 'NOT_FOUND');
    assert.ok(inspectors.replays[0]?.isClosed);
  }));

test('a lingering replay makes room for a new one', () =>
  withFixture(
    async ({ client, inspectors }) => {
      inspectors.onReplay = (replay) => {
        replay.onSubscribed = ({ listener }) => listener.onEnd(fakeEnd(0));
      };
      await drain(client.streamEvents({ fields: ['a'] }));
      await drain(client.streamEvents({ fields: ['a'] }));
      assert.deepEqual(
        inspectors.replays.map((replay) => replay.isClosed),
        [true, false],
      );
    },
    { inspectors: new FakeInspectors(NAME_SCHEMA, true, 1) },
  ));

test('filters are added and removed by name on a running stream', () =>
  withFixture(async ({ client, inspectors }) => {
    const start = { $case: 'live' as const, value: {} };
    const filters = [
      { name: 'a', condition: 'evt.type=open' },
      { name: 'b', condition: 'evt.type=close' },
    ];
    const stream = client.streamEvents({ fields: ['x'], filters, start });
    const messages = stream.messages();
    await messages.next();
    const subscriptionId = stream.started?.subscriptionId ?? '';
    const { filters: after } = await client.updateSubscription({
      subscriptionId,
      addFilters: [{ name: 'c', condition: '' }],
      removeFilterNames: ['a'],
    });
    assert.deepEqual(after, [
      { id: 1, name: 'b' },
      { id: 2, name: 'c' },
    ]);
    const changed = await messages.next();
    assert.ok(changed.value?.message?.$case === 'filtersChanged');
    assert.deepEqual(changed.value.message.value.filters, after);
    const update = (request: object) => failure(client.updateSubscription({ subscriptionId, ...request }));
    assert.equal((await update({ removeFilterNames: ['b', 'c'] })).code, 'INVALID_ARGUMENT');
    assert.equal((await update({ removeFilterNames: ['gone'] })).field, 'remove_filter_names[0]');
    assert.equal((await update({ addFilters: [{ name: 'b', condition: '' }] })).code, 'ALREADY_EXISTS');
    assert.equal((await update({ addFilters: [{ name: 'd', condition: 'bad' }] })).code, 'INVALID_ARGUMENT');
    assert.equal((await update({ subscriptionId: 'unknown' })).code, 'NOT_FOUND');
    await messages.return();
    while (inspectors.own.feeds[0]?.isCancelled !== true) await new Promise(setImmediate);
  }));

test('a shutdown ends streams in good order and takes nobody in', async () => {
  const fixture = await startRpcFixture();
  const { client, server, inspectors } = fixture;
  const stream = client.streamEvents({ fields: ['a'] });
  const messages = stream.messages();
  await messages.next();
  inspectors.replays[0]?.feeds[0]?.listener.onBatch(fakeBatch(0, 1, 10));
  const stopped = server.stop(1000);
  const kinds = [];
  for await (const { message } of messages) kinds.push(message?.$case);
  assert.deepEqual(kinds, ['batch', 'ended']);
  assert.equal(stream.ended?.reason, EndReason.SHUTDOWN);
  client.close();
  await stopped;
});
