/** What a pod sandbox says of itself and of the containers in it. */
import { isIP } from 'node:net';
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { isEnum, labelsOf, objectAt } from './grpc-values.ts';

export interface CriSandbox {
  readonly id: string;
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  /** As it came: probes are read from it. */
  readonly annotations: unknown;
  /** '' in the network of the host, and while there is none. */
  readonly ip: string;
  readonly cniJson: string;
  readonly hostPid: boolean;
  readonly hostNetwork: boolean;
  readonly hostIpc: boolean;
}

/** As the reference cuts it; a longer one would not be shown either. */
const CNI_LENGTH_MAX = 4096;

/** Of an interface only its addresses are shown. */
const INTERFACE_MEMBERS_HIDDEN = new Set(['Mac', 'Sandbox']);

/** `status`: PodSandboxStatus or PodSandbox; `info`: the JSON of a verbose answer. */
export function criSandboxOf(status: JsonObject, info: JsonObject | undefined): CriSandbox {
  const metadata = objectAt(status, 'metadata');
  const options = objectAt(status, 'linux', 'namespaces', 'options');
  const hostNetwork = isNode(options?.['network']);
  const ip = textOf(objectAt(status, 'network')?.['ip']);
  return {
    id: textOf(status['id']),
    name: textOf(metadata?.['name']),
    uid: textOf(metadata?.['uid']),
    namespace: textOf(metadata?.['namespace']),
    labels: labelsOf(status['labels']),
    annotations: status['annotations'],
    ip: !hostNetwork && isIP(ip) !== 0 ? ip : '',
    cniJson: cniJsonOf(info),
    hostPid: isNode(options?.['pid']),
    hostNetwork,
    hostIpc: isNode(options?.['ipc']),
  };
}

/** Whether a namespace is the node's. */
export function isNode(mode: unknown): boolean {
  return isEnum(mode, 'NODE', 2);
}

function cniJsonOf(info: JsonObject | undefined): string {
  const interfaces = objectAt(info, 'cniResult', 'Interfaces');
  const text =
    interfaces === undefined
      ? textOf(objectAt(info, 'runtimeSpec', 'annotations')?.['io.kubernetes.cri-o.CNIResult'])
      : textOf(shownInterfaces(interfaces));
  return text.trimEnd().slice(0, CNI_LENGTH_MAX);
}

/** JSON of the pod's own interfaces, members in order of their names. */
function shownInterfaces(interfaces: JsonObject): string {
  const shown: Record<string, unknown> = {};
  for (const name of Object.keys(interfaces).sort()) {
    if (name === 'lo' || name.startsWith('veth')) continue;
    const members = Object.entries(objectOf(interfaces[name]) ?? {});
    shown[name] = Object.fromEntries(members.filter(([key]) => !INTERFACE_MEMBERS_HIDDEN.has(key)));
  }
  return sortedJson(shown, 0);
}

/** Levels of the CNI result that are shown. */
const DEPTH_MAX = 16;

function sortedJson(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) return 'null';
  if (Array.isArray(value)) return `[${value.map((item) => sortedJson(item, depth + 1)).join(',')}]`;
  const object = objectOf(value);
  if (object === undefined) return JSON.stringify(value) ?? 'null';
  const members = Object.keys(object).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${sortedJson(object[key], depth + 1)}`).join(',')}}`;
}
