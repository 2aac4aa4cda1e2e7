/** From the facts of a pod to its row: namespace, owners and services are looked up among the lists that are followed for them. */
import type { KubeObject, PodRow } from '../state/pod-table.ts';
import {
  type KubeKind,
  listPath,
  NAMESPACE_KIND,
  nameSelector,
  ownerKind,
  versionsOf,
} from './kube-kinds.ts';
import {
  type ObjectFacts,
  type OwnerReference,
  type PodFacts,
  type ServiceFacts,
  selects,
} from './object-facts.ts';
import type { ListRequest, SharedReflectors } from './shared-reflectors.ts';

export interface Joined {
  readonly row: PodRow;
  /** Keys of the lists it was made of, by which set of lists. */
  readonly objectKeys: readonly string[];
  readonly serviceKey: string;
}

/** A chain of owners is not followed further than this: ReplicaSet, Deployment and what may own that. */
const OWNERS_MAX = 4;

export class PodJoiner {
  private readonly objects: SharedReflectors<ObjectFacts>;
  private readonly services: SharedReflectors<ServiceFacts>;

  constructor(objects: SharedReflectors<ObjectFacts>, services: SharedReflectors<ServiceFacts>) {
    this.objects = objects;
    this.services = services;
  }

  join(pod: PodFacts): Joined {
    const objectKeys: string[] = [];
    let isComplete = true;
    const namespace = this.namespaceOf(pod, objectKeys);
    if (namespace === undefined) isComplete = false;
    const owners = this.ownersOf(pod, objectKeys);
    if (!owners.isSettled) isComplete = false;
    const serviceKey = pod.namespace;
    const services = this.services.need(serviceKey, () => servicesRequest(pod.namespace));
    if (!services.isSettled) isComplete = false;
    const row: PodRow = {
      uid: pod.uid,
      staticUid: pod.staticUid,
      name: pod.name,
      namespace: pod.namespace,
      namespaceUid: namespace?.uid ?? '',
      namespaceLabels: namespace?.labels ?? new Map<string, string>(),
      labels: pod.labels,
      annotations: pod.annotations,
      ips: pod.ips,
      nodeName: pod.nodeName,
      isHostNetwork: pod.isHostNetwork,
      owners: owners.chain,
      services: [...services.objects.values()]
        .filter(({ selector }) => selects(selector, pod.labels))
        .sort((a, b) => compare(a.name, b.name))
        .map((service) => kubeObject('Service', service)),
      containerIds: pod.containerIds,
      isComplete,
    };
    return { row, objectKeys, serviceKey };
  }

  /** Undefined while it is still to come. */
  private namespaceOf(pod: PodFacts, keys: string[]): Pick<ObjectFacts, 'uid' | 'labels'> | undefined {
    const list = this.need(NAMESPACE_KIND, 'v1', '', pod.namespace, keys);
    const [facts] = list.objects.values();
    if (facts !== undefined) return facts;
    return list.isSettled ? { uid: '', labels: new Map() } : undefined;
  }

  /** Owners that cannot be read are told as far as their references go. */
  private ownersOf(pod: PodFacts, keys: string[]): { chain: KubeObject[]; isSettled: boolean } {
    const chain: KubeObject[] = [];
    let isSettled = true;
    let reference = pod.owner;
    while (reference !== undefined && chain.length < OWNERS_MAX) {
      const found = this.ownerOf(reference, pod.namespace, keys);
      chain.push(found.object);
      if (!found.isSettled) isSettled = false;
      reference = found.owner;
    }
    return { chain, isSettled };
  }

  private ownerOf(
    reference: OwnerReference,
    namespace: string,
    keys: string[],
  ): { object: KubeObject; isSettled: boolean; owner: OwnerReference | undefined } {
    const bare: KubeObject = {
      kind: reference.kind,
      name: reference.name,
      uid: reference.uid,
      labels: new Map(),
    };
    const kind = ownerKind(reference.kind, reference.apiVersion);
    if (kind === undefined) return { object: bare, isSettled: true, owner: undefined };
    for (const version of versionsOf(kind, reference.apiVersion)) {
      const list = this.need(kind, version, namespace, reference.name, keys);
      const facts = list.objects.get(reference.uid);
      if (facts !== undefined)
        return { object: kubeObject(kind.kind, facts), isSettled: true, owner: facts.owner };
      if (!list.isAbsent) return { object: bare, isSettled: list.isSettled, owner: undefined };
    }
    return { object: bare, isSettled: true, owner: undefined };
  }

  private need(kind: KubeKind, apiVersion: string, namespace: string, name: string, keys: string[]) {
    const key = `${kind.kind} ${apiVersion} ${namespace}/${name}`;
    keys.push(key);
    return this.objects.need(key, () => ({
      name: key,
      path: listPath(kind, apiVersion, namespace),
      fieldSelector: nameSelector(name),
      isMetadataOnly: true,
    }));
  }
}

function servicesRequest(namespace: string): ListRequest {
  return {
    name: `services of ${namespace}`,
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/services`,
    isMetadataOnly: false,
  };
}

function kubeObject(kind: string, { name, uid, labels }: ObjectFacts): KubeObject {
  return { kind, name, uid, labels };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
