/** EventService: opens subscriptions and changes their filters. */
import type { handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import {
  EventServiceService,
  OverflowPolicy,
  type StreamEventsRequest,
  type UpdateSubscriptionRequest,
  type UpdateSubscriptionResponse,
} from '../../proto/gen/strata/v1/event_service.ts';
import { invalidArgument, notFound, StrataError } from '../event/strata-error.ts';
import type { EventFeed, FeedFilter, Inspectors } from '../inspector/event-feed.ts';
import { encodeMessage, subscribedFilters } from '../stream/stream-messages.ts';
import { type OverflowPolicyName, Subscriber, type SubscriberClock } from '../stream/subscriber.ts';
import { CallSink, passBytes } from './call-sink.ts';
import { type ErrorLog, toServiceError } from './status.ts';
import { numberFilters, planStream, type StreamLimits, type StreamPlan } from './stream-request.ts';
import { type Subscription, Subscriptions } from './subscriptions.ts';
import { unary } from './unary.ts';

export interface EventHandlerDeps {
  readonly inspectors: Inspectors;
  readonly subscriptions: Subscriptions;
  readonly limits: StreamLimits;
  readonly clock: SubscriberClock;
  readonly serverVersion: string;
  readonly log: ErrorLog;
}

/** How long a client with policy DISCONNECT may take to read what waits for it. */
const DISCONNECT_GRACE_MS = 10_000;

/** The generated definition, with responses passed through as bytes. */
export const eventServiceDefinition = {
  ...EventServiceService,
  streamEvents: { ...EventServiceService.streamEvents, responseSerialize: passBytes },
};

type StreamCall = ServerWritableStream<StreamEventsRequest, Uint8Array>;

export function eventHandlers(deps: EventHandlerDeps): {
  readonly streamEvents: handleServerStreamingCall<StreamEventsRequest, Uint8Array>;
  readonly updateSubscription: handleUnaryCall<UpdateSubscriptionRequest, UpdateSubscriptionResponse>;
} {
  return {
    streamEvents: (call) => {
      // A failed start ends the stream; there is nobody else to tell.
      streamEvents(call, deps).catch((error: unknown) => {
        call.emit('error', toServiceError(error, deps.log));
      });
    },
    updateSubscription: unary((request) => updateSubscription(request, deps.subscriptions), deps.log),
  };
}

async function streamEvents(call: StreamCall, deps: EventHandlerDeps): Promise<void> {
  const { subscriptions } = deps;
  const plan = planStream(call.request, deps.inspectors.isCaptureFile, deps.limits);
  subscriptions.admit();
  let hasStarted = false;
  try {
    hasStarted = await startStream(call, plan, deps);
  } finally {
    if (!hasStarted) subscriptions.leave();
  }
}

/** Returns whether a stream runs now; its end will then leave the place it took. */
async function startStream(call: StreamCall, plan: StreamPlan, deps: EventHandlerDeps): Promise<boolean> {
  const { subscriptions, clock, log } = deps;
  const replay = plan.start === 'beginning' ? await subscriptions.openReplay() : undefined;
  const handle = replay ?? deps.inspectors.node;
  const options = {
    policy: plan.policy,
    backlogBytesMax: plan.backlogBytesMax,
    isLive: !deps.inspectors.isCaptureFile,
    disconnectGraceMs: DISCONNECT_GRACE_MS,
  };
  const subscriber = new Subscriber(new CallSink(call, log), options, clock, (wasCancelled) => {
    // Before the feed runs, the code below cleans up.
    if (subscription.feed === undefined) return;
    subscriptions.remove(subscription, wasCancelled).catch((error: unknown) => {
      log.error({ err: error }, 'a replay could not be closed');
    });
    subscriptions.leave();
  });
  const subscription: Subscription = {
    id: Subscriptions.newId(),
    source: plan.feed.source,
    policy: plan.policy,
    backlogBytesMax: plan.backlogBytesMax,
    handle,
    replay,
    subscriber,
    feed: undefined,
    filters: plan.feed.filters,
    nextFilterId: plan.feed.filters.length,
    lastChange: Promise.resolve(),
  };
  call.on('cancelled', () => subscriber.onCancelled());
  call.on('drain', () => subscriber.onDrain());
  let feed: EventFeed;
  try {
    feed = await handle.subscribe(plan.feed, subscriber);
  } catch (error) {
    await replay?.close();
    throw inRequestTerms(error);
  }
  if (subscriber.isDone || call.cancelled) {
    feed.cancel();
    await replay?.close();
    return false;
  }
  subscription.feed = feed;
  subscriber.start(feed, encodeStarted(subscription, feed, plan, deps));
  subscriptions.add(subscription);
  return true;
}

/** The inspector names members of its own request; clients know them by the contract's names. */
function inRequestTerms(error: unknown): unknown {
  if (!(error instanceof StrataError) || error.fault.field !== 'template') return error;
  return new StrataError({ ...error.fault, field: 'output_format' }, { cause: error });
}

const POLICY_NUMBERS: Readonly<Record<OverflowPolicyName, OverflowPolicy>> = {
  'drop-oldest': OverflowPolicy.DROP_OLDEST,
  'drop-newest': OverflowPolicy.DROP_NEWEST,
  disconnect: OverflowPolicy.DISCONNECT,
  block: OverflowPolicy.BLOCK,
};

function encodeStarted(
  subscription: Subscription,
  feed: EventFeed,
  plan: StreamPlan,
  deps: EventHandlerDeps,
): Uint8Array {
  const { started } = feed;
  return encodeMessage({
    $case: 'started',
    value: {
      subscriptionId: subscription.id,
      schema: started.schema,
      rendering: plan.rendering,
      filters: subscribedFilters(subscription.filters),
      serverVersion: deps.serverVersion,
      node: started.node,
      source: subscription.source,
      captureEngine: started.captureEngine,
      captureName: started.captureName,
      captureBytes: started.captureBytes === undefined ? undefined : BigInt(started.captureBytes),
      resumeToken: Buffer.alloc(0),
      firstEventNumber: started.firstEventNumber === undefined ? undefined : BigInt(started.firstEventNumber),
      batchLimits: {
        eventsMax: plan.feed.batchEventsMax,
        bytesMax: plan.feed.batchBytesMax,
        latencyMsMax: plan.feed.batchLatencyMs,
      },
      overflowPolicy: POLICY_NUMBERS[plan.policy],
      backlogBytesMax: BigInt(plan.backlogBytesMax),
    },
  });
}

function updateSubscription(
  request: UpdateSubscriptionRequest,
  subscriptions: Subscriptions,
): Promise<UpdateSubscriptionResponse> {
  const subscription = subscriptions.find(request.subscriptionId);
  if (subscription?.feed === undefined) throw notFound('unknown subscription');
  const { feed } = subscription;
  const change = subscription.lastChange.then(() => changeFilters(subscription, feed, request));
  subscription.lastChange = change.catch(() => undefined);
  return change;
}

async function changeFilters(
  subscription: Subscription,
  feed: EventFeed,
  request: UpdateSubscriptionRequest,
): Promise<UpdateSubscriptionResponse> {
  const kept = withoutNames(subscription.filters, request.removeFilterNames);
  const filters = [...kept, ...addedFilters(subscription, kept, request)];
  if (filters.length === 0) {
    throw invalidArgument('remove_filter_names', 'no filter would be left: cancel the stream instead');
  }
  await feed.setFilters(filters);
  subscription.filters = filters;
  subscription.nextFilterId += request.addFilters.length;
  return { filters: subscribedFilters(filters) };
}

function withoutNames(filters: readonly FeedFilter[], names: readonly string[]): FeedFilter[] {
  names.forEach((name, index) => {
    if (filters.some((filter) => filter.name === name)) return;
    throw invalidArgument(`remove_filter_names[${index}]`, `there is no filter named "${name}"`);
  });
  return filters.filter((filter) => !names.includes(filter.name));
}

function addedFilters(
  subscription: Subscription,
  kept: readonly FeedFilter[],
  request: UpdateSubscriptionRequest,
): FeedFilter[] {
  const added = numberFilters(request.addFilters, subscription.nextFilterId);
  for (const { name } of added) {
    if (!kept.some((filter) => filter.name === name)) continue;
    throw new StrataError({ code: 'ALREADY_EXISTS', message: `a filter named "${name}" exists already` });
  }
  return added;
}
