/** Between the hub of container runtimes and the inspector: carries news and requests, whichever of the two is there first. */
import type { Logger } from './admin/log.ts';
import type { ContainerRequest, ContainerUpdate } from './container/container-update.ts';
import type {
  HubCounters,
  HubListener,
  RuntimeOptions,
  RuntimeStatus,
} from './container/runtime/hub-types.ts';
import type { ContainerPeer } from './inspector/inspector-pool.ts';
import type { ContainerSink } from './inspector/worker-inspector.ts';
import type { RuntimeFigures } from './rpc/container-status.ts';

/** Those who know container runtimes. */
export interface Hub {
  readonly counters: HubCounters;
  /** Resolves when all runtimes found have told what runs, or have failed to in their time. */
  start(): Promise<void>;
  onRequest(request: ContainerRequest): void;
  status(): readonly RuntimeStatus[];
  stop(): Promise<void>;
}

export type MakeHub = (options: RuntimeOptions, listener: HubListener) => Promise<Hub>;

/** Messages kept until the other side is there. */
const WAITING_MAX = 65_536;

const NO_COUNTERS: HubCounters = {
  prefetched: 0,
  lookups: 0,
  lookupsFound: 0,
  lookupsFailed: 0,
  lookupsRefused: 0,
  containersRefused: 0,
  usersRead: 0,
  usersFailed: 0,
};

/** Its modules, with all they need, are loaded for live sources only. */
export const makeRuntimeHub: MakeHub = async (options, listener) => {
  const { RuntimeHub } = await import('./container/runtime/runtime-hub.ts');
  return new RuntimeHub(options, listener);
};

export class ContainerLayer implements ContainerPeer, RuntimeFigures {
  private readonly options: RuntimeOptions;
  private readonly log: Pick<Logger, 'info' | 'warn'>;
  private readonly onHealth: (isHealthy: boolean) => void;
  private readonly makeHub: MakeHub;
  private hub: Hub | undefined;
  private sink: ContainerSink | undefined;
  private isListed: boolean;
  private isStopped: boolean;
  private updates: ContainerUpdate[];
  private requests: ContainerRequest[];
  /** State last told in the log, by kind and socket. */
  private readonly toldStates: Map<string, string>;

  /** `onHealth`: called with whether every runtime there is answers as it should. */
  constructor(
    options: RuntimeOptions,
    log: Pick<Logger, 'info' | 'warn'>,
    onHealth: (isHealthy: boolean) => void,
    makeHub: MakeHub = makeRuntimeHub,
  ) {
    this.options = options;
    this.log = log;
    this.onHealth = onHealth;
    this.makeHub = makeHub;
    this.hub = undefined;
    this.sink = undefined;
    this.isListed = false;
    this.isStopped = false;
    this.updates = [];
    this.requests = [];
    this.toldStates = new Map();
  }

  get counters(): Readonly<HubCounters> {
    return this.hub?.counters ?? NO_COUNTERS;
  }

  statuses(): readonly RuntimeStatus[] {
    return this.hub?.status() ?? [];
  }

  /** Resolves when what runs has been told. Does not reject: events come without metadata when nobody can be asked. */
  async start(): Promise<void> {
    try {
      const hub = await this.makeHub(this.options, {
        onUpdates: (updates) => this.onUpdates(updates),
        onStatusChanged: () => this.onStatusChanged(),
      });
      if (this.isStopped) return await hub.stop();
      const started = hub.start();
      this.hub = hub;
      for (const request of this.requests) hub.onRequest(request);
      this.requests = [];
      await started;
    } catch (error) {
      this.log.warn({ err: error }, 'container runtimes cannot be asked');
    }
    this.isListed = true;
    this.sink?.listed();
    this.onStatusChanged();
  }

  onInspector(sink: ContainerSink): void {
    this.sink = sink;
    if (this.updates.length > 0) sink.update(this.updates);
    this.updates = [];
    if (this.isListed) sink.listed();
  }

  onRequest(request: ContainerRequest): void {
    if (this.hub !== undefined) this.hub.onRequest(request);
    else if (!this.isListed && this.requests.length < WAITING_MAX) this.requests.push(request);
    else if (request.kind === 'wanted') this.onUpdates([{ kind: 'unknown', fullId: request.fullId }]);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.hub?.stop();
  }

  private onUpdates(updates: readonly ContainerUpdate[]): void {
    if (this.isStopped) return;
    if (this.sink !== undefined) this.sink.update(updates);
    else if (this.updates.length < WAITING_MAX) for (const update of updates) this.updates.push(update);
  }

  private onStatusChanged(): void {
    if (this.isStopped) return;
    const statuses = this.statuses();
    this.onHealth(statuses.every(({ state }) => state !== 'degraded'));
    for (const { kind, socketPath, state, version, error } of statuses) {
      const key = `${kind} ${socketPath}`;
      const text = `${state} ${error}`;
      if (state === 'connecting' || this.toldStates.get(key) === text) continue;
      this.toldStates.set(key, text);
      const facts = { runtime: kind, socket: socketPath, version };
      if (state === 'degraded') this.log.warn({ ...facts, reason: error }, 'container runtime degraded');
      else this.log.info(facts, `container runtime ${state}`);
    }
  }
}
