/** What the status says about the API server. */
import {
  type Counter,
  type KubernetesStatus,
  KubernetesKindState as StateNumber,
} from '../../proto/gen/strata/v1/node_service.ts';
import type { PodSourceStatus } from '../kubernetes/pod-source.ts';
import type { ReflectorState } from '../kubernetes/reflector.ts';

/** Those who follow the API server, as far as the status is concerned. */
export interface KubernetesFigures {
  /** undefined where nobody does. */
  status(): PodSourceStatus | undefined;
}

const STATE_NUMBERS: Readonly<Record<ReflectorState, StateNumber>> = {
  starting: StateNumber.STARTING,
  listing: StateNumber.LISTING,
  watching: StateNumber.WATCHING,
  failing: StateNumber.FAILING,
  forbidden: StateNumber.FORBIDDEN,
  absent: StateNumber.ABSENT,
  stopped: StateNumber.STARTING,
};

export function kubernetesStatusMessage(status: PodSourceStatus | undefined): KubernetesStatus | undefined {
  if (status === undefined) return undefined;
  return {
    origin: status.origin,
    nodeName: status.nodeName,
    isSynced: status.isSynced,
    podCount: status.podCount,
    kinds: status.kinds.map(({ kind, listCount, state, error }) => ({
      kind,
      listCount,
      kindState: STATE_NUMBERS[state],
      error,
    })),
    requestCount: BigInt(status.requests.requests),
    failureCount: BigInt(status.requests.failures),
    bytesRead: BigInt(status.requests.bytesRead),
    listCount: BigInt(status.requests.lists),
    relistCount: BigInt(status.reflectors.relists),
    watchCount: BigInt(status.requests.watches),
    watchEventCount: BigInt(status.requests.watchEvents),
  };
}

export function kubernetesCounters(status: PodSourceStatus | undefined): Counter[] {
  if (status === undefined) return [];
  const rows: readonly (readonly [string, number, string])[] = [
    ['kubernetes_requests', status.requests.requests, 'requests to the API server'],
    ['kubernetes_request_failures', status.requests.failures, 'of them, those that failed'],
    ['kubernetes_bytes_read', status.requests.bytesRead, 'bytes of its answers'],
    ['kubernetes_lists', status.requests.lists, 'pages of lists read'],
    ['kubernetes_relists', status.reflectors.relists, 'lists read again because the server forgot the past'],
    ['kubernetes_watches', status.requests.watches, 'watches opened'],
    ['kubernetes_watch_events', status.requests.watchEvents, 'events of watches'],
    ['kubernetes_throttled', status.reflectors.throttled, 'times the server asked for patience'],
    ['kubernetes_pods_refused', status.podsRefused, 'pods not followed because there were too many'],
    [
      'kubernetes_lists_refused',
      status.listsRefused,
      'owners, namespaces and services not followed because there were too many',
    ],
  ];
  return rows.map(([name, value, description]) => ({ name, value: BigInt(value), description }));
}
