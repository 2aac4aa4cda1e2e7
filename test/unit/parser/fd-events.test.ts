import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FD_EVENTPOLL, FD_FIFO, FD_MEMFD, FD_PIDFD, FD_SIGNALFD } from '../../../server/state/fd-info.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

function withFile(): ParserHarness {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/file', flags: 4097 });
  return harness;
}

test('a closed fd is still seen by the event that closes it', () => {
  const harness = withFile();
  const event = harness.show('PPME_SYSCALL_CLOSE_X', { res: 0, fd: 3 });
  assert.equal(event.fd?.name, '/file');
  assert.equal(harness.thread(1000).fds.size, 1);
  harness.finish();
  assert.equal(harness.thread(1000).fds.size, 0);
});

test('a close that fails closes nothing', () => {
  const harness = withFile();
  const event = harness.send('PPME_SYSCALL_CLOSE_X', { res: -9, fd: 3 });
  assert.equal(event.errorCode, 9);
  assert.equal(harness.thread(1000).fds.size, 1);
});

test('an fd that is not known keeps its number', () => {
  const harness = withFile();
  const event = harness.send('PPME_SYSCALL_CLOSE_X', { res: -9, fd: 77 });
  assert.equal(event.fdNumber, 77);
  assert.equal(event.fd, undefined);
});

test('close_range closes what it covers, unless it only marks', () => {
  const harness = withFile();
  harness.send('PPME_SYSCALL_DUP_1_X', { res: 5, oldfd: 3 });
  harness.send('PPME_SYSCALL_CLOSE_RANGE_X', { res: 0, first: 0, last: 0xffffffff, flags: 4 });
  assert.equal(harness.thread(1000).fds.size, 2);
  harness.send('PPME_SYSCALL_CLOSE_RANGE_X', { res: 0, first: 4, last: 0xffffffff });
  assert.deepEqual(
    [...harness.thread(1000).fds.entries()].map(([fd]) => fd),
    [3],
  );
});

test('dup2 shows the new fd and calls its name not new', () => {
  const harness = withFile();
  const event = harness.send('PPME_SYSCALL_DUP2_X', { res: 7, oldfd: 3, newfd: 7 });
  assert.equal(event.fdNumber, 7);
  assert.equal(event.fd?.name, '/file');
  assert.equal(event.fdNameChanged, false);
  assert.equal(harness.thread(1000).fds.size, 2);
});

test('dup3 without flags clears close-on-exec', () => {
  const harness = withFile();
  const event = harness.send('PPME_SYSCALL_DUP3_X', { res: 7, oldfd: 3, newfd: 7, flags: 0 });
  assert.equal(event.fd?.openFlags, 1);
});

test('exec closes what is marked, however the mark came and went', () => {
  const harness = withFile();
  harness.send('PPME_SYSCALL_DUP2_X', { res: 4, oldfd: 3, newfd: 4 });
  harness.send('PPME_SYSCALL_FCNTL_X', { res: 5, fd: 4, cmd: 26 });
  harness.send('PPME_SYSCALL_FCNTL_X', { res: 6, fd: 4, cmd: 1 });
  harness.send('PPME_SYSCALL_FCNTL_X', { res: 0, fd: 6, cmd: 3, arg: 1 });
  harness.send('PPME_SYSCALL_EPOLL_CREATE1_X', { res: 7, flags: 1 });
  harness.send('PPME_SYSCALL_MEMFD_CREATE_X', { fd: 8, name: 'm', flags: 1 });
  harness.send('PPME_SOCKET_SOCKET_X', { fd: 9, domain: 1, type: 1, proto: 0, flags: 4096 });
  assert.equal(harness.thread(1000).fds.size, 7);
  harness.send('PPME_SYSCALL_EXECVE_19_X', { res: 0, exe: 'x', pid: 1000, comm: 'x' });
  assert.deepEqual(
    [...harness.thread(1000).fds.entries()].map(([fd]) => fd),
    [4],
  );
});

test('fcntl duplicates with F_DUPFD only', () => {
  const harness = withFile();
  harness.send('PPME_SYSCALL_FCNTL_X', { res: 0, fd: 3, cmd: 3 });
  assert.equal(harness.thread(1000).fds.size, 1);
  const event = harness.send('PPME_SYSCALL_FCNTL_X', { res: 10, fd: 3, cmd: 26 });
  assert.equal(event.fdNumber, 10);
  assert.equal(harness.thread(1000).fds.find(10)?.name, '/file');
});

test('pipe2 adds both ends and shows the last', () => {
  const harness = withFile();
  const event = harness.send('PPME_SYSCALL_PIPE2_X', { res: 0, fd1: 4, fd2: 5, ino: 42, flags: 64 });
  assert.equal(event.fdNumber, 5);
  for (const fd of [4, 5]) {
    const row = harness.thread(1000).fds.find(fd);
    assert.equal(row?.type, FD_FIFO);
    assert.equal(row?.ino, 42);
    assert.equal(row?.openFlags, 64);
  }
});

test('calls that make an fd of one kind add it', () => {
  const harness = withFile();
  harness.send('PPME_SYSCALL_EPOLL_CREATE1_X', { res: 4, flags: 0 });
  harness.send('PPME_SYSCALL_SIGNALFD4_X', { res: 5, flags: 64, fd: -1, mask: 0 });
  assert.equal(harness.thread(1000).fds.find(4)?.type, FD_EVENTPOLL);
  assert.equal(harness.thread(1000).fds.find(5)?.type, FD_SIGNALFD);
  assert.equal(harness.thread(1000).fds.find(5)?.openFlags, 64);
});

test('memfd_create names the fd, and nothing is added when it fails', () => {
  const harness = withFile();
  const event = harness.send('PPME_SYSCALL_MEMFD_CREATE_X', { fd: 4, name: 'mem', flags: 1 });
  assert.equal(event.fd?.type, FD_MEMFD);
  assert.equal(event.fd?.name, 'mem');
  harness.send('PPME_SYSCALL_MEMFD_CREATE_X', { fd: -22, name: 'mem', flags: 1 });
  assert.equal(harness.thread(1000).fds.size, 2);
});

test('pidfd_getfd copies the fd of the process the pidfd is for', () => {
  const harness = withFile();
  harness.load({ tid: 2000 });
  harness.send('PPME_SYSCALL_PIDFD_OPEN_X', { fd: 4, pid: 1000, flags: 0 }, { tid: 2000 });
  assert.equal(harness.thread(2000).fds.find(4)?.type, FD_PIDFD);
  assert.equal(harness.thread(2000).fds.find(4)?.name, '/proc/1000');
  const event = harness.send(
    'PPME_SYSCALL_PIDFD_GETFD_X',
    { fd: 9, pid_fd: 4, target_fd: 3, flags: 0 },
    { tid: 2000 },
  );
  assert.equal(event.fd?.name, '/file');
  assert.equal(event.fdNameChanged, false);
});

test('an event that changes nothing leaves the row as it is', () => {
  const harness = withFile();
  const before = harness.thread(1000).fds.find(3);
  harness.send('PPME_SYSCALL_READ_X', { res: 3, data: Buffer.from('abc'), fd: 3, size: 3 });
  assert.equal(harness.thread(1000).fds.find(3), before);
});
