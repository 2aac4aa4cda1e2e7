import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absoluteCgroup, parseCgroup } from '../../../../server/capture/snapshot/cgroup-reader.ts';
import { kindOf } from '../../../../server/capture/snapshot/fd-types.ts';
import { encodeDev, parseMountInfo } from '../../../../server/capture/snapshot/mount-table.ts';
import { openFlagsOf } from '../../../../server/capture/snapshot/open-flags.ts';
import {
  hexOf,
  integerOf,
  parseFdInfo,
  parseFdLimit,
  parseStat,
  parseStatus,
} from '../../../../server/capture/snapshot/proc-text.ts';

test('a name with parentheses, spaces and newlines ends at the last parenthesis', () => {
  const stat = parseStat('7 (a) R (b)\n) S 1 2 3 34816 -1 2097216 10 0 20 0 0 0 0 0 20 0 4 0 123 0\n');
  assert.equal(stat?.comm, 'a) R (b)\n');
  assert.deepEqual(
    [
      stat?.state,
      stat?.pgid,
      stat?.sid,
      stat?.tty,
      stat?.pfminor,
      stat?.pfmajor,
      stat?.threadCount,
      stat?.startTicks,
    ],
    ['S', 2, 3, 34816, 10, 20, 4, 123],
  );
  assert.equal(stat?.isKernelThread, true);
});

test('a cut stat line is none', () => {
  assert.equal(parseStat(''), undefined);
  assert.equal(parseStat('7 (a) S 1 2'), undefined);
  assert.equal(parseStat(') ('), undefined);
});

test('status gives effective ids, the innermost namespace ids and 64 bits of capabilities', () => {
  const status = parseStatus(
    'Name:\tx\nTgid:\t70\nPPid:\t3\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t10 20 \nNStgid:\t70\t9\t1\nNSpid:\t71\t10\t2\nNSpgid:\t60\nCapPrm:\tffffffffffffffff\nVmRSS:\t  44 kB\n',
  );
  assert.deepEqual(
    [
      status?.pid,
      status?.ptid,
      status?.uid,
      status?.gid,
      status?.groups,
      status?.vpid,
      status?.vtid,
      status?.vpgid,
    ],
    [70, 3, 2, 6, [10, 20], 1, 2, 60],
  );
  assert.equal(status?.capPermitted, 0xffffffffffffffffn);
  assert.equal(status?.vmrssKb, 44);
  assert.equal(parseStatus('Name:\tx\n'), undefined);
});

test('an unlimited number of files is -1', () => {
  assert.equal(
    parseFdLimit('Max open files            1024                 4096                 files'),
    1024,
  );
  assert.equal(parseFdLimit('Max open files            unlimited            unlimited            files'), -1);
  assert.equal(parseFdLimit(''), -1);
});

test('fdinfo: flags are octal, lines of the kind of fd follow', () => {
  assert.deepEqual(parseFdInfo('pos:\t0\nflags:\t02004002\nmnt_id:\t15\nino:\t1057\ntfd: 5 events: 19\n'), {
    flags: 0o2004002,
    mountId: 15,
    ino: 1057,
  });
  assert.deepEqual(parseFdInfo('nonsense'), { flags: 0, mountId: 0, ino: 0 });
});

test('numbers of up to 64 bits stay exact, others are 0', () => {
  assert.equal(integerOf('18446744073709551615'), 18446744073709551615n);
  assert.equal(integerOf('12x'), 0);
  assert.equal(hexOf('ffff888012345678'), 0xffff888012345678n);
  assert.equal(hexOf('zz'), 0);
});

test('mount lines: devices, escapes, file systems that are read-only', () => {
  const [root, share] = parseMountInfo(
    '27 1 259:65537 / / rw,relatime shared:1 - ext4 /dev/root rw\n99 27 0:44 / /a\\040b ro - overlay overlay ro,lowerdir=/l,upperdir=/u\nbroken\n',
  );
  assert.equal(root?.dev, encodeDev(259, 65537));
  assert.deepEqual(
    [share?.id, share?.mountPoint, share?.type, share?.isReadOnly],
    [99, '/a b', 'overlay', true],
  );
});

test('cgroup lines: several subsystems, colons in paths', () => {
  assert.deepEqual(parseCgroup('4:cpu,cpuacct:/a:b\n1:name=systemd:/x\n0::/../../y\nbroken\n'), [
    { subsystems: ['cpu', 'cpuacct'], path: '/a:b' },
    { subsystems: ['name=systemd'], path: '/x' },
    { subsystems: [], path: '/../../y' },
  ]);
});

test('cgroup paths as seen from a namespace of our own', () => {
  const own = '/kubepods/podA/c1';
  assert.equal(absoluteCgroup('/', own), '/kubepods/podA/c1');
  assert.equal(absoluteCgroup('/sub', own), '/kubepods/podA/c1/sub');
  assert.equal(absoluteCgroup('/../c2', own), '/kubepods/podA/c2');
  assert.equal(absoluteCgroup('/../../podB/c3', own), '/kubepods/podB/c3');
  assert.equal(absoluteCgroup('/../../../system.slice/x', own), '/system.slice/x');
  assert.equal(absoluteCgroup('/../../..', own), '/');
  assert.equal(absoluteCgroup('/../../../../../x', own), '/x');
  assert.equal(absoluteCgroup('/../../podB/c3', ''), '/podB/c3');
});

test('kinds of fd by name and mode', () => {
  assert.deepEqual(kindOf('anon_inode:[eventpoll]', 0), [12, '']);
  assert.deepEqual(kindOf('anon_inode:inotify', 0), [13, '']);
  assert.deepEqual(kindOf('anon_inode:bpf-map', 0), [17, '']);
  assert.deepEqual(kindOf('anon_inode:[perf_event]', 0), [10, 'anon_inode:[perf_event]']);
  assert.deepEqual(kindOf('pidfd:[5]', 0), [21, '']);
  assert.deepEqual(kindOf('/memfd:x (deleted)', 0x8000), [20, '/memfd:x (deleted)']);
  assert.deepEqual(kindOf('/tmp/fifo', 0x1000), [7, '/tmp/fifo']);
  assert.deepEqual(kindOf('/tmp', 0x4000), [2, '/tmp']);
  assert.deepEqual(kindOf('/dev/null', 0x2000), [16, '/dev/null']);
});

test('open flags in the schema: access mode, close-on-exec, combinations that contain others', () => {
  assert.equal(openFlagsOf(0), 1);
  assert.equal(openFlagsOf(1 | 0o100 | 0o1000), 2 | 4 | 256);
  assert.equal(openFlagsOf(2 | 0o2000000), 3 | 4096);
  assert.equal(openFlagsOf(0o4010000), 1 | 16 | 128);
});
