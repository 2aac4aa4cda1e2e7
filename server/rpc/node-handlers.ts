/** NodeService: the server about itself. */
import { memoryUsage, resourceUsage, version } from 'node:process';
import type {
  Counter,
  GetStatusResponse,
  NodeServiceServer,
} from '../../proto/gen/strata/v1/node_service.ts';
import { PPM_EVENT_MAX } from '../event/event-types.ts';
import type { Inspectors } from '../inspector/event-feed.ts';
import {
  containerStatusMessage,
  type RuntimeFigures,
  runtimeCounters,
  runtimeStatusMessage,
} from './container-status.ts';
import { type KubernetesFigures, kubernetesCounters, kubernetesStatusMessage } from './kubernetes-status.ts';
import type { Methods } from './state-handlers.ts';
import type { ErrorLog } from './status.ts';
import type { Subscriptions } from './subscriptions.ts';
import { unary } from './unary.ts';

export interface NodeHandlerDeps {
  readonly inspectors: Inspectors;
  readonly subscriptions: Subscriptions;
  readonly serverVersion: string;
  /** When the server started, nanoseconds since the epoch. */
  readonly startTimestampNs: bigint;
  readonly fieldCount: number;
  /** Counters of parts other than the inspector and the streams. */
  extraCounters(): readonly Counter[];
  /** Undefined where no container runtime is asked. */
  readonly runtimes?: RuntimeFigures | undefined;
  /** Undefined where no API server is followed. */
  readonly kubernetes?: KubernetesFigures | undefined;
  readonly log: ErrorLog;
}

export function nodeHandlers(deps: NodeHandlerDeps): Methods<NodeServiceServer> {
  return {
    getStatus: unary(() => getStatus(deps), deps.log),
    getCounters: unary(async () => ({ counters: await getCounters(deps) }), deps.log),
    getVersions: unary(
      () => ({
        serverVersion: deps.serverVersion,
        apiVersion: 'strata.v1',
        runtimeVersion: version,
        eventTypeCount: PPM_EVENT_MAX,
        fieldCount: deps.fieldCount,
      }),
      deps.log,
    ),
  };
}

async function getStatus(deps: NodeHandlerDeps): Promise<GetStatusResponse> {
  const { node, source, tables, containers } = await deps.inspectors.node.query('getStatus', undefined);
  const { userCPUTime, systemCPUTime } = resourceUsage();
  return {
    node,
    serverVersion: deps.serverVersion,
    startTimestampNs: deps.startTimestampNs,
    sources: [source],
    tables,
    subscriptions: deps.subscriptions.statuses(),
    memoryRssBytes: BigInt(memoryUsage.rss()),
    // Both are microseconds.
    cpuTimeNs: BigInt(userCPUTime + systemCPUTime) * 1000n,
    runtimes: (deps.runtimes?.statuses() ?? []).map(runtimeStatusMessage),
    containers: containerStatusMessage(containers, deps.runtimes),
    kubernetes: kubernetesStatusMessage(deps.kubernetes?.status()),
  };
}

async function getCounters(deps: NodeHandlerDeps): Promise<Counter[]> {
  const { opened, refused, sentCount, lostCount } = deps.subscriptions.counters;
  const own: Counter[] = [
    { name: 'subscriptions_opened', value: BigInt(opened), description: 'event streams opened' },
    {
      name: 'subscriptions_refused',
      value: BigInt(refused),
      description: 'event streams refused because too many were open',
    },
    {
      name: 'events_sent',
      value: BigInt(sentCount + sum(deps, 'sentCount')),
      description: 'matched events sent to clients, over all streams',
    },
    {
      name: 'events_lost',
      value: BigInt(lostCount + sum(deps, 'lostCount')),
      description: 'matched events not sent because a client read too slowly; each is in a gap',
    },
  ];
  const inspector = await deps.inspectors.node.query('getCounters', undefined);
  return [
    ...inspector,
    ...own,
    ...deps.extraCounters(),
    ...runtimeCounters(deps.runtimes),
    ...kubernetesCounters(deps.kubernetes?.status()),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sum(deps: NodeHandlerDeps, member: 'sentCount' | 'lostCount'): number {
  return deps.subscriptions.statuses().reduce((total, status) => total + Number(status[member]), 0);
}
