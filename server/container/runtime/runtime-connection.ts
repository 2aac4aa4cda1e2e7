/**
 * One runtime: connects, follows its news, lists what runs, and does so again whenever that breaks. Whatever is learned goes to the
 * merged containers.
 */
import { bulkhead, type IBackoff, type IBackoffFactory } from 'cockatiel';
import type { FoundSocket } from './discovery.ts';
import { bounded, type HubClock, pause } from './hub-clock.ts';
import type { RuntimeState, RuntimeStatus } from './hub-types.ts';
import type { Asked } from './lookups.ts';
import type { MergedContainers, RowSource } from './merged-containers.ts';
import { adviceOn, faultOf, reasonOf, shownText } from './runtime-advice.ts';
import {
  type RuntimeClient,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvents,
  type RuntimeKind,
} from './runtime-client.ts';
import { RuntimeSession } from './runtime-session.ts';

export interface ConnectionParts {
  readonly client: RuntimeClient;
  readonly clock: HubClock;
  readonly callTimeoutMs: number;
  /** How long a runtime that broke is expected back by those who wait for containers. */
  readonly hopeMs: number;
  /** Waits between attempts to connect. */
  readonly backoff: IBackoffFactory<unknown>;
  readonly merged: MergedContainers;
  /** It has told of a container that more is to be asked about. */
  readonly onNews: (connection: RuntimeConnection, fullId: string) => void;
  readonly onStatusChanged: () => void;
}

/** Of what a runtime calls itself. */
const VERSION_CHARS_MAX = 120;
/** Clients bound their calls; should one not, it is given up after this many times as long. */
const PATIENCE = 4;
/** Listing 2,000 containers takes longer than a question. */
const LIST_PATIENCE = 8;
const ASKED_MAX = 16;
const ASKED_WAITING_MAX = 2048;
/** Rows completed at a time after a list. */
const FILLS_MAX = 8;
/** Rows taken from a list before other work has its turn. */
const TURN_ROWS = 32;
/** Questions in a row without answer after which the runtime is taken to hang. */
const TIMEOUTS_MAX = 3;
/** How often what runs is listed although news come: to see that the runtime still answers, and what news were lost. */
const AUDIT_MS: Readonly<Record<RuntimeKind, number>> = {
  docker: 10_000,
  podman: 5000,
  cri: 60_000,
  containerd: 60_000,
};
/** How often what is not known of single containers is asked for again. */
const GAPS_MS = 5000;
/** Without news. */
const POLL_MS = 1000;
/** How soon news are asked for again where there were none; where the runtime says that it has none. */
const WATCH_AGAIN_MS = 2000;
const WATCH_NONE_AGAIN_MS = 60_000;
/** A socket that is gone for so long is no fault any more: the runtime is not there. */
const ABSENT_MS = 60_000;
/** How often what is not there, or is something else, is tried all the same. */
const ABSENT_RETRY_MS = 30_000;

export class RuntimeConnection implements Asked, RowSource {
  readonly kind: RuntimeKind;
  readonly socketPath: string;
  readonly userId: number | undefined;
  /** Resolves when it has been listed once, or has failed. */
  readonly settled: Promise<void>;
  /** Whether it can be asked: it answers, and what it listed is known. */
  isReady: boolean;
  private readonly parts: ConnectionParts;
  private readonly isNamed: boolean;
  private readonly settle: () => void;
  private readonly stopping: AbortController;
  private readonly asking: Map<string, Promise<RuntimeContainer | undefined>>;
  private readonly slots: { execute<Value>(work: () => Promise<Value>): Promise<Value> };
  private readonly counts: {
    call: number;
    failure: number;
    timeout: number;
    event: number;
    reconnect: number;
  };
  private state: RuntimeState;
  private version: string;
  private error: string;
  private isWatching: boolean;
  /** Why there are no news, and when they are asked for again. */
  private watchError: string;
  private watchAgainMs: number;
  private identity: string;
  /** When it stopped to answer, and when its socket went; -1: neither. */
  private brokenMs: number;
  private missingMs: number;
  private timeoutsInRow: number;
  private session: RuntimeSession | undefined;
  /** To be asked about anew as soon as what is under way is answered. */
  private readonly renewing: Set<string>;
  /** Listed rows that are to be completed. */
  private readonly filling: Set<string>;
  private fillCount: number;
  private wake: () => void;
  private loop: Promise<void>;

