/**
 * Runs an inspector: slices of the loop between which messages are handled, subscriptions, and questions. Lives on the
 * inspector's thread; `worker-inspector.ts` reaches it from the control plane.
 */
import type { CaptureError } from '../capture/capture-engine.ts';
import type { ContainerUpdate } from '../container/container-update.ts';
import type { EventRecord } from '../event/event-record.ts';
import { u64Big } from '../event/u64.ts';
import type { PodUpdate } from '../kubernetes/pod-update.ts';
import type { ContainerTracker } from './container-tracker.ts';
import type { EventFeed, FeedListener, FeedRequest, InspectorHandle } from './event-feed.ts';
import type { Healing } from './healing.ts';
import { DEFAULT_HOLD_LIMITS, HeldEvents, type HoldLimits } from './held-events.ts';
import type { IdentityWatch } from './identity-watch.ts';
import type { Inspector } from './inspector.ts';
import { HoldReader, PaceReader } from './pace.ts';
import type { PodTracker } from './pod-tracker.ts';
import type { Queries, QueryKind } from './queries.ts';
import { answerQuery } from './query/answer-query.ts';
import type { HealingCounters, QueryContext } from './query/query-context.ts';
import type { RecordingFeed, RecordingListener, RecordingRequest } from './recording-feed.ts';
import { Recordings } from './recordings.ts';
import { type LoopView, Subscription } from './subscription.ts';
import { compileFilters, compileSubscription } from './subscription-compiler.ts';

/** Events taken between two looks at the message queue: a millisecond or two of work, and few enough to be acknowledged in time. */
const SLICE_EVENTS = 1024;
/** How often batches and marks are looked after while the loop waits or runs. */
const TICK_MS = 20;
/** How often containers without threads are looked for. */
const SWEEP_MS = 1000;

export interface HostOptions {
  readonly nodeName: string;
  /** Base name of the capture file, '' for live sources. */
  readonly captureName: string;
  /** 0: as fast as possible; 1: the pace of the recording. */
  readonly speed: number;
  /** Subscriptions to wait for before the first event. */
  readonly waitSubscribers: number;
  /** Monotonic clock, milliseconds. */
  readonly nowMs: () => number;
  /** Why there are no events although they were wanted. */
  readonly fallbackReason?: string | undefined;
  /** Looks up threads that nobody introduced. */
  readonly healing?: Healing | undefined;
  /** What may wait for containers. */
  readonly hold?: HoldLimits | undefined;
  /** Follows containers. */
  readonly containers?: ContainerTracker | undefined;
  /** Follows pods. */
  readonly pods?: PodTracker | undefined;
  /** Sees files with users change. */
  readonly identities?: IdentityWatch | undefined;
  /** Longest wait, before the first event, for `onContainersListed`; 0: it is not waited for. */
  readonly containersWaitMs?: number | undefined;
}

const NOT_HEALED: HealingCounters = { lookups: 0, found: 0 };

/** On live sources a batch goes out when no further event waits, but not more often than this. */
const FRESH_BATCH_MS = 2;

export class InspectorHost implements InspectorHandle, LoopView {
  private readonly inspector: Inspector;
  private readonly options: HostOptions;
  private readonly context: QueryContext;
  private readonly subscriptions: Set<Subscription>;
  private readonly recordings: Recordings;
  private readonly held: HeldEvents;
  private readonly hold: HoldReader;
  private readonly pace: PaceReader | undefined;
  private isRunning: boolean;
  private isStopped: boolean;
  private ticker: NodeJS.Timeout | undefined;
  private readonly isLive: boolean;
  private freshTimer: NodeJS.Timeout | undefined;
  /** Runs while the first event waits for the list of containers. */
  private listTimer: NodeJS.Timeout | undefined;
  private sweptAtMs: number;

