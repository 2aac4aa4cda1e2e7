import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context, Subject } from '../../../proto/gen/strata/v1/enrichment_service.ts';
import type { ItemError } from '../../../proto/gen/strata/v1/item_error.ts';
import type { StateScope } from '../../../proto/gen/strata/v1/state.ts';
import { bareContainer } from '../../../server/container/container-rows.ts';
import { asOf, QueryFixture, type Script } from '../../helpers/query-fixture.ts';

const ID = '0123456789abcdef'.repeat(4);
const SHORT = ID.slice(0, 12);

const SCRIPT: Script = {
  threads: [
    { tid: 1, ptid: 0, comm: 'init' },
    { tid: 100, ptid: 1, comm: 'shell', uid: 1000, gid: 1000, loginuid: 1001 },
    { tid: 200, ptid: 100, comm: 'work', uid: 1000, cgroups: `cpu=/docker/${ID}\0` },
    { tid: 201, pid: 200, ptid: 100, comm: 'worker', cgroups: `cpu=/docker/${ID}\0` },
  ],
  fds: [[200, [{ fd: 3, name: '/etc/passwd' }]]],
  users: [
    { uid: 1000, gid: 1000, name: 'ann', homedir: '/', shell: '' },
    { uid: 1001, gid: 1001, name: 'bob', homedir: '/', shell: '' },
  ],
  groups: [{ gid: 1000, name: 'staff' }],
  events: [
    { code: 'PPME_SYSCALL_READ_X', params: { res: 1, fd: 3, data: 'x', size: 1 }, tid: 200 },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 3 }, tid: 200 },
    { code: 'PPME_PROCEXIT_1_E', params: { status: 0 }, tid: 201 },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 8 }, tid: 100 },
  ],
};

interface Asked {
  readonly fixture: QueryFixture;
  readonly scope?: StateScope | undefined;
  readonly fieldMask?: readonly string[] | undefined;
}

function enrich({ fixture, scope, fieldMask }: Asked, ...keys: Subject['key'][]) {
  return fixture.ask('enrich', { subjects: keys.map((key) => ({ key })), scope, fieldMask }).results;
}

function contextOf(asked: Asked, key: Subject['key']): Context {
  const result = enrich(asked, key)[0]?.result;
  assert.equal(result?.$case, 'context');
  return result.value;
}

function errorOf(asked: Asked, key: Subject['key']): ItemError {
  const result = enrich(asked, key)[0]?.result;
  assert.equal(result?.$case, 'error');
  return result.value;
}

test('a tid answers every layer there is', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const context = contextOf({ fixture }, { $case: 'tid', value: 201n });
  assert.equal(context.thread?.tid, 201n);
  assert.equal(context.process?.tid, 200n);
  assert.deepEqual(
    context.ancestors.map(({ tid }) => tid),
    [100n, 1n],
  );
  assert.equal(context.container?.id, SHORT);
  assert.equal(context.fd, undefined);
  assert.equal(context.pod, undefined);
});

test('users and groups are those of the thread, by the host where the container has none', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { user, group, loginUser } = contextOf({ fixture }, { $case: 'pid', value: 100n });
  assert.deepEqual([user?.name, group?.name, loginUser?.name].map(String), ['ann', 'staff', 'bob']);
  assert.equal(contextOf({ fixture }, { $case: 'pid', value: 200n }).user?.containerId, '');
  fixture.inspector.state.users.set(ID, 1000, { uid: 1000, gid: 1, name: 'app', homedir: '', shell: '' });
  const inside = contextOf({ fixture }, { $case: 'pid', value: 200n });
  assert.deepEqual([inside.user?.containerId, inside.user?.name.toString()], [ID, 'app']);
  assert.equal(inside.loginUser, undefined);
});

test('a pid is a process, not any of its threads', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  assert.equal(contextOf({ fixture }, { $case: 'pid', value: 200n }).thread?.comm.toString(), 'work');
  const error = errorOf({ fixture }, { $case: 'pid', value: 201n });
  assert.deepEqual([error.code, error.message], [5, 'no process 201']);
});

test('an fd brings its process along', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const context = contextOf({ fixture }, { $case: 'fd', value: { tid: 200n, fd: 3n } });
  assert.equal(context.fd?.name.toString(), '/etc/passwd');
  assert.equal(context.thread?.tid, 200n);
  const error = errorOf({ fixture }, { $case: 'fd', value: { tid: 200n, fd: 4n } });
  assert.deepEqual([error.code, error.message], [5, 'no fd 4 in the process of thread 200']);
});

test('containers are found by id and by cgroup path', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  for (const value of [ID, SHORT]) {
    assert.equal(contextOf({ fixture }, { $case: 'containerId', value }).container?.fullId, ID);
  }
  const known = contextOf({ fixture }, { $case: 'cgroupPath', value: `/docker/${ID}` });
  assert.equal(known.container?.fullId, ID);
  const other = 'a'.repeat(64);
  const unknown = contextOf({ fixture }, { $case: 'cgroupPath', value: `/docker/${other}` });
  assert.deepEqual(
    [unknown.container?.fullId, unknown.container?.type, unknown.container?.isComplete],
    [other, 'docker', false],
  );
  assert.equal(errorOf({ fixture }, { $case: 'cgroupPath', value: '/user.slice' }).code, 5);
  assert.equal(errorOf({ fixture }, { $case: 'containerId', value: 'nope' }).code, 5);
});

