/** Objects as an API server has them. */

export type KubeMeta = Record<string, unknown>;

export interface FakeObject {
  apiVersion: string;
  kind: string;
  metadata: KubeMeta;
  [member: string]: unknown;
}

/** Where the server has each kind: root of its lists below `/`. */
export interface FakeKind {
  readonly kind: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
}

const row = (kind: string, apiVersion: string, plural: string, isNamespaced = true): FakeKind => ({
  kind,
  apiVersion,
  plural,
  isNamespaced,
});

/** Of a server of 1.20: CronJobs are v1beta1 there. */
export const FAKE_KINDS: readonly FakeKind[] = [
  row('Pod', 'v1', 'pods'),
  row('Namespace', 'v1', 'namespaces', false),
  row('Service', 'v1', 'services'),
  row('ReplicationController', 'v1', 'replicationcontrollers'),
  row('ReplicaSet', 'apps/v1', 'replicasets'),
  row('Deployment', 'apps/v1', 'deployments'),
  row('DaemonSet', 'apps/v1', 'daemonsets'),
  row('StatefulSet', 'apps/v1', 'statefulsets'),
  row('Job', 'batch/v1', 'jobs'),
  row('CronJob', 'batch/v1beta1', 'cronjobs'),
];

export function kindOf(name: string): FakeKind {
  const found = FAKE_KINDS.find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

export interface FakeObjectMembers {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The manager. */
  readonly owner?: FakeObject;
  readonly uid?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** `uid` follows from kind and name unless given. */
export function fakeObject(kind: string, name: string, members: FakeObjectMembers = {}): FakeObject {
  const { apiVersion, isNamespaced } = kindOf(kind);
  const { namespace = 'shop', labels, annotations, owner, spec, status } = members;
  const place = isNamespaced ? `${namespace}-${name}` : name;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid: members.uid ?? `uid-${kind.toLowerCase()}-${place}`,
      ...(isNamespaced ? { namespace } : {}),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(owner === undefined ? {} : { ownerReferences: [referenceTo(owner)] }),
    },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}

export function referenceTo(owner: FakeObject): Record<string, unknown> {
  const { name, uid } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true };
}

export function fakePod(name: string, nodeName: string, members: FakeObjectMembers = {}): FakeObject {
  return fakeObject('Pod', name, { ...members, spec: { nodeName, ...members.spec } });
}

export function fakeService(
  name: string,
  selector: Readonly<Record<string, string>> | undefined,
  members: FakeObjectMembers = {},
): FakeObject {
  return fakeObject('Service', name, { ...members, spec: selector === undefined ? {} : { selector } });
}
