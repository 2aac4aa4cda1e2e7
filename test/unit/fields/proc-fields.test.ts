import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldValue } from '../../../server/fields/field.ts';
import { bindField } from '../../../server/fields/field-reference.ts';
import { FD_FIFO, FD_FILE_V2 } from '../../../server/state/fd-info.ts';
import type { ThreadInfo } from '../../../server/state/thread-info.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';

const TS = 1_700_000_000_000_000_000n;

interface Family {
  readonly context: EventContext;
  readonly init: ThreadInfo;
  readonly shell: ThreadInfo;
  readonly child: ThreadInfo;
  /** A field of an event of the child, or of another thread. */
  get(field: string, tid?: number): FieldValue;
}

/** init (1) - sh (10) - worker (20). */
function family(): Family {
  const context = new EventContext();
  const make = (tid: number, ptid: number, comm: string): ThreadInfo => {
    const row = context.state.threads.newThread(tid, tid);
    row.ptid = ptid;
    row.vtid = tid;
    row.vpid = tid;
    row.sid = 10;
    row.pgid = 20;
    row.vpgid = 20;
    row.comm = comm;
    row.exe = `/bin/${comm}`;
    row.exepath = `/usr/bin/${comm}`;
    row.cwd = `/${comm}/`;
    context.state.threads.set(row);
    context.state.tree.link(row);
    return row;
  };
  const init = make(1, 0, 'init');
  const shell = make(10, 1, 'sh');
  const child = make(20, 10, 'worker');
  const get = (field: string, tid = 20): FieldValue =>
    bindField(field).extract(context.show('PPME_SYSCALL_CLOSE_X', { res: 0n }, { tid, ts: TS }));
  return { context, init, shell, child, get };
}

test('command lines join arguments with single spaces, empty ones included', () => {
  const { child, get } = family();
  assert.equal(get('proc.args'), '');
  assert.equal(get('proc.cmdline'), 'worker');
  assert.equal(get('proc.exeline'), '/bin/worker ');
  child.args = ['', '-v', ''];
  assert.equal(get('proc.args'), ' -v ');
  assert.equal(get('proc.cmdline'), 'worker  -v ');
  assert.equal(get('proc.args[1]'), '-v');
  assert.equal(get('proc.args[9]'), '');
  assert.equal(get('proc.cmdnargs'), 3);
  assert.equal(get('proc.cmdlenargs'), 2);
});

test('parents and ancestors are absent when they are unknown', () => {
  const { get } = family();
  assert.equal(get('proc.pname'), 'sh');
  assert.equal(get('proc.pexepath'), '/usr/bin/sh');
  assert.equal(get('proc.ppid'), 10);
  assert.equal(get('proc.aname[0]'), 'worker');
  assert.equal(get('proc.aname[2]'), 'init');
  assert.equal(get('proc.aname[3]'), undefined);
  assert.equal(get('proc.aname'), 'sh init');
  assert.equal(get('proc.apid'), 20);
  assert.equal(get('proc.apid[1]'), 10);
  assert.equal(get('proc.ppid', 1), undefined);
  assert.equal(get('proc.pname', 1), undefined);
  assert.equal(get('proc.aname', 1), undefined);
});

test('texts of all ancestors have a space only after something', () => {
  const { shell, init, get } = family();
  assert.equal(get('proc.aargs'), undefined);
  init.args = ['-D'];
  assert.equal(get('proc.aargs'), '-D');
  shell.args = ['-x'];
  init.args = [];
  assert.equal(get('proc.aargs'), '-x ');
  assert.equal(get('proc.aargs[2]'), '');
});

test('a loop of parents ends', () => {
  const { init, get } = family();
  init.ptid = 20;
  assert.ok(String(get('proc.aname')).startsWith('sh init'));
});

test('environment variables are found by name, without spaces around the value', () => {
  const { child, shell, get } = family();
  child.env = ['A=  1 2 ', 'EMPTY=', 'AB=3'];
  shell.env = ['UP=x'];
  assert.equal(get('proc.env'), 'A=  1 2  EMPTY= AB=3');
  assert.equal(get('proc.env[A]'), '1 2');
  assert.equal(get('proc.env[EMPTY]'), '');
  assert.equal(get('proc.env[NONE]'), '');
  assert.equal(get('proc.env[2]'), 'AB=3');
  assert.equal(get('proc.aenv[UP]'), 'x');
  assert.equal(get('proc.aenv[1]'), 'UP=x');
  assert.equal(get('proc.aenv[7]'), undefined);
  assert.equal(get('proc.aenv'), 'A=  1 2  EMPTY= AB=3');
});

