/** Container rows from containerd's own records. */
import type { ContainerRow } from '../../state/container-table.ts';
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { bareContainer, shortIdOf } from '../container-rows.ts';
import { jsonObjectOf, labelsOf, objectAt } from './grpc-values.ts';
import { parseImageName } from './image-name.ts';
import { ociCgroupPath, ociEnv, ociIsPrivileged, ociMounts, ociSharesHost } from './oci-spec.ts';

/** Labels that name a container: of nerdctl, and of CRI for containers and sandboxes. */
const NAME_LABELS = ['nerdctl/name', 'io.kubernetes.container.name', 'io.kubernetes.pod.name'];

const FULL_ID = /^[0-9a-f]{64}$/;

/** `digest`: of its image's manifest, '' when unknown. Undefined when the record has no id. */
export function containerdRow(container: JsonObject, digest: string): ContainerRow | undefined {
  const fullId = textOf(container['id']);
  if (fullId === '') return undefined;
  const spec = anyJson(container['spec']);
  const labels = labelsOf(container['labels']);
  const image = textOf(container['image']);
  const name = parseImageName(image);
  const row = {
    ...bareContainer(fullId, 'containerd'),
    name: nameOf(fullId, labels),
    image,
    imageRepository: name.repository,
    imageTag: name.tag,
    imageDigest: digest || name.digest,
    labels,
    podSandboxId: textOf(container['sandbox']),
    isPodSandbox: labels.get('io.cri-containerd.kind') === 'sandbox',
    createdTimeNs: timestampNs(container['created_at']),
  };
  if (spec === undefined) return row;
  return {
    ...row,
    isPrivileged: ociIsPrivileged(spec),
    hostPid: ociSharesHost(spec, 'pid'),
    hostNetwork: ociSharesHost(spec, 'network'),
    hostIpc: ociSharesHost(spec, 'ipc'),
    mounts: ociMounts(spec),
    env: ociEnv(spec),
    podSandboxId: row.podSandboxId || textOf(objectAt(spec, 'annotations')?.['io.kubernetes.cri.sandbox-id']),
    cgroupPath: ociCgroupPath(spec),
    isComplete: true,
  };
}

/** JSON that containerd keeps as `google.protobuf.Any`. */
export function anyJson(any: unknown): JsonObject | undefined {
  const value = objectOf(any)?.['value'];
  return value instanceof Uint8Array ? jsonObjectOf(Buffer.from(value).toString('utf8')) : undefined;
}

/** Epoch ns of a google.protobuf.Timestamp; 0n when it is none or before 1970. */
export function timestampNs(value: unknown): bigint {
  const time = objectOf(value);
  const seconds = time?.['seconds'];
  const nanos = time?.['nanos'];
  if (typeof seconds !== 'string' || !/^\d{1,10}$/.test(seconds)) return 0n;
  const isPart = typeof nanos === 'number' && Number.isInteger(nanos) && nanos > 0 && nanos < 1e9;
  return BigInt(seconds) * 1_000_000_000n + (isPart ? BigInt(nanos) : 0n);
}

function nameOf(fullId: string, labels: ReadonlyMap<string, string>): string {
  for (const key of NAME_LABELS) {
    const name = labels.get(key);
    if (name !== undefined && name !== '') return name;
  }
  return FULL_ID.test(fullId) ? shortIdOf(fullId) : fullId;
}
