import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FdKind, L4Protocol } from '../../../proto/gen/strata/v1/state.ts';
import type { GetContainerRequest, ListThreadsRequest } from '../../../proto/gen/strata/v1/state_service.ts';
import { bareContainer } from '../../../server/container/container-rows.ts';
import { asOf, QueryFixture, type Script } from '../../helpers/query-fixture.ts';

const ID = '0123456789abcdef'.repeat(4);
const SHORT = ID.slice(0, 12);
const OTHER_ID = 'f'.repeat(64);

const SCRIPT: Script = {
  threads: [
    { tid: 1, ptid: 0, comm: 'init' },
    { tid: 100, ptid: 1, comm: 'shell', uid: 1000, gid: 1000, loginuid: 1000, env: 'A=1\0', args: '-l\0' },
    { tid: 200, ptid: 100, comm: 'work', cgroups: `cpu=/docker/${ID}\0`, capEffective: 0xffff_ffff_ffffn },
    { tid: 201, pid: 200, ptid: 100, comm: 'worker', cgroups: `cpu=/docker/${ID}\0` },
  ],
  fds: [
    [
      100,
      [
        { fd: 0, name: '/dev/tty\xff', openFlags: 3, ino: 7, dev: 8 },
        { fd: 4, type: 3, sip: '\x7f\0\0\x01', sport: 4000, dip: '\x0a\0\0\x02', dport: 443, l4proto: 2 },
      ],
    ],
  ],
  users: [
    { uid: 1000, gid: 1000, name: 'ann', homedir: '/home/ann', shell: '/bin/sh' },
    { uid: 0, gid: 0, name: 'root', homedir: '/root', shell: '/bin/sh' },
  ],
  groups: [{ gid: 1000, name: 'staff' }],
  interfaces: [
    {
      family: 4,
      name: 'eth0',
      address: '\x0a\0\0\x01',
      netmask: '\xff\0\0\0',
      broadcast: '\x0a\xff\xff\xff',
      linkSpeed: undefined,
    },
  ],
  events: [
    { code: 'PPME_SYSCALL_OPEN_X', params: { fd: 5, name: '/tmp/first' }, tid: 100 },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 5 }, tid: 100 },
    { code: 'PPME_PROCEXIT_1_E', params: { status: 0 }, tid: 201 },
    { code: 'PPME_SYSCALL_OPEN_X', params: { fd: 5, name: '/tmp/second' }, tid: 100 },
    {
      code: 'PPME_USER_DELETED_E',
      params: { uid: 1000, gid: 1000, name: 'ann', home: '/home/ann', shell: '/bin/sh', container_id: '' },
      tid: -1,
    },
  ],
};

const NOW = undefined;
const CONTAINER: GetContainerRequest = { containerId: '', name: '', scope: NOW };
const ALL_THREADS: ListThreadsRequest = {
  scope: NOW,
  page: undefined,
  onlyProcesses: false,
  containerId: undefined,
};

function tids(answer: { readonly threads: readonly { readonly tid: bigint }[] }): number[] {
  return answer.threads.map(({ tid }) => Number(tid));
}

test('a thread is told with what its process shares, and its ancestors', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { thread, ancestors } = fixture.ask('getThread', { tid: 100n, scope: NOW, includeAncestors: true });
  assert.ok(thread !== undefined);
  assert.equal(thread.comm.toString(), 'shell');
  assert.deepEqual(thread.args.map(String), ['-l']);
  assert.deepEqual(thread.env.map(String), ['A=1']);
  assert.equal(thread.cwd.toString(), '/home/');
  assert.equal(thread.fdCount, 2);
  assert.deepEqual([thread.uid, thread.gid, thread.loginuid], [1000, 1000, 1000]);
  assert.deepEqual(tids({ threads: ancestors }), [1]);
});

test('64-bit members and ids that are not set come through exactly', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { thread, ancestors } = fixture.ask('getThread', { tid: 201n, scope: NOW, includeAncestors: true });
  assert.equal(thread?.loginuid, undefined);
  assert.equal(thread?.containerId, ID);
  assert.deepEqual(tids({ threads: ancestors }), [100, 1]);
  const main = fixture.ask('getThread', { tid: 200n, scope: NOW, includeAncestors: false });
  assert.equal(main.thread?.capabilities?.effective, 0xffff_ffff_ffffn);
  assert.equal(main.thread?.threadCount, 1);
  assert.deepEqual(main.ancestors, []);
});

