/** Kinds of objects that are read beside pods, and where the API server has them. */

export interface KubeKind {
  readonly kind: string;
  /** Group and version as owner references name them: `apps/v1`; several when servers differ, newest first. */
  readonly apiVersions: readonly string[];
  readonly plural: string;
  readonly isNamespaced: boolean;
}

function kind(name: string, plural: string, apiVersions: readonly string[], isNamespaced = true): KubeKind {
  return { kind: name, plural, apiVersions, isNamespaced };
}

export const NAMESPACE_KIND: KubeKind = kind('Namespace', 'namespaces', ['v1'], false);

/** Kinds that own pods, directly or through another. CronJobs are `v1beta1` on servers before 1.21. */
export const OWNER_KINDS: readonly KubeKind[] = [
  kind('ReplicaSet', 'replicasets', ['apps/v1']),
  kind('Deployment', 'deployments', ['apps/v1']),
  kind('DaemonSet', 'daemonsets', ['apps/v1']),
  kind('StatefulSet', 'statefulsets', ['apps/v1']),
  kind('ReplicationController', 'replicationcontrollers', ['v1']),
  kind('Job', 'jobs', ['batch/v1']),
  kind('CronJob', 'cronjobs', ['batch/v1', 'batch/v1beta1']),
];

/** The kind of an owner reference; undefined for kinds that are not read, such as nodes and those of extensions. */
export function ownerKind(name: string, apiVersion: string): KubeKind | undefined {
  const found = OWNER_KINDS.find((row) => row.kind === name);
  const group = groupOf(apiVersion);
  return found?.apiVersions.some((version) => groupOf(version) === group) === true ? found : undefined;
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/', 1)[0] as string) : '';
}

/** Versions under which the object may be found, the one its reference names first: servers may have it no more, or not yet. */
export function versionsOf({ apiVersions }: KubeKind, named: string): readonly string[] {
  // References are free text of whoever made the pod, and go into a path.
  const isVersion = /^([a-z0-9.-]+\/)?v[0-9][a-z0-9]*$/.test(named);
  return isVersion ? [...new Set([named, ...apiVersions])] : apiVersions;
}

/** Selector of the one object with this name. */
export function nameSelector(name: string): string {
  return `metadata.name=${name.replace(/[\\,=]/g, '\\$&')}`;
}

/** Path of the list that holds the object: `/apis/apps/v1/namespaces/shop/replicasets`. */
export function listPath({ plural, isNamespaced }: KubeKind, apiVersion: string, namespace: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return isNamespaced ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}` : `${root}/${plural}`;
}
