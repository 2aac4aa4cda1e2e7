/** What the probe tells about processes, against /proc and what the processes were made to do. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG } from '../../server/capture/ebpf/probe-abi.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { type RawEvent, RawProbe } from './helpers/raw-probe.ts';

const CASES = join(import.meta.dirname, 'workload/process_cases.py');
const CLONE_FILES = 1;
const CLONE_THREAD = 1 << 13;
const CLONE_VFORK = 1 << 27;
const CHILD_IN_PIDNS = 1 << 29;
const EXE_WRITABLE = 1;
const EXE_UPPER_LAYER = 2;
const EXE_FROM_MEMFD = 4;
const EXE_LOWER_LAYER = 8;
const SIGUSR1 = 10;
const SIGTERM = 15;
const SIGSEGV = 11;
const SETTLE_TRIES = 200;

const live = liveOrSkip('python3', 'unshare');
const onX64 = process.arch === 'x64' ? live : { skip: 'no 32-bit calls on this architecture' };
let probe: RawProbe;
let python: string;
let folder: string;

before(() => {
  if (live.skip !== false) return;
  // The interpreter itself: what `python3` names may be a script of many processes.
  python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  folder = mkdtempSync(join(tmpdir(), 'process-probe-'));
  probe = new RawProbe({
    tracepoints: ['tp_fork', 'tp_exec', 'tp_exit', 'tp_signal'],
    syscalls: ['clone', 'clone3', 'fork', 'vfork', 'execve', 'execveat'],
    wantsEnv: true,
  });
});

after(() => {
  if (live.skip !== false) return;
  const totals = probe.probe.totals();
  probe.close();
  rmSync(folder, { recursive: true, force: true });
  assert.equal(totals.failed, 0);
  assert.equal(totals.dropped, 0);
});

/** Events of a process and of all it started. */
function treeOf(pid: number, events: readonly RawEvent[]): RawEvent[] {
  const tids = new Set([pid]);
  return events.filter(({ tid, params }) => {
    // The child's side of a clone comes first: it is known by its process or its parent.
    const isOurs = [tid, params['pid'], params['ptid']].some((id) => tids.has(Number(id)));
    if (isOurs) tids.add(tid);
    return isOurs;
  });
}

function run(command: string, ...args: string[]): { pid: number; events: RawEvent[] } {
  probe.drain();
  const { pid } = spawnSync(command, args, { env: {} });
  return { pid, events: treeOf(pid, probe.drain()) };
}

const runCase = (...args: string[]) => run(python, CASES, ...args);

const named = (events: readonly RawEvent[], name: string): RawEvent[] =>
  events.filter(({ code }) => code.includes(name));

function lastExec(events: readonly RawEvent[]): RawEvent {
  const event = named(events, '_EXECVE').at(-1);
  assert.ok(event !== undefined, 'no exec');
  return event;
}

/** The two sides of the last clone: the child's and the caller's. */
function cloneSides(events: readonly RawEvent[]): { child: RawEvent; caller: RawEvent } {
  const caller = events
    .filter(({ params }) => 'pidns_init_start_ts' in params && Number(params['res']) > 0)
    .at(-1);
  assert.ok(caller !== undefined, 'no clone');
  const child = events.find(({ tid, params }) => tid === Number(caller.params['res']) && 'vtid' in params);
  assert.ok(child !== undefined, 'no child');
  assert.equal(child.code, caller.code);
  assert.equal(child.params['res'], 0);
  return { child, caller };
}

const items = (value: unknown): string[] =>
  String(value ?? '')
    .split('\0')
    .slice(0, -1);
