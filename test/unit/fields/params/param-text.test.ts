import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { argumentsText } from '../../../../server/fields/params/param-text.ts';
import {
  FD_FIFO,
  FD_FILE_V2,
  FD_FLAG_ROLE_CLIENT,
  FD_IPV4_SOCK,
  L4_TCP,
} from '../../../../server/state/fd-info.ts';
import type { InspectedEvent } from '../../../../server/state/inspected-event.ts';
import { type ParamValue, sockaddr, sockTuple, unixTuple } from '../../../helpers/event-builder.ts';
import { EventContext, fdOf } from '../../../helpers/event-context.ts';
import { bindField } from '../../../helpers/event-fields.ts';

/** A process 1000 in /home with files, a pipe and a connection open. */
function context(): EventContext {
  const all = new EventContext();
  all.process(1, 'init');
  const { fds } = all.process(1000, 'cat');
  fds.set(3, fdOf(FD_FILE_V2, '/etc/passwd'));
  fds.set(4, fdOf(FD_FIFO, ''));
  const name = '10.0.0.1:5->10.0.0.2:6';
  fds.set(5, fdOf(FD_IPV4_SOCK, name, { l4proto: L4_TCP, flags: FD_FLAG_ROLE_CLIENT }));
  fds.set(9, fdOf(FD_FILE_V2, '/srv/data'));
  return all;
}

/** One argument of an event of thread 1000, as `evt.arg` and `evt.args` show it. */
function shown(code: string, params: Readonly<Record<string, ParamValue>>, name: string): [string, string] {
  const event = context().show(code, params, { tid: 1000 });
  return [arg(event, name), inArgs(event, name)];
}

function arg(event: InspectedEvent, name: string): string {
  return bindField(`evt.arg.${name}`)(event) as string;
}

function inArgs(event: InspectedEvent, name: string): string {
  const all = argumentsText(event);
  const start = ` ${all}`.indexOf(` ${name}=`) + name.length + 1;
  const next = all.slice(start).search(/ [a-z_0-9]+=/);
  return next < 0 ? all.slice(start) : all.slice(start, start + next);
}

