import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FieldError, type FieldValue } from '../../../server/fields/field.ts';
import {
  FD_DIRECTORY,
  FD_FIFO,
  FD_FILE_V2,
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
  FD_FLAG_SOCKET_CONNECTED,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_UNIX_SOCK,
  L4_RAW,
  L4_TCP,
} from '../../../server/state/fd-info.ts';
import type { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { sockTuple } from '../../helpers/event-builder.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';
import { bindField } from '../../helpers/event-fields.ts';

const HERE = '\x0a\0\0\x01';
const THERE = '\x0a\0\0\x02';

/** The machine is 10.0.0.1 and fe80::/64; process 1000 has one fd of most kinds. */
function context(): EventContext {
  const all = new EventContext();
  const row = { netmask: '', broadcast: '', linkSpeed: 0n };
  all.state.interfaces.replace([
    { ...row, name: 'eth0', family: 4, address: HERE },
    { ...row, name: 'eth0', family: 6, address: `\xfe\x80${'\0'.repeat(13)}\x01` },
  ]);
  const { fds } = all.process(1000, 'cat');
  fds.set(3, fdOf(FD_FILE_V2, '/etc/passwd', { rawName: '..//etc///passwd', dev: 0xfd01, ino: 77 }));
  fds.set(4, fdOf(FD_FIFO, 'pipe:[1]'));
  fds.set(
    5,
    fdOf(FD_IPV4_SOCK, 'out', {
      ...ends(HERE, 5, THERE, 80),
      flags: FD_FLAG_ROLE_CLIENT | FD_FLAG_SOCKET_CONNECTED,
    }),
  );
  fds.set(6, fdOf(FD_IPV4_SOCK, 'in', { ...ends(THERE, 6, HERE, 22), flags: FD_FLAG_ROLE_SERVER }));
  fds.set(7, fdOf(FD_IPV4_SOCK, '', { l4proto: L4_TCP }));
  fds.set(8, fdOf(FD_IPV4_SERVSOCK, ':::8', { dip: HERE, dport: 8, l4proto: L4_TCP }));
  fds.set(
    9,
    fdOf(FD_IPV6_SERVSOCK, ':::9', {
      dip: '\0'.repeat(16),
      dport: 9,
      l4proto: L4_TCP,
      flags: FD_FLAG_ROLE_SERVER,
    }),
  );
  fds.set(10, fdOf(FD_UNIX_SOCK, '/run/s', { flags: FD_FLAG_ROLE_SERVER }));
  fds.set(11, fdOf(FD_DIRECTORY, '/srv/data'));
  fds.set(12, fdOf(FD_IPV4_SOCK, 'raw', { l4proto: L4_RAW }));
  return all;
}

function ends(sip: string, sport: number, dip: string, dport: number) {
  return { sip, sport, dip, dport, l4proto: L4_TCP };
}

function use(fdNumber: number): InspectedEvent {
  return context().show('PPME_SYSCALL_READ_X', { res: 0, fd: fdNumber }, { fdNumber });
}

function values(event: InspectedEvent, ...names: string[]): FieldValue[] {
  return names.map((name) => bindField(name)(event));
}

const none = undefined;

describe('an fd', () => {
  it('has a kind, a name and its parts', () => {
    const names = [
      'fd.num',
      'fd.type',
      'fd.typechar',
      'fd.name',
      'fd.directory',
      'fd.filename',
      'fd.nameraw',
    ];
    assert.deepEqual(values(use(3), ...names), [
      3,
      'file',
      'f',
      '/etc/passwd',
      '/etc',
      'passwd',
      '../etc/passwd',
    ]);
    assert.deepEqual(values(use(4), ...names), [4, 'pipe', 'p', 'pipe:[1]', none, none, '']);
    assert.deepEqual(values(use(11), ...names), [11, 'directory', 'd', '/srv/data', '/srv/data', none, '']);
    assert.deepEqual(values(use(99), ...names), [99, none, 'o', '', '/', none, '']);
  });

  it('has a device, an inode and a unique text', () => {
    const event = use(3);
    assert.deepEqual(values(event, 'fd.dev', 'fd.dev.major', 'fd.dev.minor', 'fd.ino', 'fd.uid'), [
      0xfd01,
      253,
      1,
      77,
      '10003',
    ]);
    (event.thread as { containerId: string }).containerId = 'abc';
    assert.deepEqual(values(event, 'fd.containername', 'fd.containerdirectory'), [
      'abc:/etc/passwd',
      'abc:/etc',
    ]);
  });

  it('is absent for events that concern none, and for unknown threads', () => {
    const all = context();
    const brk = all.show('PPME_SYSCALL_BRK_4_X', { res: 0 }, { fdNumber: 3 });
    assert.deepEqual(
      values(brk, 'fd.num', 'fd.name', 'fd.typechar', 'fd.types', 'fd.uid'),
      Array(5).fill(none),
    );
    const stranger = all.show('PPME_SYSCALL_READ_X', { res: 0, fd: 3 }, { tid: 4711, fdNumber: 3 });
    assert.deepEqual(
      values(stranger, 'fd.num', 'fd.name', 'fd.typechar', 'fd.types', 'fd.uid'),
      Array(5).fill(none),
    );
  });

  it('that was not made has the name and kind that were asked for', () => {
    const all = context();
    const names = ['fd.name', 'fd.nameraw', 'fd.directory', 'fd.typechar', 'fd.type'];
    const openat = all.show('PPME_SYSCALL_OPENAT_2_X', { fd: -2, dirfd: 11, name: 'a//b', flags: 1 });
    assert.deepEqual(values(openat, ...names), ['/srv/data/a/b', 'a/b', '/srv/data/a', 'f', none]);
    const open = all.show('PPME_SYSCALL_OPEN_X', { fd: -2, name: '/x/y', flags: 1 });
    assert.deepEqual(values(open, ...names), ['/x/y', '/x/y', '/x', 'o', none]);
    const accept = all.show('PPME_SOCKET_ACCEPT4_6_X', {
      fd: -11,
      tuple: sockTuple('1.1.1.1', 1, '2.2.2.2', 2),
    });
    assert.deepEqual(values(accept, 'fd.name', 'fd.typechar'), ['1.1.1.1:1->2.2.2.2:2', '4']);
  });
});

describe('a connection', () => {
  const addresses = ['fd.cip', 'fd.sip', 'fd.lip', 'fd.rip'];
  const ports = ['fd.cport', 'fd.sport', 'fd.lport', 'fd.rport'];
  const services = ['fd.cproto', 'fd.sproto', 'fd.lproto', 'fd.rproto'];

  it('has client and server, local and remote ends', () => {
    assert.deepEqual(values(use(5), ...addresses, ...ports), [HERE, THERE, HERE, THERE, 5, 80, 5, 80]);
    assert.deepEqual(values(use(6), ...addresses, ...ports), [THERE, HERE, HERE, THERE, 6, 22, 22, 6]);
    assert.deepEqual(values(use(5), 'fd.is_server', 'fd.connected'), [false, true]);
    assert.deepEqual(values(use(6), 'fd.is_server', 'fd.connected'), [true, false]);
  });

  it('without a role has no ends, and its protocol is not known unless raw', () => {
    assert.deepEqual(values(use(7), ...addresses, ...ports, ...services), Array(12).fill(none));
    assert.deepEqual(values(use(7), 'fd.l4proto', 'fd.sockfamily'), ['<NA>', 'ip']);
    assert.deepEqual(values(use(12), 'fd.l4proto'), ['raw']);
    assert.deepEqual(values(use(5), 'fd.l4proto'), ['tcp']);
  });

  it('shows services as port numbers, those of listening sockets not at all', () => {
    assert.deepEqual(values(use(5), ...services), ['5', '80', '5', '80']);
    assert.deepEqual(values(use(8), ...services), [none, '', none, none]);
    assert.deepEqual(values(use(9), ...services), ['', '', none, none]);
    assert.deepEqual(values(use(10), ...services), ['', none, none, none]);
  });

  it('that is listened for has a server end only', () => {
    assert.deepEqual(values(use(9), ...addresses, ...ports), [
      none,
      '\0'.repeat(16),
      none,
      none,
      none,
      9,
      none,
      none,
    ]);
    assert.deepEqual(values(use(9), 'fd.is_server', 'fd.typechar', 'fd.type'), [true, '6', 'ipv6']);
    assert.deepEqual(values(use(10), 'fd.sockfamily', 'fd.is_server'), ['unix', false]);
  });

  it('answers for either end in conditions and prints nothing', () => {
    assert.deepEqual(values(use(5), 'fd.ip', 'fd.net', 'fd.port', 'fd.proto'), [
      [HERE, THERE],
      [HERE, THERE],
      [5, 80],
      [5, 80],
    ]);
    assert.deepEqual(values(use(8), 'fd.ip', 'fd.port'), [[HERE], [8]]);
    assert.deepEqual(values(use(7), 'fd.ip'), [['\0\0\0\0', '\0\0\0\0']]);
    for (const form of ['json', 'text'] as const) assert.equal(bindField('fd.ip', form)(use(5)), none);
  });

  it('is local by subnet for IPv6, and never in a container', () => {
    const all = context();
    const thread = all.state.threads.find(1000);
    assert.ok(thread);
    const near = `\xfe\x80${'\0'.repeat(6)}abcdefgh`;
    thread.fds.set(
      13,
      fdOf(FD_IPV6_SOCK, '', { ...ends('f'.repeat(16), 1, near, 2), flags: FD_FLAG_ROLE_CLIENT }),
    );
    const show = () => all.show('PPME_SYSCALL_READ_X', { res: 0, fd: 13 }, { fdNumber: 13 });
    assert.deepEqual(values(show(), 'fd.is_server', 'fd.rip'), [true, 'f'.repeat(16)]);
    thread.containerId = 'abc';
    assert.deepEqual(values(show(), 'fd.is_server'), [false]);
  });
});

describe('fd.types', () => {
  it('lists every kind once, newest fd first', () => {
    assert.deepEqual(values(use(3), 'fd.types'), [['ipv4', 'directory', 'unix', 'ipv6', 'pipe', 'file']]);
  });

  it('answers for one fd', () => {
    assert.deepEqual(values(use(3), 'fd.types[4]', 'fd.types[99]'), [['pipe'], none]);
    assert.throws(() => bindField('fd.types[x]'), FieldError);
  });

  it('is absent when nothing is open', () => {
    const all = new EventContext();
    all.process(1000, 'cat');
    assert.deepEqual(values(all.show('PPME_SYSCALL_READ_X', { res: 0, fd: 3 }), 'fd.types'), [none]);
  });
});
