/** What the probe tells about sockets and I/O, against what a program knows about its own calls. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { liveOrSkip } from './helpers/live-permission.ts';
import { type RawEvent, RawProbe, type RawValue } from './helpers/raw-probe.ts';
import { fdListText, sockaddrText, tupleText } from './helpers/socket-text.ts';

interface ExpectedCall {
  /** End of the event's constant. */
  readonly event: string;
  /** Null: an empty parameter. Parameters not named may be anything. */
  readonly params: Readonly<Record<string, number | string | null>>;
}

const CALLS = join(import.meta.dirname, 'workload/socket_calls.py');
/** The program expects its data cut to it. */
const SNAPLEN = 4000;
const SYSCALLS = [
  ...['socket', 'bind', 'connect', 'accept4', 'sendto', 'recvfrom', 'sendmsg', 'recvmsg', 'sendmmsg'],
  ...['recvmmsg', 'socketpair', 'read', 'write', 'close', 'pread64', 'pwrite64', 'readv', 'writev', 'preadv'],
  ...['pwritev', 'pipe2', 'poll', 'ppoll', 'send', 'recv'],
];

/** What a program did, and what the probe told of it. */
interface Run {
  readonly events: readonly RawEvent[];
  readonly calls: readonly ExpectedCall[];
}

const live = liveOrSkip('python3');
const onX64 = process.arch === 'x64' ? live : { skip: 'no 32-bit calls on this architecture' };
let native: Run = { events: [], calls: [] };
let compat: Run = native;

before(() => {
  if (live.skip !== false) return;
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).trim();
  const folder = mkdtempSync(join(tmpdir(), 'socket-probe-'));
  const probe = new RawProbe({ tracepoints: [], syscalls: SYSCALLS, snaplen: SNAPLEN });
  after(() => {
    probe.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const run = (...args: string[]): Run => {
    const child = spawnSync(python, ['-I', CALLS, folder, ...args], { encoding: 'utf8' });
    assert.equal(child.status, 0, child.stderr);
    return {
      events: probe.drain().filter(({ tid }) => tid === child.pid),
      calls: child.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as ExpectedCall),
    };
  };
  native = run();
  if (process.arch === 'x64') compat = run('compat');
  const { dropped, failed } = probe.probe.totals();
  assert.deepEqual({ dropped, failed }, { dropped: 0, failed: 0 });
});

function shown(name: string, value: RawValue): string | number | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') return Number(value);
  if (name === 'tuple') return tupleText(value);
  if (name === 'addr') return sockaddrText(value);
  return name === 'fds' ? fdListText(value) : value;
}

function shownParams(event: RawEvent, names: readonly string[]): ExpectedCall['params'] {
  return Object.fromEntries(names.map((name) => [name, shown(name, event.params[name])]));
}

/** Each call shows up, in order among the events of its kind; calls of the interpreter itself may come in between. */
function assertSeen({ events, calls }: Run, isMeant: (event: string) => boolean): void {
  const cursors = new Map<string, number>();
  const meant = calls.filter(({ event }) => isMeant(event));
  assert.ok(meant.length > 0);
  for (const { event, params } of meant) {
    const names = Object.keys(params);
    const all = events.filter(({ code }) => code.endsWith(`_${event}`));
    const from = cursors.get(event) ?? 0;
    const expected = JSON.stringify(params);
    const at = all.findIndex((one, i) => i >= from && JSON.stringify(shownParams(one, names)) === expected);
    if (at < 0)
      assert.deepEqual(
        all.slice(from, from + 5).map((one) => shownParams(one, names)),
        [params],
        event,
      );
    cursors.set(event, at + 1);
  }
}

test('calls that make and connect sockets tell both ends', live, () => {
  const makes = ['SOCKET_SOCKET_X', 'SOCKET_BIND_X', 'SOCKET_CONNECT_X', 'SOCKET_ACCEPT4_6_X'];
  assertSeen(native, (event) => makes.includes(event));
});

test('messages carry their data, tuple and passed fds', live, () => {
  assertSeen(native, (event) => /^SOCKET_(SEND|RECV)/.test(event));
});

test('reads and writes carry their data on every way through the probe', live, () => {
  assertSeen(native, (event) => /^(P?READV?|P?WRITEV?|CLOSE)_X$/.test(event));
});

test('pipes and polled fds are told', live, () => {
  assertSeen(native, (event) => /^(PIPE2|POLL)_X$/.test(event));
});

test('the ends of a socket pair name each other', live, () => {
  assertSeen(native, (event) => event === 'SOCKET_SOCKETPAIR_X');
  const pair = native.events.find(({ code }) => code.endsWith('SOCKET_SOCKETPAIR_X'));
  const sent = native.events.find(
    ({ code, params }) => code.endsWith('SENDTO_X') && params['fd'] === pair?.params['fd1'],
  );
  const tuple = Buffer.from(String(sent?.params['tuple']), 'latin1');
  assert.equal(tuple.readBigUInt64LE(1), BigInt(pair?.params['peer'] as bigint));
  assert.equal(tuple.readBigUInt64LE(9), BigInt(pair?.params['source'] as bigint));
});

test('calls of 32-bit programs are told like others', onX64, () => {
  assertSeen(compat, () => true);
});
