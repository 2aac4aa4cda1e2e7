/** The rows that pods should have, computed straight from the objects of an API server: for comparison with what is followed. */

type Json = Readonly<Record<string, unknown>>;

/** Every object of each kind, as the API server has them now. */
export type KubeObjects = Readonly<Record<string, readonly Json[]>>;

export interface ExpectedPod {
  readonly name: string;
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly namespaceLabels: Json;
  readonly labels: Json;
  readonly annotations: Json;
  readonly owners: readonly Json[];
  readonly services: readonly Json[];
  readonly ips: readonly string[];
  readonly containerIds: readonly string[];
}

/** By uid. The objects are trusted: they are the test's own. */
export function expectedRows(objects: KubeObjects, nodeName: string): Record<string, ExpectedPod> {
  const pods = (objects['Pod'] ?? []).filter((pod) => member(pod, 'spec')['nodeName'] === nodeName);
  return Object.fromEntries(pods.map((pod) => [String(meta(pod)['uid']), expectedRow(pod, objects)]));
}

function expectedRow(pod: Json, objects: KubeObjects): ExpectedPod {
  const {
    name,
    namespace,
    labels = {},
    annotations = {},
  } = meta(pod) as {
    name: string;
    namespace: string;
    labels?: Json;
    annotations?: Json;
  };
  const space = (objects['Namespace'] ?? []).find((object) => meta(object)['name'] === namespace);
  const status = member(pod, 'status');
  const statuses = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'].flatMap(
    (key) => (status[key] ?? []) as Json[],
  );
  return {
    name,
    namespace,
    namespaceUid: String((space && meta(space)['uid']) ?? ''),
    namespaceLabels: (space && (meta(space)['labels'] as Json)) ?? {},
    labels,
    annotations,
    owners: ownersOf(pod, namespace, objects),
    services: (objects['Service'] ?? [])
      .filter((service) => meta(service)['namespace'] === namespace && isSelecting(service, labels))
      .map((service) => shown('Service', service))
      .sort((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1)),
    ips: ((status['podIPs'] ?? []) as Json[]).map((entry) => String(entry['ip'])),
    containerIds: statuses
      .map((entry) => String(entry['containerID'] ?? '').split('://')[1] ?? '')
      .filter((id) => id !== ''),
  };
}

function ownersOf(object: Json, namespace: string, objects: KubeObjects): Json[] {
  const reference = ((meta(object)['ownerReferences'] ?? []) as Json[])[0];
  if (reference === undefined) return [];
  const { kind, name, uid } = reference;
  const owner = (objects[String(kind)] ?? []).find(
    (candidate) => meta(candidate)['uid'] === uid && meta(candidate)['namespace'] === namespace,
  );
  if (owner === undefined) return [{ kind, name, uid, labels: {} }];
  return [shown(String(kind), owner), ...ownersOf(owner, namespace, objects)];
}

function shown(kind: string, object: Json): Json {
  const { name, uid, labels = {} } = meta(object);
  return { kind, name, uid, labels };
}

function isSelecting(service: Json, labels: Json): boolean {
  const selector = Object.entries(member(service, 'spec')['selector'] ?? {});
  return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
}

function meta(object: Json): Json {
  return member(object, 'metadata');
}

function member(object: Json, name: string): Json {
  return (object[name] ?? {}) as Json;
}
