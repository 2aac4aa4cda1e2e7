/**
 * Subscriptions by id: who may be asked about, changed, counted, and drained. A private replay outlives its stream for a
 * while, so that a client can still ask about the events it has just received.
 */
import { randomBytes } from 'node:crypto';
import type { SubscriptionStatus } from '../../proto/gen/strata/v1/node_service.ts';
import { notFound, StrataError } from '../event/strata-error.ts';
import type {
  EventFeed,
  FeedFilter,
  InspectorHandle,
  Inspectors,
  ReplayHandle,
} from '../inspector/event-feed.ts';
import type { OverflowPolicyName, Subscriber, SubscriberClock } from '../stream/subscriber.ts';

export interface SubscriptionLimits {
  /** Streams at once. */
  readonly subscriptionsMax: number;
  /** How long a replay whose stream is over still answers questions, in milliseconds. */
  readonly replayLingerMs: number;
}

export interface SubscriptionCounters {
  /** Streams opened since start. */
  opened: number;
  /** Streams refused because there were too many. */
  refused: number;
  /** Matched events sent / lost, of all streams that are over. */
  sentCount: number;
  lostCount: number;
}

/** One subscription; `feed` is set once the inspector has accepted it. */
export interface Subscription {
  readonly id: string;
  readonly source: string;
  readonly policy: OverflowPolicyName;
  readonly backlogBytesMax: number;
  readonly handle: InspectorHandle;
  /** The private replay behind it, if there is one. */
  readonly replay: ReplayHandle | undefined;
  readonly subscriber: Subscriber;
  feed: EventFeed | undefined;
  filters: readonly FeedFilter[];
  /** Number the next new filter gets. */
  nextFilterId: number;
  /** Settles when the last change of filters has: changes happen one after the other. */
  lastChange: Promise<unknown>;
}

export class Subscriptions {
  readonly counters: SubscriptionCounters;
  private readonly inspectors: Inspectors;
  private readonly limits: SubscriptionLimits;
  private readonly clock: SubscriberClock;
  private readonly open: Map<string, Subscription>;
  /** Replays whose stream is over, oldest first, with what ends their waiting. */
  private readonly lingering: Map<string, { readonly replay: ReplayHandle; readonly cancel: () => void }>;
  private admittedCount: number;
  private isDraining: boolean;
  private onEmpty: (() => void) | undefined;

  constructor(inspectors: Inspectors, limits: SubscriptionLimits, clock: SubscriberClock) {
    this.counters = { opened: 0, refused: 0, sentCount: 0, lostCount: 0 };
    this.inspectors = inspectors;
    this.limits = limits;
    this.clock = clock;
    this.open = new Map();
    this.lingering = new Map();
    this.admittedCount = 0;
    this.isDraining = false;
    this.onEmpty = undefined;
  }

  /** Takes a place among the streams. Every success is paired with one `leave`. */
  admit(): void {
    if (this.isDraining) {
      throw new StrataError({
        code: 'UNAVAILABLE',
        message: 'the server is shutting down',
        reason: 'SHUTDOWN',
      });
    }
    if (this.admittedCount >= this.limits.subscriptionsMax) {
      this.counters.refused++;
      throw new StrataError({
        code: 'RESOURCE_EXHAUSTED',
        message: `${this.limits.subscriptionsMax} subscriptions are open already`,
        reason: 'SUBSCRIPTIONS_MAX',
      });
    }
    this.admittedCount++;
    this.counters.opened++;
  }

  leave(): void {
    this.admittedCount--;
    if (this.admittedCount === 0) this.onEmpty?.();
  }

  static newId(): string {
    return randomBytes(16).toString('hex');
  }

  /** Starts a private replay, at the cost of the one that has lingered longest when there is no room. */
  async openReplay(): Promise<ReplayHandle> {
    for (;;) {
      try {
        return await this.inspectors.openReplay();
      } catch (error) {
        const isFull = error instanceof StrataError && error.code === 'RESOURCE_EXHAUSTED';
        const oldest = this.lingering.keys().next().value;
        if (!isFull || oldest === undefined) throw error;
        await this.endLingering(oldest);
      }
    }
  }

  /** Adds a running stream. One that opened while the server was already draining ends again, in good order. */
  add(subscription: Subscription): void {
    this.open.set(subscription.id, subscription);
    if (this.isDraining) subscription.subscriber.stop();
  }

  /** The stream is over. A replay lingers unless the client went away. */
  remove(subscription: Subscription, wasCancelled: boolean): Promise<void> {
    this.open.delete(subscription.id);
    const { sentCount, lostCount } = subscription.subscriber.counters;
    this.counters.sentCount += sentCount;
    this.counters.lostCount += lostCount;
    const { id, replay } = subscription;
    if (replay === undefined) return Promise.resolve();
    if (wasCancelled || this.isDraining) return replay.close();
    const cancel = this.clock.after(this.limits.replayLingerMs, () => {
      this.endLingering(id).catch(() => undefined);
    });
    this.lingering.set(id, { replay, cancel });
    return Promise.resolve();
  }

  find(id: string): Subscription | undefined {
    return this.open.get(id);
  }

  /** The inspector that a `StateScope` means. Throws NOT_FOUND for an unknown subscription. */
  mustInspector(subscriptionId: string): InspectorHandle {
    if (subscriptionId === '') return this.inspectors.node;
    const handle = this.open.get(subscriptionId)?.handle ?? this.lingering.get(subscriptionId)?.replay;
    if (handle === undefined) throw notFound('unknown subscription: it never was, or its stream is over');
    return handle;
  }

  statuses(): SubscriptionStatus[] {
    return [...this.open.values()].map((subscription) => {
      const { matchedCount, sentCount, lostCount, backlogBytes } = subscription.subscriber.counters;
      return {
        idPrefix: subscription.id.slice(0, 8),
        source: subscription.source,
        matchedCount: BigInt(matchedCount),
        sentCount: BigInt(sentCount),
        lostCount: BigInt(lostCount),
        backlogBytes: BigInt(backlogBytes),
        backlogBytesMax: BigInt(subscription.backlogBytesMax),
        overflowPolicy: subscription.policy.toUpperCase().replace('-', '_'),
      };
    });
  }

  /** Admits nobody more, ends all streams in good order and resolves when the last is over. */
  async drain(): Promise<void> {
    this.isDraining = true;
    for (const subscription of this.open.values()) subscription.subscriber.stop();
    if (this.admittedCount > 0) {
      await new Promise<void>((resolve) => {
        this.onEmpty = resolve;
      });
    }
    await Promise.all([...this.lingering.keys()].map((id) => this.endLingering(id)));
  }

  private async endLingering(id: string): Promise<void> {
    const entry = this.lingering.get(id);
    if (entry === undefined) return;
    this.lingering.delete(id);
    entry.cancel();
    await entry.replay.close();
  }
}
