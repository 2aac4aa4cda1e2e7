import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParamValue } from '../../helpers/event-builder.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

const TS = 1_700_000_000_000_000_000n;

function execParams(overrides: Readonly<Record<string, ParamValue>>): Record<string, ParamValue> {
  return {
    res: 0,
    exe: 'ls',
    args: '-l\0',
    tid: 1000,
    pid: 1000,
    ptid: 1,
    cwd: '',
    fdlimit: 64,
    ...overrides,
  };
}

function withInit(): ParserHarness {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 }, { tid: 1000, ptid: 1, cwd: '/home' });
  return harness;
}

test('exec takes over the program', () => {
  const harness = withInit();
  harness.send(
    'PPME_SYSCALL_EXECVE_19_X',
    execParams({
      comm: 'ls',
      env: 'A=1\0B=\0',
      cgroups: 'cpu=/x\0',
      tty: 34816,
      vpgid: 5,
      loginuid: 42,
      flags: 1 | 2,
      cap_inheritable: 0,
      cap_permitted: 0x1ffffffffffn,
      cap_effective: 1,
      exe_ino: 9,
      exe_ino_ctime: TS,
      exe_ino_mtime: TS,
      uid: 7,
      trusted_exepath: '/bin/ls (deleted)',
      pgid: 6,
      gid: 8,
    }),
    { ts: TS },
  );
  const row = harness.thread(1000);
  assert.equal(row.comm, 'ls');
  assert.deepEqual(row.args, ['-l']);
  assert.deepEqual(row.env, ['A=1', 'B=']);
  assert.deepEqual(row.cgroups, [['cpu', '/x']]);
  assert.equal(row.exepath, '/bin/ls');
  assert.equal(row.exeWritable && row.exeUpperLayer && !row.exeFromMemfd, true);
  assert.equal(row.capPermitted, 0x1ffffffffff);
  assert.deepEqual([row.uid, row.gid, row.loginuid, row.pgid, row.vpgid], [7, 8, 42, 6, 5]);
  assert.equal(row.lastExecTsNs, TS);
  assert.equal(row.fdlimit, 64);
});

test('a failed exec changes nothing', () => {
  const harness = withInit();
  const event = harness.send('PPME_SYSCALL_EXECVE_19_X', execParams({ res: -2, comm: 'x' }));
  assert.equal(event.errorCode, 2);
  assert.equal(harness.thread(1000).comm, 'test');
});

test("without the kernel's path the one the caller gave is resolved", () => {
  const harness = withInit();
  harness.send('PPME_SYSCALL_EXECVE_19_E', { filename: './run' });
  harness.send('PPME_SYSCALL_EXECVE_19_X', execParams({ comm: 'run' }));
  assert.equal(harness.thread(1000).exepath, '/home/run');
});

test('execveat with an empty path runs the fd itself', () => {
  const harness = withInit();
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 5, name: '/opt/tool', flags: 1 });
  harness.send('PPME_SYSCALL_EXECVEAT_E', { dirfd: 5, pathname: '<NA>', flags: 1 });
  harness.send('PPME_SYSCALL_EXECVE_19_X', execParams({ comm: 'tool' }));
  assert.equal(harness.thread(1000).exepath, '/opt/tool');
});

test('exec gives an unknown thread its place', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 });
  harness.send('PPME_SYSCALL_CLOSE_X', { res: -9, fd: 3 });
  assert.equal(harness.thread(1000).isPlaceholder, true);
  assert.equal(harness.thread(1000).comm, '<NA>');
  assert.equal(harness.parser.counters.placeholders, 1);
  harness.send('PPME_SYSCALL_EXECVE_19_X', execParams({ comm: 'ls' }));
  const row = harness.thread(1000);
  assert.equal(row.isPlaceholder, false);
  assert.deepEqual([row.pid, row.ptid, row.vtid, row.vpid], [1000, 1, 1000, 1000]);
  assert.deepEqual([...harness.thread(1).children], [1000]);
});

