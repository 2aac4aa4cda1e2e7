/** Pod rows and the JSON of pod events, both ways. Members of the JSON are bytes already: one character each. */
import { type JsonObject, listOf, objectOf, textMapOf, textOf } from '../container/container-json.ts';
import type { KubeObject, PodRow } from '../state/pod-table.ts';

/** The JSON (a binary string) of a pod event that makes this row again. */
export function podJsonOf(row: PodRow): string {
  return JSON.stringify({
    pod: {
      uid: row.uid,
      static_uid: row.staticUid,
      name: row.name,
      namespace: row.namespace,
      namespace_uid: row.namespaceUid,
      namespace_labels: Object.fromEntries(row.namespaceLabels),
      labels: Object.fromEntries(row.labels),
      annotations: Object.fromEntries(row.annotations),
      ips: row.ips,
      node_name: row.nodeName,
      host_network: row.isHostNetwork,
      owners: row.owners.map(objectJson),
      services: row.services.map(objectJson),
      container_ids: row.containerIds,
      complete: row.isComplete,
    },
  });
}

function objectJson(object: KubeObject): JsonObject {
  return { kind: object.kind, name: object.name, uid: object.uid, labels: Object.fromEntries(object.labels) };
}

/** The row of a pod event (`parseJson` of its text); undefined when it names no pod. */
export function podRowOf(json: JsonObject): PodRow | undefined {
  const pod = objectOf(json['pod']);
  const uid = textOf(pod?.['uid']);
  if (pod === undefined || uid === '') return undefined;
  return {
    uid,
    staticUid: textOf(pod['static_uid']),
    name: textOf(pod['name']),
    namespace: textOf(pod['namespace']),
    namespaceUid: textOf(pod['namespace_uid']),
    namespaceLabels: textMapOf(pod['namespace_labels']),
    labels: textMapOf(pod['labels']),
    annotations: textMapOf(pod['annotations']),
    ips: textsOf(pod['ips']),
    nodeName: textOf(pod['node_name']),
    isHostNetwork: pod['host_network'] === true,
    owners: listOf(pod['owners']).flatMap(kubeObjectOf),
    services: listOf(pod['services']).flatMap(kubeObjectOf),
    containerIds: textsOf(pod['container_ids']),
    isComplete: pod['complete'] === true,
  };
}

function kubeObjectOf(value: unknown): KubeObject[] {
  const object = objectOf(value);
  if (object === undefined) return [];
  return [
    {
      kind: textOf(object['kind']),
      name: textOf(object['name']),
      uid: textOf(object['uid']),
      labels: textMapOf(object['labels']),
    },
  ];
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value)
    .map(textOf)
    .filter((text) => text !== '');
}
