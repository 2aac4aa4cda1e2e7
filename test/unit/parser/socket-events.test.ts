import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FD_FLAG_CONNECTION_FAILED,
  FD_FLAG_CONNECTION_PENDING,
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
  FD_FLAG_SOCKET_CONNECTED,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SOCK,
  FD_UNIX_SOCK,
  L4_TCP,
  L4_UDP,
} from '../../../server/state/fd-info.ts';
import { sockaddr, sockTuple, unixTuple } from '../../helpers/event-builder.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

const LOCALHOST6 = '00000000000000000000000000000001';

function withSocket(domain: number, type: number): ParserHarness {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  harness.send('PPME_SOCKET_SOCKET_X', { fd: 3, domain, type, proto: 0, flags: 0 });
  return harness;
}

function flagsOf(harness: ParserHarness, fd = 3): number {
  return harness.thread(1000).fds.find(fd)?.flags ?? 0;
}

test('connect names the socket from client to server', () => {
  const harness = withSocket(2, 1);
  assert.equal(harness.thread(1000).fds.find(3)?.l4proto, L4_TCP);
  const tuple = sockTuple('10.0.0.1', 5000, '1.2.3.4', 80);
  const event = harness.send('PPME_SOCKET_CONNECT_X', { res: 0, tuple, fd: 3 });
  assert.equal(event.fd?.name, '10.0.0.1:5000->1.2.3.4:80');
  assert.equal(event.fdNameChanged, true);
  assert.equal(flagsOf(harness), FD_FLAG_ROLE_CLIENT | FD_FLAG_SOCKET_CONNECTED);
});

test('a refused connection changes nothing', () => {
  const harness = withSocket(2, 1);
  const tuple = sockTuple('10.0.0.1', 5000, '1.2.3.4', 80);
  const event = harness.send('PPME_SOCKET_CONNECT_X', { res: -111, tuple, fd: 3 });
  assert.equal(event.fd?.name, '');
  assert.equal(flagsOf(harness), 0);
});

test('IPv6 tuples that wrap IPv4 become IPv4', () => {
  const harness = withSocket(10, 1);
  const wrap = (tail: string) => `00000000000000000000ffff${tail}`;
  const tuple = sockTuple(wrap('0a000001'), 5000, wrap('01020304'), 80);
  const event = harness.send('PPME_SOCKET_CONNECT_X', { res: 0, tuple, fd: 3 });
  assert.equal(event.fd?.type, FD_IPV4_SOCK);
  assert.equal(event.fd?.name, '10.0.0.1:5000->1.2.3.4:80');
});

test('IPv6 tuples keep their own names', () => {
  const harness = withSocket(10, 1);
  const tuple = sockTuple(LOCALHOST6, 5000, LOCALHOST6, 80);
  const event = harness.send('PPME_SOCKET_CONNECT_X', { res: 0, tuple, fd: 3 });
  assert.equal(event.fd?.type, FD_IPV6_SOCK);
  assert.equal(event.fd?.name, '::1:5000->::1:80');
});

test('an address another thread changed during the call is not believed', () => {
  const harness = withSocket(2, 1);
  harness.send('PPME_SOCKET_CONNECT_E', { fd: 3, addr: sockaddr('1.2.3.4', 80) });
  const event = harness.send('PPME_SOCKET_CONNECT_X', {
    res: 0,
    tuple: sockTuple('10.0.0.1', 5000, '6.6.6.6', 80),
    fd: 3,
    addr: sockaddr('6.6.6.6', 80),
  });
  assert.equal(event.fd?.name, '10.0.0.1:5000->1.2.3.4:80');
});

test('without a tuple the address of the enter event is what is known', () => {
  const harness = withSocket(2, 1);
  harness.send('PPME_SOCKET_CONNECT_E', { fd: 3, addr: sockaddr('1.2.3.4', 80) });
  const event = harness.send('PPME_SOCKET_CONNECT_X', { res: 0, fd: 3 });
  assert.equal(event.fd?.dport, 80);
  assert.equal(event.fd?.dip, '\x01\x02\x03\x04');
});

