/** Container rows from what CRI says of containers and pod sandboxes. */
import type { ContainerMount, ContainerRow } from '../../state/container-table.ts';
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { bareContainer } from '../container-rows.ts';
import { criImageOf } from './cri-image.ts';
import { criProbesOf } from './cri-probes.ts';
import { type CriSandbox, isNode } from './cri-sandbox.ts';
import { bigintOf, byKey, itemsOf, labelsOf, objectAt } from './grpc-values.ts';
import { ociCgroupPath, ociEnv } from './oci-spec.ts';

/** `container.mount.propagation` by the enum of CRI. */
const PROPAGATIONS: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['PROPAGATION_PRIVATE', 'private'],
  ['PROPAGATION_HOST_TO_CONTAINER', 'rslave'],
  ['PROPAGATION_BIDIRECTIONAL', 'rshared'],
  [0, 'private'],
  [1, 'rslave'],
  [2, 'rshared'],
  // Zero values are left out of JSON.
  [undefined, 'private'],
]);

/** Where runtimes put the flag in their verbose answers. */
const PRIVILEGED_PATHS: readonly (readonly string[])[] = [
  ['runtimeSpec', 'linux', 'security_context'],
  ['config', 'linux', 'security_context'],
  [],
];

/**
 * `status`: ContainerStatus, or Container of a list; `info`: the JSON of a verbose answer; `sandbox`: the container's, when known.
 * The row is not marked complete.
 */
export function criContainerRow(
  status: JsonObject,
  info: JsonObject | undefined,
  sandbox: CriSandbox | undefined,
  type: string,
): ContainerRow {
  const name = textOf(objectAt(status, 'metadata')?.['name']);
  const podSandboxId = sandboxIdOf(status, info) || (sandbox?.id ?? '');
  const ownOptions = objectAt(info, 'config', 'linux', 'security_context', 'namespace_options');
  return {
    ...bareContainer(textOf(status['id']), type),
    name,
    ...criImageOf(status, info),
    isPrivileged: isPrivileged(info),
    hostPid: (sandbox?.hostPid ?? false) || isNode(ownOptions?.['pid']),
    hostNetwork: (sandbox?.hostNetwork ?? false) || isNode(ownOptions?.['network']),
    hostIpc: (sandbox?.hostIpc ?? false) || isNode(ownOptions?.['ipc']),
    ip: sandbox?.ip ?? '',
    mounts: itemsOf(status['mounts']).flatMap(mountOf),
    labels: withPodLabels(labelsOf(status['labels']), sandbox, podSandboxId),
    env: envOf(info),
    podSandboxId,
    podSandboxLabels: sandbox?.labels ?? new Map(),
    podSandboxCniJson: sandbox?.cniJson ?? '',
    createdTimeNs: bigintOf(status['created_at']),
    ...criProbesOf(sandbox?.annotations, name),
    cgroupPath: cgroupPathOf(info),
  };
}

/** Row of the pause process: what it has is the pod's, and no image. */
export function criSandboxRow(
  sandbox: CriSandbox,
  status: JsonObject,
  info: JsonObject | undefined,
  type: string,
): ContainerRow {
  return {
    ...bareContainer(sandbox.id, type),
    name: sandbox.name,
    hostPid: sandbox.hostPid,
    hostNetwork: sandbox.hostNetwork,
    hostIpc: sandbox.hostIpc,
    ip: sandbox.ip,
    labels: withPodLabels(sandbox.labels, sandbox, sandbox.id),
    podSandboxId: sandbox.id,
    podSandboxLabels: sandbox.labels,
    podSandboxCniJson: sandbox.cniJson,
    isPodSandbox: true,
    createdTimeNs: bigintOf(status['created_at']),
    cgroupPath: cgroupPathOf(info),
  };
}

/** Sandbox of a container: in lists a member of its own, in verbose answers in the JSON; '' when neither says it. */
export function sandboxIdOf(status: JsonObject, info: JsonObject | undefined): string {
  return textOf(status['pod_sandbox_id']) || textOf(info?.['sandboxID']);
}

/** Labels as kubelet would have set them, for clients that do not. */
function withPodLabels(
  labels: ReadonlyMap<string, string>,
  sandbox: CriSandbox | undefined,
  podSandboxId: string,
): ReadonlyMap<string, string> {
  const all = new Map(labels);
  const added: readonly (readonly [string, string])[] = [
    ['io.kubernetes.sandbox.id', podSandboxId],
    ['io.kubernetes.pod.name', sandbox?.name ?? ''],
    ['io.kubernetes.pod.uid', sandbox?.uid ?? ''],
    ['io.kubernetes.pod.namespace', sandbox?.namespace ?? ''],
  ];
  for (const [key, text] of added) if (text !== '' && !all.has(key)) all.set(key, text);
  return new Map([...all].sort(byKey));
}

function isPrivileged(info: JsonObject | undefined): boolean {
  for (const path of PRIVILEGED_PATHS) {
    const flag = objectAt(info, ...path)?.['privileged'];
    if (typeof flag === 'boolean') return flag;
  }
  return false;
}

/** Variables that were asked for; runtimes that do not tell them are taken by those of the first process. */
function envOf(info: JsonObject | undefined): readonly string[] {
  const config = objectAt(info, 'config');
  if (config === undefined) return ociEnv(objectAt(info, 'runtimeSpec') ?? {});
  return itemsOf(config['envs']).flatMap((item) => {
    const variable = objectOf(item);
    const key = textOf(variable?.['key']);
    return key === '' ? [] : [`${key}=${textOf(variable?.['value'])}`];
  });
}

function mountOf(value: unknown): ContainerMount[] {
  const mount = objectOf(value);
  if (mount === undefined) return [];
  return [
    {
      source: textOf(mount['host_path']),
      destination: textOf(mount['container_path']),
      mode: '',
      rdwr: mount['readonly'] !== true,
      propagation: PROPAGATIONS.get(mount['propagation']) ?? 'unknown',
    },
  ];
}

function cgroupPathOf(info: JsonObject | undefined): string {
  const spec = objectAt(info, 'runtimeSpec');
  return spec === undefined ? '' : ociCgroupPath(spec);
}
