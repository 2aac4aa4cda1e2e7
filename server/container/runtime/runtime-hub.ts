/** All container runtimes of the node: finds them, follows them, and answers what the inspector asks about containers and their users. */
import { ExponentialBackoff, type IBackoffFactory, noJitterGenerator } from 'cockatiel';
import type { ContainerRequest, ContainerUpdate } from '../container-update.ts';
import { ContainerOwners, type ReadUidMap, uidMapReader } from './container-owners.ts';
import { type ReadUsers, UserReads, usersReader } from './container-users.ts';
import { Discovery, type FoundSocket, SOCKET_FILES, type SocketFiles } from './discovery.ts';
import { type HubClock, pause, SYSTEM_CLOCK } from './hub-clock.ts';
import type { HubCounters, HubListener, RuntimeOptions, RuntimeStatus } from './hub-types.ts';
import { Lookups } from './lookups.ts';
import { type MakeClient, makeRuntimeClient } from './make-client.ts';
import { MergedContainers } from './merged-containers.ts';
import { RuntimeConnection } from './runtime-connection.ts';

/** What a hub is made of; tests pass their own. */
export interface HubParts {
  readonly makeClient: MakeClient;
  readonly clock: HubClock;
  readonly files: SocketFiles;
  readonly readUsers: ReadUsers;
  readonly readUidMap: ReadUidMap;
  /** Waits between attempts to connect. */
  readonly reconnectBackoff: IBackoffFactory<unknown>;
  /** Waits between tries to find a container. */
  readonly lookupBackoff: IBackoffFactory<unknown>;
}

/** Longest wait for the first lists. */
const START_MS_MAX = 2000;
/** How often sockets are looked for. */
const FIND_MS = 2000;
const CONNECTIONS_MAX = 128;

export class RuntimeHub {
  readonly counters: HubCounters;
  private readonly options: RuntimeOptions;
  private readonly listener: HubListener;
  private readonly parts: HubParts;
  private readonly discovery: Discovery;
  private readonly connections: Map<string, RuntimeConnection>;
  private readonly merged: MergedContainers;
  private readonly lookups: Lookups;
  private readonly users: UserReads;
  private readonly owners: ContainerOwners;
  private readonly stopping: AbortController;
  private updates: ContainerUpdate[];
  private kindsThere: string;

  constructor(options: RuntimeOptions, listener: HubListener, parts: Partial<HubParts> = {}) {
    this.options = options;
    this.listener = listener;
    this.parts = {
      makeClient: parts.makeClient ?? makeRuntimeClient,
      clock: parts.clock ?? SYSTEM_CLOCK,
      files: parts.files ?? SOCKET_FILES,
      readUsers: parts.readUsers ?? usersReader(options.hostRoot),
      readUidMap: parts.readUidMap ?? uidMapReader(options.hostRoot),
      reconnectBackoff:
        parts.reconnectBackoff ?? new ExponentialBackoff({ initialDelay: 100, maxDelay: 5000 }),
      lookupBackoff:
        parts.lookupBackoff ??
        new ExponentialBackoff({ initialDelay: 10, maxDelay: 500, generator: noJitterGenerator }),
    };
    this.counters = {
      prefetched: 0,
      lookups: 0,
      lookupsFound: 0,
      lookupsFailed: 0,
      lookupsRefused: 0,
      containersRefused: 0,
      usersRead: 0,
      usersFailed: 0,
    };
    this.discovery = new Discovery(options, this.parts.files);
    this.connections = new Map();
    this.stopping = new AbortController();
    this.updates = [];
    this.kindsThere = '';
    this.owners = new ContainerOwners(this.parts.readUidMap);
    this.merged = this.mergedContainers();
    this.lookups = this.allLookups();
    this.users = this.userReads();
  }

  /** Resolves when every runtime found has been listed once, or has failed, or has had its time. */
  async start(): Promise<void> {
    if (!this.options.isEnabled) return;
    this.find();
    this.findLater();
    const all = Promise.all([...this.connections.values()].map(({ settled }) => settled));
    const waiting = new AbortController();
    const { clock } = this.parts;
    await Promise.race([
      all,
      pause(clock, START_MS_MAX, AbortSignal.any([waiting.signal, this.stopping.signal])),
    ]);
    waiting.abort();
    this.flush();
  }

  onRequest(request: ContainerRequest): void {
    if (this.stopping.signal.aborted) return;
    const { fullId } = request;
    switch (request.kind) {
      case 'wanted':
        this.learnOwner(fullId, request.tid);
        this.lookups.wanted(fullId, request.type);
        this.users.first(fullId, request.tid);
        return;
      case 'users':
        this.learnOwner(fullId, request.tid);
        this.users.again(fullId, request.tid);
        return;
      case 'forgotten':
        this.lookups.cancel(fullId);
        this.merged.forget(fullId);
        this.owners.forget(fullId);
        this.users.forget(fullId);
        return;
    }
  }

