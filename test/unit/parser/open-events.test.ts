import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FD_DIRECTORY, FD_FILE_V2, FD_FLAG_OVERLAY_UPPER } from '../../../server/state/fd-info.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

test('open adds the file under the working directory and names it new', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000, cwd: '/home' });
  const event = harness.show('PPME_SYSCALL_OPEN_X', { fd: 3, name: 'a/../b', flags: 1, dev: 7, ino: 99 });
  assert.equal(event.fdNumber, 3);
  assert.equal(event.fd?.name, '/home/b');
  assert.equal(event.fd?.rawName, 'a/../b');
  assert.equal(event.fd?.type, FD_FILE_V2);
  assert.equal(event.fd?.dev, 7);
  assert.equal(event.fd?.ino, 99);
  assert.equal(event.fdNameChanged, true);
});

test('a failed open adds nothing and gives the errno', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  const event = harness.show('PPME_SYSCALL_OPEN_X', { fd: -2, name: '/a', flags: 1 });
  assert.equal(event.errorCode, 2);
  assert.equal(event.fd, undefined);
  assert.equal(event.fdNumber, -1);
  assert.equal(harness.thread(1000).fds.size, 0);
});

test('openat starts from the directory fd', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000, cwd: '/home' });
  harness.send('PPME_SYSCALL_OPENAT_2_X', { fd: 3, dirfd: -100, name: 'd', flags: 1024 });
  assert.equal(harness.thread(1000).fds.find(3)?.type, FD_DIRECTORY);
  const event = harness.show('PPME_SYSCALL_OPENAT_2_X', { fd: 4, dirfd: 3, name: 'f', flags: 32769 });
  assert.equal(event.fd?.name, '/home/d/f');
  assert.notEqual((event.fd?.flags ?? 0) & FD_FLAG_OVERLAY_UPPER, 0);
});

test('openat from an unknown directory says so', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  const event = harness.show('PPME_SYSCALL_OPENAT_2_X', { fd: 4, dirfd: 9, name: 'f', flags: 1 });
  assert.equal(event.fd?.name, '<UNKNOWN>/f');
});

test('the path read at enter wins over the one at exit, the flags of the kernel stay', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  harness.send('PPME_SYSCALL_OPENAT_2_E', { dirfd: -100, name: '/real', flags: 1 });
  const event = harness.send('PPME_SYSCALL_OPENAT_2_X', {
    fd: 3,
    dirfd: -100,
    name: '/forged',
    flags: 16386,
  });
  assert.equal(event.fd?.name, '/real');
  assert.equal(event.fd?.openFlags, 16385);
  assert.equal(harness.parser.counters.storedEventsUsed, 1);
});

test('an enter event is used once', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  harness.send('PPME_SYSCALL_OPEN_E', { name: '/first', flags: 1 });
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/x', flags: 1 });
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 4, name: '/second', flags: 1 });
  assert.equal(harness.thread(1000).fds.find(3)?.name, '/first');
  assert.equal(harness.thread(1000).fds.find(4)?.name, '/second');
});

test('open_by_handle_at has an absolute path of its own', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  const event = harness.show('PPME_SYSCALL_OPEN_BY_HANDLE_AT_X', {
    fd: 5,
    mountfd: 4,
    flags: 1,
    path: '/tmp/x',
    dev: 1,
    ino: 2,
  });
  assert.equal(event.fd?.name, '/tmp/x');
  assert.equal(event.fd?.ino, 2);
});

test('a full fd table refuses the fd and counts it, and the stream goes on', () => {
  const harness = new ParserHarness({ fdsPerProcessMax: 1 });
  harness.load({ tid: 1000 });
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/a', flags: 1 });
  const event = harness.send('PPME_SYSCALL_OPEN_X', { fd: 4, name: '/b', flags: 1 });
  assert.equal(event.fd, undefined);
  assert.equal(event.fdNumber, 4);
  assert.equal(harness.state.threads.fdCounters.refused, 1);
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/c', flags: 1 });
  assert.equal(harness.thread(1000).fds.find(3)?.name, '/c');
});