test('an unknown thread is NOT_FOUND', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const error = fixture.refusal('getThread', { tid: 7n, scope: NOW, includeAncestors: false });
  assert.equal(error.code, 'NOT_FOUND');
  assert.match(error.message, /no thread 7/);
});

test('threads are listed by tid, of one container or of the host, or processes only', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  assert.deepEqual(tids(fixture.ask('listThreads', ALL_THREADS)), [1, 100, 200, 201]);
  assert.deepEqual(tids(fixture.ask('listThreads', { ...ALL_THREADS, onlyProcesses: true })), [1, 100, 200]);
  assert.deepEqual(tids(fixture.ask('listThreads', { ...ALL_THREADS, containerId: SHORT })), [200, 201]);
  assert.deepEqual(tids(fixture.ask('listThreads', { ...ALL_THREADS, containerId: ID })), [200, 201]);
  assert.deepEqual(tids(fixture.ask('listThreads', { ...ALL_THREADS, containerId: 'host' })), [1, 100]);
  assert.deepEqual(tids(fixture.ask('listThreads', { ...ALL_THREADS, containerId: OTHER_ID })), []);
});

test('threads as of an event include the one that exited with it, and not after', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  assert.deepEqual(tids(fixture.ask('listThreads', { ...ALL_THREADS, scope: asOf(2) })), [1, 100, 200, 201]);
  assert.deepEqual(tids(fixture.ask('listThreads', { ...ALL_THREADS, scope: asOf(3) })), [1, 100, 200, 201]);
  assert.deepEqual(tids(fixture.ask('listThreads', { ...ALL_THREADS, scope: asOf(4) })), [1, 100, 200]);
  const exiting = fixture.ask('getThread', { tid: 201n, scope: asOf(3), includeAncestors: false });
  assert.equal(exiting.thread?.isDead, true);
});

test('pages of threads go on where they were, whatever came and went', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const first = fixture.ask('listThreads', { ...ALL_THREADS, page: { pageSize: 3, pageToken: '' } });
  assert.deepEqual(tids(first), [1, 100, 200]);
  assert.equal(first.page?.totalCount, 4n);
  fixture.inspector.state.tree.remove(200);
  const pageToken = first.page?.nextPageToken ?? '';
  const second = fixture.ask('listThreads', { ...ALL_THREADS, page: { pageSize: 3, pageToken } });
  assert.deepEqual(tids(second), [201]);
  assert.equal(second.page?.nextPageToken, '');
});

test('an fd is told with its socket; text that is not UTF-8 survives', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const file = fixture.ask('getFd', { tid: 100n, fd: 0n, scope: NOW }).fd;
  assert.deepEqual(file?.name, Buffer.from('/dev/tty\xff', 'latin1'));
  assert.deepEqual([file?.kind, file?.openFlags, file?.inode, file?.device], [FdKind.FILE, 3, 7n, 8]);
  assert.equal(file?.socket, undefined);
  const socket = fixture.ask('getFd', { tid: 100n, fd: 4n, scope: NOW }).fd;
  assert.equal(socket?.kind, FdKind.IPV4_SOCKET);
  assert.equal(socket?.socket?.l4Protocol, L4Protocol.TCP);
  assert.deepEqual(socket?.socket?.destinationAddress, Buffer.from([10, 0, 0, 2]));
  assert.deepEqual([socket?.socket?.sourcePort, socket?.socket?.destinationPort], [4000, 443]);
});

test('an fd number means what it meant at the event', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const nameAt = (event: number) =>
    String(fixture.ask('getFd', { tid: 100n, fd: 5n, scope: asOf(event) }).fd?.name);
  assert.equal(nameAt(1), '/tmp/first');
  assert.equal(nameAt(2), '/tmp/first');
  assert.equal(nameAt(4), '/tmp/second');
  const gone = fixture.refusal('getFd', { tid: 100n, fd: 5n, scope: asOf(3) });
  assert.equal(gone.code, 'NOT_FOUND');
  assert.match(gone.message, /no fd 5 in the process of thread 100/);
});

