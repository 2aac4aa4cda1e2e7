/** Between the watches of the API server and the inspector: carries news, whichever of the two is there first, and tells health. */
import type { Logger } from './admin/log.ts';
import type { PodPeer } from './inspector/inspector-pool.ts';
import type { PodSink } from './inspector/worker-inspector.ts';
import { KubeAccess, type KubeAccessOptions } from './kubernetes/kube-access.ts';
import type { PodSource, PodSourceOptions, PodSourceStatus } from './kubernetes/pod-source.ts';
import type { PodUpdate } from './kubernetes/pod-update.ts';
import type { KubernetesFigures } from './rpc/kubernetes-status.ts';

export interface KubernetesOptions {
  readonly access: KubeAccessOptions;
  readonly source: PodSourceOptions;
}

/** News kept until the inspector is there. */
const WAITING_MAX = 65_536;

export class KubernetesLayer implements PodPeer, KubernetesFigures {
  private readonly options: KubernetesOptions;
  private readonly log: Pick<Logger, 'info' | 'warn'>;
  private readonly onHealth: (isHealthy: boolean) => void;
  private readonly access: KubeAccess | undefined;
  private source: PodSource | undefined;
  private sink: PodSink | undefined;
  private updates: PodUpdate[];
  private isStopped: boolean;
  /** State last told in the log, by kind. */
  private readonly toldStates: Map<string, string>;
  private readonly told: PromiseWithResolvers<void>;

  /** `onHealth`: called with whether every kind is followed. Throws KubeError for flags that cannot be understood. */
  constructor(
    options: KubernetesOptions,
    log: Pick<Logger, 'info' | 'warn'>,
    onHealth: (isHealthy: boolean) => void,
  ) {
    this.options = options;
    this.log = log;
    this.onHealth = onHealth;
    this.access = KubeAccess.find(options.access);
    this.source = undefined;
    this.sink = undefined;
    this.updates = [];
    this.isStopped = false;
    this.toldStates = new Map();
    this.told = Promise.withResolvers();
  }

  status(): PodSourceStatus | undefined {
    return this.source?.status();
  }

  /** Begins to follow; resolves when all pods there are have been told, or there is no way to. Does not reject: events come without pods then. */
  async start(): Promise<void> {
    const { access } = this;
    if (access === undefined) return;
    const { nodeName } = this.options.source;
    if (nodeName === '') {
      this.log.warn(
        { api: access.origin },
        'no --k8s-node: the pods of the WHOLE CLUSTER are read and kept, on every node where this is so',
      );
    }
    try {
      const { PodSource: Source } = await import('./kubernetes/pod-source.ts');
      if (this.isStopped) return;
      this.source = new Source(this.options.source, access, {
        onUpdates: (updates) => this.onUpdates(updates),
        onStatusChanged: () => this.onStatusChanged(),
      });
      this.source.start();
      this.log.info({ api: access.origin, node: nodeName }, 'following the API server');
      await this.told.promise;
    } catch (error) {
      this.log.warn({ err: error }, 'the API server cannot be followed');
    }
  }

  onInspector(sink: PodSink): void {
    this.sink = sink;
    if (this.updates.length > 0) sink(this.updates);
    this.updates = [];
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.told.resolve();
    await this.source?.stop();
  }

  private onUpdates(updates: readonly PodUpdate[]): void {
    if (this.isStopped) return;
    if (this.sink !== undefined) this.sink(updates);
    else if (this.updates.length < WAITING_MAX) for (const update of updates) this.updates.push(update);
    if (updates.some(({ kind }) => kind === 'synced')) this.told.resolve();
  }

  private onStatusChanged(): void {
    const status = this.status();
    if (this.isStopped || status === undefined) return;
    this.onHealth(status.kinds.every(({ error }) => error === ''));
    for (const { kind, state, error } of status.kinds) {
      const text = error === '' ? '' : `${state} ${error}`;
      if ((this.toldStates.get(kind) ?? '') === text) continue;
      this.toldStates.set(kind, text);
      if (error === '') this.log.info({ kind }, 'followed again');
      else this.log.warn({ kind, state, reason: error }, 'cannot be followed');
    }
  }
}
