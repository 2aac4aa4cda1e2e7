/** A folder that looks like a node's root with a /proc, for readers that take a `hostRoot`. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeThread {
  readonly pid: number;
  readonly tid?: number | undefined;
  readonly comm?: string | undefined;
  readonly ptid?: number | undefined;
  readonly state?: string | undefined;
  /** Flags word of stat. */
  readonly flags?: number | undefined;
  readonly threadCount?: number | undefined;
  readonly startTicks?: number | undefined;
  /** Ids in the innermost pid namespace. */
  readonly vtid?: number | undefined;
  readonly vpid?: number | undefined;
  readonly uid?: number | undefined;
  readonly cmdline?: string | undefined;
  readonly environ?: string | undefined;
  readonly exe?: string | undefined;
  readonly cwd?: string | undefined;
  readonly cgroup?: string | undefined;
}

export class FakeNode {
  readonly root: string;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'fake-node-'));
    mkdirSync(join(this.root, 'proc'), { recursive: true });
    this.write('proc/uptime', '1000.00 2000.00\n');
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Text is a binary string. */
  write(path: string, text: string): void {
    const at = join(this.root, path);
    mkdirSync(join(at, '..'), { recursive: true });
    writeFileSync(at, text, 'latin1');
  }

  link(path: string, target: string): void {
    const at = join(this.root, path);
    mkdirSync(join(at, '..'), { recursive: true });
    symlinkSync(Buffer.from(target, 'latin1'), at);
  }

  addThread(thread: FakeThread): void {
    const { pid } = thread;
    const tid = thread.tid ?? pid;
    const dirs = [`proc/${pid}/task/${tid}`, ...(tid === pid ? [`proc/${pid}`] : [])];
    for (const dir of dirs) this.writeThread(dir, tid, thread);
    if (tid !== pid) this.write(`proc/${tid}/status`, statusText(tid, thread));
  }

  endProcess(pid: number): void {
    rmSync(join(this.root, `proc/${pid}`), { recursive: true, force: true });
  }

  addFd(
    pid: number,
    fd: number,
    target: string,
    info = 'pos:\t0\nflags:\t0100002\nmnt_id:\t25\nino:\t77\n',
  ): void {
    this.link(`proc/${pid}/fd/${fd}`, target);
    this.write(`proc/${pid}/fdinfo/${fd}`, info);
  }

  private writeThread(dir: string, tid: number, thread: FakeThread): void {
    this.write(`${dir}/stat`, statText(tid, thread));
    this.write(`${dir}/status`, statusText(tid, thread));
    this.write(`${dir}/cmdline`, thread.cmdline ?? '/bin/app\0--flag\0value\0');
    this.write(`${dir}/environ`, thread.environ ?? 'HOME=/root\0SECRET=1\0');
    this.write(`${dir}/loginuid`, '1000');
    this.write(
      `${dir}/limits`,
      'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n',
    );
    this.write(`${dir}/cgroup`, thread.cgroup ?? '3:cpu,cpuacct:/user.slice\n');
    this.link(`${dir}/exe`, thread.exe ?? '/bin/app');
    this.link(`${dir}/cwd`, thread.cwd ?? '/srv');
    this.link(`${dir}/root`, '/');
    this.link(`${dir}/ns/net`, 'net:[4026531833]');
    this.link(`${dir}/ns/pid`, 'pid:[4026531836]');
  }
}

function statText(tid: number, thread: FakeThread): string {
  const {
    comm = 'app',
    state = 'S',
    ptid = 1,
    flags = 0x400000,
    threadCount = 1,
    startTicks = 5000,
  } = thread;
  // After the name: state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime prio nice
  // threads itrealvalue starttime.
  return `${tid} (${comm}) ${state} ${ptid} 10 9 34816 -1 ${flags} 111 0 5 0 1 2 0 0 20 0 ${threadCount} 0 ${startTicks} 0 0\n`;
}

function statusText(tid: number, thread: FakeThread): string {
  const { pid, comm = 'app', ptid = 1, uid = 1000 } = thread;
  const inner = (outer: number, own: number | undefined) =>
    own === undefined ? `${outer}` : `${outer}\t${own}`;
  return [
    `Name:\t${comm}`,
    'State:\tS (sleeping)',
    `Tgid:\t${pid}`,
    `Pid:\t${tid}`,
    `PPid:\t${ptid}`,
    `Uid:\t0\t${uid}\t0\t0`,
    'Gid:\t0\t100\t0\t0',
    'Groups:\t4 24 ',
    `NStgid:\t${inner(pid, thread.vpid)}`,
    `NSpid:\t${inner(tid, thread.vtid)}`,
    `NSpgid:\t${inner(10, thread.vpid === undefined ? undefined : 1)}`,
    'VmSize:\t    5000 kB',
    'VmRSS:\t    1200 kB',
    'VmSwap:\t       8 kB',
    'CapInh:\t0000000000000000',
    'CapPrm:\t000001ffffffffff',
    'CapEff:\t0000000000000002',
    '',
  ].join('\n');
}
