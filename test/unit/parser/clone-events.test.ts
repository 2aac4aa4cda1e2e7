import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParamValue } from '../../helpers/event-builder.ts';
import { BOOT_TS, ParserHarness } from '../../helpers/parser-harness.ts';

const THREAD_FLAGS = 8192 | 2 | 1;
const IN_PIDNS = 536870912;
const TS = 1_700_000_000_000_000_000n;
const SECOND = 1_000_000_000n;

function cloneParams(overrides: Readonly<Record<string, ParamValue>>): Record<string, ParamValue> {
  return {
    exe: 'child',
    args: 'a\0b\0',
    tid: 0,
    pid: 1000,
    ptid: 1,
    cwd: '',
    fdlimit: 1024,
    pgft_maj: 1,
    pgft_min: 2,
    vm_size: 3,
    vm_rss: 4,
    vm_swap: 5,
    comm: 'child',
    cgroups: 'cpu=/\0',
    flags: 0,
    uid: 1000,
    gid: 1000,
    vtid: 1000,
    vpid: 1000,
    ...overrides,
  };
}

function withParent(): ParserHarness {
  const harness = new ParserHarness({}, { addsBootTime: true });
  harness.load({ tid: 1, comm: 'init', ptid: 0 }, { tid: 1000, ptid: 1, cwd: '/srv', env: 'A=1\0', sid: 77 });
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/file', flags: 1 });
  return harness;
}

test('the caller makes the child with a copy of what the process has', () => {
  const harness = withParent();
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000 }), { ts: TS });
  const child = harness.thread(2000);
  assert.equal(child.pid, 2000);
  assert.equal(child.ptid, 1000);
  assert.equal(child.vtid, 2000);
  assert.equal(child.sid, 77);
  assert.equal(child.comm, 'child');
  assert.deepEqual(child.args, ['a', 'b']);
  assert.deepEqual(child.env, ['A=1']);
  assert.equal(child.cwd, '/srv/');
  assert.equal(child.uid, 1000);
  assert.equal(child.vmrssKb, 4);
  assert.equal(child.cloneTsNs, TS);
  assert.equal(child.pidnsInitStartNs, BOOT_TS);
  assert.equal(child.fds.find(3)?.name, '/file');
  assert.deepEqual([...harness.thread(1000).children], [2000]);
});

test('the copies of parent and child go separate ways', () => {
  const harness = withParent();
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000 }));
  harness.send('PPME_SYSCALL_CLOSE_X', { res: 0, fd: 3 }, { tid: 2000 });
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 4, name: '/other', flags: 1 });
  assert.equal(harness.thread(1000).fds.size, 2);
  assert.equal(harness.thread(2000).fds.size, 0);
});

test("the child's own half, coming second, changes nothing", () => {
  const harness = withParent();
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000 }), { ts: TS });
  const made = harness.thread(2000);
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 0, pid: 2000, ptid: 1000, comm: 'late' }), {
    tid: 2000,
    ts: TS + SECOND,
  });
  assert.equal(harness.thread(2000), made);
  assert.equal(made.comm, 'child');
});

test("the caller's half, coming second, leaves the child as it made itself", () => {
  const harness = withParent();
  const event = harness.send(
    'PPME_SYSCALL_CLONE_20_X',
    cloneParams({ res: 0, pid: 2000, ptid: 1000, vtid: 2000, vpid: 2000 }),
    { tid: 2000 },
  );
  const made = harness.thread(2000);
  assert.equal(event.thread, made);
  assert.equal(made.fds.find(3)?.name, '/file');
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000 }));
  assert.equal(harness.thread(2000), made);
});

test('in a pid namespace only the child is believed about itself', () => {
  const harness = withParent();
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 7, flags: IN_PIDNS }));
  assert.equal(harness.state.threads.find(7), undefined);
  harness.send(
    'PPME_SYSCALL_CLONE_20_X',
    cloneParams({
      res: 0,
      pid: 2000,
      ptid: 1000,
      flags: IN_PIDNS,
      vtid: 7,
      vpid: 7,
      pidns_init_start_ts: 5n * SECOND,
    }),
    { tid: 2000 },
  );
  assert.equal(harness.thread(2000).vtid, 7);
  assert.equal(harness.thread(2000).pidnsInitStartNs, BOOT_TS + 5n * SECOND);
});

