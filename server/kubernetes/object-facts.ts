/** What is taken of the API server's objects. They come from outside: any member may be missing or of another type. Text as binary strings. */
import { type JsonObject, listOf, objectOf, textMapOf, textOf } from '../container/container-json.ts';

/** An owner as the owned object names it. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface ObjectFacts {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** The one that manages it; undefined when it has none. */
  readonly owner: OwnerReference | undefined;
}

export interface PodFacts extends ObjectFacts {
  readonly nodeName: string;
  readonly isHostNetwork: boolean;
  readonly ips: readonly string[];
  readonly containerIds: readonly string[];
  readonly staticUid: string;
}

export interface ServiceFacts extends ObjectFacts {
  /** Empty: it selects no pods. */
  readonly selector: ReadonlyMap<string, string>;
}

/** Set on mirrors of static pods: the uid the kubelet gave the pod itself. */
const STATIC_POD_ANNOTATION = 'kubernetes.io/config.hash';
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
/** Annotations that only managers read, and that can be as large as the object. */
const DROPPED_ANNOTATIONS: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
]);

export interface FactLimits {
  /** Bytes of the labels, and of the annotations, of one object. What does not fit is left out, largest names last. */
  readonly textBytesMax: number;
}

export const FACT_LIMITS: FactLimits = { textBytesMax: 262_144 };

export function objectFacts(object: JsonObject, limits: FactLimits = FACT_LIMITS): ObjectFacts {
  const metadata = objectOf(object['metadata']) ?? {};
  return {
    name: textOf(metadata['name']),
    namespace: textOf(metadata['namespace']),
    uid: textOf(metadata['uid']),
    labels: boundedMap(textMapOf(metadata['labels']), limits.textBytesMax),
    annotations: boundedMap(annotationsOf(metadata), limits.textBytesMax),
    owner: ownerOf(metadata),
  };
}

export function podFacts(object: JsonObject, limits: FactLimits = FACT_LIMITS): PodFacts {
  const facts = objectFacts(object, limits);
  const spec = objectOf(object['spec']) ?? {};
  const status = objectOf(object['status']) ?? {};
  const isMirror = facts.annotations.has(MIRROR_ANNOTATION);
  return {
    ...facts,
    nodeName: textOf(spec['nodeName']),
    isHostNetwork: spec['hostNetwork'] === true,
    ips: ipsOf(status),
    containerIds: containerIdsOf(status),
    staticUid: isMirror ? (facts.annotations.get(STATIC_POD_ANNOTATION) ?? '') : '',
  };
}

export function serviceFacts(object: JsonObject, limits: FactLimits = FACT_LIMITS): ServiceFacts {
  const spec = objectOf(object['spec']) ?? {};
  return { ...objectFacts(object, limits), selector: textMapOf(spec['selector']) };
}

/** Whether every entry of the selector is among the labels. An empty selector selects nothing. */
export function selects(selector: ReadonlyMap<string, string>, labels: ReadonlyMap<string, string>): boolean {
  if (selector.size === 0) return false;
  for (const [key, value] of selector) {
    if (labels.get(key) !== value) return false;
  }
  return true;
}

function annotationsOf(metadata: JsonObject): ReadonlyMap<string, string> {
  const all = textMapOf(metadata['annotations']);
  return new Map([...all].filter(([key]) => !DROPPED_ANNOTATIONS.has(key)));
}

function boundedMap(map: ReadonlyMap<string, string>, bytesMax: number): ReadonlyMap<string, string> {
  let bytes = 0;
  const kept = new Map<string, string>();
  for (const [key, value] of map) {
    bytes += key.length + value.length;
    if (bytes > bytesMax) break;
    kept.set(key, value);
  }
  return kept;
}

function ownerOf(metadata: JsonObject): OwnerReference | undefined {
  const references = listOf(metadata['ownerReferences']).map(objectOf);
  const manager = references.find((reference) => reference?.['controller'] === true) ?? references[0];
  if (manager === undefined) return undefined;
  return {
    apiVersion: textOf(manager['apiVersion']),
    kind: textOf(manager['kind']),
    name: textOf(manager['name']),
    uid: textOf(manager['uid']),
  };
}

/** The primary address first. */
function ipsOf(status: JsonObject): readonly string[] {
  const ips = [
    textOf(status['podIP']),
    ...listOf(status['podIPs']).map((entry) => textOf(objectOf(entry)?.['ip'])),
  ];
  return [...new Set(ips.filter((ip) => ip !== ''))];
}

function containerIdsOf(status: JsonObject): readonly string[] {
  const lists = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'];
  return lists
    .flatMap((name) => listOf(status[name]))
    .map((entry) => textOf(objectOf(entry)?.['containerID']).replace(/^[^/]*:\/\//, ''))
    .filter((id) => id !== '');
}
