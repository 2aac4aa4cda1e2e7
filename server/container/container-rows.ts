/** Container rows from what a capture holds: an id in a cgroup path, and the JSON of container events. */
import type { ContainerMount, ContainerRow, ContainerTable } from '../state/container-table.ts';
import {
  isComplete,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  textMapOf,
  textOf,
} from './container-json.ts';

/** Characters of an id that are shown. */
const SHORT_ID_LENGTH = 12;

/** `container.type` words by the number container events carry. */
const TYPE_WORDS: readonly string[] = [
  'docker',
  'lxc',
  'libvirt-lxc',
  'mesos',
  'rkt',
  'custom',
  'cri',
  'containerd',
  'cri-o',
  'bpm',
  'static',
  'podman',
];

const NO_LABELS: ReadonlyMap<string, string> = new Map();

export function shortIdOf(id: string): string {
  return id.slice(0, SHORT_ID_LENGTH);
}

/** A row with nothing but the id: what a cgroup path tells. */
export function bareContainer(fullId: string, type: string): ContainerRow {
  return {
    id: shortIdOf(fullId),
    fullId,
    type,
    name: '',
    image: '',
    imageId: '',
    imageRepository: '',
    imageTag: '',
    imageDigest: '',
    isPrivileged: false,
    hostPid: false,
    hostNetwork: false,
    hostIpc: false,
    ip: '',
    cniJson: '',
    mounts: [],
    labels: NO_LABELS,
    env: [],
    podSandboxId: '',
    podSandboxLabels: NO_LABELS,
    podSandboxCniJson: '',
    isPodSandbox: false,
    createdTimeNs: 0n,
    healthcheck: undefined,
    livenessProbe: undefined,
    readinessProbe: undefined,
    cgroupPath: '',
    isComplete: false,
  };
}

/**
 * Makes sure the table has a row under the full id of a thread's container. Metadata that came before the first thread
 * and named only the short id moves there. Returns whether the container is new under this id.
 */
export function rememberContainer(table: ContainerTable, fullId: string, type: string): boolean {
  if (table.find(fullId) !== undefined) return false;
  const short = shortIdOf(fullId);
  const early = short === fullId ? undefined : table.find(short);
  if (early === undefined) {
    return table.set(fullId, bareContainer(fullId, type));
  }
  table.delete(short);
  return table.set(fullId, early);
}

/** Stores what a container event says. Returns the key of the row, or undefined when the JSON names no container. */
export function storeContainer(table: ContainerTable, json: JsonObject): string | undefined {
  const container = objectOf(json['container']) ?? json;
  const id = textOf(container['id']);
  if (id === '') return undefined;
  const fullId = textOf(container['full_id']);
  const key = fullId === '' ? (table.findKeyByShortId(shortIdOf(id)) ?? id) : fullId;
  const row = isComplete(container)
    ? rowOf(container, id, fullId)
    : bareContainer(fullId === '' ? id : fullId, typeOf(container['type']));
  // News that a look-up has only begun does not undo what is known.
  if (!row.isComplete && table.find(key)?.isComplete === true) return key;
  if (key !== id && table.find(id) !== undefined) table.delete(id);
  table.set(key, row);
  return key;
}

/** Forgets the container a removal event names. Returns the key its row had; undefined when there was none. */
export function forgetContainer(table: ContainerTable, json: JsonObject): string | undefined {
  const container = objectOf(json['container']) ?? json;
  const id = textOf(container['full_id']) || textOf(container['id']);
  if (id === '') return undefined;
  const key = table.find(id) === undefined ? table.findKeyByShortId(shortIdOf(id)) : id;
  return key !== undefined && table.delete(key) ? key : undefined;
}

function rowOf(container: JsonObject, id: string, fullId: string): ContainerRow {
  return {
    id: shortIdOf(id),
    fullId,
    type: typeOf(container['type']),
    name: textOf(container['name']),
    image: textOf(container['image']),
    imageId: textOf(container['imageid']),
    imageRepository: textOf(container['imagerepo']),
    imageTag: textOf(container['imagetag']),
    imageDigest: textOf(container['imagedigest']),
    isPrivileged: container['privileged'] === true,
    hostPid: container['host_pid'] === true,
    hostNetwork: container['host_network'] === true,
    hostIpc: container['host_ipc'] === true,
    ip: textOf(container['ip']),
    cniJson: textOf(container['cni_json']),
    mounts: listOf(container['Mounts']).flatMap(mountOf),
    labels: textMapOf(container['labels']),
    env: listOf(container['env']).map(textOf),
    podSandboxId: textOf(container['pod_sandbox_id']),
    podSandboxLabels: textMapOf(container['pod_sandbox_labels']),
    podSandboxCniJson: textOf(container['pod_sandbox_cniresult']),
    isPodSandbox: container['is_pod_sandbox'] === true,
    createdTimeNs: createdTimeOf(container),
    healthcheck: undefined,
    livenessProbe: undefined,
    readinessProbe: undefined,
    cgroupPath: '',
    isComplete: true,
  };
}

function typeOf(type: unknown): string {
  return typeof type === 'number' ? (TYPE_WORDS[type] ?? '') : textOf(type);
}

function mountOf(value: unknown): ContainerMount[] {
  const mount = objectOf(value);
  if (mount === undefined) return [];
  return [
    {
      source: textOf(mount['Source']),
      destination: textOf(mount['Destination']),
      mode: textOf(mount['Mode']),
      rdwr: mount['RW'] === true,
      propagation: textOf(mount['Propagation']),
    },
  ];
}

/** Container events carry whole seconds. */
function createdTimeOf(container: JsonObject): bigint {
  const seconds = numberOf(container['created_time']);
  return seconds > 0 && Number.isSafeInteger(seconds) ? BigInt(seconds) * 1_000_000_000n : 0n;
}

/** The JSON (a binary string) of a container event that makes this row again. */
export function containerJsonOf(row: ContainerRow): string {
  const type = TYPE_WORDS.indexOf(row.type);
  const container = {
    id: row.id,
    full_id: row.fullId,
    type: type < 0 ? row.type : type,
    name: row.name,
    image: row.image,
    imageid: row.imageId,
    imagerepo: row.imageRepository,
    imagetag: row.imageTag,
    imagedigest: row.imageDigest,
    privileged: row.isPrivileged,
    host_pid: row.hostPid,
    host_network: row.hostNetwork,
    host_ipc: row.hostIpc,
    ip: row.ip,
    cni_json: row.cniJson,
    Mounts: row.mounts.map((mount) => ({
      Source: mount.source,
      Destination: mount.destination,
      Mode: mount.mode,
      RW: mount.rdwr,
      Propagation: mount.propagation,
    })),
    labels: Object.fromEntries(row.labels),
    env: row.env,
    pod_sandbox_id: row.podSandboxId,
    pod_sandbox_labels: Object.fromEntries(row.podSandboxLabels),
    pod_sandbox_cniresult: row.podSandboxCniJson,
    is_pod_sandbox: row.isPodSandbox,
    created_time: Number(row.createdTimeNs / 1_000_000_000n),
    lookup_state: 1,
  };
  // Members are bytes already: one character each.
  return JSON.stringify({ container });
}