describe('event parameters as text', () => {
  it('names the bits of a flag word without repeating what a group covers', () => {
    const open = (flags: number) =>
      shown('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/x', flags, mode: 0, dev: 0, ino: 1 }, 'flags');
    assert.deepEqual(open(4097), ['O_RDONLY|O_CLOEXEC', '4097(O_RDONLY|O_CLOEXEC)']);
    assert.deepEqual(open(3), ['O_RDWR', '3(O_RDWR)']);
    assert.deepEqual(open(0), ['O_NONE', '0(O_NONE)']);
    assert.deepEqual(open(0x80000000), ['2147483648', '2147483648']);
  });

  it('names every alias of an enumeration and nothing of an unknown value', () => {
    const socket = (domain: number) =>
      shown('PPME_SOCKET_SOCKET_X', { fd: 3, domain, type: 1, proto: 0 }, 'domain');
    assert.deepEqual(socket(2), ['AF_INET', '2(AF_INET)']);
    assert.deepEqual(socket(1), ['AF_LOCAL|AF_UNIX', '1(AF_LOCAL|AF_UNIX)']);
    assert.deepEqual(socket(999), ['999', '999']);
  });

  it('prints modes in octal with the names of their bits', () => {
    assert.deepEqual(shown('PPME_SYSCALL_CHMOD_X', { res: 0, filename: '/x', mode: 0o744 }, 'mode'), [
      'S_IROTH|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR',
      '0744(S_IROTH|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR)',
    ]);
    assert.deepEqual(shown('PPME_SYSCALL_CHMOD_X', { res: 0, filename: '/x', mode: 0 }, 'mode'), ['0', '0']);
  });

  it('names errors and prints other results in decimal', () => {
    const close = (res: number | bigint) => shown('PPME_SYSCALL_CLOSE_X', { res, fd: 7 }, 'res');
    assert.deepEqual(close(-2), ['ENOENT', '-2(ENOENT)']);
    assert.deepEqual(close(5), ['5', '5']);
    assert.deepEqual(close(-9999), ['-9999', '-9999']);
    assert.deepEqual(close(140353482317824n), ['140353482317824', '140353482317824']);
  });

  it('decorates fds with their kind, protocol and name', () => {
    const close = (fd: number) => shown('PPME_SYSCALL_CLOSE_X', { res: 0, fd }, 'fd');
    assert.deepEqual(close(3), ['<f>/etc/passwd', '3(<f>/etc/passwd)']);
    assert.deepEqual(close(4), ['<p>', '4(<p>)']);
    assert.deepEqual(close(5), ['<4t>10.0.0.1:5->10.0.0.2:6', '5(<4t>10.0.0.1:5->10.0.0.2:6)']);
    assert.deepEqual(close(77), ['77', '77']);
    assert.deepEqual(close(-100), ['AT_FDCWD', '-100(AT_FDCWD)']);
    assert.deepEqual(close(-9), ['EBADF', '-9(EBADF)']);
  });

  it('says nothing about fds of an unknown thread', () => {
    const all = new EventContext();
    const event = all.show('PPME_SYSCALL_CLOSE_X', { res: 0, fd: 3 }, { tid: 4711 });
    assert.equal(argumentsText(event), 'res=0 fd=3');
  });

  it('names processes by their command', () => {
    const kill = { spid: 1000, dpid: 1, sig: 9 };
    assert.deepEqual(shown('PPME_SIGNALDELIVER_E', kill, 'dpid'), ['init', '1(init)']);
    assert.deepEqual(shown('PPME_SIGNALDELIVER_E', kill, 'sig'), ['SIGKILL', '9(SIGKILL)']);
    assert.deepEqual(shown('PPME_SIGNALDELIVER_E', { spid: 99, dpid: 1, sig: 77 }, 'spid'), ['99', '99']);
    assert.deepEqual(shown('PPME_SIGNALDELIVER_E', { spid: 99, dpid: 1, sig: 77 }, 'sig'), ['77', '77']);
  });

  it('makes relative paths absolute and leaves absolute ones alone', () => {
    const open = (name: string) => shown('PPME_SYSCALL_CREAT_X', { fd: -2, name, mode: 0o666 }, 'name');
    assert.deepEqual(open('a/../t.tgz'), ['/home/t.tgz', 'a/../t.tgz(/home/t.tgz)']);
    assert.deepEqual(open('/t.tgz'), ['/t.tgz', '/t.tgz']);
    assert.deepEqual(open(''), ['', '']);
    assert.deepEqual(open('<NA>'), ['<NA>', '<NA>']);
  });

  it('starts relative paths at the directory another argument names', () => {
    const chmod = (dirfd: number) =>
      shown('PPME_SYSCALL_FCHMODAT_X', { res: 0, dirfd, filename: 's.py', mode: 0 }, 'filename');
    assert.deepEqual(chmod(9), ['/srv/data/s.py', 's.py(/srv/data/s.py)']);
    assert.deepEqual(chmod(-100), ['/home/s.py', 's.py(/home/s.py)']);
    assert.deepEqual(chmod(55), ['s.py', 's.py(s.py)']);
  });

  it('shows what is not printable in binary data as dots', () => {
    const write = { res: 5, data: 'a\0b\x7f\xff', fd: 3, size: 5 };
    assert.deepEqual(shown('PPME_SYSCALL_WRITE_X', write, 'data'), ['a.b..', 'a.b..']);
  });

  it('writes addresses and tuples of every family', () => {
    const bind = (addr: Buffer) => shown('PPME_SOCKET_BIND_X', { res: 0, addr, fd: 3 }, 'addr')[0];
    assert.equal(bind(sockaddr('127.0.0.1', 80)), '127.0.0.1:80');
    assert.equal(bind(sockaddr('20010db8000000000000000000000003', 1234)), '2001:db8::3:1234');
    assert.equal(bind(Buffer.from('\x01/run/x\0', 'latin1')), '/run/x');
    assert.equal(bind(Buffer.from([16, 0])), 'family 16');
    assert.equal(bind(Buffer.from([2, 0])), 'INVALID IPv4');
    const connect = (tuple: Buffer) => shown('PPME_SOCKET_CONNECT_X', { res: -2, tuple, fd: 44 }, 'tuple')[0];
    assert.equal(connect(sockTuple('10.0.0.1', 1, '10.0.0.2', 65535)), '10.0.0.1:1->10.0.0.2:65535');
    assert.equal(
      connect(sockTuple('00000000000000000000ffff0a000001', 1, '00000000000000000000ffff0a000002', 2)),
      '10.0.0.1:1->10.0.0.2:2',
    );
    assert.equal(
      connect(sockTuple(`${'0'.repeat(31)}1`, 1, `${'f'.repeat(32)}`, 2)),
      `::1:1->${'ffff:'.repeat(8)}2`,
    );
    assert.equal(connect(unixTuple(0n, 0xffff88003c420800n, '/run/s')), '0->ffff88003c420800 /run/s');
    assert.equal(connect(Buffer.from([10, 1])), 'INVALID IPv6');
  });

  it('lists polled fds with their kind and flags', () => {
    const list = Buffer.alloc(2 + 3 * 10);
    list.writeUInt16LE(3, 0);
    for (const [i, fd, flags] of [
      [0, 3, 1],
      [1, 4, 0x1f],
      [2, 60, -1],
    ] as const) {
      list.writeBigInt64LE(BigInt(fd), 2 + i * 10);
      list.writeInt16LE(flags, 10 + i * 10);
    }
    assert.equal(
      shown('PPME_SYSCALL_POLL_X', { res: 1, fds: list, timeout: 0 }, 'fds')[0],
      '3:f1 4:p1f 60:?ffffffff',
    );
    assert.equal(
      shown('PPME_SYSCALL_POLL_X', { res: 1, fds: list.subarray(0, 12), timeout: 0 }, 'fds')[0],
      '3:f1',
    );
  });

  it('prints numbers in the format of the event table', () => {
    assert.deepEqual(shown('PPME_SYSCALL_BRK_4_X', { res: 0x55db0de73000n, vm_size: 1 }, 'res'), [
      '55DB0DE73000',
      '55DB0DE73000',
    ]);
    assert.equal(
      shown('PPME_SYSCALL_GETRLIMIT_X', { res: 0, cur: 8, max: -1n, resource: 3 }, 'max')[0],
      '-1',
    );
    assert.equal(
      shown('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/x', flags: 0, mode: 0o4755 }, 'mode')[0],
      '04755',
    );
  });

  it('resolves users and groups, and knows "unchanged"', () => {
    const all = context();
    all.state.users.set('', 1000, { uid: 1000, gid: 1000, name: 'ann', homedir: '', shell: '' });
    const uid = (value: number) =>
      arg(all.show('PPME_SYSCALL_SETUID_X', { res: 0, uid: value }, { tid: 1000 }), 'uid');
    assert.equal(uid(1000), 'ann');
    assert.equal(uid(4242), '<NA>');
    const event = all.show(
      'PPME_SYSCALL_SETRESGID_X',
      { res: -1, rgid: 0xffffffff, egid: 7, sgid: 7 },
      { tid: 1000 },
    );
    assert.equal(argumentsText(event), 'res=-1(EPERM) rgid=-1(<NONE>) egid=7(<NA>) sgid=7(<NA>)');
  });

  it('says NULL or <NA> for empty values, by type', () => {
    const event = context().show(
      'PPME_SOCKET_SENDTO_X',
      { res: -111, fd: 4, size: 6, tuple: undefined },
      { tid: 1000 },
    );
    assert.equal(argumentsText(event), 'res=-111(ECONNREFUSED) data=NULL fd=4(<p>) size=6');
    const prctl = { res: 0, option: 15, arg2_int: 0 };
    assert.equal(shown('PPME_SYSCALL_PRCTL_X', prctl, 'arg2_str')[0], '<NA>');
  });

  it('reads dynamic values by their own type', () => {
    const val = (bytes: number[]) =>
      shown(
        'PPME_SOCKET_GETSOCKOPT_X',
        { res: 0, fd: 3, level: 1, optname: 8, val: Buffer.from(bytes), optlen: 4 },
        'val',
      )[0];
    assert.equal(val([2, 0, 0x40, 3, 0]), '212992');
    assert.equal(val([1, ...new Array<number>(8).fill(255)]), 'EPERM');
    assert.equal(val([0, 65, 0, 66]), 'A.B');
    assert.equal(val([4, 0, 0xca, 0x9a, 0x3b, 0, 0, 0, 0]), '1s');
    assert.equal(val([200, 1]), 'INVALID DYNAMIC PARAMETER');
  });

  it('shows durations in seconds beside nanoseconds', () => {
    const sleep = (interval: bigint) => shown('PPME_SYSCALL_NANOSLEEP_X', { res: 0, interval }, 'interval');
    assert.deepEqual(sleep(1_500_000_000n), ['1.5s', '1500000000(1.5s)']);
    assert.deepEqual(sleep(1_000n), ['1e-06s', '1000(1e-06s)']);
    assert.deepEqual(sleep(0xffffffffffffffffn), ['none', 'none']);
  });

  it('hides the arguments of generic events but answers for each', () => {
    const event = context().show('PPME_GENERIC_X', { ID: 1, nativeID: 0 }, { tid: 1000 });
    assert.equal(bindField('evt.args')(event), '');
    assert.equal(bindField('evt.arg[0]')(event), bindField('evt.type')(event));
  });
});
