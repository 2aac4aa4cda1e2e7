/** A hub over scripted runtimes: what it tells is kept, and what an inspector would know by that. */
import { ConstantBackoff, ExponentialBackoff, noJitterGenerator } from 'cockatiel';
import type { ContainerUpdate } from '../../server/container/container-update.ts';
import type { SocketFiles } from '../../server/container/runtime/discovery.ts';
import type { RuntimeOptions, RuntimeStatus } from '../../server/container/runtime/hub-types.ts';
import type { RuntimeKind } from '../../server/container/runtime/runtime-client.ts';
import { type HubParts, RuntimeHub } from '../../server/container/runtime/runtime-hub.ts';
import { ManualHubClock, ScriptedRuntime } from './scripted-runtime.ts';

export const SOCKETS: Readonly<Record<RuntimeKind, string>> = {
  docker: '/run/docker.sock',
  podman: '/run/podman/podman.sock',
  cri: '/run/crio/crio.sock',
  containerd: '/run/containerd/containerd.sock',
};

export class ScriptedHub {
  readonly clock: ManualHubClock;
  readonly hub: RuntimeHub;
  /** Identities of sockets by path: those that are there. */
  readonly sockets: Map<string, string>;
  readonly runtimes: Map<string, ScriptedRuntime>;
  readonly updates: ContainerUpdate[];
  /** Containers told and not told gone since, with the last that was told. */
  readonly known: Map<string, { readonly json: string; readonly isComplete: boolean }>;
  statusChanges: number;

  constructor(options: Partial<RuntimeOptions> = {}, parts: Partial<HubParts> = {}) {
    this.clock = new ManualHubClock();
    this.sockets = new Map();
    this.runtimes = new Map();
    this.updates = [];
    this.known = new Map();
    this.statusChanges = 0;
    const files: SocketFiles = {
      identityOf: (path) => this.sockets.get(path),
      list: (path) => this.namesIn(path),
    };
    this.hub = new RuntimeHub(
      {
        hostRoot: '',
        isEnabled: true,
        dockerSockets: undefined,
        podmanSockets: undefined,
        containerdSockets: undefined,
        criSockets: [],
        lookupTimeoutMs: 500,
        callTimeoutMs: 250,
        ...options,
      },
      {
        onUpdates: (updates) => {
          for (const update of updates) this.take(update);
        },
        onStatusChanged: () => {
          this.statusChanges++;
        },
      },
      {
        clock: this.clock,
        files,
        makeClient: (kind, { socketPath }) => this.runtime(kind, socketPath),
        readUsers: async () => ({ users: [], groups: [] }),
        reconnectBackoff: new ConstantBackoff(100),
        lookupBackoff: new ExponentialBackoff({
          initialDelay: 10,
          maxDelay: 500,
          generator: noJitterGenerator,
        }),
        ...parts,
      },
    );
  }

  /** The runtime behind a socket, also before it is found. */
  runtime(kind: RuntimeKind, socketPath = SOCKETS[kind]): ScriptedRuntime {
    const key = `${kind} ${socketPath}`;
    let runtime = this.runtimes.get(key);
    if (runtime === undefined) {
      runtime = new ScriptedRuntime(kind, socketPath);
      this.runtimes.set(key, runtime);
    }
    return runtime;
  }

  addSocket(path: string, identity = path): void {
    this.sockets.set(path, identity);
  }

  /** Starts with these kinds of runtimes at their usual places. */
  async start(...kinds: readonly RuntimeKind[]): Promise<void> {
    for (const kind of kinds) this.addSocket(SOCKETS[kind]);
    const started = this.hub.start();
    await this.clock.advance(0);
    await started;
    await this.clock.advance(0);
  }

  want(fullId: string, type = ''): void {
    this.hub.onRequest({ kind: 'wanted', fullId, type, tid: 1 });
  }

  forget(fullId: string): void {
    this.hub.onRequest({ kind: 'forgotten', fullId });
  }

  status(kind: RuntimeKind): RuntimeStatus {
    const status = this.hub.status().find((one) => one.kind === kind);
    if (status === undefined) throw new Error(`no ${kind}`);
    return status;
  }

  /** What was told of one container, users apart: `found`, `partial`, `gone`, `unknown`. */
  told(fullId: string): string[] {
    return this.updates.flatMap((update) => {
      if (update.fullId !== fullId || update.kind === 'users') return [];
      return [update.kind === 'found' && !update.isComplete ? 'partial' : update.kind];
    });
  }

  nameOf(fullId: string): string {
    const parsed = JSON.parse(this.known.get(fullId)?.json ?? '{}') as {
      readonly container?: { readonly name?: string };
    };
    return parsed.container?.name ?? '';
  }

  private take(update: ContainerUpdate): void {
    this.updates.push(update);
    if (update.kind === 'found') this.known.set(update.fullId, update);
    if (update.kind === 'gone') this.known.delete(update.fullId);
  }

  private namesIn(path: string): string[] {
    const names = new Set<string>();
    for (const socket of this.sockets.keys()) {
      if (socket.startsWith(path)) names.add(socket.slice(path.length).split('/')[0] ?? '');
    }
    return [...names];
  }
}
