import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bindUnixSocket } from '../../../server/rpc/unix-socket.ts';

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'strata-sock-'));
  const servers: Server[] = [];
  t.after(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const bind = (address: string) =>
    new Promise<void>((resolve, reject) => {
      const server = createServer();
      servers.push(server);
      server.once('error', reject);
      server.listen(address.replace('unix:', ''), resolve);
    });
  return { folder, path: join(folder, 's.sock'), bind, servers };
}

test('the socket has its permissions and nothing else stays behind', async (t) => {
  const { folder, path, bind } = setUp(t);
  const listener = await bindUnixSocket(path, 0o660, bind);
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.deepEqual(readdirSync(folder), ['s.sock']);
  listener.remove();
  assert.ok(!existsSync(path));
});

test('a stale socket is replaced', async (t) => {
  const { path, bind, servers } = setUp(t);
  await bindUnixSocket(path, 0o600, bind);
  // Closed servers leave a moved socket behind: their own name for it is gone.
  await new Promise((resolve) => servers[0]?.close(resolve));
  assert.ok(existsSync(path));
  await bindUnixSocket(path, 0o660, bind);
  assert.equal(statSync(path).mode & 0o777, 0o660);
});

test('a living server keeps its socket', async (t) => {
  const { folder, path, bind } = setUp(t);
  await bindUnixSocket(path, 0o600, bind);
  await assert.rejects(bindUnixSocket(path, 0o600, bind), /another server listens/);
  assert.deepEqual(readdirSync(folder), ['s.sock']);
});

test('a file that is no socket is left alone', async (t) => {
  const { path, bind } = setUp(t);
  writeFileSync(path, 'precious');
  await assert.rejects(bindUnixSocket(path, 0o600, bind), /not a socket/);
  assert.ok(existsSync(path));
});

test('a server removes only the socket that is its own', async (t) => {
  const { path, bind, servers } = setUp(t);
  const first = await bindUnixSocket(path, 0o600, bind);
  await new Promise((resolve) => servers[0]?.close(resolve));
  await bindUnixSocket(path, 0o600, bind);
  first.remove();
  assert.ok(existsSync(path));
});

test('a path that is too long is refused with a reason', async (t) => {
  const { folder, bind } = setUp(t);
  await assert.rejects(bindUnixSocket(join(folder, 'x'.repeat(120)), 0o600, bind), /too long/);
});

test('a missing folder is made, one level deep', async (t) => {
  const { folder, bind } = setUp(t);
  const listener = await bindUnixSocket(join(folder, 'run', 's.sock'), 0o600, bind);
  assert.deepEqual(readdirSync(join(folder, 'run')), ['s.sock']);
  listener.remove();
  await assert.rejects(bindUnixSocket(join(folder, 'no', 'such', 's.sock'), 0o600, bind), /--listen/);
});
