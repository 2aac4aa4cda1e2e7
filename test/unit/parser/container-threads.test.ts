/** Threads and their containers: found by cgroup, by what a runtime says of cgroups, and by the monitor above them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareContainer, containerJsonOf } from '../../../server/container/container-rows.ts';
import { CL_CHILD_IN_PIDNS } from '../../../server/event/flag-tables.ts';
import type { ContainerRow } from '../../../server/state/container-table.ts';
import type { ParamValue } from '../../helpers/event-builder.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

const ID = '0123456789abcdef'.repeat(4);
const OTHER = 'f'.repeat(64);
const TS = 1_700_000_000_000_000_000n;

function tell(harness: ParserHarness, row: Partial<ContainerRow> & { readonly fullId: string }): void {
  const json = containerJsonOf({ ...bareContainer(row.fullId, ''), isComplete: true, ...row });
  harness.send(
    'PPME_ASYNCEVENT_E',
    { plugin_id: 0, name: 'container', data: Buffer.from(`${json}\0`, 'latin1') },
    { tid: -1 },
  );
}

function exec(
  harness: ParserHarness,
  tid: number,
  cgroups: string,
  more: Record<string, ParamValue> = {},
): void {
  harness.send(
    'PPME_SYSCALL_EXECVE_19_X',
    { res: 0, exe: 'sh', args: '', tid, pid: tid, ptid: 1, cwd: '', fdlimit: 64, cgroups, ...more },
    { tid, ts: TS },
  );
}

/** What a runtime's parent process does before the first program of a container runs. */
function cloneInNamespace(harness: ParserHarness, tid: number, ptid: number, vpid: number): void {
  harness.send(
    'PPME_SYSCALL_CLONE_20_X',
    {
      res: 0,
      exe: 'runc',
      args: 'init\0',
      tid,
      pid: tid,
      ptid,
      cwd: '',
      fdlimit: 64,
      cgroups: 'cpu=/system.slice/containerd.service\0',
      flags: CL_CHILD_IN_PIDNS,
      uid: 0,
      gid: 0,
      vtid: vpid,
      vpid,
    },
    { tid, ts: TS },
  );
}

test('a thread in a cgroup that its runtime has named is in that container, below it too', () => {
  const harness = new ParserHarness();
  tell(harness, { fullId: 'web', type: 'containerd', cgroupPath: '/prod/web' });
  harness.load(
    { tid: 1, ptid: 0 },
    { tid: 1000, cgroups: 'cpu=/prod/web/sub\0' },
    { tid: 1001, cgroups: 'cpu=/prod\0' },
  );
  assert.equal(harness.thread(1000).containerId, 'web');
  assert.equal(harness.thread(1001).containerId, '');
  exec(harness, 1001, 'cpu=/prod/web\0');
  assert.equal(harness.thread(1001).containerId, 'web');
});

test('threads seen before their cgroup was named move when it is, and were on the host before', () => {
  const seen: string[] = [];
  const onContainerSeen = (id: string, type: string, tid: number) => seen.push(`${id} ${type} ${tid}`);
  const harness = new ParserHarness({}, { onContainerSeen });
  harness.state.undo.enabled = true;
  harness.load({ tid: 1, ptid: 0 }, { tid: 1000, ptid: 1, cgroups: 'cpu=/\0=/prod/web\0' });
  exec(harness, 1000, 'cpu=/\0=/prod/web\0');
  assert.equal(harness.thread(1000).containerId, '');
  const before = harness.event.record.num;
  tell(harness, { fullId: 'web', type: 'containerd', cgroupPath: '/prod/web' });
  assert.equal(harness.thread(1000).containerId, 'web');
  assert.deepEqual(seen, []);
  exec(harness, 1000, 'cpu=/\0=/prod/web\0');
  assert.equal(harness.thread(1000).containerId, 'web');
  assert.deepEqual(seen, ['web containerd 1000']);
  assert.equal(harness.state.asOf(before)?.findThread(1000)?.containerId, '');
});

test('inside of a named cgroup the innermost container counts', () => {
  const harness = new ParserHarness();
  tell(harness, { fullId: 'dind', type: 'containerd', cgroupPath: '/prod/dind' });
  tell(harness, { fullId: 'inner', type: 'containerd', cgroupPath: `/docker/${OTHER}/ns/inner` });
  harness.load(
    { tid: 1000, cgroups: `cpu=/prod/dind/docker/${ID}\0` },
    { tid: 1001, cgroups: `cpu=/docker/${OTHER}/ns/inner\0` },
    { tid: 1002, cgroups: `cpu=/docker/${OTHER}/ns\0` },
  );
  assert.equal(harness.thread(1000).containerId, ID);
  assert.equal(harness.thread(1001).containerId, 'inner');
  assert.equal(harness.thread(1002).containerId, OTHER);
});

test('without an id in the cgroup the shim above says which container it is', () => {
  const harness = new ParserHarness();
  harness.load(
    { tid: 1, ptid: 0 },
    {
      tid: 50,
      ptid: 1,
      exe: '/usr/bin/containerd-shim-runc-v2',
      exepath: '/usr/bin/containerd-shim-runc-v2',
      args: '-namespace\0prod\0-id\0web\0-address\0/run/containerd/containerd.sock\0',
      cgroups: 'cpu=/system.slice/containerd.service\0',
    },
    { tid: 60, ptid: 50, exe: 'runc', cgroups: 'cpu=/system.slice/containerd.service\0' },
  );
  assert.equal(harness.thread(50).containerId, '');
  assert.equal(harness.thread(60).containerId, '');
  cloneInNamespace(harness, 70, 60, 1);
  assert.equal(harness.thread(70).containerId, 'web');
  assert.equal(harness.state.findContainer('web')?.type, 'containerd');
  harness.state.tree.remove(60);
  exec(harness, 70, 'cpu=/system.slice/containerd.service\0', { ptid: 50 });
  assert.equal(harness.thread(70).containerId, 'web');
  cloneInNamespace(harness, 71, 70, 7);
  assert.equal(harness.thread(71).containerId, 'web');
});