const proc = (pid: number, name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
const statusOf = (pid: number, key: string): string =>
  new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(proc(pid, 'status'))?.[1] ?? '';
/** Fields of /proc/PID/stat from the third on. */
const statFields = (pid: number): string[] =>
  proc(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
const big = (value: unknown): bigint => BigInt(value as number | bigint);

/** Runs a program that stays, hands its pid over, ends it. */
async function whileRunning(
  args: readonly string[],
  comm: string,
  look: (pid: number) => void,
): Promise<RawEvent> {
  probe.drain();
  const child = spawn(python, [CASES, ...args], { env: {}, stdio: 'ignore' });
  const pid = child.pid ?? 0;
  try {
    for (let i = 0; i < SETTLE_TRIES && proc(pid, 'comm').trim() !== comm; i++) await sleep(10);
    look(pid);
  } finally {
    child.kill('SIGKILL');
  }
  return lastExec(treeOf(pid, probe.drain()));
}

/** "name=path" as the probe tells it, from the lines of /proc/PID/cgroup. */
function cgroupsOf(pid: number): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of proc(pid, 'cgroup').trim().split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of controllers.split(',')) paths.set(name === 'blkio' ? 'io' : name, path);
  }
  return paths;
}

test('an executed program is what /proc shows of it', live, async () => {
  const expected: Record<string, unknown> = {};
  let cgroups = new Map<string, string>();
  let started = 0;
  const { params, tid } = await whileRunning(['program', join(folder, 'cwd')], 'sleep', (pid) => {
    const [, ppid, pgrp] = statFields(pid);
    const exe = readlinkSync(`/proc/${pid}/exe`);
    const file = statSync(exe, { bigint: true });
    const [exeText = '', ...args] = proc(pid, 'cmdline').split('\0').slice(0, -1);
    Object.assign(expected, {
      res: 0n,
      exe: exeText,
      args: args.map((text) => `${text}\0`).join(''),
      tid: BigInt(pid),
      pid: BigInt(pid),
      ptid: BigInt(ppid ?? 0),
      fdlimit: 321n,
      comm: 'sleep',
      env: proc(pid, 'environ'),
      tty: 0n,
      vpgid: BigInt(pgrp ?? 0),
      loginuid: BigInt(proc(pid, 'loginuid')),
      flags: 0n,
      cap_inheritable: BigInt(`0x${statusOf(pid, 'CapInh')}`),
      cap_permitted: BigInt(`0x${statusOf(pid, 'CapPrm')}`),
      cap_effective: BigInt(`0x${statusOf(pid, 'CapEff')}`),
      exe_ino: file.ino,
      exe_ino_ctime: file.ctimeNs,
      exe_ino_mtime: file.mtimeNs,
      uid: 65534n,
      trusted_exepath: exe,
      pgid: BigInt(pgrp ?? 0),
      gid: 65533n,
      filename: '/bin/sleep',
    });
    cgroups = cgroupsOf(pid);
    started = pid;
  });
  assert.equal(tid, started);
  const told = Object.fromEntries(
    Object.keys(expected).map((key) => {
      const value = params[key];
      return [key, typeof value === 'number' ? BigInt(value) : value];
    }),
  );
  assert.deepEqual(told, expected);
  const list = items(params['cgroups']).map((item) => item.split('='));
  assert.deepEqual(
    list.map(([name]) => name),
    ['cpuset', 'cpu', 'cpuacct', 'io', 'memory'].filter((name) => list.some(([own]) => own === name)),
  );
  for (const [name = '', path] of list) if (cgroups.has(name)) assert.equal(path, cgroups.get(name), name);
});

test('a thread shares its process', live, () => {
  const { pid, events } = runCase('thread');
  const { child, caller } = cloneSides(events);
  assert.equal(child.params['pid'], pid);
  assert.equal(child.params['tid'], child.tid);
  assert.equal(child.params['vpid'], pid);
  assert.notEqual(child.tid, pid);
  assert.equal(caller.tid, pid);
  for (const side of [child, caller]) {
    assert.equal(Number(side.params['flags']) & (CLONE_THREAD | CLONE_FILES), CLONE_THREAD | CLONE_FILES);
    assert.deepEqual(items(side.params['args']), [CASES, 'thread']);
  }
  assert.ok(child.timestampNs <= caller.timestampNs);
  assert.equal(named(events, 'PROCEXIT').length, 2);
});

