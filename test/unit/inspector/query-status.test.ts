import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptureEngine } from '../../../proto/gen/strata/v1/node.ts';
import { SourceState } from '../../../proto/gen/strata/v1/node_service.ts';
import { QueryFixture, type Script, TEST_BOOT_NS } from '../../helpers/query-fixture.ts';

const TS = 1_700_000_000_000_000_000n;

const SCRIPT: Script = {
  threads: [
    { tid: 1, ptid: 0 },
    { tid: 100, ptid: 1 },
    { tid: 101, pid: 100, ptid: 1 },
  ],
  fds: [[100, [{ fd: 3 }, { fd: 4 }]]],
  events: [
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 4 }, tid: 101, ts: TS },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: -9, fd: 9 }, tid: 777, ts: TS + 1n, num: 5 },
  ],
};

function counter(fixture: QueryFixture, name: string): bigint | undefined {
  return fixture.ask('getCounters', undefined).find((row) => row.name === name)?.value;
}

test('status tells the node, the source and every table', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 1, { nodeName: 'worker-1' });
  const { node, source, tables } = fixture.ask('getStatus', undefined);
  assert.deepEqual(node, {
    nodeName: 'worker-1',
    hostname: 'node-1',
    bootTimestampNs: TEST_BOOT_NS,
    cpuCount: 4,
    memoryBytes: 1n << 33n,
  });
  assert.deepEqual(source, {
    name: 'syscall',
    captureEngine: CaptureEngine.SAVEFILE,
    state: SourceState.RUNNING,
    captureName: 'script.scap',
    captureBytes: 5000n,
    captureBytesRead: 4321n,
    eventCount: 1n,
    lastEventNumber: 1n,
    lastTimestampNs: TS,
    oldestRetainedEventNumber: 1n,
    error: '',
    live: undefined,
  });
  const rows = new Map(tables.map(({ name, rowCount }) => [name, rowCount]));
  assert.deepEqual(
    [...rows.keys()],
    ['threads', 'fds', 'users', 'groups', 'interfaces', 'containers', 'pods', 'held_events'],
  );
  assert.deepEqual([rows.get('threads'), rows.get('fds')], [3n, 1n]);
  assert.equal(tables[0]?.rowsMax, 1000n);
});

test('tables are weighed by their rows and texts', async () => {
  const weigh = async (name: string, script: Script) => {
    const fixture = await QueryFixture.open(script, 0);
    const table = fixture.ask('getStatus', undefined).tables.find((candidate) => candidate.name === name);
    return Number(table?.byteEstimate);
  };
  const one = await weigh('threads', { threads: [{ tid: 1, ptid: 0 }], events: [] });
  const environment = 'A=1\0'.repeat(100);
  const wordy = await weigh('threads', { threads: [{ tid: 1, ptid: 0, env: environment }], events: [] });
  assert.ok(one > 1000 && one < 2000, `${one}`);
  assert.ok(wordy - one > 2000 && wordy - one < 5000, `${wordy - one}`);
  const threads = Array.from({ length: 50 }, (_, i) => ({ tid: i + 1, ptid: 0 }));
  const many = await weigh('threads', { threads, events: [] });
  assert.ok(Math.abs(many / 50 - one) < 10, `${many}`);
  const fds = await weigh('fds', { ...SCRIPT, events: [] });
  assert.ok(fds >= 400 && fds < 700, `${fds}`);
  assert.equal(await weigh('containers', { threads: [], events: [] }), 0);
});

test('before the first event there is no last one; after the last the source has ended', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const before = fixture.ask('getStatus', undefined).source;
  assert.deepEqual(
    [before.lastEventNumber, before.lastTimestampNs, before.oldestRetainedEventNumber],
    [undefined, undefined, undefined],
  );
  fixture.run();
  const after = fixture.ask('getStatus', undefined).source;
  assert.deepEqual([after.state, after.lastEventNumber], [SourceState.ENDED, 5n]);
});

test('counters are ordered by name, snake_case, described, and none twice', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const counters = fixture.ask('getCounters', undefined);
  const names = counters.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)].sort());
  for (const { name, description } of counters) {
    assert.match(name, /^[a-z]+(_[a-z0-9]+)*$/);
    assert.notEqual(description, '');
  }
});

test('counters count events, placeholders and refusals', async () => {
  const fixture = await QueryFixture.open(SCRIPT, Number.POSITIVE_INFINITY, { limits: { threadsMax: 2 } });
  assert.equal(counter(fixture, 'events_read'), 2n);
  assert.equal(counter(fixture, 'events_shown'), 2n);
  assert.equal(counter(fixture, 'fds_removed'), 0n);
  assert.ok((counter(fixture, 'threads_refused') ?? 0n) > 0n);
  const free = await QueryFixture.open(SCRIPT);
  assert.equal(counter(free, 'thread_placeholders'), 1n);
  assert.equal(counter(free, 'fds_removed'), 1n);
  assert.equal(counter(free, 'threads_refused'), 0n);
});