test('fds are listed by number, now and then', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const numbers = (scope: ReturnType<typeof asOf> | undefined) =>
    fixture.ask('listFds', { tid: 100n, scope, page: undefined }).fds.map(({ number }) => Number(number));
  assert.deepEqual(numbers(NOW), [0, 4, 5]);
  assert.deepEqual(numbers(asOf(3)), [0, 4]);
  assert.equal(
    fixture.refusal('listFds', { tid: 9n, scope: NOW, page: undefined }).message.includes('thread 9'),
    true,
  );
});

test('a user deleted by an event is still there at the event before', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const before = fixture.ask('getUser', { containerId: '', uid: 1000, scope: asOf(4) });
  assert.equal(before.user?.name.toString(), 'ann');
  const error = fixture.refusal('getUser', { containerId: '', uid: 1000, scope: NOW });
  assert.equal(error.code, 'NOT_FOUND');
  assert.match(error.message, /no user 1000 on the host/);
  const uids = (scope: ReturnType<typeof asOf> | undefined) =>
    fixture.ask('listUsers', { scope, page: undefined }).users.map(({ uid }) => uid);
  assert.deepEqual(uids(NOW), [0]);
  assert.deepEqual(uids(asOf(4)), [0, 1000]);
});

test('users and groups are listed by container and id', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { state } = fixture.inspector;
  state.users.set(ID, 0, { uid: 0, gid: 0, name: 'c-root', homedir: '/', shell: '' });
  const { users } = fixture.ask('listUsers', { scope: NOW, page: undefined });
  assert.deepEqual(
    users.map(({ containerId, uid }) => [containerId, uid]),
    [
      ['', 0],
      ['', 1000],
      [ID, 0],
    ],
  );
  const { groups } = fixture.ask('listGroups', { scope: NOW, page: undefined });
  assert.deepEqual(
    groups.map(({ gid, name }) => [gid, name.toString()]),
    [[1000, 'staff']],
  );
  const { group } = fixture.ask('getGroup', { containerId: '', gid: 1000, scope: NOW });
  assert.equal(group?.name.toString(), 'staff');
});

test('interfaces are listed as they are now only', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const { interfaces } = fixture.ask('listInterfaces', { scope: NOW });
  assert.equal(interfaces[0]?.name.toString(), 'eth0');
  assert.deepEqual(interfaces[0]?.address, Buffer.from([10, 0, 0, 1]));
  const error = fixture.refusal('listInterfaces', { scope: asOf(1) });
  assert.deepEqual([error.code, error.fault.field], ['INVALID_ARGUMENT', 'scope.event_number']);
});

test('a container is found by its full and by its short id', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  for (const containerId of [ID, SHORT]) {
    const { container } = fixture.ask('getContainer', { ...CONTAINER, containerId });
    assert.deepEqual([container?.id, container?.fullId, container?.type], [SHORT, ID, 'docker']);
    assert.equal(container?.isComplete, false);
  }
  const { containers, page } = fixture.ask('listContainers', { scope: NOW, page: undefined });
  assert.deepEqual([containers.length, page?.totalCount], [1, 1n]);
  assert.equal(fixture.refusal('getContainer', { ...CONTAINER, containerId: 'host' }).code, 'NOT_FOUND');
  assert.equal(fixture.refusal('getContainer', CONTAINER).code, 'INVALID_ARGUMENT');
});

test('a container is found by its name, with all that is known of it', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { containers } = fixture.inspector.state;
  containers.set(ID, {
    ...bareContainer(ID, 'docker'),
    name: 'w\xc3\xa9b',
    healthcheck: { exe: '/bin/sh', args: ['-c', 'check'] },
    livenessProbe: { exe: '/alive', args: [] },
    cgroupPath: `/docker/${ID}`,
  });
  const { container } = fixture.ask('getContainer', { ...CONTAINER, name: 'wéb' });
  assert.equal(container?.fullId, ID);
  assert.deepEqual(container?.healthcheck, { exe: '/bin/sh', args: ['-c', 'check'] });
  assert.deepEqual(container?.livenessProbe, { exe: '/alive', args: [] });
  assert.equal(container?.readinessProbe, undefined);
  assert.equal(container?.cgroupPath, `/docker/${ID}`);
  assert.equal(fixture.refusal('getContainer', { ...CONTAINER, name: 'web' }).code, 'NOT_FOUND');
  const both = fixture.refusal('getContainer', { ...CONTAINER, containerId: ID, name: 'web' });
  assert.deepEqual([both.code, both.fault.field], ['INVALID_ARGUMENT', 'name']);
});

