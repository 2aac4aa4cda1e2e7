/** Podman's service as its own API and the compatible one show it (4.3), for containers that a test makes up. */
import type { FakeContainer } from './fake-container.ts';
import { dockerEvent, dockerImage, dockerInspect, dockerListRow, listed } from './fake-docker.ts';
import { type Answer, FakeHttpRuntime } from './fake-http-runtime.ts';

const VERSION = '4.3.1';

export class FakePodman extends FakeHttpRuntime {
  readonly containers: Map<string, FakeContainer>;

  constructor(path: string) {
    super(path);
    this.containers = new Map();
  }

  create(container: FakeContainer): void {
    this.containers.set(container.id, container);
    this.tell(container, 'create');
  }

  start(id: string): void {
    const container = this.containers.get(id);
    if (container === undefined) return;
    container.state = 'running';
    this.tell(container, 'init');
    this.tell(container, 'start');
  }

  die(id: string): void {
    const container = this.containers.get(id);
    if (container === undefined) return;
    container.state = 'exited';
    this.tell(container, 'died');
  }

  remove(id: string): void {
    const container = this.containers.get(id);
    if (container === undefined) return;
    this.containers.delete(id);
    this.tell(container, 'remove');
  }

  tell(container: FakeContainer, action: string): void {
    const event = dockerEvent(container, action) as { readonly Actor: { readonly Attributes: object } };
    const attributes = { ...event.Actor.Attributes, containerExitCode: '0', podId: container.podId };
    this.push({ ...event, Actor: { ...event.Actor, Attributes: attributes } });
  }

  protected override headers(): Readonly<Record<string, string>> {
    return { 'Api-Version': '1.41', 'Libpod-Api-Version': VERSION, Server: `Libpod/${VERSION} (linux)` };
  }

  protected override routeOf(path: string): string {
    const rest = path.replace(/^\/libpod/, '');
    if (rest === '/_ping') return 'ping';
    if (rest === '/version') return 'version';
    if (rest === '/info') return 'info';
    if (rest === '/events') return 'events';
    if (rest === '/containers/json') return 'list';
    if (rest === '/pods/json') return 'pods';
    if (/^\/images\/.+\/json$/.test(rest)) return 'image';
    if (/^\/containers\/[^/]+\/json$/.test(rest)) return 'inspect';
    return 'other';
  }

  protected override answer(route: string, path: string, query: URLSearchParams): Answer {
    const isOwn = path.startsWith('/libpod/');
    switch (route) {
      case 'ping':
        return { status: 200, body: 'OK' };
      case 'version':
        return { status: 200, body: podmanVersion() };
      case 'info':
        return {
          status: 200,
          body: { host: { os: 'linux' }, version: { APIVersion: VERSION, Version: VERSION } },
        };
      case 'list':
        return { status: 200, body: this.list(isOwn, query) };
      case 'pods':
        return { status: 200, body: this.pods() };
      case 'image':
        return { status: 200, body: dockerImage(decodeURIComponent(path.split('/').at(-2) as string)) };
      case 'inspect':
        return this.inspect(isOwn, decodeURIComponent(path.split('/').at(-2) as string));
      default:
        return { status: 404, body: { message: 'page not found' } };
    }
  }

  private list(isOwn: boolean, query: URLSearchParams): unknown {
    const rows = listed(this.containers.values(), query);
    return rows.map(isOwn ? podmanListRow : dockerListRow);
  }

  private pods(): unknown {
    const pods = new Map<string, object>();
    for (const { podId, podName } of this.containers.values()) {
      if (podId !== '') pods.set(podId, { Id: podId, Name: podName, Status: 'Running', Labels: {} });
    }
    return [...pods.values()];
  }

  private inspect(isOwn: boolean, id: string): Answer {
    const container = this.containers.get(id) ?? [...this.containers.values()].find((row) => row.name === id);
    if (container === undefined) {
      const message = `no container with name or ID "${id}" found: no such container`;
      return { status: 404, body: { cause: 'no such container', message, response: 404 } };
    }
    return { status: 200, body: isOwn ? podmanInspect(container) : dockerInspect(container) };
  }
}

export function podmanVersion(): object {
  return {
    Platform: { Name: 'linux/amd64/debian-12' },
    Components: [
      { Name: 'Podman Engine', Version: VERSION, Details: { APIVersion: VERSION, MinAPIVersion: '4.0.0' } },
    ],
    Version: VERSION,
    ApiVersion: '1.41',
    MinAPIVersion: '1.24',
    Os: 'linux',
    Arch: 'amd64',
  };
}

export function podmanListRow(container: FakeContainer): object {
  return {
    AutoRemove: false,
    Command: ['sleep', '100'],
    Created: new Date(container.createdMs).toISOString(),
    CreatedAt: '',
    Exited: container.state === 'exited',
    ExitCode: 0,
    Id: container.id,
    Image: container.image,
    ImageID: container.imageId,
    IsInfra: container.isSandbox,
    Labels: Object.keys(container.labels).length === 0 ? null : container.labels,
    Mounts: container.mounts.map((mount) => mount.destination),
    Names: [container.name],
    Namespaces: {},
    Networks: [],
    Pid: container.pid,
    Pod: container.podId,
    PodName: container.podName,
    Ports: null,
    StartedAt: Math.floor(container.createdMs / 1000),
    State: container.state,
    Status: '',
  };
}

/** Docker's members, with what differs. */
export function podmanInspect(container: FakeContainer): object {
  const docker = dockerInspect(container) as Record<string, Record<string, unknown>>;
  const config = docker['Config'] as Record<string, unknown>;
  const parent = container.podId === '' ? '/libpod_parent' : `/libpod_parent/${container.podId}`;
  return {
    ...docker,
    State: { ...docker['State'], CgroupPath: `${parent}/libpod-${container.id}`, OciVersion: '1.0.2-dev' },
    Image: container.imageId,
    ImageDigest: `sha256:${container.imageId}`,
    ImageName: container.image,
    Name: container.name,
    Pod: container.podId,
    IsInfra: container.isSandbox,
    Config: {
      ...config,
      Env: [...container.env, 'container=podman'],
      Labels: Object.keys(container.labels).length === 0 ? null : container.labels,
      Entrypoint: '',
    },
    HostConfig: {
      ...docker['HostConfig'],
      CgroupParent: container.podId === '' ? '' : parent,
      PidMode: 'private',
    },
  };
}
