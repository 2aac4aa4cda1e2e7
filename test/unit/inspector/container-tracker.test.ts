import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerUpdate } from '../../../server/container/container-update.ts';
import { applyChanged, removeGone } from '../../../server/parser/live-state.ts';
import type { GroupRow, UserRow } from '../../../server/state/user-table.ts';
import { threadEntry } from '../../helpers/parser-harness.ts';
import { closeEvents } from '../../helpers/script-engine.ts';
import { born, cgroupsOf, containerId, ended, foundJson, TrackerBench } from '../../helpers/tracker-bench.ts';

const A = containerId('a');
const B = containerId('b');
const T0 = 1_700_000_000_000_000_000n;
const MS = 1_000_000n;

function found(fullId: string, name?: string): ContainerUpdate {
  return { kind: 'found', fullId, json: foundJson(fullId, name), isComplete: true };
}

function user(uid: number, name: string): UserRow {
  return { uid, gid: uid, name, homedir: '/', shell: '/bin/sh' };
}

function users(fullId: string, names: readonly [number, string][], groups: readonly GroupRow[] = []) {
  return { kind: 'users', fullId, users: names.map(([uid, name]) => user(uid, name)), groups } as const;
}

test('the first thread in a container makes one request, and its answer ends the wait after its event', async () => {
  const bench = await new TrackerBench().open();
  const { tracker, inspector } = bench;
  assert.deepEqual(bench.asked(), ['users host 1']);
  bench.run(born(10, A), born(11, A), born(12, ''));
  assert.deepEqual(bench.asked(), ['wanted a 10']);
  assert.ok(inspector.pending.has(A));
  tracker.apply([found(A)]);
  assert.ok(inspector.pending.has(A), 'not before its event');
  bench.run();
  assert.equal(inspector.state.containers.find(A)?.name, 'web');
  assert.deepEqual(bench.settled, ['a complete']);
  bench.run(born(13, A));
  assert.deepEqual(bench.asked(), []);
});

test('what is known before the first thread is not asked for', async () => {
  const bench = await new TrackerBench().open();
  bench.asked();
  bench.tracker.apply([found(A)]);
  bench.run(born(10, A), ...closeEvents(1, { tid: 10 }));
  assert.deepEqual(bench.asked(), []);
  assert.equal(bench.inspector.pending.count, 0);
  const { containerEvents, containerEventsComplete } = bench.inspector.counters;
  assert.ok(containerEvents > 0);
  assert.equal(containerEvents, containerEventsComplete);
});

test('what is told twice is one event, and users of a container that has left are none', async () => {
  const bench = await new TrackerBench().open();
  bench.tracker.apply([found(A), found(A), found(A, 'other')]);
  bench.run();
  assert.equal(bench.engine.injection.injected, 2);
  assert.equal(bench.inspector.state.containers.find(A)?.name, 'other');
  bench.tracker.apply([users(A, [[5, 'app']])]);
  bench.inspector.state.containers.delete(A);
  bench.run();
  assert.equal(bench.engine.injection.injected, 2);
});

test('events shown before the answer are counted as not complete', async () => {
  const bench = await new TrackerBench().open();
  bench.run(born(10, A), ...closeEvents(3, { tid: 10 }));
  bench.tracker.apply([found(A)]);
  bench.run(...closeEvents(2, { tid: 10 }));
  const { containerEvents, containerEventsComplete } = bench.inspector.counters;
  assert.equal(containerEventsComplete, 2);
  assert.ok(containerEvents >= 5);
});

test('containers of the initial state are asked about at the start', async () => {
  const bench = await new TrackerBench({}, [{ tid: 7, pid: 7, cgroups: cgroupsOf(A) }]).open();
  assert.deepEqual(bench.asked(), ['users host 1', 'wanted a 7', 'users a 7']);
});

test('threads that come without an event are found by the sweep', async () => {
  const bench = await new TrackerBench().open();
  bench.asked();
  const { state } = bench.inspector;
  applyChanged(state, [{ thread: threadEntry({ tid: 9, pid: 9, cgroups: cgroupsOf(B) }), fds: undefined }]);
  bench.nowMs = 1000;
  bench.tracker.sweep();
  assert.deepEqual(bench.asked(), ['wanted b 9', 'users b 9']);
  removeGone(state, [9]);
  bench.tracker.apply([{ kind: 'unknown', fullId: B }]);
  bench.nowMs = 61_000;
  bench.tracker.sweep();
  bench.run();
  assert.equal(state.containers.find(B), undefined);
});