  constructor(socket: FoundSocket, parts: ConnectionParts) {
    this.kind = socket.kind;
    this.socketPath = socket.socketPath;
    this.isNamed = socket.isNamed;
    this.userId = socket.userId;
    this.identity = socket.identity;
    this.parts = parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.isReady = false;
    this.settle = resolve;
    this.stopping = new AbortController();
    this.asking = new Map();
    this.slots = bulkhead(ASKED_MAX, ASKED_WAITING_MAX);
    this.counts = { call: 0, failure: 0, timeout: 0, event: 0, reconnect: 0 };
    this.state = 'connecting';
    this.version = '';
    this.error = '';
    this.isWatching = false;
    this.watchError = '';
    this.watchAgainMs = 0;
    this.brokenMs = -1;
    this.missingMs = -1;
    this.timeoutsInRow = 0;
    this.session = undefined;
    this.renewing = new Set();
    this.filling = new Set();
    this.fillCount = 0;
    this.wake = () => {};
    this.loop = Promise.resolve();
  }

  get isThere(): boolean {
    return this.state !== 'absent';
  }

  get isHopeful(): boolean {
    if (this.isReady || this.state === 'connecting') return true;
    if (this.state === 'absent') return false;
    return this.brokenMs >= 0 && this.parts.clock.nowMs() - this.brokenMs < this.parts.hopeMs;
  }

  status(): RuntimeStatus {
    return {
      kind: this.kind,
      socketPath: this.socketPath,
      state: this.state,
      version: this.version,
      error: this.error,
      containerCount: this.parts.merged.idsOf(this).size,
      callCount: this.counts.call,
      callFailureCount: this.counts.failure,
      callTimeoutCount: this.counts.timeout,
      eventCount: this.counts.event,
      reconnectCount: this.counts.reconnect,
      isWatching: this.isWatching,
    };
  }

  start(): void {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.loop;
    this.parts.client.close();
    this.settle();
  }

  /** The socket as it is now; undefined when there is none at this path any more. */
  onSocket(socket: FoundSocket | undefined): void {
    const identity = socket?.identity ?? '';
    if (identity === '') this.missingMs = this.missingMs < 0 ? this.parts.clock.nowMs() : this.missingMs;
    else this.missingMs = -1;
    if (identity === this.identity) return;
    this.identity = identity;
    // There is a new one: no need to wait any longer.
    if (identity !== '' && !this.isReady) {
      if (this.state === 'absent') this.setState('connecting', '');
      this.wake();
    }
  }

