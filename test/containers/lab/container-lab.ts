/** All runtimes of the lab together. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ContainerDriver, DriverKind } from './container-driver.ts';
import { ContainerdDaemon } from './containerd-daemon.ts';
import { CriDriver } from './cri-driver.ts';
import { CtrDriver } from './ctr-driver.ts';
import { DockerDriver } from './docker-driver.ts';
import { type LabImages, makeLabImages } from './lab-images.ts';
import {
  bridgeOf,
  cgroupsOf,
  killAll,
  mountsOf,
  processesOf,
  removeCgroups,
  unmountAll,
} from './leftovers.ts';
import { PodmanDriver } from './podman-driver.ts';
import { runCommand } from './run-command.ts';
import { ociRuntime } from './runc-wrapper.ts';

export interface LabOptions {
  /** Runtimes to start; all when not given. `cri` and `containerd` are one daemon. */
  readonly kinds?: readonly DriverKind[];
}

/** Overlays do not stack on every kernel: their lower layer must be another file system. */
const OVERLAYFS_MAGIC = 0x794c7630;
const CRI_NAMESPACE = 'k8s.io';
const END_TIMEOUT_MS = 5000;

export class ContainerLab {
  readonly folder: string;
  readonly images: LabImages;
  readonly docker: DockerDriver;
  readonly podman: PodmanDriver;
  readonly containerd: ContainerdDaemon;
  readonly cri: CriDriver;
  readonly ctr: CtrDriver;
  /** Of containerd, for the containers of `ctr`: no other lab has the same. */
  readonly namespace: string;
  private readonly kinds: readonly DriverKind[];
  private readonly number: number;

  private constructor(options: LabOptions) {
    this.folder = mkdtempSync(join(tmpdir(), 'strata-lab-'));
    this.namespace = basename(this.folder);
    this.kinds = options.kinds ?? ['docker', 'podman', 'cri', 'containerd'];
    this.number = process.pid % 250;
    this.images = makeLabImages(join(this.folder, 'images'));
    const isOverlay = statfsSync(this.folder).type === OVERLAYFS_MAGIC;
    const storage = isOverlay ? 'vfs' : 'overlay';
    const snapshotter = isOverlay ? 'native' : 'overlayfs';
    const runtime = ociRuntime(join(this.folder, 'oci-runtime'));
    const image = this.images.tools.name;
    const pauseImage = this.images.pause.name;
    const common = { ociRuntime: runtime, image, pauseImage, storage } as const;
    this.docker = new DockerDriver({ ...common, folder: join(this.folder, 'docker'), bridge: this.bridge });
    this.podman = new PodmanDriver({ ...common, folder: join(this.folder, 'podman') });
    const folder = join(this.folder, 'containerd');
    this.containerd = new ContainerdDaemon({
      ...common,
      folder,
      snapshotter,
      subnet: `10.202.${this.number}`,
    });
    this.cri = new CriDriver({ socketPath: this.containerd.socketPath, image, folder: join(folder, 'logs') });
    this.ctr = new CtrDriver(this.containerd, {
      namespace: this.namespace,
      ociRuntime: runtime,
      snapshotter,
      image,
      imagesAs: this.images.toolsAs,
    });
  }

  /** Resolves when all that was asked for runs and has its images; leaves nothing behind when it rejects. */
  static async up(options: LabOptions = {}): Promise<ContainerLab> {
    const lab = new ContainerLab(options);
    try {
      await Promise.all([lab.upDocker(), lab.upPodman(), lab.upContainerd()]);
      return lab;
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  drivers(): readonly ContainerDriver[] {
    return [this.docker, this.podman, this.cri, this.ctr].filter(({ kind }) => this.kinds.includes(kind));
  }

  /** Options of a server that sees this lab and nothing else. */
  serverArgs(prefix = ''): string[] {
    const socket = (option: string, kind: DriverKind, path: string): string[] => [
      option,
      this.kinds.includes(kind) ? `${prefix}${path}` : 'none',
    ];
    const { socketPath } = this.containerd;
    return [
      ...socket('--docker-socket', 'docker', this.docker.socketPath),
      ...socket('--podman-socket', 'podman', this.podman.socketPath),
      ...socket('--containerd-socket', 'containerd', socketPath),
      ...socket('--cri', 'cri', socketPath),
    ];
  }

  /** A further Docker beside the first, without a bridge. Taken down with the lab. */
  async secondDocker(): Promise<DockerDriver> {
    const second = new DockerDriver({
      folder: join(this.folder, 'docker-2'),
      ociRuntime: ociRuntime(join(this.folder, 'oci-runtime')),
      storage: statfsSync(this.folder).type === OVERLAYFS_MAGIC ? 'vfs' : 'overlay',
      bridge: undefined,
      image: this.images.tools.name,
    });
    await second.daemon.start();
    await second.load(this.images.fileOf(this.images.tools));
    this.others.push(second);
    return second;
  }

  /** Ends and removes everything. Rejects when something of it is still there. */
  async down(): Promise<void> {
    for (const docker of [this.docker, ...this.others]) await ended(docker);
    await ended(this.podman);
    if (this.containerd.daemon.pid !== undefined) {
      await this.cri.removeAll().catch(() => undefined);
      await this.ctr.removeAll().catch(() => undefined);
    }
    this.cri.close();
    this.ctr.close();
    await this.containerd.daemon.stop();
    const endMs = Date.now() + END_TIMEOUT_MS;
    while (processesOf(this.folder).length > 0) {
      killAll(this.folder);
      if (Date.now() > endMs)
        throw new Error(`processes of the lab are left: ${processesOf(this.folder).join(' ')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await unmountAll(this.folder);
    const cgroups = [...this.cri.cgroups, this.namespace];
    removeCgroups(cgroups);
    if (this.kinds.includes('docker'))
      await runCommand(['ip', 'link', 'del', this.bridge]).catch(() => undefined);
    const left = [...mountsOf(this.folder), ...cgroupsOf(cgroups)];
    if (left.length > 0) throw new Error(`left of the lab: ${left.join(' ')}`);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private readonly others: DockerDriver[] = [];

  private get bridge(): string {
    return bridgeOf(this.folder);
  }

  private async upDocker(): Promise<void> {
    if (!this.kinds.includes('docker')) return;
    await runCommand(['ip', 'link', 'add', this.bridge, 'type', 'bridge']);
    await runCommand(['ip', 'address', 'add', `10.203.${this.number}.1/24`, 'dev', this.bridge]);
    await runCommand(['ip', 'link', 'set', this.bridge, 'up']);
    await this.docker.daemon.start();
    await this.docker.load(this.images.fileOf(this.images.tools));
  }

  private async upPodman(): Promise<void> {
    if (!this.kinds.includes('podman')) return;
    await this.podman.daemon.start();
    await this.podman.load(this.images.fileOf(this.images.tools));
    await this.podman.load(this.images.fileOf(this.images.pause));
  }

  private async upContainerd(): Promise<void> {
    if (!this.kinds.includes('cri') && !this.kinds.includes('containerd')) return;
    await this.containerd.daemon.start();
    for (const image of [this.images.tools, this.images.pause])
      await this.containerd.load(CRI_NAMESPACE, this.images.fileOf(image));
    for (const image of [this.images.tools, ...this.images.toolsAs.values()])
      await this.containerd.load(this.namespace, this.images.fileOf(image));
  }
}

/** Containers first, as they outlive their daemon. */
async function ended(driver: DockerDriver | PodmanDriver): Promise<void> {
  if (driver.daemon.pid !== undefined) await driver.removeAll().catch(() => undefined);
  await driver.daemon.stop();
}
