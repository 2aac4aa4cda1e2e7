import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StrataClientError } from '../../client/client-error.ts';
import { readFieldValue } from '../../client/column-reader.ts';
import type { StrataClient } from '../../client/strata-client.ts';
import type { Context } from '../../proto/gen/strata/v1/enrichment_service.ts';
import { SourceState } from '../../proto/gen/strata/v1/node_service.ts';
import { withApp } from '../helpers/app-fixture.ts';

const RETAIN_ALL = { 'retain-events': 100_000, 'retain-bytes': 67_108_864 };

/** The node's pass waits before its first event, so that its tables stand still. */
const STANDING = { 'capture-wait-subscribers': 5 };

interface Row {
  readonly num: bigint;
  readonly tid: bigint;
  readonly type: string;
  readonly name: string | undefined;
}

/** Replays the capture to its end; returns its events and the scope that means this replay. */
async function replay(client: StrataClient) {
  const stream = client.streamEvents({ fields: ['evt.num', 'thread.tid', 'evt.type', 'proc.name'] });
  const rows: Row[] = [];
  for await (const event of stream) {
    const [num, tid, type, name] = [0, 1, 2, 3].map((position) => event.get(position));
    rows.push({
      num: BigInt(num as number),
      tid: BigInt(tid as number),
      type: type as string,
      name: name as string | undefined,
    });
  }
  return { rows, subscriptionId: stream.started?.subscriptionId ?? '' };
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof StrataClientError && error.code === code;
}

test('fields of any retained event are those the stream showed', () =>
  withApp(async ({ client }) => {
    const { rows, subscriptionId } = await replay(client);
    const wanted = rows.filter((_, i) => i % 97 === 0);
    const { schema, rows: extracted } = await client.extractFields({
      fields: ['evt.num', 'thread.tid', 'evt.type', 'proc.name'],
      targets: wanted.map((row) => ({ key: { $case: 'eventNumber', value: row.num } })),
      scope: { subscriptionId },
    });
    const values = extracted.map((row) => {
      assert.equal(row.error, undefined);
      return row.values.map((value, i) => {
        const field = schema[i];
        assert.ok(field !== undefined);
        return readFieldValue(field, value);
      });
    });
    assert.deepEqual(
      values,
      wanted.map((row) => [Number(row.num), Number(row.tid), row.type, row.name]),
    );
  }, RETAIN_ALL));

test('a thread is shown as it was at an event, before its exec', () =>
  withApp(async ({ client }) => {
    const { rows, subscriptionId } = await replay(client);
    // The last event of a thread under its old name, and its name later on.
    const at = rows.findIndex((row, i) => {
      const next = rows.slice(i + 1).find((other) => other.tid === row.tid);
      return (
        row.name !== undefined && next?.name !== undefined && next.name !== row.name && row.type !== 'execve'
      );
    });
    const row = rows[at];
    assert.ok(row !== undefined, 'the capture has no exec');
    const scope = { subscriptionId, eventNumber: row.num };
    const { thread, ancestors } = await client.getThread({ tid: row.tid, scope, includeAncestors: true });
    assert.equal(thread?.comm.toString(), row.name);
    assert.ok(ancestors.every((ancestor) => ancestor.tid === ancestor.pid));
    const { results } = await client.enrich({
      subjects: [{ key: { $case: 'eventNumber', value: row.num } }],
      scope: { subscriptionId },
    });
    const result = results[0]?.result;
    assert.equal(result?.$case, 'context');
    const context: Context = result.value;
    assert.equal(context.thread?.comm.toString(), row.name);
    assert.ok(context.process !== undefined);
  }, RETAIN_ALL));

