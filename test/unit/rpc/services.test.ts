import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { StrataClientError } from '../../../client/client-error.ts';
import { FieldArgument } from '../../../proto/gen/strata/v1/catalog_service.ts';
import { SourceState } from '../../../proto/gen/strata/v1/node_service.ts';
import { GetThreadResponse } from '../../../proto/gen/strata/v1/state_service.ts';
import { StrataError } from '../../../server/event/strata-error.ts';
import { newDeliveryCounters } from '../../../server/inspector/delivery-counters.ts';
import { contractFiles } from '../../../server/rpc/reflection.ts';
import { type RpcFixture, startRpcFixture } from '../../helpers/rpc-fixture.ts';

async function withFixture(body: (fixture: RpcFixture) => Promise<void>): Promise<void> {
  const fixture = await startRpcFixture();
  try {
    await body(fixture);
  } finally {
    await fixture.close();
  }
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof StrataClientError && error.code === code;
}

test('a state question goes to the inspector and back', () =>
  withFixture(async ({ client, inspectors }) => {
    inspectors.own.answers = {
      getThread: ({ tid, includeAncestors }) => {
        assert.ok(includeAncestors);
        // What crosses threads arrives without Buffer's prototype.
        return GetThreadResponse.fromPartial({
          thread: { tid, comm: new Uint8Array([0x61, 0xff]) as Buffer },
        });
      },
    };
    const { thread } = await client.getThread({ tid: 42n, includeAncestors: true });
    assert.equal(thread?.tid, 42n);
    assert.deepEqual(thread.comm, Buffer.from([0x61, 0xff]));
  }));

test('errors of an answer become statuses', () =>
  withFixture(async ({ client, inspectors }) => {
    inspectors.own.answers = {
      getUser: () => {
        throw new StrataError({ code: 'OUT_OF_RANGE', message: 'event 3 is no longer retained' });
      },
    };
    await assert.rejects(client.getUser({ uid: 1 }), hasCode('OUT_OF_RANGE'));
    await assert.rejects(client.getUser({ scope: { subscriptionId: 'x' } }), hasCode('NOT_FOUND'));
  }));

test('what is not there yet answers UNIMPLEMENTED and says why', () =>
  withFixture(async ({ client }) => {
    await assert.rejects(client.listPlugins(), hasCode('UNIMPLEMENTED'));
  }));

test('batched calls have a limit', () =>
  withFixture(async ({ client }) => {
    const subjects = Array.from({ length: 1001 }, () => ({ key: { $case: 'tid' as const, value: 1n } }));
    await assert.rejects(client.enrich({ subjects }), hasCode('INVALID_ARGUMENT'));
    await assert.rejects(
      client.extractFields({ fields: ['a'], targets: subjects }),
      hasCode('INVALID_ARGUMENT'),
    );
    const fields = Array.from({ length: 1025 }, () => 'a');
    await assert.rejects(client.extractFields({ fields }), hasCode('INVALID_ARGUMENT'));
  }));

test('one extraction is limited in the values of all its targets together', () =>
  withFixture(async ({ client, inspectors }) => {
    inspectors.own.answers = { extractFields: () => ({ schema: [], rows: [] }) };
    const ask = (fields: number, targets: number) =>
      client.extractFields({
        fields: Array.from({ length: fields }, () => 'a'),
        targets: Array.from({ length: targets }, () => ({ key: { $case: 'tid' as const, value: 1n } })),
      });
    await ask(1024, 64);
    await assert.rejects(ask(1024, 65), (error) => {
      assert.ok(error instanceof StrataClientError);
      assert.deepEqual([error.code, error.field], ['INVALID_ARGUMENT', 'targets']);
      assert.match(error.message, /at most 65536 values per call: 1024 fields of 65 targets are 66560/);
      return true;
    });
  }));

test('the catalogue lists fields by class', () =>
  withFixture(async ({ client }) => {
    const { fields } = await client.listFields({ fieldClass: 'fd' });
    assert.deepEqual(
      fields.map(({ name, argument }) => [name, argument]),
      [['fd.name', FieldArgument.INDEX_OPTIONAL]],
    );
    await assert.rejects(client.listFields({ fieldClass: 'fdd' }), (error) => {
      assert.ok(error instanceof StrataClientError);
      return error.code === 'NOT_FOUND' && error.suggestions.includes('fd');
    });
  }));

test('event types are listed, old ones when asked', () =>
  withFixture(async ({ client }) => {
    const { eventTypes } = await client.listEventTypes();
    const { eventTypes: all } = await client.listEventTypes({ includeOld: true });
    const openat = eventTypes.find((type) => type.name === 'openat' && type.isExit);
    assert.ok(openat?.params.some((param) => param.name === 'flags'));
    assert.ok(all.length > eventTypes.length);
  }));

test('the status puts the parts together', () =>
  withFixture(async ({ client, inspectors }) => {
    inspectors.own.answers = {
      getStatus: () => ({
        node: { nodeName: 'n', hostname: 'h', bootTimestampNs: undefined, cpuCount: 1, memoryBytes: 0n },
        source: {
          name: 'syscall',
          captureEngine: 2,
          state: SourceState.ENDED,
          captureName: 'x.scap',
          captureBytes: 10n,
          captureBytesRead: 10n,
          eventCount: 3n,
          lastEventNumber: 3n,
          lastTimestampNs: 4n,
          oldestRetainedEventNumber: 1n,
          error: '',
          live: undefined,
        },
        tables: [],
        containers: {
          events: 4,
          completeEvents: 3,
          pending: 1,
          injected: 0,
          injectionsRefused: 0,
          swept: 0,
          ...newDeliveryCounters(),
          eventsHeld: 2,
        },
      }),
      getCounters: () => [{ name: 'zz', value: 5n, description: '' }],
    };
    const status = await client.getStatus();
    assert.equal(status.sources[0]?.captureName, 'x.scap');
    assert.equal(status.startTimestampNs, 77n);
    assert.ok(status.memoryRssBytes > 0n);
    assert.deepEqual([status.containers?.hitRate, status.containers?.heldEventCount], [0.75, 2n]);
    const { counters } = await client.getCounters();
    const names = counters.map((counter) => counter.name);
    assert.deepEqual(names, [...names].sort());
    assert.ok(names.includes('extra') && names.includes('zz') && names.includes('events_sent'));
    assert.equal((await client.getVersions()).apiVersion, 'strata.v1');
  }));

test('reflection knows every file of the contract as it was written', () => {
  const names = contractFiles().map((file) => {
    const reader = new BinaryReader(file);
    // The first member of a FileDescriptorProto is its name.
    assert.equal(reader.uint32(), (1 << 3) | 2);
    return reader.string();
  });
  assert.ok(names.includes('strata/v1/event_service.proto'));
  assert.ok(names.includes('google/protobuf/field_mask.proto'));
});