  constructor(inspector: Inspector, options: HostOptions) {
    this.inspector = inspector;
    this.options = options;
    this.subscriptions = new Set();
    this.hold = new HoldReader(options.waitSubscribers);
    this.pace = options.speed > 0 ? new PaceReader(options.speed, options.nowMs) : undefined;
    this.isRunning = false;
    this.isStopped = false;
    this.ticker = undefined;
    this.context = {
      inspector,
      nodeName: options.nodeName,
      captureName: options.captureName,
      subscriptionCount: () => this.subscriptions.size,
      live: {
        fallbackReason: options.fallbackReason ?? '',
        healing: () => options.healing?.counters ?? NOT_HEALED,
      },
    };
    this.isLive = inspector.engine.name === 'ebpf' || inspector.engine.name === 'nodriver';
    this.freshTimer = undefined;
    this.held = new HeldEvents(
      inspector.state,
      inspector.pending,
      inspector.delivery,
      options.hold ?? DEFAULT_HOLD_LIMITS,
      // Without a clock replays hold the same events each time.
      this.isLive ? options.nowMs : () => eventMs(inspector.event.record),
      inspector.held,
    );
    this.listTimer = undefined;
    this.sweptAtMs = 0;
    inspector.containers = options.containers;
    this.recordings = new Recordings(inspector, this.context, this, {
      onJoined: () => {
        this.hold.onSubscriber();
        if (this.inspector.isEnded) this.endAll();
      },
      wake: () => this.wake(),
    });
    inspector.addReader(this.hold);
    if (options.identities !== undefined) inspector.addReader(options.identities);
    if (this.pace !== undefined) inspector.addReader(this.pace);
  }

  get eventsShown(): number {
    return this.inspector.counters.eventsShown;
  }

  get lastNum(): number | undefined {
    return this.inspector.counters.eventsRead === 0 ? undefined : this.inspector.event.record.num;
  }

  get lastTsNs(): bigint | undefined {
    if (this.inspector.counters.eventsRead === 0) return undefined;
    const { tsHi, tsLo } = this.inspector.event.record;
    return u64Big(tsHi, tsLo);
  }

  get captureBytesRead(): number | undefined {
    return this.inspector.engine.totalBytes === undefined
      ? undefined
      : this.inspector.engine.counters.bytesRead;
  }

  nowMs(): number {
    return this.options.nowMs();
  }

  /** Phase one, then the loop. Rejects with CaptureError when the source cannot be opened. */
  async start(): Promise<void> {
    await this.inspector.open();
    const { containers, containersWaitMs = 0, nowMs } = this.options;
    containers?.start();
    this.sweptAtMs = nowMs();
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    if (containersWaitMs > 0) this.listTimer = setTimeout(() => this.onContainersListed(), containersWaitMs);
    this.wake();
  }

  /** What runs already has been told, or will be told later: events may be shown. */
  onContainersListed(): void {
    if (this.listTimer === undefined) return;
    clearTimeout(this.listTimer);
    this.listTimer = undefined;
    this.wake();
  }

  /** News from those who know container runtimes. */
  onContainerUpdates(updates: readonly ContainerUpdate[]): void {
    if (this.isStopped) return;
    this.options.containers?.apply(updates);
    // What nobody knows lets events go without an event of its own.
    if (this.isLive) this.freshen();
    this.wake();
  }

  /** News from the API server. */
  onPodUpdates(updates: readonly PodUpdate[]): void {
    if (this.isStopped) return;
    this.options.pods?.apply(updates);
    this.wake();
  }

  async subscribe(request: FeedRequest, listener: FeedListener): Promise<EventFeed> {
    // Compiled at once, so that a later event cannot slip in before the subscription stands.
    const { filters, encoder, fields, schemaFields, started } = compileSubscription(request, this.context);
    const late = { held: this.held, fields: schemaFields };
    const subscription = new Subscription(request, filters, encoder, listener, this, fields, late);
    this.subscriptions.add(subscription);
    // The caller has its answer first: nothing is shown before the next turn of the loop.
    setImmediate(() => {
      // One that has left in the meantime has joined all the same, but would stay among the readers for ever.
      if (!subscription.isEnded) this.inspector.addReader(subscription);
      this.hold.onSubscriber();
      if (this.inspector.isEnded) this.endAll();
      this.wake();
    });
    return {
      started,
      ack: (bytes) => {
        subscription.ack(bytes);
        this.wake();
      },
      setFilters: async (rows) => {
        subscription.setFilters(compileFilters(rows));
        this.inspector.interest.invalidate();
      },
      stop: () => {
        subscription.end({ reason: 'shutdown' });
        this.forget(subscription);
      },
      cancel: () => {
        subscription.cancel();
        this.forget(subscription);
      },
    };
  }

  async record(request: RecordingRequest, listener: RecordingListener): Promise<RecordingFeed> {
    return this.recordings.start(request, listener);
  }