test('containers are found by name; one of several is an error of that subject alone', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { containers } = fixture.inspector.state;
  const other = 'a'.repeat(64);
  containers.set(ID, { ...bareContainer(ID, 'docker'), name: 'web' });
  containers.set(other, { ...bareContainer(other, 'docker'), name: 'api' });
  assert.equal(contextOf({ fixture }, { $case: 'containerName', value: 'web' }).container?.fullId, ID);
  assert.equal(errorOf({ fixture }, { $case: 'containerName', value: 'nope' }).code, 5);
  containers.set(other, { ...bareContainer(other, 'docker'), name: 'web' });
  const error = errorOf({ fixture }, { $case: 'containerName', value: 'web' });
  assert.deepEqual([error.code, error.message], [9, `2 containers named web: ${ID}, ${other}`]);
});

test('a container is found by a cgroup that only its runtime knows', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const row = { ...bareContainer('db', 'containerd'), cgroupPath: '/prod/db' };
  fixture.inspector.state.containers.set('db', row);
  for (const value of ['/prod/db', '/prod/db/below']) {
    assert.equal(contextOf({ fixture }, { $case: 'cgroupPath', value }).container?.fullId, 'db');
  }
  assert.equal(errorOf({ fixture }, { $case: 'cgroupPath', value: '/prod/web' }).code, 5);
});

test('of a live node, users of a container are its own or none', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  fixture.inspector.state.isLive = true;
  assert.equal(contextOf({ fixture }, { $case: 'pid', value: 200n }).user, undefined);
});

test('an event brings its thread and fd as they were, whatever the scope says', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const scope = asOf(4);
  const read = contextOf({ fixture, scope }, { $case: 'eventNumber', value: 1n });
  assert.deepEqual([read.thread?.tid, read.fd?.name.toString()], [200n, '/etc/passwd']);
  const exit = contextOf({ fixture, scope }, { $case: 'eventNumber', value: 3n });
  assert.equal(exit.thread?.comm.toString(), 'worker');
  assert.equal(errorOf({ fixture, scope }, { $case: 'tid', value: 201n }).code, 5);
  assert.equal(errorOf({ fixture, scope }, { $case: 'eventNumber', value: 99n }).code, 11);
});

test('answers come in the order of the subjects, found or not', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const results = enrich(
    { fixture },
    { $case: 'eventNumber', value: 1n },
    { $case: 'tid', value: 5n },
    { $case: 'eventNumber', value: 3n },
    { $case: 'tid', value: 100n },
    { $case: 'podUid', value: 'p' },
  ).map(({ result }) => (result?.$case === 'context' ? result.value.thread?.tid : result?.value.code));
  assert.deepEqual(results, [200n, 5, 201n, 100n, 5]);
});

test('a mask leaves the members it names, whole or in part', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const fieldMask = ['thread.comm', 'ancestors.tid', 'container.full_id', 'user'];
  const context = contextOf({ fixture, fieldMask }, { $case: 'tid', value: 200n });
  assert.equal(context.thread?.comm.toString(), 'work');
  assert.equal(context.thread?.tid, 0n);
  assert.deepEqual(
    context.ancestors.map(({ tid, comm }) => [tid, comm.length]),
    [
      [100n, 0],
      [1n, 0],
    ],
  );
  assert.deepEqual([context.container?.fullId, context.container?.id], [ID, '']);
  assert.equal(context.user?.name.toString(), 'ann');
  assert.equal(context.process, undefined);
  assert.equal(context.group, undefined);
});

test('a whole member wins over a part of it, in any order', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  for (const fieldMask of [
    ['thread', 'thread.tid'],
    ['thread.tid', 'thread'],
  ]) {
    const { thread } = contextOf({ fixture, fieldMask }, { $case: 'tid', value: 200n });
    assert.deepEqual([thread?.tid, thread?.comm.toString()], [200n, 'work']);
  }
});

test('a mask path that leads nowhere is INVALID_ARGUMENT with its place and what is close', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const refusal = (path: string) =>
    fixture.refusal('enrich', { subjects: [], scope: undefined, fieldMask: ['fd', path] }).fault;
  const misspelt = refusal('thread.com');
  assert.deepEqual(
    [misspelt.code, misspelt.field, misspelt.position],
    ['INVALID_ARGUMENT', 'field_mask.paths[1]', 7],
  );
  assert.equal(misspelt.suggestions?.[0], 'thread.comm');
  assert.equal(refusal('container.labels.app').position, 17);
  assert.equal(refusal('').code, 'INVALID_ARGUMENT');
});

test('a subject without a key refuses the call', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const refuse = (subjects: readonly Subject[]) =>
    fixture.refusal('enrich', { subjects, scope: undefined, fieldMask: undefined }).fault;
  const keyless = refuse([{ key: { $case: 'tid', value: 1n } }, { key: undefined }]);
  assert.deepEqual([keyless.code, keyless.field], ['INVALID_ARGUMENT', 'subjects[1]']);
});