test('a name or short id of several containers is an error that lists them', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { containers } = fixture.inspector.state;
  const cousin = SHORT.padEnd(64, '0');
  for (const id of [ID, cousin]) containers.set(id, { ...bareContainer(id, 'docker'), name: 'web' });
  for (const request of [
    { ...CONTAINER, containerId: SHORT },
    { ...CONTAINER, name: 'web' },
  ]) {
    const { code, fault } = fixture.refusal('getContainer', request);
    assert.deepEqual(
      [code, fault.reason, fault.suggestions],
      ['FAILED_PRECONDITION', 'AMBIGUOUS', [ID, cousin]],
    );
    assert.ok(fault.message.includes(cousin));
  }
  assert.equal(fixture.ask('getContainer', { ...CONTAINER, containerId: cousin }).container?.fullId, cousin);
  const listing = fixture.refusal('listThreads', { ...ALL_THREADS, containerId: SHORT });
  assert.equal(listing.code, 'FAILED_PRECONDITION');
});

test('of very many containers of one name an error lists some', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  for (let i = 0; i < 40; i++) {
    const id = String(i).padStart(64, '0');
    fixture.inspector.state.containers.set(id, { ...bareContainer(id, 'docker'), name: 'web' });
  }
  const { fault } = fixture.refusal('getContainer', { ...CONTAINER, name: 'web' });
  assert.equal(fault.suggestions?.length, 16);
  assert.match(fault.message, /^40 containers named web: .* and 24 more$/);
});

test('a container is found as it was before its metadata came', async () => {
  const json = JSON.stringify({ container: { id: SHORT, type: 0, name: 'web', image: 'nginx' } });
  const fixture = await QueryFixture.open({
    ...SCRIPT,
    events: [
      { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 9 }, tid: 100 },
      { code: 'PPME_CONTAINER_JSON_2_E', params: { json }, tid: -1 },
    ],
  });
  const nameAt = (scope: ReturnType<typeof asOf> | undefined) =>
    fixture.ask('getContainer', { ...CONTAINER, containerId: SHORT, scope }).container?.name;
  assert.equal(nameAt(NOW), 'web');
  assert.equal(nameAt(asOf(2)), 'web');
  assert.equal(nameAt(asOf(1)), '');
});

test('events that are no longer or not yet retained are OUT_OF_RANGE, with what is', async () => {
  const fixture = await QueryFixture.open(SCRIPT, Number.POSITIVE_INFINITY, {
    retention: { eventsMax: 2, bytesMax: 65_536 },
  });
  const old = fixture.refusal('getThread', { tid: 1n, scope: asOf(1), includeAncestors: false });
  assert.deepEqual([old.code, old.fault.field], ['OUT_OF_RANGE', 'scope.event_number']);
  assert.match(old.message, /event 1 is no longer retained; retained are 4 to 5/);
  const early = fixture.refusal('getThread', { tid: 1n, scope: asOf(6), includeAncestors: false });
  assert.equal(early.code, 'OUT_OF_RANGE');
  assert.match(early.message, /has not been shown yet/);
});

test('events whose changes were given up are OUT_OF_RANGE', async () => {
  const fixture = await QueryFixture.open(SCRIPT, Number.POSITIVE_INFINITY, {
    limits: { undoEntriesMax: 1 },
  });
  const error = fixture.refusal('getThread', { tid: 1n, scope: asOf(1), includeAncestors: false });
  assert.equal(error.code, 'OUT_OF_RANGE');
  assert.match(error.message, /no longer remembered, only as of \d+ and later/);
});

test('without retention no event can be asked for', async () => {
  const fixture = await QueryFixture.open(SCRIPT, Number.POSITIVE_INFINITY, {
    retention: { eventsMax: 0, bytesMax: 0 },
  });
  const error = fixture.refusal('listUsers', { scope: asOf(1), page: undefined });
  assert.deepEqual([error.code, error.message], ['OUT_OF_RANGE', 'event 1 is not retained: no event is']);
});