test('one that no runtime knows is given up, and asked about again much later', async () => {
  const bench = await new TrackerBench().open();
  bench.run(born(10, A));
  bench.asked();
  bench.tracker.apply([{ kind: 'unknown', fullId: A }]);
  assert.deepEqual(bench.settled, ['a failed']);
  bench.nowMs = 29_000;
  bench.run(born(11, A));
  assert.deepEqual(bench.asked(), []);
  bench.nowMs = 31_000;
  bench.run(born(12, A));
  assert.deepEqual(bench.asked(), ['wanted a 12']);
});

test('nobody waits for ever for those who are asked', async () => {
  const bench = await new TrackerBench().open();
  bench.run(born(10, A));
  bench.nowMs = 3000;
  bench.run(born(20, B));
  bench.nowMs = 6900;
  bench.tracker.tick();
  assert.deepEqual(bench.settled, []);
  bench.nowMs = 7100;
  bench.tracker.tick();
  assert.deepEqual(bench.settled, ['a timed-out']);
  assert.ok(bench.inspector.pending.has(B));
});

test('on captures nobody is asked, and the wait is one of event time', async () => {
  const bench = await new TrackerBench({ mode: 'wait' }, [{ tid: 7, pid: 7, cgroups: cgroupsOf(B) }]).open();
  bench.nowMs = 1_000_000;
  bench.run(born(10, A, T0), ...closeEvents(1, { tid: 10, ts: T0 + 499n * MS }));
  assert.deepEqual(bench.settled, []);
  bench.run(...closeEvents(1, { tid: 10, ts: T0 + 500n * MS }));
  assert.deepEqual(bench.settled, ['b timed-out', 'a timed-out']);
  bench.nowMs = 9_000_000;
  bench.run(born(11, A, T0 + 900_000n * MS));
  assert.equal(bench.inspector.pending.count, 0, 'never again');
  assert.deepEqual(bench.requests, []);
});

test('on captures a container event ends the wait', async () => {
  const bench = await new TrackerBench({ mode: 'wait' }).open();
  bench.run(born(10, A, T0), {
    code: 'PPME_ASYNCEVENT_E',
    params: { plugin_id: 0, name: 'container', data: Buffer.from(`${foundJson(A)}\0`) },
    ts: T0 + MS,
  });
  assert.deepEqual(bench.settled, ['a complete']);
  bench.run(born(20, B, T0 + 2n * MS));
  bench.tracker.settleAll();
  assert.deepEqual(bench.settled, ['a complete', 'b timed-out']);
});

test('users of a container become events, and only what differs does', async () => {
  const bench = await new TrackerBench().open();
  bench.run(born(10, A));
  const { state } = bench.inspector;
  const added = () => bench.engine.injection.injected;
  bench.tracker.apply([
    users(
      A,
      [
        [0, 'root'],
        [5, 'app'],
      ],
      [{ gid: 5, name: 'apps' }],
    ),
  ]);
  bench.run();
  assert.equal(added(), 3);
  assert.equal(state.users.find(A, 5)?.name, 'app');
  assert.equal(state.groups.find(A, 5)?.name, 'apps');
  // Two in one go: the second is compared with what the first has left.
  bench.tracker.apply([
    users(
      A,
      [
        [0, 'root'],
        [5, 'web'],
      ],
      [{ gid: 5, name: 'apps' }],
    ),
    users(A, [
      [5, 'web'],
      [6, 'new'],
    ]),
  ]);
  bench.run();
  assert.equal(added(), 3 + 1 + 3);
  assert.deepEqual(
    [...state.users.rowsOf(A).values()].map(({ name }) => name),
    ['web', 'new'],
  );
  assert.equal(state.groups.rowsOf(A).size, 0);
  assert.equal(state.users.find('', 5), undefined);
});

test('users of the host that its files never had stay', async () => {
  const bench = await new TrackerBench().open();
  const { state } = bench.inspector;
  state.users.set('', 900, user(900, 'ldap'));
  bench.tracker.apply([
    users('', [
      [0, 'root'],
      [5, 'app'],
    ]),
  ]);
  bench.run();
  bench.tracker.apply([
    users('', [
      [0, 'root'],
      [6, 'new'],
    ]),
  ]);
  bench.run();
  assert.deepEqual([...state.users.rowsOf('').values()].map(({ name }) => name).sort(), [
    'ldap',
    'new',
    'root',
  ]);
});

