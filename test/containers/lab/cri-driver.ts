/** Pods and their containers as a kubelet makes them, over CRI. */
import { randomUUID } from 'node:crypto';
import type { ContainerDriver, ContainerSpec, ListedContainer } from './container-driver.ts';
import { GrpcCaller } from './grpc-caller.ts';
import { persist } from './persist.ts';

export interface CriOptions {
  readonly socketPath: string;
  readonly image: string;
  /** For the logs of containers. */
  readonly folder: string;
}

export interface PodSpec {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly isPrivileged?: boolean;
  readonly network?: ContainerSpec['network'];
  readonly isHostPid?: boolean;
  readonly isHostIpc?: boolean;
}

interface Pod {
  readonly config: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, string>>;
}

const CGROUP_FOLDER = '/kubepods/burstable';

export class CriDriver implements ContainerDriver {
  readonly kind = 'cri';
  readonly socketPath: string;
  /** Names of the pods' cgroups, which nobody else removes. */
  readonly cgroups: string[];
  private readonly options: CriOptions;
  private readonly caller: GrpcCaller;
  private readonly pods: Map<string, Pod>;
  /** Pods made for one container go with it. */
  private readonly ownPods: Map<string, string>;

  constructor(options: CriOptions) {
    this.socketPath = options.socketPath;
    this.options = options;
    this.caller = new GrpcCaller(options.socketPath, 'cri.proto', 'runtime.v1.RuntimeService');
    this.cgroups = [];
    this.pods = new Map();
    this.ownPods = new Map();
  }

  /** Resolves to the sandbox id. */
  async runPod(spec: PodSpec): Promise<string> {
    const uid = randomUUID();
    const parent = `${CGROUP_FOLDER}/pod${uid}`;
    this.cgroups.push(parent);
    const options = {
      network: spec.network === 'private' ? 'POD' : 'NODE',
      pid: spec.isHostPid === true ? 'NODE' : 'CONTAINER',
      ipc: spec.isHostIpc === true ? 'NODE' : 'POD',
    };
    const namespace = spec.namespace ?? 'lab';
    const config = {
      metadata: { name: spec.name, uid, namespace, attempt: 0 },
      log_directory: this.options.folder,
      labels: {
        'io.kubernetes.pod.name': spec.name,
        'io.kubernetes.pod.namespace': namespace,
        'io.kubernetes.pod.uid': uid,
        ...spec.labels,
      },
      linux: {
        cgroup_parent: parent,
        security_context: { namespace_options: options, privileged: spec.isPrivileged === true },
      },
    };
    const { pod_sandbox_id } = await this.caller.call<{ pod_sandbox_id: string }>('RunPodSandbox', {
      config,
    });
    this.pods.set(pod_sandbox_id, { config, options });
    return pod_sandbox_id;
  }

  async start(spec: ContainerSpec): Promise<string> {
    const podId = spec.pod ?? (await this.runPod({ ...spec, name: `pod-${spec.name}` }));
    const pod = this.pods.get(podId);
    if (pod === undefined) throw new RangeError(`the lab has no pod ${podId}`);
    const { metadata } = pod.config as { metadata: { name: string; uid: string; namespace: string } };
    const { container_id } = await this.caller.call<{ container_id: string }>('CreateContainer', {
      pod_sandbox_id: podId,
      sandbox_config: pod.config,
      config: {
        metadata: { name: spec.name, attempt: 0 },
        image: { image: this.options.image },
        command: spec.command,
        envs: Object.entries(spec.env ?? {}).map(([key, value]) => ({ key, value })),
        mounts: (spec.mounts ?? []).map(({ source, target, isReadOnly }) => ({
          host_path: source,
          container_path: target,
          readonly: isReadOnly === true,
        })),
        labels: {
          'io.kubernetes.container.name': spec.name,
          'io.kubernetes.pod.name': metadata.name,
          'io.kubernetes.pod.namespace': metadata.namespace,
          'io.kubernetes.pod.uid': metadata.uid,
          ...spec.labels,
        },
        log_path: `${spec.name}.log`,
        linux: {
          security_context: {
            privileged: spec.isPrivileged === true,
            namespace_options: pod.options,
            ...(spec.user === undefined ? {} : { run_as_username: spec.user }),
          },
        },
      },
    });
    if (spec.pod === undefined) this.ownPods.set(container_id, podId);
    await this.caller.call('StartContainer', { container_id });
    return container_id;
  }

  async exec(id: string, command: readonly string[]): Promise<string> {
    const { stdout } = await this.caller.call<{ stdout: Buffer }>('ExecSync', {
      container_id: id,
      cmd: command,
    });
    return Buffer.from(stdout).toString('utf8').trimEnd();
  }

  async remove(id: string): Promise<void> {
    await persist(async () => {
      await this.caller.call('StopContainer', { container_id: id, timeout: 0 });
      await this.caller.call('RemoveContainer', { container_id: id });
    });
    const pod = this.ownPods.get(id);
    this.ownPods.delete(id);
    if (pod !== undefined) await this.removePod(pod);
  }

  async removePod(id: string): Promise<void> {
    await persist(async () => {
      await this.caller.call('StopPodSandbox', { pod_sandbox_id: id });
      await this.caller.call('RemovePodSandbox', { pod_sandbox_id: id });
    });
    this.pods.delete(id);
  }

  /** `status` and `info` of a verbose ContainerStatus, the JSON in `info` parsed. */
  async inspect(id: string): Promise<Record<string, unknown>> {
    return await this.status('ContainerStatus', id);
  }

  async inspectPod(id: string): Promise<Record<string, unknown>> {
    return await this.status('PodSandboxStatus', id);
  }

  async query(id: string): Promise<void> {
    await this.inspect(id);
  }

  async list(): Promise<readonly ListedContainer[]> {
    const { containers } = await this.caller.call<{
      containers: { id: string; metadata: { name: string }; image: { image: string } }[];
    }>('ListContainers');
    return containers.map(({ id, metadata, image }) => ({ id, name: metadata.name, image: image.image }));
  }

  /** Pods that a killed runtime forgot to answer for are tried like the others. */
  async removeAll(): Promise<void> {
    const { items } = await this.caller.call<{ items: { id: string }[] }>('ListPodSandbox');
    for (const { id } of items) await this.removePod(id);
  }

  close(): void {
    this.caller.close();
  }

  private async status(method: string, id: string): Promise<Record<string, unknown>> {
    const { status, info } = await this.caller.call<{ status: unknown; info: Record<string, string> }>(
      method,
      {
        id,
        verbose: true,
      },
    );
    return { status, info: JSON.parse(info['info'] ?? '{}') };
  }
}
