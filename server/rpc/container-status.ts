/** What the status says about container runtimes and about how well events of containers are enriched. */
import {
  type ContainerStatus,
  type Counter,
  RuntimeState as RuntimeStateNumber,
  type RuntimeStatus as RuntimeStatusMessage,
} from '../../proto/gen/strata/v1/node_service.ts';
import type { HubCounters, RuntimeState, RuntimeStatus } from '../container/runtime/hub-types.ts';
import type { ContainerFigures } from '../inspector/queries.ts';

/** Those who ask container runtimes, as far as the status is concerned. */
export interface RuntimeFigures {
  statuses(): readonly RuntimeStatus[];
  readonly counters: Readonly<HubCounters>;
}

const STATE_NUMBERS: Readonly<Record<RuntimeState, RuntimeStateNumber>> = {
  connecting: RuntimeStateNumber.CONNECTING,
  ready: RuntimeStateNumber.READY,
  degraded: RuntimeStateNumber.DEGRADED,
  absent: RuntimeStateNumber.ABSENT,
};

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

const COUNTER_ROWS: readonly (readonly [name: string, member: keyof HubCounters, description: string])[] = [
  [
    'containers_prefetched',
    'prefetched',
    'containers whose metadata was there before a thread was seen in them',
  ],
  ['container_lookups', 'lookups', 'look-ups of containers that threads were seen in'],
  ['container_lookups_found', 'lookupsFound', 'of them, those that found the container'],
  ['container_lookups_failed', 'lookupsFailed', 'of them, those given up'],
  ['container_lookups_refused', 'lookupsRefused', 'look-ups not begun, as too many were running'],
  ['containers_refused', 'containersRefused', 'containers not followed, as too many were known'],
  ['container_users_read', 'usersRead', 'times the users and groups of a container were read'],
  ['container_users_failed', 'usersFailed', 'times they could not be read'],
];

export function runtimeStatusMessage(status: RuntimeStatus): RuntimeStatusMessage {
  return {
    kind: status.kind,
    socketPath: status.socketPath,
    runtimeState: STATE_NUMBERS[status.state],
    version: status.version,
    error: status.error,
    containerCount: BigInt(status.containerCount),
    callCount: BigInt(status.callCount),
    callFailureCount: BigInt(status.callFailureCount),
    callTimeoutCount: BigInt(status.callTimeoutCount),
    eventCount: BigInt(status.eventCount),
    reconnectCount: BigInt(status.reconnectCount),
    isWatching: status.isWatching,
  };
}

export function containerStatusMessage(
  figures: ContainerFigures,
  runtimes: RuntimeFigures | undefined,
): ContainerStatus {
  const hub = runtimes?.counters ?? NO_COUNTERS;
  const { events, completeEvents } = figures;
  return {
    eventCount: BigInt(events),
    completeEventCount: BigInt(completeEvents),
    hitRate: events === 0 ? undefined : completeEvents / events,
    pendingCount: figures.pending,
    prefetchedCount: BigInt(hub.prefetched),
    lookupCount: BigInt(hub.lookups),
    lookupFoundCount: BigInt(hub.lookupsFound),
    lookupFailedCount: BigInt(hub.lookupsFailed),
    lookupRefusedCount: BigInt(hub.lookupsRefused),
    usersReadCount: BigInt(hub.usersRead),
    usersFailedCount: BigInt(hub.usersFailed),
    injectedCount: BigInt(figures.injected),
    injectionRefusedCount: BigInt(figures.injectionsRefused),
    sweptCount: BigInt(figures.swept),
    heldEventCount: BigInt(figures.eventsHeld),
    releasedIncompleteCount: BigInt(figures.eventsReleasedIncomplete),
    releasedIncompleteByCause: Object.entries(figures.incompleteByCause)
      .filter(([, count]) => count > 0)
      .map(([cause, count]) => ({ cause, count: BigInt(count) })),
    sentIncompleteCount: BigInt(figures.eventsSentIncomplete),
    completedEventCount: BigInt(figures.eventsCompleted),
    completionCount: BigInt(figures.completionsSent),
    lostCompletionCount: BigInt(figures.completionsLost),
  };
}

/** Counters of the hub, and sums over all runtimes. */
export function runtimeCounters(runtimes: RuntimeFigures | undefined): Counter[] {
  const hub = runtimes?.counters ?? NO_COUNTERS;
  const statuses = runtimes?.statuses() ?? [];
  const sum = (
    member: 'callCount' | 'callFailureCount' | 'callTimeoutCount' | 'eventCount' | 'reconnectCount',
  ) => BigInt(statuses.reduce((total, status) => total + status[member], 0));
  return [
    ...COUNTER_ROWS.map(([name, member, description]) => ({ name, value: BigInt(hub[member]), description })),
    { name: 'runtime_calls', value: sum('callCount'), description: 'calls to container runtimes' },
    {
      name: 'runtime_call_failures',
      value: sum('callFailureCount'),
      description: 'of them, those that failed',
    },
    {
      name: 'runtime_call_timeouts',
      value: sum('callTimeoutCount'),
      description: 'of them, those not answered in time',
    },
    {
      name: 'runtime_events',
      value: sum('eventCount'),
      description: 'events that container runtimes have pushed',
    },
    {
      name: 'runtime_reconnects',
      value: sum('reconnectCount'),
      description: 'times a container runtime was connected to again',
    },
  ];
}
