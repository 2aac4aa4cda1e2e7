import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configWith } from '../../server/config/config.ts';
import { foreignSocket } from '../../server/foreign-socket.ts';
import { runtimeOptions } from '../../server/live-config.ts';

const OTHER_UID = 4711;

test('sockets of users are seen where they are found and where they are named', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'strata-foreign-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'run/user/1000/podman');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'podman.sock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  chmodSync(path, 0o660);
  const ownUid = process.getuid?.() as number;
  const find = (config: Parameters<typeof configWith>[0], uid = OTHER_UID) =>
    foreignSocket(runtimeOptions(configWith(config)), uid);
  assert.equal(find({ 'host-root': root }), path);
  assert.equal(find({ 'host-root': root }, ownUid), '');
  assert.equal(find({ 'host-root': root, 'podman-socket': ['none'] }), '');
  assert.equal(find({ 'host-root': root, containers: false }), '');
  assert.equal(find({ 'host-root': '/nonexistent', cri: [path] }), path);
  assert.equal(find({ 'host-root': '/nonexistent', cri: [`${path}.missing`] }), '');
  chmodSync(path, 0o666);
  assert.equal(find({ 'host-root': root }), '');
});

test('none excludes other sockets', () => {
  const options = runtimeOptions(
    configWith({ 'docker-socket': ['none'], 'podman-socket': ['/p'], cri: ['/c'] }),
  );
  assert.deepEqual(
    [options.dockerSockets, options.podmanSockets, options.containerdSockets, options.criSockets],
    [[], ['/p'], undefined, ['/c']],
  );
  assert.throws(
    () => runtimeOptions(configWith({ 'docker-socket': ['none', '/d'] })),
    /none excludes others/,
  );
});
