/** Containers of containerd itself, in a namespace of their own, by `ctr`. */
import type { ContainerDriver, ContainerSpec, ListedContainer } from './container-driver.ts';
import type { ContainerdDaemon } from './containerd-daemon.ts';
import { GrpcCaller } from './grpc-caller.ts';

export interface CtrOptions {
  /** Of containerd; also the cgroup that its containers are in. */
  readonly namespace: string;
  readonly ociRuntime: string;
  readonly snapshotter: string;
  readonly image: string;
  /** Images by the user they are run as: `ctr` has no option for users. */
  readonly imagesAs: ReadonlyMap<string, { readonly name: string }>;
}

export class CtrDriver implements ContainerDriver {
  readonly kind = 'containerd';
  readonly socketPath: string;
  private readonly containerd: ContainerdDaemon;
  private readonly options: CtrOptions;
  private readonly caller: GrpcCaller;

  constructor(containerd: ContainerdDaemon, options: CtrOptions) {
    this.socketPath = containerd.socketPath;
    this.containerd = containerd;
    this.options = options;
    this.caller = new GrpcCaller(
      containerd.socketPath,
      'containerd.proto',
      'containerd.services.containers.v1.Containers',
      { 'containerd-namespace': options.namespace },
    );
  }

  /** The name is the id. */
  async start(spec: ContainerSpec): Promise<string> {
    const { ociRuntime, snapshotter, image } = this.options;
    const options = ['--detach', '--runc-binary', ociRuntime, '--snapshotter', snapshotter];
    for (const [key, value] of Object.entries(spec.labels ?? {})) options.push('--label', `${key}=${value}`);
    for (const [key, value] of Object.entries(spec.env ?? {})) options.push('--env', `${key}=${value}`);
    for (const { source, target, isReadOnly } of spec.mounts ?? [])
      options.push(
        '--mount',
        `type=bind,src=${source},dst=${target},options=rbind:${isReadOnly === true ? 'ro' : 'rw'}`,
      );
    if (spec.isPrivileged === true) options.push('--privileged');
    if (spec.network === 'host') options.push('--net-host');
    const wanted = spec.user === undefined ? image : this.imageAs(spec.user);
    await this.ctr('run', ...options, wanted, spec.name, ...spec.command);
    return spec.name;
  }

  async exec(id: string, command: readonly string[]): Promise<string> {
    const name = `exec-${process.hrtime.bigint()}`;
    return await this.ctr('tasks', 'exec', '--exec-id', name, id, ...command);
  }

  async remove(id: string): Promise<void> {
    await this.ctr('tasks', 'rm', '--force', id).catch(() => undefined);
    await this.ctr('containers', 'rm', id).catch(() => undefined);
  }

  async inspect(id: string): Promise<Record<string, unknown>> {
    return JSON.parse(await this.ctr('containers', 'info', id)) as Record<string, unknown>;
  }

  /** Its list tells everything. */
  async query(): Promise<void> {
    await this.list();
  }

  async list(): Promise<readonly ListedContainer[]> {
    const { containers } = await this.caller.call<{ containers: { id: string; image: string }[] }>('List');
    return containers.map(({ id, image }) => ({ id, name: id, image }));
  }

  async removeAll(): Promise<void> {
    for (const { id } of await this.list()) await this.remove(id);
  }

  close(): void {
    this.caller.close();
  }

  private imageAs(user: string): string {
    const image = this.options.imagesAs.get(user);
    if (image === undefined) throw new RangeError(`the lab has no image for user ${user}`);
    return image.name;
  }

  private ctr(...args: readonly string[]): Promise<string> {
    return this.containerd.ctr(this.options.namespace, ...args);
  }
}