test('exec ends the other threads of the process', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 }, { tid: 1000 }, { tid: 1001, pid: 1000 }, { tid: 1002, pid: 1000 });
  harness.send('PPME_SYSCALL_EXECVE_19_X', execParams({ comm: 'ls' }));
  assert.equal(harness.state.threads.find(1001), undefined);
  assert.equal(harness.state.threads.find(1002), undefined);
  assert.equal(harness.thread(1000).threadCount, 0);
});

test('an exiting thread is seen by its exit event and gone after', () => {
  const harness = withInit();
  const event = harness.show('PPME_PROCEXIT_1_E', { status: 0 });
  assert.equal(event.thread?.isDead, true);
  assert.notEqual(harness.state.threads.find(1000), undefined);
  harness.finish();
  assert.equal(harness.state.threads.find(1000), undefined);
  assert.equal(harness.thread(1).children.size, 0);
});

test('the main thread stays, dead, until the last thread of its process is gone', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 }, { tid: 1000 }, { tid: 1001, pid: 1000 });
  harness.send('PPME_PROCEXIT_1_E', { status: 0 });
  assert.equal(harness.thread(1000).isDead, true);
  assert.equal(harness.thread(1000).threadCount, 1);
  harness.send('PPME_PROCEXIT_1_E', { status: 0 }, { tid: 1001 });
  assert.equal(harness.state.threads.find(1000), undefined);
  assert.equal(harness.state.threads.find(1001), undefined);
});

test('a dead main thread lives again when its process executes a program', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 }, { tid: 1000 }, { tid: 1001, pid: 1000 });
  harness.send('PPME_PROCEXIT_1_E', { status: 0 });
  harness.send('PPME_SYSCALL_EXECVE_19_X', execParams({ comm: 'ls' }));
  assert.equal(harness.thread(1000).isDead, false);
  assert.equal(harness.state.threads.find(1001), undefined);
});

test('children go to the reaper the kernel names', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 }, { tid: 50 }, { tid: 1000, ptid: 50 }, { tid: 1100, ptid: 1000 });
  harness.send('PPME_PROCEXIT_1_E', { status: 0, ret: 0, sig: 0, core: 0, reaper_tid: 50 });
  assert.equal(harness.thread(1100).ptid, 50);
  assert.deepEqual([...harness.thread(50).children], [1100]);
});

test('without that they go to the nearest subreaper, else to init', () => {
  const harness = new ParserHarness();
  harness.load(
    { tid: 1, ptid: 0 },
    { tid: 50 },
    { tid: 60, ptid: 50 },
    { tid: 1000, ptid: 60 },
    { tid: 1100, ptid: 1000 },
  );
  harness.send('PPME_SYSCALL_PRCTL_X', { res: 0, option: 36, arg2_str: '', arg2_int: 1 }, { tid: 50 });
  harness.send('PPME_PROCEXIT_1_E', { status: 0 });
  assert.equal(harness.thread(1100).ptid, 50);
  harness.send('PPME_PROCEXIT_1_E', { status: 0 }, { tid: 50 });
  assert.equal(harness.thread(1100).ptid, 1);
  assert.equal(harness.thread(60).ptid, 1);
});

test('a live thread of the same process comes before any ancestor', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 }, { tid: 1000 }, { tid: 1001, pid: 1000 }, { tid: 1100, ptid: 1000 });
  harness.send('PPME_PROCEXIT_1_E', { status: 0 });
  assert.equal(harness.thread(1100).ptid, 1001);
});

test('the exit of an unknown thread makes no row', () => {
  const harness = new ParserHarness();
  const event = harness.send('PPME_PROCEXIT_1_E', { status: 0 }, { tid: 4242 });
  assert.equal(event.thread, undefined);
  assert.equal(harness.state.threads.size, 0);
});