  async query<K extends QueryKind>(kind: K, request: Queries[K]['request']): Promise<Queries[K]['response']> {
    return answerQuery(kind, request, this.context);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.ticker);
    clearTimeout(this.freshTimer);
    clearTimeout(this.listTimer);
    this.inspector.tellLoss();
    for (const subscription of this.subscriptions) subscription.end({ reason: 'shutdown' });
    this.subscriptions.clear();
    this.recordings.endAll({ reason: 'shutdown' });
    await this.inspector.engine.close();
  }

  private forget(subscription: Subscription): void {
    this.subscriptions.delete(subscription);
    this.inspector.removeReader(subscription);
    this.wake();
  }

  /** Starts the loop unless it runs already. */
  private wake(): void {
    if (this.isRunning || this.isStopped || this.listTimer !== undefined) return;
    this.isRunning = true;
    setImmediate(() => this.slice());
  }

  private slice(): void {
    if (this.isStopped) return;
    switch (this.inspector.run(SLICE_EVENTS)) {
      case 'budget':
        this.reap();
        setImmediate(() => this.slice());
        return;
      case 'need-input':
        if (this.isLive) this.freshen();
        this.inspector.fill().then(
          () => {
            // A source that always has a little more must not keep messages from being handled.
            if (this.isLive) setImmediate(() => this.slice());
            else this.slice();
          },
          (error: unknown) => {
            // Closed under its hands.
            if (this.isStopped) return;
            // Not damage in the source: a defect. Nothing may go on as if events still came.
            setImmediate(() => {
              throw error;
            });
          },
        );
        return;
      case 'held':
        // Woken by an ack, a new or leaving subscription, or the ticker.
        this.isRunning = false;
        this.reap();
        return;
      case 'ended':
        this.isRunning = false;
        this.endAll();
        return;
    }
  }

  /** No further event waits: what is collected goes out, at once after a quiet time and in small batches under load. */
  private freshen(): void {
    let isLeft = false;
    for (const subscription of this.subscriptions) {
      if (!subscription.flushFresh(FRESH_BATCH_MS)) isLeft = true;
    }
    if (!isLeft || this.freshTimer !== undefined) return;
    this.freshTimer = setTimeout(() => {
      this.freshTimer = undefined;
      this.freshen();
    }, FRESH_BATCH_MS);
  }

  private tick(): void {
    // Also when no event comes after the loss.
    this.inspector.tellLoss();
    const healed = this.options.healing?.tick(this.inspector.state, this.options.nowMs()) ?? [];
    this.recordings.onThreadsChanged(healed);
    const heldBefore = this.held.count;
    this.tickContainers(healed);
    this.held.tick();
    // They have waited long enough.
    if (this.isLive && this.held.count !== heldBefore) this.freshen();
    for (const subscription of this.subscriptions) subscription.tick();
    this.recordings.tick();
    this.reap();
    this.wake();
  }

  private tickContainers(healedTids: readonly number[]): void {
    const { containers, pods, identities, nowMs } = this.options;
    identities?.tick();
    if (containers === undefined) return;
    const { threads } = this.inspector.state;
    for (const tid of healedTids) {
      const thread = threads.find(tid);
      if (thread !== undefined && thread.containerId !== '') containers.onThread(thread.containerId, '', tid);
    }
    containers.tick();
    if (nowMs() - this.sweptAtMs < SWEEP_MS) return;
    this.sweptAtMs = nowMs();
    containers.sweep();
    pods?.sweep();
  }

  private reap(): void {
    this.recordings.reap();
    for (const subscription of this.subscriptions) {
      if (subscription.isEnded) {
        this.subscriptions.delete(subscription);
        this.inspector.removeReader(subscription);
      }
    }
  }

  private endAll(): void {
    this.options.containers?.settleAll();
    const error: CaptureError | undefined = this.inspector.error;
    const why =
      error === undefined
        ? ({ reason: 'capture-end' } as const)
        : ({ reason: 'capture-error', errorMessage: error.message, errorOffset: error.offset } as const);
    for (const subscription of this.subscriptions) subscription.end(why);
    this.recordings.endAll(why);
    this.reap();
  }
}

const MS_PER_HIGH = 4294967296 / 1e6;

/** Time of an event in milliseconds. */
function eventMs({ tsHi, tsLo }: EventRecord): number {
  return tsHi * MS_PER_HIGH + tsLo / 1e6;
}
