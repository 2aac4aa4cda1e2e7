/** A container in the same words, whoever tells of it: the runtime's own tools, or the server. */
import type { Container } from '../../../proto/gen/strata/v1/state.ts';
import type { DriverKind } from '../lab/container-driver.ts';

export interface ContainerFacts {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly isPrivileged: boolean;
  readonly hasHostPid: boolean;
  readonly hasHostNetwork: boolean;
  readonly hasHostIpc: boolean;
  readonly ip: string;
  /** `source -> destination rw`, sorted. */
  readonly mounts: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Sorted. */
  readonly env: readonly string[];
  readonly createdMs: number;
}

type Json = Readonly<Record<string, unknown>>;

/** What each runtime says, from its own answer and, where that is another one, from what it says of its image or pod. */
export const FACTS_OF: Record<DriverKind, (answer: Json, other: Json) => ContainerFacts> = {
  docker: dockerFacts,
  podman: podmanFacts,
  cri: criFacts,
  containerd: containerdFacts,
};

export function serverFacts(container: Container): ContainerFacts {
  return {
    id: container.fullId,
    name: container.name,
    image: container.image,
    imageId: container.imageId,
    repository: container.imageRepository,
    tag: container.imageTag,
    digest: container.imageDigest,
    isPrivileged: container.isPrivileged,
    hasHostPid: container.hasHostPid,
    hasHostNetwork: container.hasHostNetwork,
    hasHostIpc: container.hasHostIpc,
    ip: container.ip,
    mounts: container.mounts
      .map((mount) => mountText(mount.source, mount.destination, mount.isWritable))
      .sort(),
    labels: sorted(container.labels),
    env: [...container.env].sort(),
    createdMs: Number(container.createdTimestampNs / 1_000_000n),
  };
}

function dockerFacts(answer: Json, image: Json): ContainerFacts {
  const config = at(answer, 'Config');
  const network = Object.values(at(answer, 'NetworkSettings', 'Networks'))[0] as Json | undefined;
  const [digested] = (image['RepoDigests'] ?? []) as string[];
  return {
    ...dockerLike(answer),
    image: String(config['Image']),
    ...nameParts(String(config['Image'])),
    digest: digested?.split('@')[1] ?? '',
    ip: String(network?.['IPAddress'] ?? ''),
  };
}

function podmanFacts(answer: Json): ContainerFacts {
  return {
    ...dockerLike(answer),
    image: String(answer['ImageName']),
    ...nameParts(String(answer['ImageName'])),
    digest: String(answer['ImageDigest'] ?? ''),
    ip: String(at(answer, 'NetworkSettings')['IPAddress'] ?? ''),
  };
}

/** Members that Podman spells like Docker. */
function dockerLike(answer: Json) {
  const config = at(answer, 'Config');
  const host = at(answer, 'HostConfig');
  const mounts = (answer['Mounts'] ?? []) as { Source: string; Destination: string; RW: boolean }[];
  return {
    id: String(answer['Id']),
    name: String(answer['Name']).replace(/^\//, ''),
    imageId: bare(String(answer['Image'])),
    isPrivileged: host['Privileged'] === true,
    hasHostPid: host['PidMode'] === 'host',
    hasHostNetwork: host['NetworkMode'] === 'host',
    hasHostIpc: host['IpcMode'] === 'host',
    mounts: mounts.map(({ Source, Destination, RW }) => mountText(Source, Destination, RW)).sort(),
    labels: sorted((config['Labels'] ?? {}) as Record<string, string>),
    env: [...(config['Env'] as string[])].sort(),
    createdMs: Date.parse(String(answer['Created'])),
  };
}

function criFacts(answer: Json, pod: Json): ContainerFacts {
  const status = at(answer, 'status');
  const info = at(answer, 'info');
  const image = String(at(status, 'image')['image']);
  const reference = String(status['image_ref']);
  const security = at(info, 'config', 'linux', 'security_context');
  const shared = at(security, 'namespace_options');
  const mounts = (status['mounts'] ?? []) as {
    host_path: string;
    container_path: string;
    readonly: boolean;
  }[];
  const variables = (at(info, 'config')['envs'] ?? []) as { key: string; value?: string }[];
  return {
    id: String(status['id']),
    name: String(at(status, 'metadata')['name']),
    image,
    ...nameParts(image),
    imageId: bare(reference),
    digest: reference.slice(reference.indexOf('sha256:')),
    isPrivileged: security['privileged'] === true,
    hasHostPid: shared['pid'] === NODE,
    hasHostNetwork: shared['network'] === NODE,
    hasHostIpc: shared['ipc'] === NODE,
    ip: String(at(pod, 'status', 'network')['ip'] ?? ''),
    mounts: mounts.map((mount) => mountText(mount.host_path, mount.container_path, !mount.readonly)).sort(),
    labels: sorted(status['labels'] as Record<string, string>),
    env: variables.map(({ key, value }) => `${key}=${value ?? ''}`).sort(),
    createdMs: Number(BigInt(String(status['created_at'])) / 1_000_000n),
  };
}

/** NamespaceMode of the host, as the verbose answer has it. */
const NODE = 2;

function containerdFacts(answer: Json, image: Json): ContainerFacts {
  const spec = at(answer, 'Spec');
  const namespaces = (at(spec, 'linux')['namespaces'] as { type: string }[]).map(({ type }) => type);
  const mounts = spec['mounts'] as { source: string; destination: string; options: string[] }[];
  return {
    id: String(answer['ID']),
    name: String(answer['ID']),
    image: String(answer['Image']),
    ...nameParts(String(answer['Image'])),
    // containerd knows images by the digest of their manifest only.
    imageId: '',
    digest: String(image['digest']),
    isPrivileged: at(spec, 'linux')['maskedPaths'] === undefined,
    hasHostPid: !namespaces.includes('pid'),
    hasHostNetwork: !namespaces.includes('network'),
    hasHostIpc: !namespaces.includes('ipc'),
    ip: '',
    mounts: mounts
      .map(({ source, destination, options }) => mountText(source, destination, !options.includes('ro')))
      .sort(),
    labels: sorted(answer['Labels'] as Record<string, string>),
    env: [...(at(spec, 'process')['env'] as string[])].sort(),
    createdMs: Date.parse(String(answer['CreatedAt'])),
  };
}

function at(value: Json, ...path: readonly string[]): Json {
  let found: unknown = value;
  for (const key of path) found = (found as Json | undefined)?.[key];
  return (found ?? {}) as Json;
}

function bare(imageId: string): string {
  return imageId.slice(imageId.indexOf('sha256:') < 0 ? 0 : imageId.indexOf('sha256:') + 'sha256:'.length);
}

function nameParts(image: string): { repository: string; tag: string } {
  const colon = image.lastIndexOf(':');
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
}

function mountText(source: string, destination: string, isWritable: boolean): string {
  return `${source} -> ${destination} ${isWritable ? 'rw' : 'ro'}`;
}

function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
