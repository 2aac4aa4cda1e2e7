/** Rows of the k8s class: what a container's runtime tells about its pod, or else the API server; and what only the latter knows. */
import type { ContainerRow } from '../state/container-table.ts';
import type { StateView } from '../state/os-state.ts';
import type { PodRow } from '../state/pod-table.ts';
import {
  findContainer,
  labelsText,
  ofContainer,
  ofContainerText,
  present,
  SHORT_ID_CHARACTERS,
} from './container-row.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { K8S_OBJECT_FIELDS } from './k8s-object-fields.ts';
import { ofPod, pairsText, podOf } from './pod-row.ts';
import { UNBOUND } from './proc-shape.ts';

const row = rowsOf('k8s');

function text(name: string, description: string, value: (container: ContainerRow) => string): FieldRow {
  return row(name, 'string', 'NA', description, ofContainerText(value));
}

/** Labels that kubelet gives to containers and to sandboxes alike; `told`: the same by the API server. */
function label(name: string, description: string, key: string, told: (pod: PodRow) => string): FieldRow {
  const byRuntime = ofContainer(
    (container, { state }) =>
      container.labels.get(key) ?? podFacts(container, state).podSandboxLabels.get(key),
  );
  const byServer = ofPod((pod) => present(told(pod)));
  return row(name, 'string', 'NA', description, (event) => byRuntime(event) ?? byServer(event));
}

/** As the API server tells it now; until then, and without one, as the runtime told it at the start. */
function serverFirst(told: (pod: PodRow) => string | undefined, byRuntime: Extractor): Extractor {
  return (event) => {
    const pod = podOf(event);
    return (pod === undefined ? undefined : told(pod)) ?? byRuntime(event);
  };
}

/** Where the pod's own facts are: in the container's row, or in that of its sandbox when that has a row of its own. */
function podFacts(container: ContainerRow, state: StateView): ContainerRow {
  if (container.podSandboxCniJson !== '' || container.podSandboxId === '') return container;
  return findContainer(state, container.podSandboxId) ?? container;
}

export const K8S_FIELDS: readonly FieldRow[] = [
  label('k8s.pod.name', 'pod name', 'io.kubernetes.pod.name', (pod) => pod.name),
  label('k8s.ns.name', 'namespace', 'io.kubernetes.pod.namespace', (pod) => pod.namespace),
  label('k8s.pod.id', 'legacy alias of the pod UID', 'io.kubernetes.pod.uid', (pod) => pod.uid),
  label('k8s.pod.uid', 'pod UID', 'io.kubernetes.pod.uid', (pod) => pod.uid),
  text('k8s.pod.sandbox_id', '12-character sandbox id', (container) =>
    container.podSandboxId.slice(0, SHORT_ID_CHARACTERS),
  ),
  text('k8s.pod.full_sandbox_id', 'full sandbox id', (container) => container.podSandboxId),
  row('k8s.pod.label', 'string', 'NA', 'one pod label', UNBOUND, {
    argument: 'key required',
    bind: (argument) => {
      const key = argument?.text ?? '';
      const byRuntime = ofContainer(
        (container, { state }) =>
          podFacts(container, state).podSandboxLabels.get(key) ?? container.podSandboxLabels.get(key),
      );
      // Runtimes keep the labels of the start; the API server knows those of now.
      return (event) => {
        const pod = podOf(event);
        return pod === undefined ? byRuntime(event) : pod.labels.get(key);
      };
    },
  }),
  row(
    'k8s.pod.labels',
    'string',
    'NA',
    'all pod labels',
    serverFirst(
      (pod) => pairsText(pod.labels),
      ofContainer((container, { state }) => present(labelsText(podFacts(container, state).podSandboxLabels))),
    ),
  ),
  row(
    'k8s.pod.ip',
    'string',
    'NA',
    'pod IPv4 address',
    serverFirst(
      (pod) => pod.ips.find((ip) => !ip.includes(':')),
      ofContainer((container, { state }) => {
        if (container.podSandboxId === '' && container.podSandboxCniJson === '') return undefined;
        return present(podFacts(container, state).ip);
      }),
    ),
  ),
  row(
    'k8s.pod.cni.json',
    'string',
    'NA',
    'CNI result of the pod as JSON text',
    ofContainer((container, { state }) => present(podFacts(container, state).podSandboxCniJson)),
  ),
  ...K8S_OBJECT_FIELDS,
];
