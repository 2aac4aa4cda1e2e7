/** Docker of the lab: a daemon with a bridge of its own, driven by its command line. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerDriver, ContainerSpec, ListedContainer } from './container-driver.ts';
import { Daemon } from './daemon.ts';
import { persist } from './persist.ts';
import { runCommand } from './run-command.ts';
import { getJson } from './unix-http.ts';

export interface DockerOptions {
  /** Own folder, made when it is not there. */
  readonly folder: string;
  readonly ociRuntime: string;
  readonly storage: 'overlay' | 'vfs';
  /** Bridge for containers with an address, made before; undefined: they have none. */
  readonly bridge: string | undefined;
  readonly image: string;
}

/** Debian's, where another command of this name stands before it on the path. */
const CLI = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';

export class DockerDriver implements ContainerDriver {
  readonly kind = 'docker';
  readonly socketPath: string;
  readonly daemon: Daemon;
  private readonly options: DockerOptions;

  constructor(options: DockerOptions) {
    const { folder, storage, bridge } = options;
    mkdirSync(folder, { recursive: true });
    this.options = options;
    this.socketPath = join(folder, 'docker.sock');
    this.daemon = new Daemon({
      name: 'dockerd',
      socketPath: this.socketPath,
      logPath: join(folder, 'dockerd.log'),
      command: [
        'dockerd',
        `--host=unix://${this.socketPath}`,
        `--data-root=${join(folder, 'data')}`,
        `--exec-root=${join(folder, 'exec')}`,
        `--pidfile=${join(folder, 'dockerd.pid')}`,
        `--bridge=${bridge ?? 'none'}`,
        '--iptables=false',
        '--ip6tables=false',
        '--ip-forward=false',
        '--ip-masq=false',
        `--storage-driver=${storage === 'overlay' ? 'overlay2' : 'vfs'}`,
        '--shutdown-timeout=2',
        '--exec-opt=native.cgroupdriver=cgroupfs',
        `--add-runtime=lab=${options.ociRuntime}`,
        '--default-runtime=lab',
      ],
    });
  }

  async load(imageFile: string): Promise<void> {
    await this.cli('load', '--quiet', '--input', imageFile);
  }

  async start(spec: ContainerSpec): Promise<string> {
    const options = [...commonOptions(spec)];
    if (spec.isRemovedAtEnd === true) options.push('--rm');
    if (spec.healthCommand !== undefined)
      options.push('--health-cmd', spec.healthCommand, '--health-interval', '1s', '--health-timeout', '5s');
    const network = { none: 'none', host: 'host', private: 'bridge' }[spec.network ?? 'none'];
    return await this.cli(
      'run',
      '--detach',
      '--network',
      network,
      ...options,
      this.options.image,
      ...spec.command,
    );
  }

  async exec(id: string, command: readonly string[]): Promise<string> {
    return await this.cli('exec', id, ...command);
  }

  async restart(id: string): Promise<void> {
    await this.cli('restart', '--time', '0', id);
  }

  async rename(id: string, name: string): Promise<void> {
    await this.cli('rename', id, name);
  }

  async remove(id: string): Promise<void> {
    await persist(() => this.cli('rm', '--force', '--volumes', id).catch(ignoreMissing));
  }

  async inspect(id: string): Promise<Record<string, unknown>> {
    const [facts] = JSON.parse(await this.cli('inspect', id)) as Record<string, unknown>[];
    return facts as Record<string, unknown>;
  }

  async inspectImage(id: string): Promise<Record<string, unknown>> {
    const [facts] = JSON.parse(await this.cli('image', 'inspect', id)) as Record<string, unknown>[];
    return facts as Record<string, unknown>;
  }

  async query(id: string): Promise<void> {
    await getJson(this.socketPath, `/containers/${id}/json`);
  }

  async list(): Promise<readonly ListedContainer[]> {
    const rows = (await getJson(this.socketPath, '/containers/json?all=1')) as {
      Id: string;
      Names: string[];
      Image: string;
    }[];
    return rows.map(({ Id, Names, Image }) => ({ id: Id, name: (Names[0] ?? '').slice(1), image: Image }));
  }

  async removeAll(): Promise<void> {
    const ids = (await this.cli('ps', '--all', '--quiet', '--no-trunc'))
      .split('\n')
      .filter((id) => id !== '');
    if (ids.length > 0) await this.cli('rm', '--force', '--volumes', ...ids).catch(ignoreMissing);
  }

  private cli(...args: readonly string[]): Promise<string> {
    return runCommand([CLI, '--host', `unix://${this.socketPath}`, ...args]);
  }
}

/** What Docker and Podman spell alike. */
export function commonOptions(spec: ContainerSpec): string[] {
  const options = ['--name', spec.name];
  for (const [key, value] of Object.entries(spec.labels ?? {})) options.push('--label', `${key}=${value}`);
  for (const [key, value] of Object.entries(spec.env ?? {})) options.push('--env', `${key}=${value}`);
  for (const { source, target, isReadOnly } of spec.mounts ?? [])
    options.push('--volume', `${source}:${target}${isReadOnly === true ? ':ro' : ''}`);
  if (spec.isPrivileged === true) options.push('--privileged');
  if (spec.user !== undefined) options.push('--user', spec.user);
  if (spec.isHostPid === true) options.push('--pid', 'host');
  if (spec.isHostIpc === true) options.push('--ipc', 'host');
  return options;
}

export function ignoreMissing(error: Error): void {
  if (!/no such container|no container with|is already in progress|not found/i.test(error.message))
    throw error;
}
