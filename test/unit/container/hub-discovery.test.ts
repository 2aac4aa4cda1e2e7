import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Discovery, type SocketFiles } from '../../../server/container/runtime/discovery.ts';
import type { RuntimeOptions } from '../../../server/container/runtime/hub-types.ts';

const OPTIONS: RuntimeOptions = {
  hostRoot: '',
  isEnabled: true,
  dockerSockets: undefined,
  podmanSockets: undefined,
  containerdSockets: undefined,
  criSockets: [],
  lookupTimeoutMs: 500,
  callTimeoutMs: 500,
};

function find(sockets: Readonly<Record<string, string>>, options: Partial<RuntimeOptions> = {}): string[] {
  const files: SocketFiles = {
    identityOf: (path) => sockets[path],
    list: (path) => {
      if (path !== '/run/user/') throw new Error(`nobody lists ${path}`);
      return ['0', '1000', 'x'];
    },
  };
  return new Discovery({ ...OPTIONS, ...options }, files)
    .find()
    .map(({ kind, socketPath, isNamed }) => `${kind} ${socketPath}${isNamed ? ' named' : ''}`);
}

test('well-known sockets are found, a containerd one in both of its languages', () => {
  assert.deepEqual(
    find({
      '/run/docker.sock': '1',
      '/run/podman/podman.sock': '2',
      '/run/user/1000/podman/podman.sock': '3',
      '/run/containerd/containerd.sock': '4',
      '/run/k3s/containerd/containerd.sock': '5',
      '/run/crio/crio.sock': '6',
      '/run/other.sock': '7',
    }).sort(),
    [
      'containerd /run/containerd/containerd.sock',
      'containerd /run/k3s/containerd/containerd.sock',
      'cri /run/containerd/containerd.sock',
      'cri /run/crio/crio.sock',
      'cri /run/k3s/containerd/containerd.sock',
      'docker /run/docker.sock',
      'podman /run/podman/podman.sock',
      'podman /run/user/1000/podman/podman.sock',
    ],
  );
});

test('a socket with two names is one, whoever it pretends to be', () => {
  assert.deepEqual(find({ '/run/docker.sock': '1', '/var/run/docker.sock': '1' }), [
    'docker /run/docker.sock',
  ]);
  assert.deepEqual(find({ '/run/docker.sock': '1', '/run/podman/podman.sock': '1' }), [
    'podman /run/podman/podman.sock',
  ]);
  assert.deepEqual(
    find(
      { '/run/containerd/containerd.sock': '1', '/c.sock': '1' },
      { criSockets: ['/c.sock'], containerdSockets: undefined },
    ),
    ['cri /c.sock named', 'containerd /run/containerd/containerd.sock'],
  );
});

test('named sockets replace those of their kind, also where nothing is there; an empty list is off', () => {
  const there = { '/run/docker.sock': '1', '/run/podman/podman.sock': '2' };
  assert.deepEqual(find(there, { dockerSockets: ['/x.sock', '/x.sock'] }), [
    'docker /x.sock named',
    'podman /run/podman/podman.sock',
  ]);
  assert.deepEqual(find(there, { dockerSockets: [], podmanSockets: [] }), []);
});

test('under a root, links that lead out of it are not followed, and files are no sockets', async () => {
  const root = mkdtempSync(join(tmpdir(), 'hub-'));
  const server = createServer();
  try {
    mkdirSync(join(root, 'host/run/crio'), { recursive: true });
    mkdirSync(join(root, 'host/var/run/docker.sock'), { recursive: true });
    const outside = join(root, 'outside.sock');
    await new Promise<void>((resolve) => server.listen(outside, resolve));
    symlinkSync(outside, join(root, 'host/run/docker.sock'));
    const options = { ...OPTIONS, hostRoot: join(root, 'host') };
    assert.deepEqual(new Discovery(options).find(), []);
    const inside = createServer();
    await new Promise<void>((resolve) => inside.listen(join(root, 'host/run/crio/crio.sock'), resolve));
    const [found, ...others] = new Discovery(options).find();
    assert.equal(found?.socketPath, join(root, 'host/run/crio/crio.sock'));
    assert.notEqual(found?.identity, '');
    assert.deepEqual(others, []);
    await new Promise((resolve) => inside.close(resolve));
  } finally {
    await new Promise((resolve) => server.close(resolve));
    rmSync(root, { recursive: true });
  }
});