test('posix_spawn is told on both sides before the program runs', live, () => {
  const { pid, events } = runCase('spawn');
  const { child, caller } = cloneSides(events);
  assert.equal(child.params['ptid'], pid);
  assert.notEqual(Number(caller.params['flags']) & CLONE_VFORK, 0);
  const exec = lastExec(events);
  assert.equal(exec.tid, child.tid);
  assert.deepEqual([exec.params['exe'], items(exec.params['args'])], ['true', ['x']]);
  assert.ok(events.indexOf(child) < events.indexOf(exec));
});

test('a pid namespace has ids and a start of its own', live, () => {
  const { events } = run('unshare', '--pid', '--fork', '/bin/true');
  const { child, caller } = cloneSides(events);
  assert.deepEqual([child.params['vtid'], child.params['vpid']], [1, 1]);
  assert.notEqual(Number(child.params['flags']) & CHILD_IN_PIDNS, 0);
  assert.notEqual(Number(caller.params['flags']) & CHILD_IN_PIDNS, 0);
  const uptimeNs = BigInt(Math.round(Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1e9));
  const startedNs = big(child.params['pidns_init_start_ts']);
  assert.ok(startedNs > uptimeNs - 10_000_000_000n && startedNs <= uptimeNs + 1_000_000_000n);
  assert.equal(caller.params['pidns_init_start_ts'], 0);
});

test('a program in memory has a name instead of a path', live, () => {
  const { code, params } = lastExec(runCase('memory').events);
  assert.equal(code, 'PPME_SYSCALL_EXECVEAT_X');
  assert.equal(params['trusted_exepath'], 'memfd:payload');
  assert.equal(params['exe'], 'in memory');
  assert.equal(params['flags'], EXE_WRITABLE | EXE_FROM_MEMFD);
});

test('a deleted program keeps its path', live, () => {
  const path = join(folder, 'gone');
  assert.equal(lastExec(runCase('deleted', path).events).params['trusted_exepath'], path);
});

