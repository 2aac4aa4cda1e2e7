/** A node whose root is a folder of its own, with the sockets of fake runtimes where real ones have theirs. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FakeContainerd } from './fake-containerd.ts';
import { FakeCri } from './fake-cri.ts';
import { FakeDocker } from './fake-docker.ts';
import { FakePodman } from './fake-podman.ts';
import { FakeNode } from './fake-proc.ts';

/** The kinds with a socket that is found without being named. */
export const FAKE_KINDS = ['docker', 'podman', 'containerd'] as const;

export type FakeKind = (typeof FAKE_KINDS)[number] | 'cri';

const SOCKETS: Readonly<Record<FakeKind, string>> = {
  docker: 'run/docker.sock',
  podman: 'run/podman/podman.sock',
  containerd: 'run/containerd/containerd.sock',
  // Given by hand.
  cri: 'run/other/cri.sock',
};

export class FakeRuntimes {
  readonly node: FakeNode;
  readonly docker: FakeDocker;
  readonly podman: FakePodman;
  readonly containerd: FakeContainerd;
  readonly cri: FakeCri;

  constructor() {
    this.node = new FakeNode();
    this.docker = new FakeDocker(this.socketPath('docker'));
    this.podman = new FakePodman(this.socketPath('podman'));
    this.containerd = new FakeContainerd(this.socketPath('containerd'));
    this.cri = new FakeCri(this.socketPath('cri'), { runtimeName: 'cri-o', runtimeVersion: '1.30.0' });
  }

  socketPath(kind: FakeKind): string {
    return join(this.node.root, SOCKETS[kind]);
  }

  async listen(...kinds: readonly FakeKind[]): Promise<void> {
    for (const kind of kinds) {
      mkdirSync(dirname(this.socketPath(kind)), { recursive: true });
      await this[kind].listen();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.docker.close(), this.podman.close(), this.containerd.close(), this.cri.close()]);
    this.node.remove();
  }
}
