import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldValue } from '../../../server/fields/field.ts';
import { FieldError } from '../../../server/fields/field.ts';
import {
  FD_FIFO,
  FD_FILE_V2,
  FD_IPV4_SOCK,
  FD_TIMERFD,
  FD_UNIX_SOCK,
} from '../../../server/state/fd-info.ts';
import type { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';
import { bindField } from '../../helpers/event-fields.ts';

function context(): EventContext {
  const all = new EventContext();
  const { fds } = all.process(1000, 'cat', '/home/');
  fds.set(3, fdOf(FD_FILE_V2, '/etc/passwd'));
  fds.set(4, fdOf(FD_FIFO, ''));
  fds.set(5, fdOf(FD_IPV4_SOCK, '10.0.0.1:5->10.0.0.2:6'));
  fds.set(6, fdOf(FD_TIMERFD, ''));
  fds.set(7, fdOf(FD_FILE_V2, '/'));
  fds.set(8, fdOf(FD_UNIX_SOCK, '/run/s'));
  return all;
}

function value(event: InspectedEvent, field: string): FieldValue {
  return bindField(field)(event);
}

const READ = { res: 5, data: 'a\nb', fd: 3, size: 9 };

describe('the time of an event', () => {
  const ts = 1_700_000_000_123_456_789n;

  it('is text for conditions and nanoseconds in JSON', () => {
    const event = context().show('PPME_SYSCALL_READ_X', READ, { ts });
    assert.equal(value(event, 'evt.time.iso8601'), '2023-11-14T22:13:20.123456789+0000');
    assert.match(value(event, 'evt.time') as string, /^\d\d:\d\d:20\.123456789$/);
    assert.match(value(event, 'evt.time.s') as string, /^\d\d:\d\d:20$/);
    assert.match(value(event, 'evt.datetime') as string, /^2023-11-1\d \d\d:\d\d:20\.123456789$/);
    assert.match(value(event, 'evt.datetime.s') as string, /^2023-11-1\d \d\d:\d\d:20$/);
    assert.equal(bindField('evt.time', 'json')(event), ts);
    assert.equal(value(event, 'evt.rawtime'), ts);
    assert.equal(value(event, 'evt.rawtime.s'), 1_700_000_000);
    assert.equal(value(event, 'evt.rawtime.ns'), 123_456_789);
  });

  it('is exact relative to the first event, and absolute before there is one', () => {
    const event = context().show('PPME_SYSCALL_READ_X', READ, { ts });
    const first = ts - 2_500_000_000n;
    event.firstTsHi = Number(first >> 32n);
    event.firstTsLo = Number(first & 0xffffffffn);
    assert.equal(value(event, 'evt.reltime'), 2_500_000_000);
    assert.equal(value(event, 'evt.reltime.s'), 2);
    assert.equal(value(event, 'evt.reltime.ns'), 500_000_000);
    event.firstTsHi = 0;
    event.firstTsLo = 0;
    assert.equal(value(event, 'evt.reltime'), ts);
    assert.equal(value(event, 'evt.reltime.s'), 1_700_000_000);
    assert.equal(value(event, 'evt.reltime.ns'), 123_456_789);
  });

  it('differs from the event before, and from nothing in JSON', () => {
    const event = context().show('PPME_SYSCALL_READ_X', READ, { ts });
    event.previousTsLo -= 4000;
    assert.equal(value(event, 'evt.deltatime'), 4000);
    assert.equal(value(event, 'evt.deltatime.s'), 0);
    assert.equal(value(event, 'evt.deltatime.ns'), 4000);
    assert.equal(bindField('evt.deltatime', 'json')(event), 0);
  });

  it('is compared with a timestamp in milliseconds', () => {
    const event = context().show('PPME_SYSCALL_READ_X', READ, { ts });
    assert.equal(value(event, `evt.around[${ts + 2_000_001n}]`), 3);
    assert.equal(value(event, `evt.around[${ts}]`), 0);
    assert.throws(() => bindField('evt.around[soon]'), FieldError);
  });
});

describe('the type of an event', () => {
  it('names the call behind a generic event, by native number when its code is unknown', () => {
    const all = context();
    assert.equal(value(all.show('PPME_GENERIC_X', { ID: 0, nativeID: 39 }), 'evt.type'), 'getpid');
    const known = all.show('PPME_GENERIC_X', { ID: 108 });
    assert.equal(value(known, 'evt.type'), 'rt_sigprocmask');
    assert.equal(value(known, 'syscall.type'), 'rt_sigprocmask');
  });

  it('is a system call only for system calls', () => {
    const all = context();
    assert.equal(value(all.show('PPME_SCHEDSWITCH_6_E', { next: 1 }), 'syscall.type'), undefined);
    assert.equal(value(all.show('PPME_SYSCALL_READ_X', READ), 'syscall.type'), 'read');
  });

  it('is the name an asynchronous event brings', () => {
    const event = context().show('PPME_ASYNCEVENT_E', { plugin_id: 0, name: 'container', data: '{}' });
    assert.equal(value(event, 'evt.type'), 'container');
    assert.equal(value(event, 'evt.asynctype'), 'container');
    assert.equal(value(event, 'evt.is_async'), true);
  });

  it('is tested by number or name, and shown in no JSON', () => {
    const event = context().show('PPME_SYSCALL_READ_X', READ);
    assert.equal(value(event, 'evt.type.is.read'), 1);
    assert.equal(value(event, 'evt.type.is[7]'), 1);
    assert.equal(value(event, 'evt.type.is[3]'), 0);
    assert.equal(bindField('evt.type.is[7]', 'json')(event), undefined);
    assert.throws(() => bindField('evt.type.is.reed'), FieldError);
    assert.throws(() => bindField('evt.type.is[9999]'), FieldError);
  });

  it('has a category from the table, and for I/O from the fd', () => {
    const all = context();
    const category = (fdNumber: number) =>
      value(all.show('PPME_SYSCALL_READ_X', READ, { fdNumber }), 'evt.category');
    assert.deepEqual([3, 4, 5, 6, 99].map(category), ['file', 'ipc', 'net', 'unknown', 'unknown']);
    assert.equal(value(all.show('PPME_SYSCALL_BRK_4_X', { res: 0 }), 'evt.category'), 'memory');
    assert.equal(value(all.show('PPME_SYSCALL_PIPE_X', { res: 0 }), 'evt.category'), 'IPC');
  });
});

describe('the result of an event', () => {
  it('is SUCCESS or an errno name, and a number', () => {
    const all = context();
    const failed = all.show('PPME_SYSCALL_CLOSE_X', { res: -9, fd: 99 });
    assert.deepEqual(
      ['evt.res', 'evt.rawres', 'evt.failed', 'evt.count.error'].map((name) => value(failed, name)),
      ['EBADF', -9, true, 1],
    );
    const done = all.show('PPME_SYSCALL_CLOSE_X', { res: 0, fd: 3 });
    assert.deepEqual(
      ['evt.res', 'evt.rawres', 'evt.failed', 'evt.count.error'].map((name) => value(done, name)),
      ['SUCCESS', 0, false, 0],
    );
  });

  it('is absent where a call has none', () => {
    const all = context();
    for (const event of [
      all.show('PPME_GENERIC_X', { ID: 1 }),
      all.show('PPME_PROCEXIT_1_E', { status: 0 }),
      all.show('PPME_SOCKET_GETPEERNAME_X'),
    ]) {
      for (const name of [
        'evt.res',
        'evt.rawres',
        'evt.failed',
        'evt.count.error',
        'evt.count.error.other',
      ]) {
        assert.equal(value(event, name), undefined, name);
      }
    }
  });

  it('counts errors under one heading', () => {
    const all = context();
    const headings = ['file', 'net', 'memory', 'other'].map((name) => `evt.count.error.${name}`);
    const counts = (event: InspectedEvent) => headings.map((name) => value(event, name));
    assert.deepEqual(counts(all.show('PPME_SYSCALL_READ_X', { res: -5 }, { fdNumber: 3 })), [
      1,
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(counts(all.show('PPME_SYSCALL_READ_X', { res: -5 }, { fdNumber: 8 })), [
      undefined,
      1,
      undefined,
      undefined,
    ]);
    assert.deepEqual(counts(all.show('PPME_SYSCALL_READ_X', { res: -5 }, { fdNumber: 4 })), [
      undefined,
      undefined,
      undefined,
      1,
    ]);
    assert.deepEqual(counts(all.show('PPME_SYSCALL_OPENAT_2_X', { fd: -2 })), [
      1,
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(counts(all.show('PPME_SOCKET_CONNECT_X', { res: -2 })), [
      undefined,
      1,
      undefined,
      undefined,
    ]);
    assert.deepEqual(counts(all.show('PPME_SYSCALL_MUNMAP_X', { res: -22 })), [
      undefined,
      undefined,
      1,
      undefined,
    ]);
    assert.deepEqual(counts(all.show('PPME_SYSCALL_CHDIR_X', { res: -2 })), [
      undefined,
      undefined,
      undefined,
      1,
    ]);
  });
});

describe('the payload of an event', () => {
  it('is raw for conditions and dotted for readers', () => {
    const event = context().show('PPME_SYSCALL_READ_X', READ, { fdNumber: 3 });
    assert.equal(value(event, 'evt.buffer'), 'a\nb');
    assert.equal(bindField('evt.buffer', 'json')(event), 'a.b');
    assert.equal(bindField('evt.buffer', 'text')(event), 'a.b');
    assert.equal(value(context().show('PPME_SYSCALL_READ_X', { res: 0, fd: 3 }), 'evt.buffer'), undefined);
  });

  it('has its length by direction and kind of fd', () => {
    const all = context();
    const lengths = (event: InspectedEvent) =>
      ['', '.in', '.out', '.file', '.file.in', '.file.out', '.net', '.net.in', '.net.out'].map((name) =>
        value(event, `evt.buflen${name}`),
      );
    const none = undefined;
    assert.deepEqual(lengths(all.show('PPME_SYSCALL_READ_X', READ, { fdNumber: 3 })), [
      5,
      5,
      none,
      5,
      5,
      none,
      none,
      none,
      none,
    ]);
    assert.deepEqual(lengths(all.show('PPME_SYSCALL_WRITE_X', READ, { fdNumber: 5 })), [
      5,
      none,
      5,
      none,
      none,
      none,
      5,
      none,
      5,
    ]);
    assert.deepEqual(
      lengths(all.show('PPME_SYSCALL_READ_X', { res: -5 }, { fdNumber: 3 })),
      Array(9).fill(none),
    );
    assert.deepEqual(lengths(all.show('PPME_SYSCALL_READ_X', READ)), Array(9).fill(none));
  });

  it('moves in a direction', () => {
    const all = context();
    const flags = (event: InspectedEvent) =>
      ['evt.is_io', 'evt.is_io_read', 'evt.is_io_write', 'evt.io_dir', 'evt.is_wait'].map((name) =>
        value(event, name),
      );
    assert.deepEqual(flags(all.show('PPME_SYSCALL_READ_X', READ)), [true, true, false, 'read', false]);
    assert.deepEqual(flags(all.show('PPME_SYSCALL_WRITE_X', READ)), [true, false, true, 'write', false]);
    assert.deepEqual(flags(all.show('PPME_SYSCALL_POLL_X', { res: 0 })), [
      false,
      false,
      false,
      undefined,
      true,
    ]);
  });
});

describe('arguments of an event', () => {
  it('are found by name and position', () => {
    const event = context().show('PPME_SYSCALL_READ_X', READ);
    assert.equal(value(event, 'evt.arg.fd'), '<f>/etc/passwd');
    assert.equal(value(event, 'evt.arg[3]'), '9');
    assert.equal(value(event, 'evt.arg[4]'), undefined);
    assert.equal(value(event, 'evt.arg.flags'), undefined);
    assert.equal(value(event, 'evt.args'), 'res=5 data=a.b fd=3(<f>/etc/passwd) size=9');
    assert.equal(value(event, 'evt.info'), value(event, 'evt.args'));
    assert.throws(
      () => bindField('evt.arg.flag'),
      (error: FieldError) => error.suggestions.includes('flags'),
    );
  });

  it('keep their types when asked for raw', () => {
    const all = context();
    const open = all.show('PPME_SYSCALL_OPEN_X', { fd: -2, name: '/x', flags: 4097, mode: 0o644 });
    assert.deepEqual(value(open, 'evt.rawarg.flags'), { type: 'uint32', format: 'HEX', value: 4097 });
    assert.deepEqual(value(open, 'evt.rawarg.fd'), { type: 'int64', format: 'DEC', value: -2 });
    assert.deepEqual(value(open, 'evt.rawarg.name'), { type: 'string', format: 'NA', value: '/x' });
    assert.equal(value(open, 'evt.rawarg.data'), undefined);
    const empty = all.show('PPME_SYSCALL_PRCTL_X', { res: 0, option: undefined, arg2_int: 1 });
    assert.deepEqual(value(empty, 'evt.rawarg.option'), { type: 'uint32', format: 'DEC', value: 0 });
    assert.deepEqual(value(empty, 'evt.rawarg.arg2_str'), { type: 'string', format: 'NA', value: '<NA>' });
  });
});

describe('what an open asked for', () => {
  const asked = (event: InspectedEvent) =>
    ['read', 'write', 'exec', 'create'].map((name) => value(event, `evt.is_open_${name}`));
  const open = (flags: number, mode = 0, fd = 3) =>
    asked(context().show('PPME_SYSCALL_OPENAT_2_X', { fd, dirfd: -100, name: '/x', flags, mode }));

  it('follows from its flags and mode', () => {
    assert.deepEqual(open(1), [true, false, false, false]);
    assert.deepEqual(open(2), [false, true, false, false]);
    assert.deepEqual(open(3), [true, true, false, false]);
    assert.deepEqual(open(4 | 2, 0o755), [false, true, true, false]);
    assert.deepEqual(open(2, 0o755), [false, true, false, false]);
    assert.deepEqual(open(16384 | 4 | 2, 0o644), [false, true, false, true]);
    assert.deepEqual(open(8192 | 2, 0o600), [false, true, false, true]);
    assert.deepEqual(open(8192 | 2, 0o600, -13), [false, true, false, false]);
  });

  it('is nothing for other calls, but creat may make a program', () => {
    assert.deepEqual(asked(context().show('PPME_SYSCALL_READ_X', READ)), [false, false, false, false]);
    assert.deepEqual(asked(context().show('PPME_SYSCALL_CREAT_X', { fd: 3, name: '/x', mode: 0o700 })), [
      false,
      false,
      true,
      false,
    ]);
  });
});

describe('absolute paths of *at calls', () => {
  it('start at the directory, for either side', () => {
    const all = context();
    const move = { res: 0, olddirfd: 7, oldpath: 'etc', newdirfd: -100, newpath: 'b/../c', flags: 0 };
    const rename = all.show('PPME_SYSCALL_RENAMEAT2_X', move);
    assert.equal(value(rename, 'evt.abspath.src'), '//etc');
    assert.equal(value(rename, 'evt.abspath[path]'), '//etc');
    assert.equal(value(rename, 'evt.abspath.dst'), '/home/c');
    const open = (dirfd: number, name: string) =>
      value(all.show('PPME_SYSCALL_OPENAT_2_X', { fd: 3, dirfd, name, flags: 1 }), 'evt.abspath[x]');
    assert.equal(open(55, '/a//b/'), '/a/b');
    assert.equal(open(55, 'x'), '<UNKNOWN>/x');
    assert.equal(
      value(all.show('PPME_SYSCALL_UNLINK_2_X', { res: 0, path: 'x' }), 'evt.abspath[x]'),
      undefined,
    );
  });
});

describe('infrastructure events', () => {
  it('are taken apart', () => {
    const description = 'Event: start; ID: 0123456789abcdef; name: web ; Image: nginx@sha256:12';
    const event = context().show('PPME_INFRASTRUCTURE_EVENT_E', {
      source: 'docker',
      name: 'start',
      description,
      scope: '',
    });
    assert.deepEqual(
      ['name', 'container.id', 'container.name', 'container.image'].map((name) =>
        value(event, `evt.infra.docker.${name}`),
      ),
      ['start', '0123456789ab', 'web', 'nginx'],
    );
  });
});

describe('util.cnt', () => {
  it('counts its own evaluations', () => {
    const event = context().show('PPME_SYSCALL_READ_X', READ);
    const first = bindField('util.cnt');
    assert.deepEqual([first(event), first(event), bindField('util.cnt')(event)], [1, 2, 1]);
  });
});
