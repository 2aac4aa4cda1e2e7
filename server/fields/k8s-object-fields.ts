/** Rows about objects of the API server: the pod itself, its namespace, its owners, the services that select it. */
import type { KubeObject, PodRow } from '../state/pod-table.ts';
import { present } from './container-row.ts';
import type { FieldRow, FieldValue } from './field.ts';
import { type RowOptions, rowsOf } from './field-row.ts';
import { ofPod, ownerOf, pairsList, pairsText } from './pod-row.ts';
import { UNBOUND } from './proc-shape.ts';

/** Where an object stands to the pod. */
interface Relation {
  /** Part of the field's name. */
  readonly prefix: string;
  /** In descriptions. */
  readonly word: string;
  /** The objects, by name; empty when the pod has none. */
  readonly objects: (pod: PodRow) => readonly KubeObject[];
  /** A pod can have several. */
  readonly isMany: boolean;
}

type Member = 'name' | 'id' | 'uid' | 'label' | 'labels';

function owner(prefix: string, word: string, kind: string): Relation {
  return {
    prefix,
    word,
    isMany: false,
    objects: (pod) => {
      const found = ownerOf(pod, kind);
      return found === undefined ? [] : [found];
    },
  };
}

const NAMESPACE: Relation = {
  prefix: 'ns',
  word: 'namespace',
  isMany: false,
  objects: (pod) => [
    { kind: 'Namespace', name: pod.namespace, uid: pod.namespaceUid, labels: pod.namespaceLabels },
  ],
};
const POD: Relation = {
  prefix: 'pod',
  word: 'pod',
  isMany: false,
  objects: (pod) => [{ kind: 'Pod', name: pod.name, uid: pod.uid, labels: pod.labels }],
};
const SERVICES: Relation = {
  prefix: 'svc',
  word: 'services selecting the pod',
  isMany: true,
  objects: (pod) => pod.services,
};
const REPLICA_SET = owner('rs', 'replica set', 'ReplicaSet');
const REPLICATION_CONTROLLER = owner('rc', 'replication controller', 'ReplicationController');
const DEPLOYMENT = owner('deployment', 'deployment', 'Deployment');
const NEW_OWNERS: readonly Relation[] = [
  owner('daemonset', 'daemon set', 'DaemonSet'),
  owner('statefulset', 'stateful set', 'StatefulSet'),
  owner('job', 'job', 'Job'),
  owner('cronjob', 'cron job', 'CronJob'),
];

const DESCRIPTIONS: Readonly<Record<Member, string>> = {
  name: 'name',
  id: 'UID',
  uid: 'UID',
  label: 'value of one label',
  labels: 'all labels',
};

/** What one object has of a member; undefined when it has none. */
function memberOf(object: KubeObject, member: Member, key: string): string | undefined {
  switch (member) {
    case 'name':
      return present(object.name);
    case 'id':
    case 'uid':
      return present(object.uid);
    case 'label':
      return object.labels.get(key);
    case 'labels':
      return pairsText(object.labels);
  }
}

/** `asList`: each value for itself; else all in one text. */
function valueOfMember(relation: Relation, member: Member, key: string, asList: boolean) {
  return ofPod((pod): FieldValue => {
    const objects = relation.objects(pod);
    const values =
      asList && member === 'labels'
        ? objects.flatMap(({ labels }) => pairsList(labels) ?? [])
        : objects.map((object) => memberOf(object, member, key)).filter((value) => value !== undefined);
    if (values.length === 0) return undefined;
    return asList ? values : values.join(', ');
  });
}

function memberRow(
  fieldClass: string,
  relation: Relation,
  member: Member,
  isList: boolean,
  options: RowOptions = {},
): FieldRow {
  const name = `${fieldClass}.${relation.prefix}.${member}`;
  const description = `${relation.word}: ${DESCRIPTIONS[member]}`;
  return rowsOf(fieldClass)(name, 'string', 'NA', description, UNBOUND, {
    argument: member === 'label' ? 'key required' : 'none',
    isList,
    bind: (argument) => valueOfMember(relation, member, argument?.text ?? '', isList),
    ...options,
  });
}

/** The reference fills them no more, and says so. */
function legacyRows(relation: Relation, members: readonly Member[]): FieldRow[] {
  return members.map((member) => memberRow('k8s', relation, member, false, { deprecated: true }));
}

const LEGACY: readonly Member[] = ['name', 'id', 'label', 'labels'];
const CURRENT: readonly Member[] = ['name', 'uid', 'label', 'labels'];

const row = rowsOf('k8s');

/** Of the k8s class, beside those that runtimes tell. */
export const K8S_OBJECT_FIELDS: readonly FieldRow[] = [
  ...legacyRows(REPLICATION_CONTROLLER, LEGACY),
  ...legacyRows(SERVICES, LEGACY),
  ...legacyRows(NAMESPACE, ['id', 'label', 'labels']),
  ...legacyRows(REPLICA_SET, LEGACY),
  ...legacyRows(DEPLOYMENT, LEGACY),
  ...NEW_OWNERS.flatMap((relation) => CURRENT.map((member) => memberRow('k8s', relation, member, false))),
  row('k8s.pod.annotation', 'string', 'NA', 'one pod annotation', UNBOUND, {
    argument: 'key required',
    bind: (argument) => {
      const key = argument?.text ?? '';
      return ofPod((pod) => pod.annotations.get(key));
    },
  }),
  row(
    'k8s.pod.annotations',
    'string',
    'NA',
    'all pod annotations',
    ofPod((pod) => pairsText(pod.annotations)),
  ),
  row(
    'k8s.node.name',
    'string',
    'NA',
    'node the pod runs on, as the API server calls it',
    ofPod((pod) => present(pod.nodeName)),
  ),
];

export const K8SMETA_FIELDS: readonly FieldRow[] = [
  ...metaRows(POD),
  rowsOf('k8smeta')(
    'k8smeta.pod.ip',
    'string',
    'NA',
    'pod: IP address',
    ofPod((pod) => pod.ips[0]),
  ),
  ...metaRows(NAMESPACE),
  ...metaRows(DEPLOYMENT),
  ...metaRows(SERVICES),
  ...metaRows(REPLICA_SET),
  ...metaRows(REPLICATION_CONTROLLER),
];

function metaRows(relation: Relation): FieldRow[] {
  return CURRENT.map((member) =>
    memberRow('k8smeta', relation, member, relation.isMany || member === 'labels'),
  );
}
