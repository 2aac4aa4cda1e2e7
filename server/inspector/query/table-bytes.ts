/**
 * How much memory the tables take, for operators who size limits. An estimate: rows are weighed by constants measured on
 * the heap plus the length of their texts, from a sample of the rows, as if no two shared a text. Costs nothing between
 * two questions and under a millisecond for one.
 */
import type { ContainerRow } from '../../state/container-table.ts';
import type { FdInfo } from '../../state/fd-info.ts';
import type { InterfaceRow } from '../../state/interface-table.ts';
import type { OsState } from '../../state/os-state.ts';
import type { KubeObject, PodRow } from '../../state/pod-table.ts';
import type { ThreadInfo } from '../../state/thread-info.ts';
import type { GroupRow, UserRow } from '../../state/user-table.ts';

/** Bytes of a row without its texts: its objects, its sets and its share of the tables. */
const ROW_BYTES = {
  thread: 1300,
  fd: 200,
  user: 100,
  group: 80,
  interface: 150,
  container: 770,
  mount: 150,
  pod: 900,
  kubeObject: 200,
} as const;
/** Bytes of a text beside its characters, with the reference to it. */
const TEXT_BYTES = 24;
/** Rows looked at per table. */
const SAMPLE_ROWS_MAX = 1024;

export interface TableBytes {
  readonly threads: number;
  readonly fds: number;
  readonly users: number;
  readonly groups: number;
  readonly interfaces: number;
  readonly containers: number;
  readonly pods: number;
}

/** Bytes per table. `fdCount`: fds of all processes. */
export function tableBytes(state: OsState, fdCount: number): TableBytes {
  const { threads, users, groups, interfaces, containers, pods } = state;
  const addresses = interfaces.values();
  return {
    threads: estimate(threads.values(), threads.size, threadBytes),
    fds: estimate(allFds(state), fdCount, fdBytes),
    users: estimate(users.entries(), users.size, ([, , row]) => userBytes(row)),
    groups: estimate(groups.entries(), groups.size, ([, , row]) => groupBytes(row)),
    interfaces: estimate(addresses, addresses.length, interfaceBytes),
    containers: estimate(containers.values(), containers.size, containerBytes),
    pods: estimate(pods.values(), pods.size, podBytes),
  };
}

function estimate<Row>(rows: Iterable<Row>, rowCount: number, bytesOf: (row: Row) => number): number {
  let bytes = 0;
  let count = 0;
  for (const row of rows) {
    bytes += bytesOf(row);
    if (++count === SAMPLE_ROWS_MAX) break;
  }
  return count === 0 ? 0 : Math.round((bytes / count) * rowCount);
}

function* allFds({ threads }: OsState): Generator<FdInfo> {
  for (const row of threads.values()) if (row.isMain()) yield* row.fds.values();
}

function texts(...all: readonly string[]): number {
  return listBytes(all);
}

function listBytes(items: readonly string[]): number {
  let bytes = 0;
  for (const item of items) bytes += TEXT_BYTES + item.length;
  return bytes;
}

function threadBytes(row: ThreadInfo): number {
  const { comm, exe, exepath, cwd, root, args, env, cgroups } = row;
  const lists = listBytes(args) + listBytes(env) + listBytes(cgroups.flat());
  return ROW_BYTES.thread + texts(comm, exe, exepath, cwd, root) + lists;
}

function fdBytes(row: FdInfo): number {
  return ROW_BYTES.fd + texts(row.name, row.rawName);
}

function userBytes({ name, homedir, shell }: UserRow): number {
  return ROW_BYTES.user + texts(name, homedir, shell);
}

function groupBytes({ name }: GroupRow): number {
  return ROW_BYTES.group + texts(name);
}

function interfaceBytes({ name, address, netmask, broadcast }: InterfaceRow): number {
  return ROW_BYTES.interface + texts(name, address, netmask, broadcast);
}

function containerBytes(row: ContainerRow): number {
  const { fullId, name, image, imageId, imageRepository, imageTag, imageDigest, cniJson } = row;
  const { mounts, env, labels, podSandboxLabels, podSandboxCniJson } = row;
  const own = texts(fullId, name, image, imageId, imageRepository, imageTag, imageDigest, cniJson);
  const mountTexts = mounts.map(({ source, destination, mode }) => texts(source, destination, mode));
  const mountBytes = mountTexts.reduce((sum, bytes) => sum + ROW_BYTES.mount + bytes, 0);
  const lists = listBytes(env) + listBytes([...labels, ...podSandboxLabels].flat());
  return ROW_BYTES.container + own + texts(podSandboxCniJson) + mountBytes + lists;
}

function podBytes(row: PodRow): number {
  const { uid, staticUid, name, namespace, namespaceUid, nodeName, ips, containerIds } = row;
  const maps = [...row.labels, ...row.annotations, ...row.namespaceLabels].flat();
  const objects = [...row.owners, ...row.services].reduce((sum, object) => sum + kubeObjectBytes(object), 0);
  const own = texts(uid, staticUid, name, namespace, namespaceUid, nodeName, ...ips, ...containerIds);
  return ROW_BYTES.pod + own + listBytes(maps) + objects;
}

function kubeObjectBytes({ kind, name, uid, labels }: KubeObject): number {
  return ROW_BYTES.kubeObject + texts(kind, name, uid) + listBytes([...labels].flat());
}