test('users are asked for when a program starts, until they have been told', async () => {
  const bench = await new TrackerBench().open();
  bench.run(born(10, A));
  bench.asked();
  bench.tracker.onExec(A, 10);
  bench.tracker.onExec(B, 99);
  assert.deepEqual(bench.asked(), ['users a 10']);
  bench.nowMs = 1000;
  bench.tracker.sweep();
  assert.deepEqual(bench.asked(), ['users a 10']);
  bench.tracker.apply([users(A, [[0, 'root']])]);
  bench.tracker.sweep();
  bench.tracker.onExec(A, 10);
  assert.deepEqual(bench.asked(), []);
  // Whoever changed them has ended.
  bench.tracker.onIdentitiesChanged(A, 4711);
  assert.deepEqual(bench.asked(), ['users a 10']);
});

test('a container leaves some time after its last thread, with its users, by an event', async () => {
  const bench = await new TrackerBench().open();
  const { state } = bench.inspector;
  bench.run(born(10, A));
  bench.tracker.apply([found(A), users(A, [[5, 'app']])]);
  bench.run();
  bench.nowMs = 50_000;
  bench.tracker.sweep();
  bench.run(ended(10));
  bench.tracker.apply([{ kind: 'gone', fullId: A }]);
  bench.nowMs = 59_000;
  bench.tracker.sweep();
  bench.run();
  assert.ok(state.containers.find(A));
  bench.asked();
  bench.nowMs = 60_000;
  bench.tracker.sweep();
  bench.run();
  assert.equal(state.containers.find(A), undefined);
  assert.equal(state.users.rowsOf(A).size, 0);
  assert.deepEqual([bench.tracker.swept, bench.tracker.size], [1, 0]);
  assert.deepEqual(bench.asked(), ['forgotten a']);
  // Back again: all starts anew.
  bench.run(born(11, A));
  assert.deepEqual(bench.asked(), ['wanted a 11']);
});

test('what a runtime says is running stays without threads, and what is pending stays, too', async () => {
  const bench = await new TrackerBench().open();
  const { state } = bench.inspector;
  bench.tracker.apply([found(A)]);
  bench.run(born(20, B), ended(20));
  bench.nowMs = 3_000_000;
  bench.tracker.sweep();
  bench.run();
  assert.ok(state.containers.find(A), 'created, and not started yet');
  assert.ok(state.containers.find(B), 'pending');
  bench.tracker.apply([
    { kind: 'gone', fullId: A },
    { kind: 'unknown', fullId: B },
  ]);
  bench.tracker.sweep();
  bench.run();
  assert.equal(state.containers.size, 0);
});

test('no more than so many rows stay for containers that never start', async () => {
  const bench = await new TrackerBench().open();
  for (let i = 0; i < 5000; i++)
    bench.tracker.apply([found(i.toString(16).padStart(6, '0').padEnd(64, '1'))]);
  bench.run();
  for (const nowMs of [20_000, 21_000]) {
    bench.nowMs = nowMs;
    bench.tracker.sweep();
    bench.run();
  }
  assert.equal(bench.inspector.state.containers.size, 4096);
  assert.equal(bench.inspector.state.containers.find('000000'.padEnd(64, '1')), undefined, 'the oldest go');
});

test('many short-lived containers leave nothing behind', async () => {
  const bench = await new TrackerBench({ lingerMs: 100 }).open();
  const { state } = bench.inspector;
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 100; i++) {
      const id = (round * 100 + i).toString(16).padStart(8, '0').padEnd(64, 'a');
      bench.run(born(100 + i, id));
      bench.tracker.apply([found(id), users(id, [[5, 'app']])]);
      bench.run(ended(100 + i));
      bench.tracker.apply([{ kind: 'gone', fullId: id }]);
    }
    bench.nowMs += 1000;
    bench.tracker.sweep();
    bench.run();
  }
  bench.nowMs += 1000;
  bench.tracker.sweep();
  bench.run();
  assert.deepEqual(
    [state.containers.size, state.users.size, bench.tracker.size, bench.inspector.pending.count],
    [0, 0, 0, 0],
  );
  assert.equal(bench.tracker.swept, 5000);
});