test('a thread shares the fds and the directory of its process', () => {
  const harness = withParent();
  harness.send('PPME_SYSCALL_CLONE3_X', cloneParams({ res: 1001, flags: THREAD_FLAGS }));
  const thread = harness.thread(1001);
  assert.equal(thread.pid, 1000);
  assert.equal(thread.ptid, 1);
  assert.equal(thread.fds, harness.thread(1000).fds);
  assert.equal(harness.state.tree.cwd(thread), '/srv/');
  assert.equal(harness.thread(1000).threadCount, 1);
  harness.send('PPME_SYSCALL_CHDIR_X', { res: 0, path: '/new' }, { tid: 1001 });
  assert.equal(harness.thread(1000).cwd, '/new/');
});

test('an unknown caller learns who it is from its call', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 });
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000, vtid: 1000, vpid: 1000 }));
  const caller = harness.thread(1000);
  assert.equal(caller.pid, 1000);
  assert.equal(caller.ptid, 1);
  assert.equal(caller.comm, 'child');
  assert.equal(caller.isPlaceholder, false);
  assert.deepEqual([...harness.thread(1).children], [1000]);
});

test('an unknown main thread learns who it is from its new thread', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 });
  harness.send(
    'PPME_SYSCALL_CLONE3_X',
    cloneParams({ res: 0, pid: 1000, ptid: 1, flags: THREAD_FLAGS, vtid: 1001, vpid: 1000 }),
    { tid: 1001 },
  );
  const main = harness.thread(1000);
  assert.equal(main.comm, 'child');
  assert.equal(main.vtid, 1000);
  assert.equal(main.threadCount, 1);
  assert.equal(harness.thread(1001).fds, main.fds);
});

test('a stale row gives way to a new thread with its tid', () => {
  const harness = withParent();
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000 }), { ts: TS });
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 0, pid: 2000, ptid: 1000, comm: 'new' }), {
    tid: 2000,
    ts: TS + 3n * SECOND,
  });
  assert.equal(harness.thread(2000).comm, 'new');
  assert.equal(harness.thread(2000).threadGroup?.aliveCount, 1);
});

test('a child that has exited is not brought back by its caller', () => {
  const harness = withParent();
  harness.send(
    'PPME_SYSCALL_CLONE_20_X',
    cloneParams({ res: 0, pid: 2000, ptid: 1000, vtid: 2000, vpid: 2000 }),
    { tid: 2000, ts: TS },
  );
  harness.send('PPME_PROCEXIT_1_E', { status: 0 }, { tid: 2000, ts: TS + 1n });
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000 }), { ts: TS + 2n });
  assert.equal(harness.state.threads.find(2000), undefined);
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000 }), { ts: TS + 5n * SECOND });
  assert.equal(harness.thread(2000).pid, 2000);
});

test('vfork leaves the child to itself', () => {
  const harness = withParent();
  harness.send('PPME_SYSCALL_VFORK_20_X', cloneParams({ res: 2000 }));
  assert.equal(harness.state.threads.find(2000), undefined);
});

test('a full thread table refuses the child and counts it, and the stream goes on', () => {
  const harness = new ParserHarness({ threadsMax: 2 });
  harness.load({ tid: 1, ptid: 0 }, { tid: 1000 });
  harness.send('PPME_SYSCALL_CLONE_20_X', cloneParams({ res: 2000 }));
  const event = harness.send(
    'PPME_SYSCALL_CLONE_20_X',
    cloneParams({ res: 0, pid: 2000, ptid: 1000, vtid: 2000, vpid: 2000 }),
    { tid: 2000 },
  );
  assert.equal(event.thread, undefined);
  assert.equal(harness.state.threads.counters.refused, 2);
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/a', flags: 1 });
  assert.equal(harness.thread(1000).fds.size, 1);
});