test('a unix socket is named by its pointers and path', () => {
  const harness = withSocket(1, 1);
  const tuple = unixTuple(0xffff880000000001n, 0x10n, '/run/a\x01b');
  const event = harness.send('PPME_SOCKET_CONNECT_X', { res: 0, tuple, fd: 3 });
  assert.equal(event.fd?.name, 'ffff880000000001->10 /run/ab');
  assert.equal(event.fd?.type, FD_UNIX_SOCK);
});

test('bind with a port makes a listener, without one it only names', () => {
  const harness = withSocket(2, 1);
  harness.send('PPME_SOCKET_BIND_X', { res: 0, addr: sockaddr('0.0.0.0', 0), fd: 3 });
  assert.equal(harness.thread(1000).fds.find(3)?.type, FD_IPV4_SOCK);
  const event = harness.send('PPME_SOCKET_BIND_X', { res: 0, addr: sockaddr('0.0.0.0', 80), fd: 3 });
  assert.equal(event.fd?.type, FD_IPV4_SERVSOCK);
  assert.equal(event.fd?.name, '0.0.0.0:80');
  assert.equal(event.fd?.dport, 80);
  assert.equal(flagsOf(harness), FD_FLAG_ROLE_SERVER);
});

test('accept adds the connection with the process as the server', () => {
  const harness = withSocket(2, 1);
  const tuple = sockTuple('9.9.9.9', 4000, '10.0.0.1', 80);
  const event = harness.send('PPME_SOCKET_ACCEPT4_6_X', { fd: 4, tuple });
  assert.equal(event.fdNumber, 4);
  assert.equal(event.fd?.name, '9.9.9.9:4000->10.0.0.1:80');
  assert.equal(event.fdNameChanged, true);
  assert.equal(flagsOf(harness, 4), FD_FLAG_ROLE_SERVER | FD_FLAG_SOCKET_CONNECTED);
});

test('socketpair adds both ends and shows the first', () => {
  const harness = withSocket(1, 1);
  const event = harness.send('PPME_SOCKET_SOCKETPAIR_X', { res: 0, fd1: 5, fd2: 6, source: 1, peer: 2 });
  assert.equal(event.fdNumber, 6);
  assert.equal(event.fd, harness.thread(1000).fds.find(5));
  assert.equal(harness.thread(1000).fds.find(6)?.unixPeer, 2);
});

test('a send on an unknown fd makes a UDP socket of it', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000 });
  const event = harness.send('PPME_SOCKET_SENDTO_X', {
    res: 1,
    data: Buffer.from('x'),
    fd: 8,
    size: 1,
    tuple: sockTuple('10.0.0.1', 5000, '8.8.8.8', 53),
  });
  assert.equal(event.fd?.l4proto, L4_UDP);
  assert.equal(event.fd?.name, '10.0.0.1:5000->8.8.8.8:53');
  assert.equal(flagsOf(harness, 8), FD_FLAG_ROLE_CLIENT | FD_FLAG_SOCKET_CONNECTED);
});

test('the answer to a datagram does not turn the connection round', () => {
  const harness = withSocket(2, 2);
  const out = sockTuple('10.0.0.1', 5000, '8.8.8.8', 53);
  const back = sockTuple('8.8.8.8', 53, '10.0.0.1', 5000);
  harness.send('PPME_SOCKET_SENDTO_X', { res: 1, data: Buffer.from('x'), fd: 3, size: 1, tuple: out });
  const event = harness.send('PPME_SOCKET_RECVFROM_X', {
    res: 1,
    data: Buffer.from('x'),
    tuple: back,
    fd: 3,
  });
  assert.equal(event.fd?.name, '10.0.0.1:5000->8.8.8.8:53');
  assert.equal(event.fdNameChanged, false);
});

