import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FdEntry } from '../../../server/event/snapshot.ts';
import { InitialState } from '../../../server/parser/initial-state.ts';
import {
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
  FD_FLAG_SOCKET_CONNECTED,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SOCK,
  FD_UNIX_SOCK,
  FD_UNKNOWN,
  L4_TCP,
} from '../../../server/state/fd-info.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { TEST_LIMITS, threadEntry } from '../../helpers/parser-harness.ts';
import { fdRow } from '../../helpers/scap-rows.ts';

function ip(...bytes: readonly number[]): string {
  return String.fromCharCode(...bytes);
}

function fdEntry(entry: Partial<FdEntry>): FdEntry {
  return fdRow({ ino: 0, ...entry });
}

function begin(): { state: OsState; initial: InitialState } {
  const state = new OsState(TEST_LIMITS);
  return { state, initial: new InitialState(state) };
}

test('threads are linked to their process and parent whatever their order', () => {
  const { state, initial } = begin();
  initial.onThread(threadEntry({ tid: 1001, pid: 1000, ptid: 1 }));
  initial.onThread(
    threadEntry({ tid: 1000, ptid: 1, cwd: '/home/../srv', env: 'A=1\0', exepath: '/x (deleted)' }),
  );
  initial.onThread(threadEntry({ tid: 1, ptid: 0 }));
  initial.finish();
  const main = state.threads.find(1000);
  const thread = state.threads.find(1001);
  assert.equal(main?.threadCount, 1);
  assert.equal(main?.cwd, '/srv/');
  assert.equal(main?.exepath, '/x');
  assert.equal(thread?.fds, main?.fds);
  assert.deepEqual(thread?.env, []);
  assert.deepEqual([...(state.threads.find(1)?.children ?? [])].sort(), [1000, 1001]);
});

test('a parent that is not there becomes 0', () => {
  const { state, initial } = begin();
  initial.onThread(threadEntry({ tid: 1000, ptid: 77 }));
  initial.finish();
  assert.equal(state.threads.find(1000)?.ptid, 0);
});

test('fds may come before their thread, and those without one are counted', () => {
  const { state, initial } = begin();
  initial.onFds(1000, [fdEntry({ name: '/a', dev: 5, openFlags: 1 }), fdEntry({ fd: 4, type: FD_UNKNOWN })]);
  initial.onThread(threadEntry({ tid: 1000 }));
  initial.onFds(2000, [fdEntry({}), fdEntry({ fd: 4 })]);
  initial.finish();
  assert.equal(state.threads.find(1000)?.fds.find(3)?.dev, 5);
  assert.equal(state.threads.find(1000)?.fds.size, 1);
  assert.equal(initial.fdsWithoutThread, 2);
});

test('a connection on a port the node listens on is turned to run from its client', () => {
  const { state, initial } = begin();
  initial.onThread(threadEntry({ tid: 1000 }));
  const local = ip(10, 0, 0, 1);
  const peer = ip(9, 9, 9, 9);
  const tcp = { type: FD_IPV4_SOCK, l4proto: L4_TCP };
  initial.onFds(1000, [
    fdEntry({ fd: 3, type: FD_IPV4_SERVSOCK, dip: ip(0, 0, 0, 0), dport: 80, l4proto: L4_TCP }),
    fdEntry({ fd: 4, ...tcp, sip: local, sport: 80, dip: peer, dport: 4000 }),
    fdEntry({ fd: 5, ...tcp, sip: local, sport: 5000, dip: peer, dport: 443 }),
  ]);
  initial.finish();
  const fds = state.threads.find(1000)?.fds;
  assert.equal(fds?.find(3)?.name, '0.0.0.0:80');
  assert.equal(fds?.find(4)?.name, '9.9.9.9:4000->10.0.0.1:80');
  assert.equal(fds?.find(5)?.name, '10.0.0.1:5000->9.9.9.9:443');
  const roles = FD_FLAG_ROLE_CLIENT | FD_FLAG_ROLE_SERVER | FD_FLAG_SOCKET_CONNECTED;
  assert.equal((fds?.find(4)?.flags ?? 0) & roles, FD_FLAG_ROLE_SERVER | FD_FLAG_SOCKET_CONNECTED);
  assert.equal((fds?.find(5)?.flags ?? 0) & roles, FD_FLAG_ROLE_CLIENT | FD_FLAG_SOCKET_CONNECTED);
});

test('IPv6 sockets are named by their own addresses, or as the IPv4 they wrap', () => {
  const { state, initial } = begin();
  initial.onThread(threadEntry({ tid: 1000 }));
  const loopback = `${'\0'.repeat(15)}\x01`;
  const wrap = (address: string) => `${'\0'.repeat(10)}\xff\xff${address}`;
  initial.onFds(1000, [
    fdEntry({ fd: 3, type: FD_IPV6_SOCK, sip: loopback, sport: 1, dip: loopback, dport: 2 }),
    fdEntry({
      fd: 4,
      type: FD_IPV6_SOCK,
      sip: wrap(ip(1, 2, 3, 4)),
      sport: 1,
      dip: wrap(ip(5, 6, 7, 8)),
      dport: 2,
    }),
  ]);
  initial.finish();
  const fds = state.threads.find(1000)?.fds;
  assert.equal(fds?.find(3)?.name, '::1:1->::1:2');
  assert.equal(fds?.find(4)?.name, '1.2.3.4:1->5.6.7.8:2');
  assert.equal(fds?.find(4)?.type, FD_IPV4_SOCK);
});

test('a unix socket with a path is a server, one without a client', () => {
  const { state, initial } = begin();
  initial.onThread(threadEntry({ tid: 1000 }));
  initial.onFds(1000, [
    fdEntry({ fd: 3, type: FD_UNIX_SOCK, name: '/run/s' }),
    fdEntry({ fd: 4, type: FD_UNIX_SOCK }),
  ]);
  initial.finish();
  const fds = state.threads.find(1000)?.fds;
  assert.notEqual((fds?.find(3)?.flags ?? 0) & FD_FLAG_ROLE_SERVER, 0);
  assert.notEqual((fds?.find(4)?.flags ?? 0) & FD_FLAG_ROLE_CLIENT, 0);
});

test('a full thread table refuses the rest and counts it', () => {
  const state = new OsState({ ...TEST_LIMITS, threadsMax: 1 });
  const initial = new InitialState(state);
  initial.onThread(threadEntry({ tid: 1 }));
  initial.onThread(threadEntry({ tid: 2 }));
  initial.finish();
  assert.equal(state.threads.size, 1);
  assert.equal(state.threads.counters.refused, 1);
});

test('a new section replaces the threads', () => {
  const { state, initial } = begin();
  initial.onThread(threadEntry({ tid: 1000 }));
  initial.finish();
  initial.onSectionStart();
  initial.onThread(threadEntry({ tid: 2000 }));
  initial.onSectionReady();
  assert.equal(state.threads.find(1000), undefined);
  assert.equal(state.threads.find(2000)?.threadGroup?.aliveCount, 1);
});
