import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import {
  collectSnapshot,
  type SnapshotOptions,
} from '../../../../server/capture/snapshot/collect-snapshot.ts';
import type { FdEntry, SnapshotSink, ThreadEntry } from '../../../../server/event/snapshot.ts';
import { FakeNode } from '../../../helpers/fake-proc.ts';

let node: FakeNode;

beforeEach(() => {
  node = new FakeNode();
});
afterEach(() => node.remove());

interface Collected {
  readonly threads: Map<number, ThreadEntry>;
  readonly fds: Map<number, readonly FdEntry[]>;
}

async function collect(options: SnapshotOptions = {}): Promise<Collected> {
  const threads = new Map<number, ThreadEntry>();
  const fds = new Map<number, readonly FdEntry[]>();
  const sink: SnapshotSink = {
    onMachine: () => undefined,
    onInterfaces: () => undefined,
    onUser: () => undefined,
    onGroup: () => undefined,
    onThread: (entry) => threads.set(entry.tid, entry),
    onFds: (tid, entries) => fds.set(tid, entries),
  };
  const clock = { bootEpochNs: 1_000_000_000_000n, nowNs: () => 2_000_000_000_000n };
  await collectSnapshot(sink, { hostRoot: node.root, source: 'procfs', clock, ...options });
  return { threads, fds };
}

test('every field of a thread', async () => {
  node.addThread({ pid: 50 });
  const { threads } = await collect();
  assert.deepEqual(threads.get(50), {
    tid: 50,
    pid: 50,
    ptid: 1,
    sid: 9,
    vpgid: 10,
    pgid: 10,
    comm: 'app',
    exe: '/bin/app',
    exepath: '/bin/app',
    args: '--flag\0value\0',
    cwd: '/srv',
    fdlimit: 1024,
    flags: 0,
    uid: 1000,
    gid: 100,
    vmsizeKb: 5000,
    vmrssKb: 1200,
    vmswapKb: 8,
    pfmajor: 5,
    pfminor: 111,
    env: '',
    vtid: 50,
    vpid: 50,
    cgroups: 'cpu=/user.slice\0cpuacct=/user.slice\0',
    root: '/',
    pidnsInitStartNs: 1_000_000_000_000n,
    tty: 34816,
    loginuid: 1000,
    exeWritable: false,
    capInheritable: 0,
    capPermitted: 0x1ffffffffff,
    capEffective: 2,
    exeUpperLayer: false,
    exeIno: 0,
    exeInoCtimeNs: 0n,
    exeInoMtimeNs: 0n,
    exeFromMemfd: false,
    exeLowerLayer: false,
    startTsNs: 1_050_000_000_000n,
    isDead: false,
  });
});

test('kernel threads and zombies are left out, a dead main thread with living threads is not', async () => {
  node.addThread({ pid: 2, flags: 0x200040, comm: 'kthreadd' });
  node.addThread({ pid: 60, state: 'Z' });
  node.addThread({ pid: 70, state: 'Z', threadCount: 2 });
  node.addThread({ pid: 70, tid: 71, threadCount: 2 });
  const { threads } = await collect();
  assert.deepEqual([...threads.keys()], [70, 71]);
  assert.equal(threads.get(70)?.isDead, true);
  assert.equal(threads.get(71)?.flags, 8193);
});

test('environment variables are read when asked for, and only those allowed', async () => {
  node.addThread({ pid: 50, environ: 'HOME=/root\0SECRET=1\0LC_ALL=C\0LC_TIME=de\0' });
  assert.equal((await collect()).threads.get(50)?.env, '');
  const { threads } = await collect({ environment: { allow: ['HOME', 'LC_*'] } });
  assert.equal(threads.get(50)?.env, 'HOME=/root\0LC_ALL=C\0LC_TIME=de\0');
});

test('arguments are cut at the limit, bytes are kept as they are', async () => {
  node.addThread({ pid: 50, cmdline: 'p\xff\0abc\0def\0', comm: 'n\xe4 (x' });
  const { threads } = await collect({ argsBytesMax: 5 });
  assert.deepEqual(
    [threads.get(50)?.exe, threads.get(50)?.args, threads.get(50)?.comm],
    ['p\xff', 'ab', 'n\xe4 (x'],
  );
});

test('the init of a pid namespace dates the namespace of its descendants', async () => {
  node.addThread({ pid: 80, vtid: 1, vpid: 1, startTicks: 7000 });
  node.addThread({ pid: 81, vtid: 5, vpid: 5, ptid: 80, startTicks: 8000 });
  const { threads } = await collect();
  assert.deepEqual([threads.get(81)?.vtid, threads.get(81)?.vpid, threads.get(81)?.vpgid], [5, 5, 1]);
  assert.equal(threads.get(81)?.pidnsInitStartNs, 1_070_000_000_000n);
});

