/** A runtime as the Container Runtime Interface shows it (containerd 1.6, CRI-O), for containers and sandboxes that a test makes up. */
import { status } from '@grpc/grpc-js';
import { spoil } from './fake-answers.ts';
import type { FakeContainer } from './fake-container.ts';
import {
  FakeGrpcRuntime,
  type FakeService,
  type GrpcAnswer,
  loadServices,
  type Message,
} from './fake-grpc-runtime.ts';

const STATES: readonly FakeContainer['state'][] = ['created', 'running', 'exited'];
const EVENT_TYPES: Readonly<Record<string, number>> = { created: 0, started: 1, stopped: 2, deleted: 3 };

export interface FakeCriOptions {
  /** `v1`, `v1alpha2`, or both. */
  readonly versions?: readonly string[] | undefined;
  readonly runtimeName?: string | undefined;
  readonly runtimeVersion?: string | undefined;
}

/** The services, for a server of their own or containerd's. Rows with `isSandbox` are pod sandboxes. */
export class CriContent {
  readonly containers: Map<string, FakeContainer>;
  readonly services: readonly FakeService[];
  /** Sandboxes that are not told yet, as those that still start. */
  readonly hidden: Set<string>;
  version: string;
  private readonly options: FakeCriOptions;

  constructor(options: FakeCriOptions = {}) {
    this.options = options;
    this.version = options.runtimeVersion ?? '1.6.20~ds1';
    this.containers = new Map();
    this.hidden = new Set();
    const definitions = loadServices('cri.proto', 'fake.cri');
    this.services = (options.versions ?? ['v1', 'v1alpha2']).flatMap((version) =>
      ['RuntimeService', 'ImageService'].map((name) => ({
        name: `runtime.${version}.${name}`,
        definition: definitions[name] ?? {},
        answer: (method: string, request: Message) => this.answer(version, method, request),
        spoil: spoilInfo,
      })),
    );
  }

  private answer(version: string, method: string, request: Message): GrpcAnswer {
    const id = String(request['id'] ?? '');
    switch (method) {
      case 'Version':
        return {
          version: '0.1.0',
          runtime_name: this.options.runtimeName ?? 'containerd',
          runtime_version: this.version,
          runtime_api_version: version,
        };
      case 'ListContainers':
        return { containers: this.rows(false).map(listItem) };
      case 'ListPodSandbox':
        return { items: this.rows(true).map(sandboxItem) };
      case 'ContainerStatus':
        return this.containerStatus(id, request['verbose'] === true);
      case 'PodSandboxStatus':
        return this.sandboxStatus(id, request['verbose'] === true);
      case 'ListImages':
        return { images: [] };
      default:
        return { image: { id: `sha256:${'1'.repeat(64)}`, repo_tags: [], repo_digests: [] } };
    }
  }

  private rows(isSandbox: boolean): readonly FakeContainer[] {
    return [...this.containers.values()].filter(
      (row) => row.isSandbox === isSandbox && !this.hidden.has(row.id),
    );
  }

  private containerStatus(id: string, isVerbose: boolean): GrpcAnswer {
    const row = this.containers.get(id);
    if (row === undefined || row.isSandbox || this.hidden.has(id)) {
      const details = `an error occurred when try to find container "${id}": not found`;
      return { code: status.NOT_FOUND, details };
    }
    return {
      status: criStatus(row),
      ...(isVerbose ? { info: { info: JSON.stringify(containerInfo(row)) } } : {}),
    };
  }

  private sandboxStatus(id: string, isVerbose: boolean): GrpcAnswer {
    const row = this.containers.get(id);
    if (row === undefined || !row.isSandbox || this.hidden.has(id)) {
      return { code: status.NOT_FOUND, details: 'an error occurred when try to find sandbox: not found' };
    }
    return {
      status: criSandboxStatus(row),
      ...(isVerbose ? { info: { info: JSON.stringify(sandboxInfo(row)) } } : {}),
    };
  }
}

export class FakeCri extends FakeGrpcRuntime {
  readonly content: CriContent;

  constructor(path: string, options: FakeCriOptions = {}) {
    const content = new CriContent(options);
    super(path, content.services);
    this.content = content;
  }

  get containers(): Map<string, FakeContainer> {
    return this.content.containers;
  }

  set version(version: string) {
    this.content.version = version;
  }

  create(container: FakeContainer): void {
    this.containers.set(container.id, container);
    this.tell(container.id, 'created');
  }

  start(id: string): void {
    const row = this.containers.get(id);
    if (row !== undefined) row.state = 'running';
    this.tell(id, 'started');
  }

  die(id: string): void {
    const row = this.containers.get(id);
    if (row !== undefined) row.state = 'exited';
    this.tell(id, 'stopped');
  }

  remove(id: string): void {
    this.containers.delete(id);
    this.tell(id, 'deleted');
  }