  /** Asks for fast facts and for everything, both at once: whoever waits for everything may have to wait. Rejects when it fails. */
  async ask(fullId: string): Promise<void> {
    const { client, merged } = this.parts;
    const { peek } = client;
    const asked: Promise<unknown>[] = [this.inspect(fullId)];
    if (peek !== undefined && merged.rowOf(this, fullId)?.row.isComplete !== true) {
      const early = this.call('peek', (signal) => peek(fullId, signal));
      asked.push(early.then((container) => container && this.learn(container)));
    }
    const failed = (await Promise.allSettled(asked)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Everything about it, once at a time. */
  private inspect(fullId: string): Promise<RuntimeContainer | undefined> {
    const running = this.asking.get(fullId);
    if (running !== undefined) return running;
    const asked = this.slots
      .execute(() => this.call('inspect', (signal) => this.parts.client.inspect(fullId, signal)))
      .then((container) => {
        if (container !== undefined) this.learn(container);
        return container;
      })
      .finally(() => this.asking.delete(fullId));
    this.asking.set(fullId, asked);
    return asked;
  }

  private learn(container: RuntimeContainer): void {
    this.session?.onAlive(container.row.fullId);
    this.parts.merged.learn(this, container, 'answer');
  }

  private async run(): Promise<void> {
    let backoff: IBackoff<unknown> | undefined;
    while (!this.stopping.signal.aborted) {
      const wasReady = await this.follow();
      if (this.stopping.signal.aborted) return;
      backoff =
        wasReady || backoff === undefined ? this.parts.backoff.next(undefined) : backoff.next(undefined);
      await this.rest(this.state === 'absent' ? ABSENT_RETRY_MS : backoff.duration);
      this.counts.reconnect++;
    }
  }

  private rest(delayMs: number): Promise<void> {
    const waking = new AbortController();
    this.wake = () => waking.abort();
    const { signal } = waking;
    return pause(this.parts.clock, delayMs, AbortSignal.any([signal, this.stopping.signal]));
  }

  /** Until it breaks. Whether it was ready before. */
  private async follow(): Promise<boolean> {
    const session = new RuntimeSession(this.stopping.signal);
    this.session = session;
    let isConnected = false;
    try {
      const version = await this.call('connect', (signal) => this.parts.client.connect(signal));
      this.version = shownText(version, VERSION_CHARS_MAX);
      isConnected = true;
      await this.watch(session);
      await this.list(session);
      this.isReady = true;
      this.onListed();
      await Promise.race([session.broken, this.keepUp(session)]);
    } catch (error) {
      if (!this.stopping.signal.aborted) this.onBroken(error, isConnected);
    } finally {
      session.end();
      this.isWatching = false;
      this.settle();
    }
    const wasReady = this.isReady;
    this.isReady = false;
    return wasReady;
  }

  /**
   * Resolves when no news is missed from here on, or when there is none: what runs is listed again and again then, and containers
   * are looked up.
   */
  private async watch(session: RuntimeSession): Promise<void> {
    const { clock, callTimeoutMs, client } = this.parts;
    const ready = Promise.withResolvers<void>();
    const watching = new AbortController();
    const signal = AbortSignal.any([session.signal, watching.signal]);
    const onEnd = (error: unknown) => {
      ready.reject(error);
      if (!this.isWatching || signal.aborted) return;
      // Before the first list a new session would get no further: the list goes on without news.
      if (this.isReady) session.break(error);
      else this.onNoNews(error);
    };
    const what = `${this.socketPath}: events`;
    client
      .watch(this.eventsOf(session, signal), ready.resolve, signal)
      .then(() => onEnd(new RuntimeError('unreachable', `${what} have ended`)))
      .catch(onEnd);
    try {
      await bounded(clock, what, callTimeoutMs * PATIENCE, session.signal, () => ready.promise);
      this.isWatching = true;
      this.watchError = '';
    } catch (error) {
      watching.abort();
      if (session.signal.aborted) throw error;
      this.onNoNews(error);
    }
  }

  private onNoNews(error: unknown): void {
    const isNone = this.kind === 'cri' && faultOf(error) === 'refused';
    this.isWatching = false;
    this.watchError = isNone ? '' : `no events, containers are looked up: ${adviceOn(this.kind, error)}`;
    this.watchAgainMs = this.parts.clock.nowMs() + (isNone ? WATCH_NONE_AGAIN_MS : WATCH_AGAIN_MS);
  }

  private eventsOf(session: RuntimeSession, signal: AbortSignal): RuntimeEvents {
    const { merged, onNews } = this.parts;
    const isHeard = () => {
      if (signal.aborted) return false;
      this.counts.event++;
      return true;
    };
    return {
      onCreated: (fullId, early) => {
        if (!isHeard()) return;
        session.onAlive(fullId);
        merged.exists(this, fullId);
        if (early?.row.fullId === fullId) merged.learn(this, early, 'news');
        if (merged.rowOf(this, fullId)?.row.isComplete !== true) onNews(this, fullId);
      },
      onStarted: (fullId) => {
        if (!isHeard()) return;
        session.onAlive(fullId);
        merged.exists(this, fullId);
        this.renew(fullId);
      },
      onEnded: (fullId) => {
        if (!isHeard()) return;
        session.onEnded(fullId);
        merged.ended(this, fullId);
      },
    };
  }

  /** Asks anew, as an answer that is on its way may not know it yet. */
  private renew(fullId: string): void {
    if (this.renewing.has(fullId)) return;
    this.renewing.add(fullId);
    const { merged, onNews } = this.parts;
    void Promise.resolve(this.asking.get(fullId))
      .catch(() => {})
      .then(() => {
        this.renewing.delete(fullId);
        return this.inspect(fullId);
      })
      .catch(() => {})
      .then(() => {
        // It may have ended meanwhile, and be forgotten already.
        if (!merged.has(fullId) || merged.rowOf(this, fullId)?.row.isComplete === true) return;
        if (!this.stopping.signal.aborted) onNews(this, fullId);
      });
  }

  /** All that runs; what is not there any more has ended. Then completes rows beside everything else. */
  private async list(session: RuntimeSession): Promise<void> {
    const { client, clock, merged } = this.parts;
    session.beginList();
    const containers = await this.call(
      'list',
      (signal) => client.list(signal),
      session.signal,
      LIST_PATIENCE,
    );
    const listed = new Set<string>();
    for (const [index, container] of containers.entries()) {
      if (index % TURN_ROWS === TURN_ROWS - 1) await clock.turn();
      const { fullId } = container.row;
      if (session.signal.aborted) return;
      listed.add(fullId);
      // News that came since the question are newer than its answer.
      if (session.hasEnded(fullId)) continue;
      const old = merged.rowOf(this, fullId);
      merged.learn(this, container, 'news');
      if (old?.row.isComplete !== true ? !container.row.isComplete : hasChanged(old, container))
        this.filling.add(fullId);
    }
    for (const fullId of [...merged.idsOf(this)]) {
      if (!listed.has(fullId) && !session.isAlive(fullId)) merged.ended(this, fullId);
    }
    session.endList();
    this.fill(session);
  }

  private fill(session: RuntimeSession): void {
    for (const fullId of this.filling) {
      if (this.fillCount >= FILLS_MAX || session.signal.aborted) return;
      this.filling.delete(fullId);
      if (!this.parts.merged.idsOf(this).has(fullId)) continue;
      this.fillCount++;
      // Those that fail are listed again.
      void this.inspect(fullId)
        .catch(() => {})
        .then(() => {
          this.fillCount--;
          if (this.session !== undefined) this.fill(this.session);
        });
    }
  }

  /** Lists from time to time, and tries to get news where there are none. Rejects when it breaks. */
  private async keepUp(session: RuntimeSession): Promise<never> {
    const { clock } = this.parts;
    let listedMs = clock.nowMs();
    for (;;) {
      await pause(clock, this.isWatching ? GAPS_MS : POLL_MS, session.signal);
      if (session.signal.aborted) throw new RuntimeError('unreachable', `${this.socketPath}: given up`);
      const isDue = clock.nowMs() - listedMs >= AUDIT_MS[this.kind];
      if (this.isWatching && !isDue && !this.hasGaps()) continue;
      if (!this.isWatching && clock.nowMs() >= this.watchAgainMs) await this.watch(session);
      await this.list(session);
      listedMs = clock.nowMs();
      this.onListed();
    }
  }

  /** Whether there are containers of which not everything is known: those it was asked about, and did not answer. */
  private hasGaps(): boolean {
    const { merged } = this.parts;
    for (const fullId of merged.idsOf(this)) {
      if (merged.rowOf(this, fullId)?.row.isComplete !== true) return true;
    }
    return false;
  }

  private async call<Value>(
    what: string,
    work: (signal: AbortSignal) => Promise<Value>,
    signal: AbortSignal = this.session?.signal ?? this.stopping.signal,
    patience = PATIENCE,
  ): Promise<Value> {
    const { clock, callTimeoutMs } = this.parts;
    this.counts.call++;
    try {
      const value = await bounded(
        clock,
        `${this.socketPath}: ${what}`,
        callTimeoutMs * patience,
        signal,
        work,
      );
      this.timeoutsInRow = 0;
      return value;
    } catch (error) {
      if (!signal.aborted) this.onFailure(error);
      throw error;
    }
  }

  private onFailure(error: unknown): void {
    this.counts.failure++;
    const fault = faultOf(error);
    if (fault === 'timeout') {
      this.counts.timeout++;
      this.timeoutsInRow++;
    }
    const isLost = fault === 'unreachable' || fault === 'permission' || this.timeoutsInRow >= TIMEOUTS_MAX;
    if (isLost) this.session?.break(error);
  }

  private onListed(): void {
    this.brokenMs = -1;
    this.setState(this.watchError === '' ? 'ready' : 'degraded', this.watchError);
    this.settle();
  }

  private onBroken(error: unknown, isConnected: boolean): void {
    const nowMs = this.parts.clock.nowMs();
    if (this.brokenMs < 0) this.brokenMs = nowMs;
    this.isWatching = false;
    const isGone = this.missingMs >= 0 && nowMs - this.missingMs >= ABSENT_MS;
    // containerd may be there without CRI: Docker's own is.
    const isOther = this.kind === 'cri' && !isConnected && faultOf(error) === 'refused';
    if (!this.isNamed && (isGone || isOther)) {
      this.parts.merged.forgetSource(this);
      this.setState('absent', isOther ? reasonOf(error) : '');
    } else if (this.isReady && faultOf(error) !== 'timeout') {
      // What broke says less than what the next attempt finds, soon.
      this.setState('connecting', reasonOf(error));
    } else this.setState('degraded', adviceOn(this.kind, error));
  }

  private setState(state: RuntimeState, error: string): void {
    if (this.state === state && this.error === error) return;
    this.state = state;
    this.error = error;
    this.parts.onStatusChanged();
  }
}

function hasChanged({ row }: RuntimeContainer, { row: listed }: RuntimeContainer): boolean {
  return listed.name !== '' && row.name !== listed.name;
}