test('a monitor is found for threads that were there before, in whatever order they are listed', () => {
  const harness = new ParserHarness();
  const cgroups = 'cpu=/user.slice/session-1.scope\0';
  harness.load(
    { tid: 80, ptid: 70, vtid: 5, vpid: 5, cgroups },
    { tid: 70, ptid: 50, vtid: 1, vpid: 1, cgroups },
    {
      tid: 50,
      ptid: 1,
      exe: '/usr/bin/conmon',
      exepath: '/usr/bin/conmon',
      args: `--api-version\0one\0-c\0${ID}\0-u\0${ID}\0`,
      cgroups,
    },
    { tid: 90, ptid: 1, vtid: 3, vpid: 3, cgroups },
  );
  assert.deepEqual(
    [50, 70, 80, 90].map((tid) => harness.thread(tid).containerId),
    ['', ID, ID, ''],
  );
});

test('who only calls himself a monitor puts nobody into a container, nor does a user into one of others', () => {
  const harness = new ParserHarness();
  tell(harness, { fullId: ID, type: 'docker' });
  const cgroups = 'cpu=/user.slice/session-1.scope\0';
  const args = `-c\0${ID}\0`;
  const shimArgs = `-namespace\0moby\0-id\0${ID}\0`;
  const inside = { vtid: 1, vpid: 1, uid: 1000, cgroups };
  harness.load(
    { tid: 50, ptid: 1, uid: 0, exe: '/usr/bin/conmon', exepath: '/tmp/sh', args, cgroups },
    { ...inside, tid: 51, ptid: 50 },
    { tid: 60, ptid: 1, uid: 1000, exepath: '/tmp/conmon', args, cgroups },
    { ...inside, tid: 61, ptid: 60 },
    { tid: 70, ptid: 1, uid: 1000, exepath: '/tmp/containerd-shim', args: shimArgs, cgroups },
    { ...inside, tid: 71, ptid: 70 },
    { tid: 80, ptid: 1, uid: 1000, exepath: '/usr/bin/conmon', args: `-c\0${OTHER}\0`, cgroups },
    { ...inside, tid: 81, ptid: 80 },
  );
  assert.deepEqual(
    [51, 61, 71, 81].map((tid) => harness.thread(tid).containerId),
    ['', '', '', OTHER],
  );
  assert.equal(harness.state.findContainer(OTHER)?.type, 'podman');
});

test('users and groups that came with the short id follow to the full one', () => {
  const harness = new ParserHarness();
  const user = { uid: 5, gid: 5, name: 'app', home: '/', shell: '/sh', container_id: ID.slice(0, 12) };
  harness.send('PPME_USER_ADDED_E', user);
  harness.send('PPME_GROUP_ADDED_E', { gid: 5, name: 'apps', container_id: ID.slice(0, 12) });
  tell(harness, { fullId: ID, type: 'docker' });
  assert.equal(harness.state.findUser(ID, 5)?.name, 'app');
  assert.equal(harness.state.findGroup(ID, 5)?.name, 'apps');
  harness.send('PPME_USER_DELETED_E', user);
  assert.equal(harness.state.findUser(ID, 5), undefined);
});

test('users of a container with a name for an id are its own, whatever is shown of it', () => {
  const harness = new ParserHarness();
  tell(harness, { fullId: 'nginx-frontend-1', type: 'containerd' });
  tell(harness, { fullId: 'nginx-frontend-2', type: 'containerd' });
  const user = { uid: 5, gid: 5, name: 'app', home: '/', shell: '/sh', container_id: 'nginx-frontend-1' };
  harness.send('PPME_USER_ADDED_E', user);
  assert.equal(harness.state.findUser('nginx-frontend-1', 5)?.name, 'app');
  assert.equal(harness.state.findUser('nginx-frontend-2', 5), undefined);
});

test('a removed container is there until its event is over; then it is gone with its users', () => {
  const harness = new ParserHarness();
  harness.state.undo.enabled = true;
  tell(harness, { fullId: ID, type: 'docker', name: 'web' });
  harness.send('PPME_USER_ADDED_E', {
    uid: 5,
    gid: 5,
    name: 'app',
    home: '/',
    shell: '/sh',
    container_id: ID,
  });
  const data = Buffer.from(
    `${JSON.stringify({ container: { id: ID.slice(0, 12), full_id: ID } })}\0`,
    'latin1',
  );
  const { record } = harness.show('PPME_ASYNCEVENT_E', { plugin_id: 0, name: 'container_removed', data });
  assert.equal(harness.state.findContainer(ID)?.name, 'web');
  harness.finish();
  assert.equal(harness.state.findContainer(ID), undefined);
  assert.equal(harness.state.findUser(ID, 5), undefined);
  assert.equal(harness.state.asOf(record.num)?.findContainer(ID)?.name, 'web');
});

test('the removal of a container that is not there takes no other with it', () => {
  const harness = new ParserHarness();
  const cousin = ID.slice(0, 12).padEnd(64, '0');
  tell(harness, { fullId: cousin, type: 'docker' });
  const data = Buffer.from(
    `${JSON.stringify({ container: { id: ID.slice(0, 12), full_id: ID } })}\0`,
    'latin1',
  );
  harness.send('PPME_ASYNCEVENT_E', { plugin_id: 0, name: 'container_removed', data });
  assert.notEqual(harness.state.findContainer(cousin), undefined);
});