  /** An event of this container, whether it is known or not. */
  tell(id: string, event: 'created' | 'started' | 'stopped' | 'deleted'): void {
    const row = this.containers.get(id);
    const sandbox = this.containers.get(row?.podId ?? '');
    this.send({
      container_id: id,
      container_event_type: EVENT_TYPES[event],
      created_at: '1795486328984286393',
      ...(sandbox === undefined ? {} : { pod_sandbox_status: criSandboxStatus(sandbox) }),
      ...(row === undefined || row.isSandbox ? {} : { containers_statuses: [criStatus(row)] }),
    });
  }
}

/** The messages of a container and of the sandbox with the same members, for those who read them without a server. */
export function criAnswers(
  row: FakeContainer,
): Readonly<Record<'status' | 'info' | 'sandboxStatus' | 'sandboxInfo', Message>> {
  return {
    status: criStatus(row),
    info: containerInfo(row),
    sandboxStatus: criSandboxStatus({ ...row, id: row.podId }),
    sandboxInfo: sandboxInfo({ ...row, id: row.podId }),
  };
}

function ns(row: FakeContainer): string {
  return `${BigInt(row.createdMs) * 1_000_000n}`;
}

function podMetadata(row: FakeContainer): object {
  return { name: row.podName, uid: row.podUid, namespace: row.podNamespace };
}

function listItem(row: FakeContainer): Message {
  return {
    id: row.id,
    pod_sandbox_id: row.podId,
    metadata: { name: row.name },
    image: { image: row.image },
    image_ref: `sha256:${row.imageId}`,
    state: STATES.indexOf(row.state),
    created_at: ns(row),
    labels: row.labels,
  };
}

function sandboxItem(row: FakeContainer): Message {
  return { id: row.id, metadata: podMetadata(row), state: 0, created_at: ns(row), labels: row.labels };
}

function criStatus(row: FakeContainer): Message {
  return {
    id: row.id,
    metadata: { name: row.name },
    state: STATES.indexOf(row.state),
    created_at: ns(row),
    started_at: ns(row),
    image: { image: row.image },
    image_ref: `sha256:${row.imageId}`,
    labels: row.labels,
    mounts: row.mounts.map(({ source, destination, isWritable }) => ({
      container_path: destination,
      host_path: source,
      readonly: !isWritable,
    })),
  };
}

function criSandboxStatus(row: FakeContainer): Message {
  return {
    id: row.id,
    metadata: podMetadata(row),
    state: 0,
    created_at: ns(row),
    network: { ip: row.ip },
    linux: { namespaces: { options: {} } },
    labels: row.labels,
  };
}

function containerInfo(row: FakeContainer): Message {
  return {
    sandboxID: row.podId,
    pid: row.pid,
    removing: false,
    snapshotter: 'overlayfs',
    runtimeType: 'io.containerd.runc.v2',
    config: {
      metadata: { name: row.name },
      image: { image: row.image },
      envs: row.env.map((text) => ({ key: text.split('=')[0], value: text.slice(text.indexOf('=') + 1) })),
      linux: { security_context: { privileged: row.isPrivileged } },
    },
    runtimeSpec: ociSpec(row),
  };
}

function sandboxInfo(row: FakeContainer): Message {
  return {
    pid: row.pid,
    processStatus: 'running',
    netNamespaceClosed: false,
    image: 'localhost/pause:lab',
    runtimeHandler: '',
    config: { metadata: podMetadata(row), linux: { security_context: { namespace_options: {} } } },
    runtimeSpec: ociSpec(row),
    cniResult: { Interfaces: { eth0: { IPConfigs: [{ IP: row.ip, Gateway: '10.201.7.1' }] } } },
  };
}

/** The specification of a container as runtimes keep it. */
export function ociSpec(row: FakeContainer): Message {
  return {
    ociVersion: '1.0.2-dev',
    process: { user: { uid: 0, gid: 0 }, args: ['/bin/sleep', '100'], env: row.env, cwd: '/' },
    root: { path: 'rootfs' },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      ...row.mounts.map(({ source, destination, isWritable }) => ({
        destination,
        type: 'bind',
        source,
        options: ['rbind', 'rprivate', isWritable ? 'rw' : 'ro'],
      })),
    ],
    annotations: {
      'io.kubernetes.cri.container-type': row.isSandbox ? 'sandbox' : 'container',
      'io.kubernetes.cri.sandbox-id': row.podId,
    },
    linux: {
      resources: { cpu: { shares: 2 } },
      cgroupsPath: `/kubepods/pod${row.podUid}/${row.id}`,
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'network' }],
    },
  };
}

function spoilInfo(answer: Message, how: 'wrong-types' | 'no-json'): Message {
  const info = answer['info'] as { readonly info?: string } | undefined;
  if (info?.info === undefined) return answer;
  const text =
    how === 'no-json'
      ? info.info.slice(0, info.info.length / 2)
      : JSON.stringify(spoil(JSON.parse(info.info)));
  return { ...answer, info: { info: text } };
}
