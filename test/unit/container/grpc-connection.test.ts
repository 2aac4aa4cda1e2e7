import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ContainerdClient } from '../../../server/container/runtime/containerd-client.ts';
import { RuntimeError, type RuntimeFault } from '../../../server/container/runtime/runtime-client.ts';
import { fakeContainer } from '../../helpers/fake-container.ts';
import { FakeContainerd } from '../../helpers/fake-containerd.ts';
import type { GrpcFault } from '../../helpers/fake-grpc-runtime.ts';

let dir = '';
let socketPath = '';
let runtime: FakeContainerd;
let client: ContainerdClient;
const { signal } = new AbortController();

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'grpc-'));
  socketPath = join(dir, 'containerd.sock');
  runtime = new FakeContainerd(socketPath);
  await runtime.listen();
  client = clientOf(20_000);
});

const opened: ContainerdClient[] = [];

function clientOf(callTimeoutMs: number): ContainerdClient {
  const one = new ContainerdClient({ socketPath, callTimeoutMs });
  opened.push(one);
  return one;
}

afterEach(async () => {
  for (const one of opened.splice(0)) one.close();
  await runtime.close();
  rmSync(dir, { recursive: true });
});

/** The fault of a call that must fail, with a message that names the socket. */
async function faultOf(call: Promise<unknown>): Promise<RuntimeFault> {
  const error = await call.then(
    () => assert.fail('the call should fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RuntimeError, String(error));
  assert.ok(error.message.startsWith(`${socketPath}: `), error.message);
  assert.ok(error.message.length < 600, error.message);
  return error.fault;
}

const FAULTS: readonly (readonly [GrpcFault, RuntimeFault])[] = [
  ['hang', 'timeout'],
  ['garbage', 'protocol'],
  ['refused', 'refused'],
  ['unavailable', 'unreachable'],
  ['denied', 'refused'],
  ['unimplemented', 'refused'],
  ['reset', 'unreachable'],
  ['huge', 'protocol'],
];

for (const [fault, expected] of FAULTS) {
  test(`${fault}: ${expected}, and the next call is answered`, async () => {
    if (fault === 'hang') client = clientOf(1_000);
    await client.connect(signal);
    runtime.faults.set('', fault);
    assert.equal(await faultOf(client.list(signal)), expected);
    runtime.faults.clear();
    assert.deepEqual(await client.list(signal), []);
  });
}

const MODES: readonly (readonly ['silent' | 'reset' | 'noise', readonly RuntimeFault[]])[] = [
  ['silent', ['timeout']],
  ['reset', ['unreachable']],
  ['noise', ['unreachable', 'protocol']],
];

for (const [mode, expected] of MODES) {
  test(`a socket that is ${mode}: ${expected.join(' or ')}, and found out when it answers again`, async () => {
    if (mode === 'silent') client = clientOf(1_000);
    runtime.socket.mode = mode;
    const fault = await faultOf(client.connect(signal));
    assert.ok(expected.includes(fault), fault);
    runtime.socket.mode = 'serve';
    assert.equal(await client.connect(signal), 'containerd 1.6.20~ds1');
  });
}

test('a socket that is not there is unreachable', async () => {
  await runtime.close();
  assert.equal(await faultOf(client.connect(signal)), 'unreachable');
});

test('a runtime that comes back answers the next call', async () => {
  await client.connect(signal);
  for (const leavesFile of [false, true]) {
    await runtime.socket.vanish(leavesFile);
    assert.equal(await faultOf(client.list(signal)), 'unreachable');
    assert.equal(await faultOf(client.list(signal)), 'unreachable');
    await runtime.socket.comeBack();
    assert.deepEqual(await client.list(signal), []);
  }
});

test('a call that is given up ends at once, and so does one after', async () => {
  runtime.faults.set('', 'hang');
  const given = new AbortController();
  const call = client.list(given.signal);
  given.abort();
  assert.equal(await faultOf(call), 'unreachable');
  assert.equal(await faultOf(client.list(given.signal)), 'unreachable');
});

test('calls of a connection that was given up leave the next one alone', async () => {
  runtime.socket.mode = 'silent';
  client = clientOf(300);
  const early = faultOf(client.list(signal));
  // Ends after the first has, and before the one that follows it.
  const late = new Promise((resolve) => setTimeout(resolve, 50)).then(() => faultOf(client.list(signal)));
  assert.equal(await early, 'timeout');
  const next = faultOf(client.connect(signal));
  assert.deepEqual([await late, await next], ['timeout', 'timeout']);
});

test('a closed client asks nobody', async () => {
  client.close();
  assert.equal(await faultOf(client.connect(signal)), 'unreachable');
  assert.equal(runtime.requestCount('Version.Version'), 0);
});

test('a socket without permission is told as such', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('needs root to give up its rights');
  chmodSync(dir, 0o755);
  chmodSync(socketPath, 0o600);
  process.seteuid?.(65534);
  try {
    assert.equal(await faultOf(client.connect(signal)), 'permission');
  } finally {
    process.seteuid?.(0);
  }
  assert.equal(await client.connect(signal), 'containerd 1.6.20~ds1');
});

test('an HTTP/1 server is not understood', async () => {
  const path = join(dir, 'http.sock');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume();
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const other = new ContainerdClient({ socketPath: path, callTimeoutMs: 400 });
  await assert.rejects(other.connect(signal), RuntimeError);
  other.close();
  await new Promise((resolve) => server.close(resolve));
});

test('calls at the same time each get their own answer', async () => {
  for (let i = 0; i < 100; i++) {
    runtime.containersOf('lab').set(`n${i}`, fakeContainer({ name: `n${i}`, id: `n${i}` }));
  }
  const found = await Promise.all(Array.from({ length: 100 }, (_, i) => client.inspect(`n${i}`, signal)));
  assert.deepEqual(
    found.map((one) => one?.row.fullId),
    Array.from({ length: 100 }, (_, i) => `n${i}`),
  );
  assert.equal(runtime.socket.acceptCount, 1);
});
