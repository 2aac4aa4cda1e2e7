/**
 * What containerd keeps of the containers and sandboxes that CRI makes, read as CRI's own answers: it is there when a container
 * is created, before CRI answers for it (a sandbox is known to CRI only 35-266 ms after its first process has started).
 */
import { type JsonObject, listOf, objectOf, textOf } from '../container-json.ts';
import { anyJson, timestampNs } from './containerd-rows.ts';
import type { CriStatus } from './cri-calls.ts';
import { isNode } from './cri-sandbox.ts';
import { objectAt } from './grpc-values.ts';

export interface CriRecord extends Pick<CriStatus, 'status' | 'info'> {
  readonly isSandbox: boolean;
  /** Sandbox a container belongs to. */
  readonly sandboxId: string;
  /** Image a container was made from, as CRI's image store knows it. */
  readonly imageReference: string;
  /** Whether everything is there that CRI's answers are read for; of a container, but for the names of its image. */
  readonly isWhole: boolean;
}

const CONTAINER_METADATA = 'io.cri-containerd.container.metadata';
const SANDBOX_METADATA = 'io.cri-containerd.sandbox.metadata';

/** `container`: containerd's record in CRI's namespace. */
export function criRecordOf(container: JsonObject): CriRecord {
  const extensions = objectOf(container['extensions']);
  const spec = anyJson(container['spec']);
  const labels = objectOf(container['labels']);
  const marks = objectAt(spec, 'annotations');
  const isSandbox =
    labels?.['io.cri-containerd.kind'] === 'sandbox' ||
    marks?.['io.kubernetes.cri.container-type'] === 'sandbox';
  const kept = objectAt(anyJson(extensions?.[isSandbox ? SANDBOX_METADATA : CONTAINER_METADATA]), 'Metadata');
  const config = objectAt(kept, 'Config');
  const common = {
    id: container['id'],
    created_at: String(timestampNs(container['created_at'])),
    metadata: config?.['metadata'] ?? metadataOf(labels, isSandbox),
    labels: config === undefined ? labels : config['labels'],
    annotations: config?.['annotations'],
  };
  if (isSandbox) {
    const options = objectAt(config, 'linux', 'security_context', 'namespace_options');
    // Where the network is made after the container, the address comes later.
    const hasNetwork = textOf(kept?.['IP']) !== '' || isNode(options?.['network']);
    return {
      isSandbox,
      sandboxId: '',
      imageReference: '',
      isWhole: config !== undefined && hasNetwork,
      status: { ...common, network: { ip: kept?.['IP'] }, linux: { namespaces: { options } } },
      info: { cniResult: kept?.['CNIResult'], runtimeSpec: spec },
    };
  }
  const sandboxID = kept?.['SandboxID'] ?? marks?.['io.kubernetes.cri.sandbox-id'];
  return {
    isSandbox,
    sandboxId: textOf(sandboxID),
    imageReference: textOf(kept?.['ImageRef']),
    isWhole: config !== undefined && spec !== undefined,
    status: {
      ...common,
      image: { image: container['image'] },
      image_ref: kept?.['ImageRef'],
      mounts: config?.['mounts'],
    },
    info: { config, sandboxID, runtimeSpec: spec },
  };
}

/** The status with the names its image has in CRI's image store, as CRI tells them. */
export function withImageNames(status: JsonObject, image: JsonObject): JsonObject {
  const [tag] = listOf(image['repo_tags']);
  const [digest] = listOf(image['repo_digests']);
  const name = tag ?? digest ?? objectAt(status, 'image')?.['image'];
  return {
    ...status,
    image: { image: name },
    image_ref: digest ?? status['image_ref'],
    image_id: image['id'],
  };
}

/** Labels as kubelet sets them, where the extension is not as expected. */
function metadataOf(labels: JsonObject | undefined, isSandbox: boolean): JsonObject {
  if (!isSandbox) return { name: labels?.['io.kubernetes.container.name'] };
  return {
    name: labels?.['io.kubernetes.pod.name'],
    uid: labels?.['io.kubernetes.pod.uid'],
    namespace: labels?.['io.kubernetes.pod.namespace'],
  };
}