  status(): readonly RuntimeStatus[] {
    return [...this.connections.values()].map((connection) => connection.status());
  }

  /** Entries of all tables together. */
  get size(): number {
    return this.merged.size + this.merged.endedSize + this.lookups.size + this.users.size + this.owners.size;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.lookups.stop();
    this.users.stop();
    await Promise.all([...this.connections.values()].map((connection) => connection.stop()));
  }

  private findLater(): void {
    const { clock } = this.parts;
    const again = () => {
      this.find();
      cancel = clock.after(FIND_MS, again);
    };
    let cancel = clock.after(FIND_MS, again);
    this.stopping.signal.addEventListener('abort', () => cancel(), { once: true });
  }

  private find(): void {
    const found = new Map(this.discovery.find().map((socket) => [keyOf(socket), socket]));
    for (const [key, connection] of this.connections) connection.onSocket(found.get(key));
    for (const [key, socket] of found) {
      if (this.connections.has(key)) continue;
      if (this.connections.size >= CONNECTIONS_MAX && !this.evict(found)) return;
      this.connect(key, socket);
    }
  }

  private connect(key: string, socket: FoundSocket): void {
    const { clock, makeClient, reconnectBackoff } = this.parts;
    const { callTimeoutMs, lookupTimeoutMs } = this.options;
    const connection = new RuntimeConnection(socket, {
      client: makeClient(socket.kind, { socketPath: socket.socketPath, callTimeoutMs }),
      clock,
      callTimeoutMs,
      hopeMs: lookupTimeoutMs,
      backoff: reconnectBackoff,
      merged: this.merged,
      onNews: (news, fullId) => this.lookups.prefetch(fullId, news),
      onStatusChanged: () => this.onStatusChanged(),
    });
    this.connections.set(key, connection);
    // Those that come make nothing more of what stands in; those that go do.
    this.kindsThere = this.listKinds();
    connection.start();
  }

  private onStatusChanged(): void {
    const before = this.kindsThere;
    this.kindsThere = this.listKinds();
    if (this.kindsThere !== before) this.merged.reconsider();
    this.listener.onStatusChanged();
  }

  /** Kinds of runtimes that are there, as a text. */
  private listKinds(): string {
    const kinds = [...this.connections.values()].flatMap((one) => (one.isThere ? [one.kind] : []));
    return [...new Set(kinds)].sort().join();
  }

  /** Makes room: sockets of users who have left. */
  private evict(found: ReadonlyMap<string, FoundSocket>): boolean {
    for (const [key, connection] of this.connections) {
      if (found.has(key) || connection.isThere) continue;
      this.connections.delete(key);
      void connection.stop();
      return true;
    }
    return false;
  }

  /** Needed as soon as there is a runtime of a user. */
  private learnOwner(fullId: string, tid: number): void {
    if (fullId === '' || !this.connections.values().some(({ userId }) => userId !== undefined)) return;
    // It does not reject.
    void this.owners.learn(fullId, tid).then((isLearned) => {
      if (isLearned) this.merged.retell(fullId);
    });
  }

  private mergedContainers(): MergedContainers {
    return new MergedContainers({
      nowMs: () => this.parts.clock.nowMs(),
      hasKind: (kind) => this.connections.values().some((one) => one.kind === kind && one.isThere),
      isOwnedBy: (fullId, userId) => this.owners.has(fullId, userId),
      listener: {
        onUpdate: (update) => this.tell(update),
        onRefused: () => {
          this.counters.containersRefused++;
        },
        onComplete: (fullId, isFirst) => this.lookups.onComplete(fullId, isFirst),
      },
    });
  }

  private allLookups(): Lookups {
    return new Lookups({
      clock: this.parts.clock,
      lookupTimeoutMs: this.options.lookupTimeoutMs,
      backoff: this.parts.lookupBackoff,
      merged: this.merged,
      counters: this.counters,
      sources: () => [...this.connections.values()],
      onUpdate: (update) => this.tell(update),
    });
  }

  private userReads(): UserReads {
    return new UserReads(this.parts.readUsers, {
      onUsers: (fullId, { users, groups }) => this.tell({ kind: 'users', fullId, users, groups }),
      onRead: (isRead) => {
        if (isRead) this.counters.usersRead++;
        else this.counters.usersFailed++;
      },
    });
  }

  /** What is learned at once is told at once, together. */
  private tell(update: ContainerUpdate): void {
    this.updates.push(update);
    if (this.updates.length === 1) queueMicrotask(() => this.flush());
  }

  private flush(): void {
    if (this.updates.length === 0 || this.stopping.signal.aborted) return;
    const { updates } = this;
    this.updates = [];
    this.listener.onUpdates(updates);
  }
}

function keyOf({ kind, socketPath }: FoundSocket): string {
  return `${kind} ${socketPath}`;
}
