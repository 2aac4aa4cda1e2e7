/** A Docker daemon as its API shows it (20.10): the answers and events of a real one, for containers that a test makes up. */
import { FAKE_IMAGE, type FakeContainer } from './fake-container.ts';
import { type Answer, FakeHttpRuntime } from './fake-http-runtime.ts';

const VERSION = '20.10.24+dfsg1';

export class FakeDocker extends FakeHttpRuntime {
  readonly containers: Map<string, FakeContainer>;
  /** How much longer inspections of containers that are not started take: the real one's wait until the start is over. */
  blockedInspectMs: number;

  constructor(path: string) {
    super(path);
    this.containers = new Map();
    this.blockedInspectMs = 0;
  }

  /** Known from now on, told to those who watch. */
  create(container: FakeContainer): void {
    this.containers.set(container.id, container);
    this.tell(container, 'create');
  }

  start(id: string): void {
    this.change(id, 'running', 'start');
  }

  die(id: string): void {
    this.change(id, 'exited', 'die');
  }

  remove(id: string): void {
    const container = this.containers.get(id);
    if (container === undefined) return;
    this.containers.delete(id);
    this.tell(container, 'destroy');
  }

  /** An event of this container, whether it is known or not. */
  tell(container: FakeContainer, action: string): void {
    this.push(dockerEvent(container, action));
  }

  protected override latencyOf(route: string, path: string): number {
    const latencyMs = super.latencyOf(route, path);
    if (route !== 'inspect' || this.blockedInspectMs === 0) return latencyMs;
    const container = this.containers.get(decodeURIComponent(path.split('/')[2] as string));
    return container?.state === 'created' ? latencyMs + this.blockedInspectMs : latencyMs;
  }

  protected override headers(): Readonly<Record<string, string>> {
    return { 'Api-Version': '1.41', Ostype: 'linux', Server: `Docker/${VERSION} (linux)` };
  }

  protected override routeOf(path: string): string {
    if (path === '/_ping') return 'ping';
    if (path === '/version') return 'version';
    if (path === '/info') return 'info';
    if (path === '/events') return 'events';
    if (path === '/containers/json') return 'list';
    if (/^\/images\/.+\/json$/.test(path)) return 'image';
    if (/^\/containers\/[^/]+\/json$/.test(path)) return 'inspect';
    return 'other';
  }

  protected override answer(route: string, path: string, query: URLSearchParams): Answer {
    switch (route) {
      case 'ping':
        return { status: 200, body: 'OK' };
      case 'version':
        return { status: 200, body: dockerVersion() };
      case 'info':
        return {
          status: 200,
          body: { ID: 'B562:RGSU', Containers: this.containers.size, ServerVersion: VERSION },
        };
      case 'list':
        return { status: 200, body: this.list(query) };
      case 'inspect':
        return this.inspect(decodeURIComponent(path.split('/')[2] as string));
      case 'image':
        return { status: 200, body: dockerImage(decodeURIComponent(path.split('/')[2] as string)) };
      default:
        return { status: 404, body: { message: 'page not found' } };
    }
  }

  private change(id: string, state: FakeContainer['state'], action: string): void {
    const container = this.containers.get(id);
    if (container === undefined) return;
    container.state = state;
    this.tell(container, action);
  }

  private list(query: URLSearchParams): unknown {
    const rows = listed(this.containers.values(), query);
    return rows.map(dockerListRow);
  }

  private inspect(id: string): Answer {
    const container = this.containers.get(id) ?? [...this.containers.values()].find((row) => row.name === id);
    if (container === undefined) return { status: 404, body: { message: `No such container: ${id}` } };
    return { status: 200, body: dockerInspect(container) };
  }
}

/** Those a list is about: the running ones, unless all, some states or some ids are asked for. */
export function listed(rows: Iterable<FakeContainer>, query: URLSearchParams): readonly FakeContainer[] {
  const states = filterOf(query, 'status');
  const ids = filterOf(query, 'id');
  const isAll = ['1', 'true', 'True'].includes(query.get('all') ?? '');
  return [...rows].filter(({ id, state }) => {
    const isListed = states.length > 0 ? states.includes(state) : isAll || state === 'running';
    return isListed && (ids.length === 0 || ids.some((start) => id.startsWith(start)));
  });
}