test('the path of a program in a changed root is that of its mount namespace', live, () => {
  const root = join(folder, 'root');
  mkdirSync(root);
  copyFileSync('/bin/true', join(root, 'inner'));
  const libraries = execFileSync('ldd', ['/bin/true'], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const library of libraries) {
    mkdirSync(dirname(join(root, library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
  const { params } = lastExec(runCase('rooted', root).events);
  assert.equal(params['filename'], '/inner');
  assert.equal(params['trusted_exepath'], join(root, 'inner'));
});

test('a path of a hundred folders is whole', live, () => {
  const root = join(folder, 'deep');
  mkdirSync(root);
  const { params } = lastExec(runCase('deep', root, '100').events);
  const folders = Array.from({ length: 100 }, (_, i) => `d${i}`).join('/');
  assert.equal(params['trusted_exepath'], `${root}/${folders}/t`);
  assert.equal(params['filename'], './t');
});

test('200 arguments are whole, a megabyte is cut and counted', live, () => {
  const few = lastExec(runCase('arguments', '200', '9').events);
  assert.deepEqual(
    items(few.params['args']),
    Array.from({ length: 200 }, (_, i) => `${i}`.padEnd(9, '-')),
  );
  const cutBefore = probe.probe.totals().truncated;
  const many = lastExec(runCase('arguments', '1000', '1000').events);
  assert.equal(`${many.params['exe']}\0${many.params['args']}`.length, 32_767);
  assert.ok(probe.probe.totals().truncated > cutBefore);
  assert.equal(many.params['filename'], '/bin/true');
});

test('a failed exec tells what was to be run, and by whom', live, () => {
  const { params } = lastExec(runCase('missing').events);
  assert.equal(params['res'], -2);
  assert.deepEqual([params['exe'], items(params['args'])], ['prog', ['a b', '', 'c']]);
  assert.deepEqual(items(params['env']), ['E=F']);
  assert.equal(params['filename'], '/nonexistent/prog');
  assert.equal(basename(String(params['trusted_exepath'])), basename(readlinkOr(python)));
  const at = lastExec(runCase('missing_at').events);
  assert.equal(at.code, 'PPME_SYSCALL_EXECVEAT_X');
  assert.deepEqual([at.params['res'], at.params['exe'], at.params['args']], [-2, 'zero', 'one\0']);
});

const readlinkOr = (path: string): string =>
  execFileSync('readlink', ['-f', path], { encoding: 'utf8' }).trim();

test('32-bit calls are told like those of 64 bits', onX64, () => {
  const { child } = cloneSides(runCase('fork32').events);
  assert.equal(child.code, 'PPME_SYSCALL_FORK_20_X');
  const failed = lastExec(runCase('exec32', '/nonexistent').events);
  assert.deepEqual([failed.params['res'], failed.params['exe'], failed.params['args']], [-2, 'a0', 'arg1\0']);
  const done = lastExec(runCase('exec32', '/bin/true').events);
  assert.deepEqual([done.params['res'], done.params['exe'], done.params['args']], [0, 'a0', 'arg1\0']);
});

test('who ends before its children names their new parent', live, () => {
  const ownInit = 1;
  const orphaned = (reaper: string): [number, RawEvent] => {
    const { pid, events } = runCase('orphan', reaper);
    const exit = named(events, 'PROCEXIT').find(({ params }) => params['ret'] === 2);
    assert.ok(exit !== undefined);
    return [pid, exit];
  };
  const [, byInit] = orphaned('init');
  assert.ok(Number(byInit.params['reaper_tid']) >= ownInit);
  const [pid, bySubreaper] = orphaned('subreaper');
  assert.equal(bySubreaper.params['reaper_tid'], pid);
  assert.deepEqual([bySubreaper.params['status'], bySubreaper.params['sig']], [2 << 8, 0]);
});

test('a program executed by a thread takes over the process', live, () => {
  const { pid, events } = runCase('exec_in_thread');
  const exec = lastExec(events);
  assert.equal(exec.tid, pid);
  assert.deepEqual(items(exec.params['args']), ['from thread']);
});

test('signals name sender and receiver, an end by signal its number', live, () => {
  const { pid, events } = runCase('signalled');
  const signals = named(events, 'SIGNALDELIVER').map(({ params }) => [
    params['sig'],
    params['spid'],
    params['dpid'],
  ]);
  assert.deepEqual(signals, [
    [SIGUSR1, 0, pid],
    [SIGTERM, pid, pid],
  ]);
  assert.equal(named(events, 'PROCEXIT').at(-1)?.params['ret'], 5);
  const end = named(runCase('killed').events, 'PROCEXIT').at(-1);
  assert.deepEqual([end?.params['sig'], end?.params['ret']], [SIGSEGV, 0]);
});

test('layers of an overlay are told apart', live, (t) => {
  const lower = join(folder, 'lower');
  const upper = join(folder, 'upper');
  const work = join(folder, 'work');
  const merged = join(folder, 'merged');
  const space = join(folder, 'space');
  mkdirSync(space);
  // The file system of the temporary folder may be an overlay itself.
  if (spawnSync('mount', ['-t', 'tmpfs', 'none', space]).status !== 0) return t.skip('no tmpfs');
  try {
    for (const path of [lower, upper, work, merged]) mkdirSync(path.replace(folder, space));
    const at = (path: string): string => path.replace(folder, space);
    copyFileSync('/bin/true', join(at(lower), 'below'));
    const options = `lowerdir=${at(lower)},upperdir=${at(upper)},workdir=${at(work)}`;
    if (spawnSync('mount', ['-t', 'overlay', 'none', '-o', options, at(merged)]).status !== 0)
      return t.skip('no overlay');
    try {
      copyFileSync('/bin/true', join(at(merged), 'above'));
      const flags = (name: string): unknown => lastExec(run(join(at(merged), name)).events).params['flags'];
      assert.equal(flags('below'), EXE_WRITABLE | EXE_LOWER_LAYER);
      assert.equal(flags('above'), EXE_WRITABLE | EXE_UPPER_LAYER);
      const { params } = lastExec(run(join(at(merged), 'above')).events);
      assert.equal(params['trusted_exepath'], join(at(merged), 'above'));
    } finally {
      spawnSync('umount', [at(merged)]);
    }
  } finally {
    spawnSync('umount', [space]);
  }
});

test('a name to suppress hides the program and what it starts, but not its end', live, () => {
  const quiet = new RawProbe({
    tracepoints: ['tp_fork', 'tp_exec', 'tp_exit'],
    syscalls: ['clone', 'execve'],
    comms: ['quiet'],
  });
  try {
    const path = join(folder, 'quiet');
    copyFileSync('/bin/sh', path);
    const { pid } = spawnSync(path, ['-c', '/bin/true; (/bin/true)']);
    const events = treeOf(pid, quiet.drain());
    assert.deepEqual(named(events, '_EXECVE'), []);
    assert.deepEqual(
      named(events, 'PROCEXIT').map(({ tid }) => tid),
      [pid],
    );
    assert.ok(quiet.probe.totals().suppressed > 0);
  } finally {
    quiet.close();
  }
});

test(
  'a suppressed process hides what it does and starts, but not its end: its row must leave',
  live,
  async () => {
    const quiet = new RawProbe({
      tracepoints: ['tp_fork', 'tp_exec', 'tp_exit'],
      syscalls: ['clone', 'execve'],
    });
    try {
      const shell = spawn('/bin/sh', ['-c', 'read line; (/bin/true); exec /bin/true'], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      const pid = shell.pid ?? 0;
      quiet.probe.suppress(pid);
      quiet.probe.config.writeUInt32LE(1, CONFIG.suppressedCount);
      quiet.drain();
      shell.stdin.end('go\n');
      await once(shell, 'exit');
      const events = treeOf(pid, quiet.drain());
      assert.equal(events.length, 1);
      assert.deepEqual(
        named(events, 'PROCEXIT').map(({ tid }) => tid),
        [pid],
      );
      assert.ok(quiet.probe.totals().suppressed >= 3);
    } finally {
      quiet.close();
    }
  },
);

test('a cgroup of ten levels is whole', live, (t) => {
  const hierarchy = '/sys/fs/cgroup/memory';
  const path = `/process-probe-${process.pid}${'/level'.repeat(9)}`;
  try {
    mkdirSync(`${hierarchy}${path}`, { recursive: true });
  } catch {
    return t.skip('no hierarchy of version 1 to write to');
  }
  try {
    const script = `echo $$ > ${hierarchy}${path}/cgroup.procs; exec /bin/true`;
    const cgroups = items(lastExec(run('/bin/sh', '-c', script).events).params['cgroups']);
    assert.ok(cgroups.includes(`memory=${path}`), cgroups.join(' '));
  } finally {
    for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) rmdirSync(`${hierarchy}${at}`);
  }
});

test('page faults and switches are told, and leave other records whole', onX64, () => {
  const busy = new RawProbe({
    tracepoints: ['tp_exec', 'tp_switch', 'tp_page_fault_user', 'tp_page_fault_kernel'],
    syscalls: ['execve', 'openat', 'read'],
  });
  try {
    busy.drain();
    const { pid } = spawnSync('/bin/sh', ['-c', 'exec /bin/ls /']);
    const events = busy.drain().filter(({ tid }) => tid === pid);
    const faults = named(events, 'PAGE_FAULT');
    assert.ok(faults.length > 10);
    const USER_FAULT = 16;
    const SUPERVISOR_FAULT = 32;
    const modes = new Set(
      faults.map(({ params }) => Number(params['error']) & (USER_FAULT | SUPERVISOR_FAULT)),
    );
    assert.deepEqual([...modes].sort(), [USER_FAULT, SUPERVISOR_FAULT]);
    for (const { params } of faults) assert.ok(big(params['addr']) >= 0n && big(params['ip']) > 0n);
    const switches = named(events, 'SCHEDSWITCH');
    assert.ok(switches.length > 0);
    for (const { params } of switches)
      assert.ok(Number(params['next']) >= 0 && params['vm_size'] !== undefined);
    assert.deepEqual(
      named(events, '_EXECVE').map(({ params }) => params['trusted_exepath']),
      ['/bin/sh', '/bin/ls'].map(readlinkOr),
    );
    assert.ok(named(events, '_OPENAT').some(({ params }) => String(params['name']).endsWith('libc.so.6')));
    assert.equal(busy.probe.totals().failed, 0);
  } finally {
    busy.close();
  }
});
