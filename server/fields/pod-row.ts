/** From the event to the pod its thread runs in. */
import { PPME_ASYNCEVENT_E } from '../event/event-types.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { StateView } from '../state/os-state.ts';
import { podUidOf } from '../state/pod-cgroup.ts';
import type { KubeObject, PodRow } from '../state/pod-table.ts';
import type { CgroupEntry } from '../state/thread-info.ts';
import { containerKeyOf, findContainer } from './container-row.ts';
import type { Extractor, FieldValue } from './field.ts';

/** Async events that are about a pod themselves. */
const POD_EVENTS: ReadonlySet<string> = new Set(['k8s_pod', 'k8s_pod_removed']);
/** What kubelets call it to container runtimes. */
const POD_UID_LABEL = 'io.kubernetes.pod.uid';

/** The pod as the API server tells it. */
export function podOf(event: InspectedEvent): PodRow | undefined {
  const { record, state, thread } = event;
  if (record.type === PPME_ASYNCEVENT_E && POD_EVENTS.has(record.text(1))) {
    return state.findPod(namedUid(record.text(2)));
  }
  const key = podKeyOfThread(state, containerKeyOf(event) ?? '', thread?.cgroups ?? []);
  return key === undefined ? undefined : state.findPod(key);
}

/** Key of the pod of a thread in this container ('': in none) and these cgroups. */
export function podKeyOfThread(
  state: StateView,
  containerKey: string,
  cgroups: readonly CgroupEntry[],
): string | undefined {
  const key = containerKey === '' ? undefined : podKeyOfContainer(state, containerKey);
  return key ?? podKeyOfUid(state, podUidOf(cgroups));
}

/** Key of the pod that has this container, by what the API server, the runtime or the sandbox says. */
export function podKeyOfContainer(state: StateView, containerKey: string): string | undefined {
  const listed = state.findPodKeyByContainer(containerKey);
  if (listed !== undefined) return listed;
  const row = findContainer(state, containerKey);
  if (row === undefined) return undefined;
  const uid = row.labels.get(POD_UID_LABEL) ?? row.podSandboxLabels.get(POD_UID_LABEL) ?? '';
  if (uid !== '') return podKeyOfUid(state, uid);
  return row.podSandboxId === '' || row.podSandboxId === containerKey
    ? undefined
    : podKeyOfContainer(state, row.podSandboxId);
}

function podKeyOfUid(state: StateView, uid: string): string | undefined {
  return uid === '' ? undefined : state.findPodKey(uid);
}

function namedUid(text: string): string {
  try {
    const json = JSON.parse(text) as { pod?: { uid?: unknown } } | null;
    const uid: unknown = json?.pod?.uid;
    return typeof uid === 'string' ? uid : '';
  } catch {
    return '';
  }
}

/** Of the pod; absent outside of pods and for pods the API server has not told. */
export function ofPod(value: (pod: PodRow, event: InspectedEvent) => FieldValue): Extractor {
  return (event) => {
    const pod = podOf(event);
    return pod === undefined ? undefined : value(pod, event);
  };
}

export function ownerOf(pod: PodRow, kind: string): KubeObject | undefined {
  return pod.owners.find((owner) => owner.kind === kind);
}

/** `key:value` items separated by commas, by key. */
export function pairsText(map: ReadonlyMap<string, string>): string | undefined {
  const pairs = sortedPairs(map);
  return pairs.length === 0 ? undefined : pairs.join(', ');
}

/** `key:value` items by key. */
export function pairsList(map: ReadonlyMap<string, string>): readonly string[] | undefined {
  const pairs = sortedPairs(map);
  return pairs.length === 0 ? undefined : pairs;
}

function sortedPairs(map: ReadonlyMap<string, string>): string[] {
  return [...map.keys()].sort().map((key) => {
    const value = map.get(key) ?? '';
    return value === '' ? key : `${key}:${value}`;
  });
}