/** Values of a filter, which is written as a list or as a map. */
function filterOf(query: URLSearchParams, name: string): readonly string[] {
  try {
    const filters = JSON.parse(query.get('filters') ?? '{}') as Record<string, readonly string[] | object>;
    const values = filters[name] ?? [];
    return Array.isArray(values) ? (values as readonly string[]) : Object.keys(values);
  } catch {
    return [];
  }
}

export function dockerVersion(): object {
  return {
    Platform: { Name: '' },
    Components: [
      { Name: 'Engine', Version: VERSION, Details: { ApiVersion: '1.41', MinAPIVersion: '1.12' } },
    ],
    Version: VERSION,
    ApiVersion: '1.41',
    MinAPIVersion: '1.12',
    Os: 'linux',
    Arch: 'amd64',
  };
}

export function dockerImage(id: string): object {
  return {
    Id: id.startsWith('sha256:') ? id : `sha256:${id}`,
    RepoTags: [FAKE_IMAGE],
    RepoDigests: [`localhost/t/busybox@sha256:${'2'.repeat(64)}`],
    Os: 'linux',
    Size: 1,
  };
}

export function dockerEvent(container: FakeContainer, action: string): object {
  const seconds = Math.floor(container.createdMs / 1000);
  return {
    status: action,
    id: container.id,
    from: container.image,
    Type: 'container',
    Action: action,
    Actor: {
      ID: container.id,
      Attributes: { ...container.labels, image: container.image, name: container.name },
    },
    scope: 'local',
    time: seconds,
    timeNano: seconds * 1e9,
  };
}

export function dockerListRow(container: FakeContainer): object {
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: container.image,
    ImageID: `sha256:${container.imageId}`,
    Command: 'sleep 100',
    Created: Math.floor(container.createdMs / 1000),
    Ports: [],
    Labels: container.labels,
    State: container.state,
    Status: 'Up 1 second',
    HostConfig: { NetworkMode: 'default' },
    NetworkSettings: { Networks: { bridge: { IPAddress: addressOf(container), IPPrefixLen: 16 } } },
    Mounts: mountsOf(container),
  };
}

export function dockerInspect(container: FakeContainer): object {
  const isRunning = container.state === 'running';
  return {
    Id: container.id,
    Created: new Date(container.createdMs).toISOString().replace('Z', '275179Z'),
    Path: 'sleep',
    Args: ['100'],
    State: {
      Status: container.state,
      Running: isRunning,
      Paused: false,
      Restarting: false,
      Pid: isRunning ? container.pid : 0,
      ExitCode: 0,
      Error: '',
      StartedAt: isRunning ? new Date(container.createdMs + 300).toISOString() : '0001-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    },
    Image: `sha256:${container.imageId}`,
    Name: `/${container.name}`,
    RestartCount: 0,
    Driver: 'overlay2',
    Platform: 'linux',
    ExecIDs: null,
    HostConfig: {
      Binds: container.mounts.map((mount) => `${mount.source}:${mount.destination}`),
      NetworkMode: 'default',
      AutoRemove: false,
      CapAdd: null,
      CgroupnsMode: 'host',
      IpcMode: 'private',
      PidMode: '',
      Privileged: container.isPrivileged,
      UTSMode: '',
      CgroupParent: '',
      MaskedPaths: null,
    },
    Mounts: mountsOf(container),
    Config: {
      Hostname: container.id.slice(0, 12),
      User: '',
      Env: container.env,
      Cmd: ['sleep', '100'],
      ...(container.health.length === 0 ? {} : { Healthcheck: { Test: container.health, Interval: 1e9 } }),
      Image: container.image,
      Volumes: null,
      Entrypoint: null,
      Labels: container.labels,
    },
    NetworkSettings: {
      Bridge: '',
      IPAddress: addressOf(container),
      IPPrefixLen: 16,
      Networks: { bridge: { IPAddress: addressOf(container), IPPrefixLen: 16 } },
    },
  };
}

function addressOf(container: FakeContainer): string {
  return container.state === 'running' ? container.ip : '';
}

function mountsOf(container: FakeContainer): readonly object[] {
  return container.mounts.map(({ source, destination, isWritable }) => ({
    Type: 'bind',
    Source: source,
    Destination: destination,
    Mode: isWritable ? '' : 'ro',
    RW: isWritable,
    Propagation: 'rprivate',
  }));
}
