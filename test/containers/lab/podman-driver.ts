/** Podman of the lab: its service for those who ask, its command line for those who run containers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerDriver, ContainerSpec, ListedContainer } from './container-driver.ts';
import { Daemon } from './daemon.ts';
import { commonOptions, ignoreMissing } from './docker-driver.ts';
import { persist } from './persist.ts';
import { runCommand } from './run-command.ts';
import { getJson } from './unix-http.ts';

export interface PodmanOptions {
  readonly folder: string;
  readonly ociRuntime: string;
  readonly storage: 'overlay' | 'vfs';
  readonly image: string;
  readonly pauseImage: string;
}

export class PodmanDriver implements ContainerDriver {
  readonly kind = 'podman';
  readonly socketPath: string;
  readonly daemon: Daemon;
  private readonly options: PodmanOptions;
  private readonly env: NodeJS.ProcessEnv;

  constructor(options: PodmanOptions) {
    const { folder } = options;
    mkdirSync(join(folder, 'networks'), { recursive: true });
    this.options = options;
    this.socketPath = join(folder, 'podman.sock');
    this.env = writeConfiguration(options);
    this.daemon = new Daemon({
      name: 'podman',
      socketPath: this.socketPath,
      logPath: join(folder, 'podman.log'),
      command: ['podman', 'system', 'service', '--time=0', `unix://${this.socketPath}`],
      env: this.env,
    });
  }

  async load(imageFile: string): Promise<void> {
    await this.cli('load', '--quiet', '--input', imageFile);
  }

  async createPod(name: string): Promise<string> {
    return await this.cli('pod', 'create', '--name', name, '--network', 'none');
  }

  async start(spec: ContainerSpec): Promise<string> {
    const options = commonOptions(spec);
    if (spec.pod !== undefined) options.push('--pod', spec.pod);
    else options.push('--network', spec.network === 'host' ? 'host' : 'none');
    if (spec.isRemovedAtEnd === true) options.push('--rm');
    return await this.cli('run', '--detach', ...options, this.options.image, ...spec.command);
  }

  async exec(id: string, command: readonly string[]): Promise<string> {
    return await this.cli('exec', id, ...command);
  }

  async remove(id: string): Promise<void> {
    await persist(() => this.cli('rm', '--force', '--time', '0', id).catch(ignoreMissing));
  }

  async removePod(name: string): Promise<void> {
    await this.cli('pod', 'rm', '--force', '--time', '0', name);
  }

  async inspect(id: string): Promise<Record<string, unknown>> {
    const [facts] = JSON.parse(await this.cli('container', 'inspect', id)) as Record<string, unknown>[];
    return facts as Record<string, unknown>;
  }

  async query(id: string): Promise<void> {
    await getJson(this.socketPath, `/v4.0.0/libpod/containers/${id}/json`);
  }

  async list(): Promise<readonly ListedContainer[]> {
    const rows = (await getJson(this.socketPath, '/v4.0.0/libpod/containers/json?all=true')) as {
      Id: string;
      Names: string[];
      Image: string;
    }[];
    return rows.map(({ Id, Names, Image }) => ({ id: Id, name: Names[0] ?? '', image: Image }));
  }

  async removeAll(): Promise<void> {
    await this.cli('pod', 'rm', '--force', '--time', '0', '--all');
    await this.cli('rm', '--force', '--time', '0', '--all').catch(ignoreMissing);
  }

  private cli(...args: readonly string[]): Promise<string> {
    return runCommand(['podman', ...args], { env: this.env });
  }
}

/** Everything in its own folder: locks, too, which are shared with every other Podman of the node otherwise. */
function writeConfiguration(options: PodmanOptions): NodeJS.ProcessEnv {
  const { folder, storage, ociRuntime, pauseImage } = options;
  const containers = join(folder, 'containers.conf');
  const stores = join(folder, 'storage.conf');
  // Limits are named as the defaults are more than a machine without CAP_SYS_RESOURCE may give.
  writeFileSync(
    containers,
    `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[network]
network_config_dir = "${join(folder, 'networks')}"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "lab"
tmp_dir = "${join(folder, 'tmp')}"
static_dir = "${join(folder, 'static')}"
volume_path = "${join(folder, 'volumes')}"
infra_image = "${pauseImage}"
infra_command = "/pause"
[engine.runtimes]
lab = ["${ociRuntime}"]
`,
  );
  writeFileSync(
    stores,
    `[storage]
driver = "${storage}"
graphroot = "${join(folder, 'root')}"
runroot = "${join(folder, 'run')}"
`,
  );
  return { CONTAINERS_CONF: containers, CONTAINERS_STORAGE_CONF: stores };
}