test('fds: files, directories, pipes, sockets joined with their addresses, anonymous inodes', async () => {
  node.addThread({ pid: 50 });
  node.write('data/file', 'x');
  node.write('proc/50/mountinfo', '25 1 8:17 / / rw - ext4 /dev/sdb1 rw\n');
  node.write('proc/50/net/tcp', 'h\n   0: 0100007F:0050 00000000:0000 0A 0:0 0:0 0 0 0 4711 1\n');
  node.addFd(50, 0, `${node.root}/data/file`);
  node.addFd(50, 1, `${node.root}/data`);
  node.addFd(50, 2, 'pipe:[99]', 'flags:\t02000001\n');
  node.addFd(50, 3, 'socket:[4711]');
  node.addFd(50, 4, 'socket:[4712]');
  node.addFd(50, 5, 'anon_inode:[eventfd]');
  const { fds } = await collect();
  const rows = new Map(fds.get(50)?.map((entry) => [entry.fd, entry]));
  const shown = (fd: number) => {
    const row = rows.get(fd);
    return [row?.type, row?.name.replace(node.root, ''), row?.ino, row?.openFlags];
  };
  assert.deepEqual(shown(0), [16, '/data/file', 77, 2051]);
  assert.deepEqual([rows.get(0)?.mountId, rows.get(0)?.dev], [25, (8 << 8) | 17]);
  assert.deepEqual(shown(1), [2, '/data', 77, 2051]);
  assert.deepEqual(shown(2), [7, 'pipe:[99]', 99, 2 | 4096]);
  assert.deepEqual([...shown(3), rows.get(3)?.dport], [5, '', 4711, 2051, 80]);
  assert.deepEqual(shown(4), [10, 'socket:[4712]', 4712, 2051]);
  assert.deepEqual(shown(5), [9, '', 77, 2051]);
});

test('reading times are reported: rows, then fds, then the end', async () => {
  node.addThread({ pid: 50 });
  node.addThread({ pid: 50, tid: 51 });
  const calls: string[] = [];
  await collect({
    reads: {
      onThreadRead: (tid, pid, startNs) => calls.push(`thread ${tid} ${pid} ${startNs}`),
      onFdsRead: (tid) => calls.push(`fds ${tid}`),
      onComplete: () => calls.push('complete'),
    },
  });
  // Files of the fake do not say that the process has two threads: the second is found by the last listing.
  assert.deepEqual(calls, ['thread 50 50 1050000000000', 'thread 51 50 1050000000000', 'complete']);
});

test('excluded processes are not delivered', async () => {
  node.addThread({ pid: 50 });
  node.addThread({ pid: 51 });
  const { threads } = await collect({ excludedPids: new Set([50]) });
  assert.deepEqual([...threads.keys()], [51]);
});

test('cgroups of the unified hierarchy: a controller belongs to the nearest folder that has it', async () => {
  node.write('proc/1/mountinfo', '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n');
  node.write('proc/1/root/sys/fs/cgroup/cgroup.controllers', 'cpu memory pids\n');
  node.write('proc/1/root/sys/fs/cgroup/a/cgroup.controllers', 'memory pids\n');
  node.write('proc/1/root/sys/fs/cgroup/a/b/cgroup.controllers', 'memory\n');
  node.addThread({ pid: 50, cgroup: '0::/a/b\n' });
  const { threads } = await collect();
  assert.equal(threads.get(50)?.cgroups, 'memory=/a/b\0pids=/a\0cpu=/\0');
});

test('a cgroup of the unified hierarchy without controllers is told by itself, the root is not', async () => {
  node.write('proc/1/mountinfo', '30 1 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n');
  node.write('proc/1/root/sys/fs/cgroup/unified/cgroup.controllers', 'hugetlb\n');
  node.write('proc/1/root/sys/fs/cgroup/unified/a/cgroup.controllers', '\n');
  node.addThread({ pid: 50, cgroup: '2:memory:/m\n0::/a\n' });
  node.addThread({ pid: 51, cgroup: '2:memory:/\n0::/\n' });
  const { threads } = await collect();
  assert.equal(threads.get(50)?.cgroups, 'memory=/m\0hugetlb=/\0=/a\0');
  assert.equal(threads.get(51)?.cgroups, 'memory=/\0hugetlb=/\0');
});

test('sockets are read again when the process they were read through has gone meanwhile', async () => {
  node.addThread({ pid: 50 });
  node.addThread({ pid: 51 });
  // A zombie has no namespaces any more, and its tables are empty.
  rmSync(`${node.root}/proc/50/ns`, { recursive: true });
  node.write('proc/51/net/tcp', 'h\n   0: 0100007F:0050 00000000:0000 0A 0:0 0:0 0 0 0 4711 1\n');
  node.addFd(50, 3, 'socket:[4711]');
  node.addFd(51, 3, 'socket:[4711]');
  const { fds } = await collect();
  assert.deepEqual([fds.get(50)?.[0]?.type, fds.get(51)?.[0]?.type], [10, 5]);
});