test('leaders are the thread with the id, else the highest ancestor in line, else nobody', () => {
  const { child, shell, get } = family();
  assert.equal(get('proc.sname'), 'sh');
  assert.equal(get('proc.pgid.exe'), '/bin/worker');
  child.sid = 99;
  assert.equal(get('proc.sname'), '');
  shell.sid = 99;
  assert.equal(get('proc.sname'), 'sh');
  child.sid = -1;
  assert.equal(get('proc.sname'), '');
});

test('a process in a pid namespace finds its leaders by ancestry, except by the host group id', () => {
  const { child, get } = family();
  child.vtid = 1;
  assert.equal(get('proc.vpgid.name'), 'init');
  assert.equal(get('proc.pgid.name'), 'worker');
});

test('the oldest shell of the line is the login shell', () => {
  const { get, init } = family();
  assert.equal(get('proc.loginshellid'), 10);
  init.comm = 'bash';
  assert.equal(get('proc.loginshellid'), 1);
  assert.equal(get('proc.loginshellid', 1), 1);
});

test('durations count from the clone; a parent of unknown start shows its open fds', () => {
  const { child, shell, get } = family();
  assert.equal(get('proc.duration'), undefined);
  assert.equal(get('proc.pid.ts'), undefined);
  child.cloneTsNs = TS - 5n;
  assert.equal(get('proc.duration'), 5);
  assert.equal(get('proc.pid.ts'), TS - 5n);
  child.fds.set(0, fdOf(FD_FILE_V2, '/dev/null'));
  assert.equal(get('proc.ppid.duration'), 1);
  assert.equal(get('proc.ppid.ts'), 0n);
  shell.cloneTsNs = TS - 9n;
  assert.equal(get('proc.ppid.duration'), 9);
});

test('executable facts are absent while unknown', () => {
  const { child, get } = family();
  assert.equal(get('proc.exe_ino'), undefined);
  assert.equal(get('proc.exe_ino.ctime'), undefined);
  child.exeIno = 12;
  child.exeInoMtimeNs = 2n ** 63n;
  assert.equal(get('proc.exe_ino'), 12);
  assert.equal(get('proc.exe_ino.mtime'), 2n ** 63n);
});

test('fds, limits and streams come from the process', () => {
  const { child, get } = family();
  child.fdlimit = 200;
  child.fds.set(0, fdOf(FD_FILE_V2, '/dev/null'));
  child.fds.set(1, fdOf(FD_FIFO, ''));
  assert.equal(get('proc.fdopencount'), 2);
  assert.equal(get('proc.fdusage'), 1);
  assert.equal(get('proc.stdin.name'), '/dev/null');
  assert.equal(get('proc.stdout.type'), 'pipe');
  assert.equal(get('proc.stdout.name'), '');
  assert.equal(get('proc.stderr.type'), undefined);
  child.fdlimit = -1;
  assert.equal(get('proc.fdusage'), 0);
  child.fdlimit = 1;
  assert.equal(get('proc.fdusage'), 100);
});

test('threads of a process share its main thread', () => {
  const { context, child, get } = family();
  const second = context.state.threads.newThread(21, 20);
  second.ptid = 10;
  second.flags = 0x1;
  second.comm = 'helper';
  context.state.threads.set(second);
  context.state.tree.link(second);
  child.env = ['A=1'];
  assert.equal(get('proc.nthreads', 21), 2);
  assert.equal(get('proc.nchilds'), 1);
  assert.equal(get('proc.cwd', 21), '/worker/');
  assert.equal(get('proc.env[A]', 21), '1');
  assert.equal(get('thread.ismain', 21), false);
  assert.equal(get('thread.vmsize', 21), 0);
  context.state.tree.markDead(child);
  assert.equal(get('proc.nthreads', 21), 1);
  assert.equal(get('proc.nchilds', 21), 1);
});

test('a thread nobody introduced has no process to read from', () => {
  const { context, get } = family();
  const row = context.state.threads.newThread(77, -1);
  row.comm = '<NA>';
  context.state.threads.set(row);
  assert.equal(get('proc.pid', 77), -1);
  assert.equal(get('proc.cwd', 77), './');
  assert.equal(get('proc.fdlimit', 77), 0);
  assert.equal(get('proc.apid', 77), undefined);
  assert.equal(get('proc.vpid', 77), undefined);
  assert.equal(get('proc.nthreads', 77), 0);
  assert.equal(get('proc.name', 4711), undefined);
});
