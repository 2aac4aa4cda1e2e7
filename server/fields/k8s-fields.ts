/** Rows of the k8s class: what a container's runtime tells about its pod. */
import type { ContainerRow } from '../state/container-table.ts';
import type { StateView } from '../state/os-state.ts';
import {
  findContainer,
  labelsText,
  ofContainer,
  ofContainerText,
  present,
  SHORT_ID_CHARACTERS,
} from './container-row.ts';
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { UNBOUND } from './proc-shape.ts';

const row = rowsOf('k8s');

/** Rows about objects that only a watch on the API server knows. */
const NEEDS_WATCH = 'needs the Kubernetes API; not served from capture files';

function text(name: string, description: string, value: (container: ContainerRow) => string): FieldRow {
  return row(name, 'string', 'NA', description, ofContainerText(value));
}

/** Labels that kubelet gives to containers and to sandboxes alike. */
function label(name: string, description: string, key: string): FieldRow {
  return row(
    name,
    'string',
    'NA',
    description,
    ofContainer(
      (container, { state }) =>
        container.labels.get(key) ?? podFacts(container, state).podSandboxLabels.get(key),
    ),
  );
}

/** Where the pod's own facts are: in the container's row, or in that of its sandbox when that has a row of its own. */
function podFacts(container: ContainerRow, state: StateView): ContainerRow {
  if (container.podSandboxCniJson !== '' || container.podSandboxId === '') return container;
  return findContainer(state, container.podSandboxId) ?? container;
}

/** The rows every kind of owner or relative of a pod has. */
function relative(prefix: string, word: string, members: readonly string[]): FieldRow[] {
  const descriptions: Readonly<Record<string, string>> = {
    name: `${word} name`,
    id: `${word} UID`,
    label: `one ${word} label`,
    labels: `all ${word} labels`,
  };
  return members.map((member) =>
    row(`k8s.${prefix}.${member}`, 'string', 'NA', descriptions[member] ?? '', UNBOUND, {
      argument: member === 'label' ? 'key required' : 'none',
      deprecated: true,
      unavailable: NEEDS_WATCH,
    }),
  );
}

const ALL_MEMBERS = ['name', 'id', 'label', 'labels'];

export const K8S_FIELDS: readonly FieldRow[] = [
  label('k8s.pod.name', 'pod name (from the runtime)', 'io.kubernetes.pod.name'),
  label('k8s.ns.name', 'namespace (from the runtime)', 'io.kubernetes.pod.namespace'),
  label('k8s.pod.id', 'legacy alias of the pod UID', 'io.kubernetes.pod.uid'),
  label('k8s.pod.uid', 'pod UID', 'io.kubernetes.pod.uid'),
  text('k8s.pod.sandbox_id', '12-character sandbox id', (container) =>
    container.podSandboxId.slice(0, SHORT_ID_CHARACTERS),
  ),
  text('k8s.pod.full_sandbox_id', 'full sandbox id', (container) => container.podSandboxId),
  row('k8s.pod.label', 'string', 'NA', 'one pod label', UNBOUND, {
    argument: 'key required',
    bind: (argument) => {
      const key = argument?.text ?? '';
      return ofContainer(
        (container, { state }) =>
          podFacts(container, state).podSandboxLabels.get(key) ?? container.podSandboxLabels.get(key),
      );
    },
  }),
  row(
    'k8s.pod.labels',
    'string',
    'NA',
    'all pod labels',
    ofContainer((container, { state }) => present(labelsText(podFacts(container, state).podSandboxLabels))),
  ),
  row(
    'k8s.pod.ip',
    'string',
    'NA',
    'pod IPv4 address',
    ofContainer((container, { state }) => {
      if (container.podSandboxId === '' && container.podSandboxCniJson === '') return undefined;
      return present(podFacts(container, state).ip);
    }),
  ),
  row(
    'k8s.pod.cni.json',
    'string',
    'NA',
    'CNI result of the pod as JSON text',
    ofContainer((container, { state }) => present(podFacts(container, state).podSandboxCniJson)),
  ),
  ...relative('rc', 'replication controller', ALL_MEMBERS),
  ...relative('svc', 'service', ALL_MEMBERS),
  ...relative('ns', 'namespace', ['id', 'label', 'labels']),
  ...relative('rs', 'replica set', ALL_MEMBERS),
  ...relative('deployment', 'deployment', ALL_MEMBERS),
];

/** `[prefix, word, members, whether one pod can have many]` */
const META_KINDS: readonly (readonly [prefix: string, word: string, members: string, isMany: boolean])[] = [
  ['pod', 'pod', 'name uid label labels ip', false],
  ['ns', 'namespace', 'name uid label labels', false],
  ['deployment', 'deployment', 'name uid label labels', false],
  ['svc', 'services selecting the pod', 'name uid label labels', true],
  ['rs', 'replica set', 'name uid label labels', false],
  ['rc', 'replication controller', 'name uid label labels', false],
];

const META_DESCRIPTIONS: Readonly<Record<string, string>> = {
  name: 'name',
  uid: 'UID',
  label: 'value of one label',
  labels: 'all labels',
  ip: 'IP address',
};

const metaRow = rowsOf('k8smeta');

export const K8SMETA_FIELDS: readonly FieldRow[] = META_KINDS.flatMap(([prefix, word, members, isMany]) =>
  members.split(' ').map((member) =>
    metaRow(
      `k8smeta.${prefix}.${member}`,
      'string',
      'NA',
      `${word}: ${META_DESCRIPTIONS[member] ?? member}`,
      UNBOUND,
      {
        argument: member === 'label' ? 'key required' : 'none',
        isList: isMany || member === 'labels',
        unavailable: NEEDS_WATCH,
      },
    ),
  ),
);
