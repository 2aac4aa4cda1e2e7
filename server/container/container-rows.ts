/** Container rows from what a capture holds: an id in a cgroup path, and the JSON of container events. */
import type { ContainerMount, ContainerRow, ContainerTable, HealthProbe } from '../state/container-table.ts';
import {
  isComplete,
  type JsonObject,
  knownTextOf,
  listOf,
  numberOf,
  objectOf,
  textMapOf,
  textOf,
} from './container-json.ts';
import { fittedRow, isFit } from './fitted-row.ts';

/** Characters of an id that are shown. */
const SHORT_ID_LENGTH = 12;
/** Engines whose containers have names for ids: they are shown whole. */
const NAMED_TYPES: ReadonlySet<string> = new Set(['lxc', 'libvirt-lxc', 'bpm']);
/** Look-up states of container events. */
const LOOKUP_STARTED = 0;
const LOOKUP_SUCCESS = 1;
const NS_PER_S = 1_000_000_000n;
const TIME_NS_MAX = 1n << 64n;

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

/** As events of users and groups name it: the short id of those that have one. */
export function eventIdOf(fullId: string): string {
  return /^[0-9a-f]{64}$/.test(fullId) ? shortIdOf(fullId) : fullId;
}

/** A row with nothing but the id: what a cgroup path tells. */
export function bareContainer(fullId: string, type: string): ContainerRow {
  return {
    id: NAMED_TYPES.has(type) ? fullId : shortIdOf(fullId),
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
  if (early === undefined || !isKeyedByShortId(early, short)) {
    return table.set(fullId, bareContainer(fullId, type));
  }
  table.delete(short);
  return table.set(fullId, early);
}

/** Whether the row is under the short id because nothing else is known of it, and not because this is all of its id. */
function isKeyedByShortId(row: ContainerRow, short: string): boolean {
  return row.fullId === '' || row.fullId === short;
}

/**
 * Stores what a container event says. What is complete replaces all before; what is not adds to what is not complete either.
 * Returns the key of the row, or undefined when the JSON names no container.
 */
export function storeContainer(table: ContainerTable, json: JsonObject): string | undefined {
  const container = objectOf(json['container']) ?? json;
  const id = textOf(container['id']);
  if (id === '') return undefined;
  const fullId = textOf(container['full_id']);
  const key = fullId === '' ? (table.findKeyByShortId(shortIdOf(id)) ?? id) : fullId;
  let row = rowOf(container, id, fullId);
  const old = table.find(key);
  if (!row.isComplete && old !== undefined) {
    // News that a look-up has only begun does not undo what is known.
    if (old.isComplete) return key;
    row = addFacts(old, row);
  }
  if (key !== id) {
    const early = table.find(id);
    if (early !== undefined && isKeyedByShortId(early, id)) table.delete(id);
  }
  table.set(key, row);
  return key;
}

/** The members of `news` that say something, and those of `old` for the others. */
function addFacts(old: ContainerRow, news: ContainerRow): ContainerRow {
  const facts = Object.entries(news).filter(([, value]) => saysSomething(value));
  return { ...old, ...(Object.fromEntries(facts) as Partial<ContainerRow>) };
}

function saysSomething(value: ContainerRow[keyof ContainerRow]): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return value !== undefined && value !== '' && value !== false && value !== 0n;
}

/** Whether a thread's cgroups tell as much: only the id, and what engine it seems to be. */
export function isBare(row: ContainerRow): boolean {
  const { id: _id, fullId: _fullId, type: _type, ...facts } = row;
  return !Object.values(facts).some(saysSomething);
}

/** Key of the row of the container that an event names; undefined when there is none. */
export function findStored(table: ContainerTable, json: JsonObject): string | undefined {
  const container = objectOf(json['container']) ?? json;
  const id = textOf(container['id']);
  const fullId = textOf(container['full_id']);
  if (fullId === '') return table.find(id) === undefined ? table.findKeyByShortId(shortIdOf(id)) : id;
  if (table.find(fullId) !== undefined) return fullId;
  const short = shortIdOf(fullId);
  const early = table.find(short);
  return early !== undefined && isKeyedByShortId(early, short) ? short : undefined;
}

function rowOf(container: JsonObject, id: string, fullId: string): ContainerRow {
  const isKnown = isComplete(container);
  const type = typeOf(container['type']);
  const knownText = isKnown ? textOf : knownTextOf;
  return {
    id: NAMED_TYPES.has(type) ? id : shortIdOf(id),
    fullId: isKnown || fullId !== '' ? fullId : id,
    type,
    name: knownText(container['name']),
    image: knownText(container['image']),
    imageId: knownText(container['imageid']),
    imageRepository: knownText(container['imagerepo']),
    imageTag: knownText(container['imagetag']),
    imageDigest: knownText(container['imagedigest']),
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
    healthcheck: probeOf(container['Healthcheck']),
    livenessProbe: probeOf(container['LivenessProbe']),
    readinessProbe: probeOf(container['ReadinessProbe']),
    cgroupPath: textOf(container['cgroup_path']),
    isComplete: isKnown,
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

function probeOf(value: unknown): HealthProbe | undefined {
  const probe = objectOf(value);
  const exe = textOf(probe?.['exe']);
  return exe === '' ? undefined : { exe, args: listOf(probe?.['args']).map(textOf) };
}

/** Whole seconds in a member that all readers know; all of it in one of our own. */
function createdTimeOf(container: JsonObject): bigint {
  const exact = container['created_time_ns'];
  if (typeof exact === 'string' && /^[0-9]{1,20}$/.test(exact) && BigInt(exact) < TIME_NS_MAX) {
    return BigInt(exact);
  }
  const seconds = numberOf(container['created_time']);
  if (seconds <= 0 || !Number.isSafeInteger(seconds)) return 0n;
  const timeNs = BigInt(seconds) * NS_PER_S;
  return timeNs < TIME_NS_MAX ? timeNs : 0n;
}

/** The JSON (a binary string) of a container event that makes this row again. */
export function containerJsonOf(row: ContainerRow): string {
  return jsonOf(isFit(row) ? row : fittedRow(row));
}

function jsonOf(row: ContainerRow): string {
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
    created_time: Number(row.createdTimeNs / NS_PER_S),
    created_time_ns: String(row.createdTimeNs),
    // Members without a value are left out.
    Healthcheck: row.healthcheck,
    LivenessProbe: row.livenessProbe,
    ReadinessProbe: row.readinessProbe,
    cgroup_path: row.cgroupPath === '' ? undefined : row.cgroupPath,
    lookup_state: row.isComplete ? LOOKUP_SUCCESS : LOOKUP_STARTED,
  };
  // Members are bytes already: one character each.
  return JSON.stringify({ container });
}