test('items of a batch fail one by one', () =>
  withApp(async ({ client }) => {
    const { results } = await client.enrich({
      subjects: [{ key: { $case: 'tid', value: 4_000_000n } }, { key: { $case: 'podUid', value: 'x' } }],
    });
    assert.deepEqual(
      results.map(({ result }) => (result?.$case === 'error' ? result.value.code : 0)),
      [5, 5],
    );
    const extracted = await client.extractFields({
      fields: ['proc.name'],
      targets: [{ key: { $case: 'tid', value: 4_000_000n } }],
    });
    assert.equal(extracted.rows[0]?.error?.code, 5);
    await assert.rejects(client.extractFields({ fields: ['proc.nam'], targets: [] }), (error) => {
      assert.ok(error instanceof StrataClientError);
      assert.equal(error.field, 'fields[0]');
      return error.suggestions.includes('proc.name');
    });
  }));

test('lists are paged without loss or repeats', () =>
  withApp(async ({ client }) => {
    const { users: all } = await client.listUsers();
    assert.ok(all.length > 3);
    const paged: number[] = [];
    let pageToken = '';
    do {
      const { users, page } = await client.listUsers({ page: { pageSize: 2, pageToken } });
      assert.ok(users.length <= 2);
      assert.equal(page?.totalCount, BigInt(all.length));
      paged.push(...users.map((user) => user.uid));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    assert.deepEqual(
      paged,
      all.map((user) => user.uid),
    );
    await assert.rejects(client.listUsers({ page: { pageToken: 'nonsense' } }), hasCode('INVALID_ARGUMENT'));
  }, STANDING));

test('single rows are found or NOT_FOUND', () =>
  withApp(async ({ client }) => {
    assert.equal((await client.getUser({ uid: 0 })).user?.name.toString(), 'root');
    assert.equal((await client.getGroup({ gid: 0 })).group?.name.toString(), 'root');
    await assert.rejects(client.getUser({ uid: 4_000_000 }), hasCode('NOT_FOUND'));
    await assert.rejects(client.getContainer({ containerId: 'none' }), hasCode('NOT_FOUND'));
    await assert.rejects(client.getThread({ tid: 4_000_000n }), hasCode('NOT_FOUND'));
    assert.ok((await client.listInterfaces()).interfaces.length > 0);
    const future = { eventNumber: 1_000_000_000n };
    await assert.rejects(client.getUser({ uid: 0, scope: future }), hasCode('OUT_OF_RANGE'));
  }));

test('the catalogue answers for fields and filters', () =>
  withApp(async ({ client }) => {
    const { fields } = await client.listFields();
    assert.ok(fields.length > 250);
    const good = await client.validateFilter({ condition: 'evt.type = openat and proc.name = bash' });
    assert.equal(good.error, undefined);
    assert.deepEqual([...good.fields].sort(), ['evt.type', 'proc.name']);
    assert.ok(good.eventTypes.includes('openat') && !good.eventTypes.includes('close'));
    const bad = await client.validateFilter({ condition: 'évt = 1 and proc.nam = bash' });
    assert.ok(bad.error !== undefined);
    const unknown = await client.validateFilter({ condition: 'evt.num > 1 and proc.nam = bash' });
    assert.equal(unknown.error?.position, 16);
    assert.ok(unknown.error.suggestions.includes('proc.name'));
  }));

test('the status tells source, tables and streams', () =>
  withApp(async ({ client }) => {
    const stream = client.streamEvents({ fields: ['evt.num'], start: { $case: 'live', value: {} } });
    const messages = stream.messages();
    await messages.next();
    const { sources, tables, subscriptions, node } = await client.getStatus();
    assert.equal(sources[0]?.captureName, 'quick-start.scap');
    assert.notEqual(sources[0].state, SourceState.FAILED);
    assert.deepEqual(
      tables.map((table) => table.name),
      ['threads', 'fds', 'users', 'groups', 'interfaces', 'containers', 'pods', 'held_events'],
    );
    assert.equal(subscriptions.length, 1);
    assert.ok(stream.started?.subscriptionId.startsWith(subscriptions[0]?.idPrefix ?? '-'));
    assert.notEqual(node?.hostname, '');
    const { counters } = await client.getCounters();
    assert.ok(counters.some((counter) => counter.name === 'unknown_events'));
    await messages.return();
  }, STANDING));
