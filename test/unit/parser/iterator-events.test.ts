import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FD_EVENTPOLL,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_UNSUPPORTED,
} from '../../../server/state/fd-info.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

/** Both ids of a task in one header word: pid above, tid below. */
function ids(tid: number, pid: number): bigint {
  return (BigInt(pid) << 32n) | BigInt(tid);
}

const TASK = {
  ppid: 1,
  pgid: 1000,
  vpgid: 1000,
  sid: 1000,
  comm: 'task',
  argv: 'task\0-v\0x',
  exepath: '/bin/task',
  flags: 1,
  env: 'A=1',
  cwd: '/home',
  euid: 5,
  vtgid: 1000,
  vpid: 1000,
  cgroups: 'cpu=/',
  start_time: 77n,
  loginuid: 5,
};

test('a task event fills a placeholder and keeps its fds', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 });
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/a', flags: 1 });
  harness.send('PPME_ITER_TASK_E', TASK, { tid: ids(1000, 1000) });
  const row = harness.thread(1000);
  assert.equal(row.isPlaceholder, false);
  assert.deepEqual(row.args, ['-v', 'x']);
  assert.deepEqual([row.comm, row.exe, row.cwd, row.uid, row.cloneTsNs], ['task', 'task', '/home/', 5, 77n]);
  assert.equal(row.exeWritable, true);
  assert.equal(row.fds.find(3)?.name, '/a');
  assert.deepEqual([...harness.thread(1).children], [1000]);
});

test('a task event does not touch a thread the stream keeps up to date', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000, comm: 'known' });
  harness.send('PPME_ITER_TASK_E', TASK, { tid: ids(1000, 1000) });
  assert.equal(harness.thread(1000).comm, 'known');
});

test('file events add the fds of a task', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  const options = { tid: ids(1000, 1000) };
  const socket = {
    sk_type: 1,
    sk_proto: 6,
    local_ip: Buffer.from([10, 0, 0, 1]),
    local_port: 80,
    ino_num: 9,
  };
  const none = Buffer.alloc(4);
  harness.send('PPME_ITER_TASK_FILE_REGULAR_E', { fd: 3, path: '/f', flags: 1, ino_num: 8 }, options);
  harness.send(
    'PPME_ITER_TASK_FILE_SOCKET_INET_E',
    { fd: 4, ...socket, remote_ip: none, remote_port: 0 },
    options,
  );
  harness.send(
    'PPME_ITER_TASK_FILE_SOCKET_INET_E',
    { fd: 5, ...socket, remote_ip: Buffer.from([1, 2, 3, 4]), remote_port: 9 },
    options,
  );
  harness.send('PPME_ITER_TASK_FILE_ANON_INODE_E', { fd: 6, fd_type: 2, path: 'x', ino_num: 7 }, options);
  harness.send('PPME_ITER_TASK_FILE_ANON_INODE_E', { fd: 7, fd_type: 0, path: 'odd', ino_num: 7 }, options);
  const { fds } = harness.thread(1000);
  assert.equal(fds.find(3)?.name, '/f');
  assert.deepEqual([fds.find(4)?.type, fds.find(4)?.name], [FD_IPV4_SERVSOCK, '10.0.0.1:80']);
  assert.deepEqual([fds.find(5)?.type, fds.find(5)?.name], [FD_IPV4_SOCK, '10.0.0.1:80->1.2.3.4:9']);
  assert.equal(fds.find(6)?.type, FD_EVENTPOLL);
  assert.deepEqual([fds.find(7)?.type, fds.find(7)?.name], [FD_UNSUPPORTED, 'odd']);
});