test('an unset source address is taken from the interface of the subnet', () => {
  const harness = withSocket(2, 2);
  const bytes = (...values: number[]) => String.fromCharCode(...values);
  const common = { family: 4, broadcast: '', linkSpeed: 0n } as const;
  harness.state.interfaces.replace([
    { ...common, name: 'lo', address: bytes(127, 0, 0, 1), netmask: bytes(255, 0, 0, 0) },
    { ...common, name: 'eth0', address: bytes(10, 0, 0, 5), netmask: bytes(255, 255, 255, 0) },
  ]);
  const tuple = sockTuple('0.0.0.0', 5000, '10.0.0.9', 53);
  const event = harness.send('PPME_SOCKET_SENDTO_X', {
    res: 1,
    data: Buffer.from('x'),
    fd: 3,
    size: 1,
    tuple,
  });
  assert.equal(event.fd?.name, '10.0.0.5:5000->10.0.0.9:53');
});

test('data on a named TCP socket changes nothing', () => {
  const harness = withSocket(2, 1);
  const tuple = sockTuple('10.0.0.1', 5000, '1.2.3.4', 80);
  harness.send('PPME_SOCKET_CONNECT_X', { res: 0, tuple, fd: 3 });
  const before = harness.thread(1000).fds.find(3);
  const other = sockTuple('10.0.0.1', 1, '1.2.3.4', 2);
  harness.send('PPME_SOCKET_SEND_X', { res: 1, data: Buffer.from('x'), fd: 3, size: 1, tuple: other });
  assert.equal(harness.thread(1000).fds.find(3), before);
  assert.equal(before?.name, '10.0.0.1:5000->1.2.3.4:80');
});

test('a connection in progress is followed to its end when that is asked for', () => {
  const harness = new ParserHarness({}, { tracksConnectionStatus: true });
  harness.load({ tid: 1000 });
  harness.send('PPME_SOCKET_SOCKET_X', { fd: 3, domain: 2, type: 1, proto: 0, flags: 0 });
  const status = FD_FLAG_CONNECTION_PENDING | FD_FLAG_CONNECTION_FAILED | FD_FLAG_SOCKET_CONNECTED;
  const tuple = sockTuple('10.0.0.1', 5000, '1.2.3.4', 80);
  harness.send('PPME_SOCKET_CONNECT_X', { res: -115, tuple, fd: 3 });
  assert.equal(flagsOf(harness) & status, FD_FLAG_CONNECTION_PENDING);
  const value = Buffer.alloc(9);
  value[0] = 1;
  value.writeBigInt64LE(-111n, 1);
  harness.send('PPME_SOCKET_GETSOCKOPT_X', { res: 0, fd: 3, level: 1, optname: 4, val: value, optlen: 4 });
  assert.equal(flagsOf(harness) & status, FD_FLAG_CONNECTION_FAILED);
});

test('fds handed over a unix socket are reported, and a malformed message is not read beyond its end', () => {
  const passed: (readonly [number, readonly number[]])[] = [];
  const harness = new ParserHarness({}, { onPassedFds: (tid, fds) => passed.push([tid, fds]) });
  harness.load({ tid: 1000 });
  harness.send('PPME_SOCKET_SOCKET_X', { fd: 3, domain: 1, type: 1, proto: 0, flags: 0 });
  const control = Buffer.alloc(24);
  control.writeBigUInt64LE(24n, 0);
  control.writeInt32LE(1, 8);
  control.writeInt32LE(1, 12);
  control.writeInt32LE(5, 16);
  control.writeInt32LE(6, 20);
  const params = { res: 1, size: 1, tuple: unixTuple(1n, 2n, ''), fd: 3 };
  harness.send('PPME_SOCKET_RECVMSG_X', { ...params, msgcontrol: control });
  control.writeBigUInt64LE(4000n, 0);
  harness.send('PPME_SOCKET_RECVMSG_X', { ...params, msgcontrol: control });
  assert.deepEqual(passed, [[1000, [5, 6]]]);
});
