/** containerd without CRI: containers of all namespaces, such as those of `ctr` and nerdctl, by any name. */
import { type JsonObject, textOf } from '../container-json.ts';
import { ContainerdCalls, ifTold } from './containerd-calls.ts';
import { watchContainerd } from './containerd-events.ts';
import { containerdRow } from './containerd-rows.ts';
import { CreatedFacts } from './created-facts.ts';
import { GrpcConnection } from './grpc-connection.ts';
import { PROBE_INTERVAL_MS } from './grpc-watch.ts';
import type { RuntimeClient, RuntimeContainer, RuntimeEvents, RuntimeKind } from './runtime-client.ts';

export interface GrpcClientOptions {
  readonly socketPath: string;
  /** Longest wait for one answer. */
  readonly callTimeoutMs: number;
  /** How often the runtime is asked whether it still answers while events are watched; by default every 10 s. */
  readonly probeIntervalMs?: number | undefined;
}

/** Containers whose namespace is remembered; the oldest are forgotten and looked for in all. */
const REMEMBERED_MAX = 8192;

/** Running ones by their status; what is not told counts as running. */
const RUNNING = new Set<unknown>(['RUNNING', 'PAUSED', 'PAUSING']);

export class ContainerdClient implements RuntimeClient {
  readonly kind: RuntimeKind;
  readonly socketPath: string;
  readonly peek: undefined;
  private readonly connection: GrpcConnection;
  private readonly calls: ContainerdCalls;
  private readonly probeIntervalMs: number;
  private readonly namespaceOf: Map<string, string>;

  constructor(options: GrpcClientOptions) {
    this.kind = 'containerd';
    this.socketPath = options.socketPath;
    this.connection = new GrpcConnection(options.socketPath, options.callTimeoutMs);
    this.calls = new ContainerdCalls(this.connection, options.callTimeoutMs);
    this.probeIntervalMs = options.probeIntervalMs ?? PROBE_INTERVAL_MS;
    this.namespaceOf = new Map();
  }

  async connect(signal: AbortSignal): Promise<string> {
    this.connection.reset();
    return `containerd ${await this.calls.version(signal)}`.trimEnd();
  }

  async list(signal: AbortSignal): Promise<readonly RuntimeContainer[]> {
    const namespaces = await this.calls.namespaces(signal);
    const found = await Promise.all(namespaces.map((namespace) => this.listIn(namespace, signal)));
    const byId = new Map<string, RuntimeContainer>();
    for (const container of found.flat()) {
      // One name may be used in several namespaces: the one that runs is what threads are seen in.
      if (container.isRunning || !byId.has(container.row.fullId)) byId.set(container.row.fullId, container);
    }
    for (const { row, namespace } of byId.values())
      if (namespace !== undefined) this.remember(row.fullId, namespace);
    return [...byId.values()];
  }

  async inspect(fullId: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    if (fullId === '') return undefined;
    const remembered = this.namespaceOf.get(fullId);
    if (remembered !== undefined) {
      const container = await this.inspectIn(remembered, fullId, signal);
      if (container !== undefined) return container;
      this.namespaceOf.delete(fullId);
    }
    const namespaces = (await this.calls.namespaces(signal)).filter((namespace) => namespace !== remembered);
    const found = await Promise.all(namespaces.map((namespace) => this.inspectIn(namespace, fullId, signal)));
    const known = found.filter((container) => container !== undefined);
    const container = known.find((one) => one.isRunning) ?? known[0];
    if (container?.namespace !== undefined) this.remember(fullId, container.namespace);
    return container;
  }

  watch(events: RuntimeEvents, onReady: () => void, signal: AbortSignal): Promise<void> {
    const facts = new CreatedFacts(events, (id) => this.createdFacts(id, signal));
    const { probeIntervalMs } = this;
    const probe = (probing: AbortSignal) => this.calls.version(probing);
    return watchContainerd(
      this.connection,
      { namespace: undefined, probeIntervalMs, probe, onReady },
      {
        onCreated: (namespace, id) => {
          this.remember(id, namespace);
          facts.created(id);
        },
        onUpdated: (_namespace, id) => facts.updated(id),
        onStarted: (namespace, id) => {
          this.remember(id, namespace);
          facts.started(id);
        },
        onEnded: (_namespace, id) => facts.ended(id),
      },
      signal,
    );
  }

  close(): void {
    this.connection.close();
  }

  private async listIn(namespace: string, signal: AbortSignal): Promise<readonly RuntimeContainer[]> {
    const tasks = await ifTold(this.calls.tasks(namespace, signal), signal);
    const tasksById = new Map(
      tasks?.map((task) => [textOf(task['container_id']) || textOf(task['id']), task]),
    );
    const records: JsonObject[] = [];
    const keep = (container: JsonObject) => {
      const task = tasksById.get(textOf(container['id']));
      if (tasks === undefined || (task !== undefined && task['status'] !== 'STOPPED'))
        records.push(container);
    };
    await this.calls.containers(namespace, keep, signal);
    const digests = await this.digestsOf(namespace, records, signal);
    return records.flatMap((record) => {
      const row = containerdRow(record, digests.get(textOf(record['image'])) ?? '');
      if (row === undefined) return [];
      const task = tasksById.get(row.fullId);
      return [
        { row, pid: pidOf(task), isRunning: task === undefined || RUNNING.has(task['status']), namespace },
      ];
    });
  }

  private async inspectIn(
    namespace: string,
    id: string,
    signal: AbortSignal,
  ): Promise<RuntimeContainer | undefined> {
    const task = ifTold(this.calls.task(namespace, id, signal), signal);
    const [facts, running] = await Promise.all([this.recordFacts(namespace, id, signal), task]);
    return facts && { ...facts, pid: pidOf(running), isRunning: RUNNING.has(running?.['status']) };
  }

  /** A container that was just created has no process yet. */
  private async createdFacts(id: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    const namespace = this.namespaceOf.get(id);
    return namespace === undefined ? undefined : this.recordFacts(namespace, id, signal);
  }

  private async recordFacts(
    namespace: string,
    id: string,
    signal: AbortSignal,
  ): Promise<RuntimeContainer | undefined> {
    const record = await this.calls.container(namespace, id, signal);
    if (record === undefined) return undefined;
    const digests = await this.digestsOf(namespace, [record], signal);
    const row = containerdRow(record, digests.get(textOf(record['image'])) ?? '');
    return row && { row, pid: 0, isRunning: false, namespace };
  }

  /** Digest by image name, each asked for once. */
  private async digestsOf(
    namespace: string,
    records: readonly JsonObject[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const names = new Set(records.map((record) => textOf(record['image'])).filter((name) => name !== ''));
    const digests = await Promise.all(
      [...names].map(async (name): Promise<[string, string]> => {
        return [name, (await ifTold(this.calls.imageDigest(namespace, name, signal), signal)) ?? ''];
      }),
    );
    return new Map(digests);
  }

  private remember(id: string, namespace: string): void {
    this.namespaceOf.delete(id);
    this.namespaceOf.set(id, namespace);
    if (this.namespaceOf.size <= REMEMBERED_MAX) return;
    for (const oldest of this.namespaceOf.keys()) {
      this.namespaceOf.delete(oldest);
      break;
    }
  }
}

function pidOf(task: JsonObject | undefined): number {
  const pid = task?.['pid'];
  return typeof pid === 'number' ? pid : 0;
}
