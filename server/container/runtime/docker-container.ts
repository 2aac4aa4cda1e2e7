/** Docker's answers about containers as rows. Text is binary strings; what is missing or of another type is '' or none. */
import type { ContainerMount, ContainerRow } from '../../state/container-table.ts';
import { type JsonObject, numberOf, objectOf, textOf } from '../container-json.ts';
import { bareContainer } from '../container-rows.ts';
import { bareImageId, type ImageFacts, imageNameOf } from './docker-image.ts';
import { healthcheckOf, podProbesOf, textsOf } from './docker-probes.ts';
import { itemsOf, labelsOf as textsByName } from './grpc-values.ts';
import type { NeighbourIds, Neighbours } from './http-neighbours.ts';
import { epochSecondsNs, rfc3339Ns } from './http-time.ts';
import type { RuntimeContainer } from './runtime-client.ts';

const FULL_ID = /^[0-9a-f]{64}$/;

/** Label that kubelet leaves on containers of a pod. */
const SANDBOX_LABEL = 'io.kubernetes.sandbox.id';
/** And on all it makes: `podsandbox` or `container`. */
const DOCKER_TYPE_LABEL = 'io.kubernetes.docker.type';
const SANDBOX_NAME = 'k8s_POD';

const SHARED_NETWORK = 'container:';
/** Runs the text of a health check, unless the image names another. */
const SHELL = ['/bin/sh', '-c'];

export function isFullId(id: string): boolean {
  return FULL_ID.test(id);
}

export function dockerNeighboursOf(answer: JsonObject): NeighbourIds {
  return {
    image: bareImageId(textOf(answer['Image'])),
    network: networkOwnerOf(answer),
    sandbox: labelsOf(objectOf(answer['Config'])).get(SANDBOX_LABEL) ?? '',
  };
}

/** Id of the container whose network this one shares; '' when it has its own. */
export function networkOwnerOf(answer: JsonObject): string {
  const mode = textOf(objectOf(answer['HostConfig'])?.['NetworkMode']);
  return mode.startsWith(SHARED_NETWORK) ? mode.slice(SHARED_NETWORK.length) : '';
}

/** From an inspection; undefined when it names no container. */
export function dockerContainerOf(answer: JsonObject, neighbours: Neighbours): RuntimeContainer | undefined {
  const fullId = textOf(answer['Id']);
  if (!isFullId(fullId)) return undefined;
  const config = objectOf(answer['Config']) ?? {};
  const hostConfig = objectOf(answer['HostConfig']) ?? {};
  const state = objectOf(answer['State']) ?? {};
  const labels = labelsOf(config);
  const sandboxLabels = labelsOf(objectOf(neighbours.sandbox?.['Config']));
  const pod = podMembers(fullId, bareName(answer['Name']), labels);
  const probes = podProbesOf(labels, sandboxLabels);
  const shell = textsOf(config['Shell']);
  const row: ContainerRow = {
    ...bareContainer(fullId, 'docker'),
    ...imageMembers(textOf(config['Image']), bareImageId(textOf(answer['Image'])), neighbours.image),
    ...pod,
    isPrivileged: hostConfig['Privileged'] === true,
    hostPid: hostConfig['PidMode'] === 'host',
    hostNetwork: hostConfig['NetworkMode'] === 'host',
    hostIpc: hostConfig['IpcMode'] === 'host',
    ip: addressOf(answer['NetworkSettings']) || addressOf(neighbours.network?.['NetworkSettings']),
    mounts: inOrder(mountsOf(answer['Mounts'])),
    env: textsOf(config['Env']),
    podSandboxLabels: pod.isPodSandbox ? labels : sandboxLabels,
    createdTimeNs: rfc3339Ns(answer['Created']),
    healthcheck: healthcheckOf(config, shell.length > 0 ? shell : SHELL),
    livenessProbe: probes.liveness,
    readinessProbe: probes.readiness,
    isComplete: neighbours.isComplete,
  };
  return { row, pid: pidOf(state['Pid']), isRunning: state['Running'] === true };
}

/** From an element of a list, which does not tell everything; undefined when it names no container. */
export function dockerListedOf(
  value: unknown,
  findImage: (imageId: string) => ImageFacts | undefined,
): RuntimeContainer | undefined {
  const answer = objectOf(value);
  const fullId = textOf(answer?.['Id']);
  if (answer === undefined || !isFullId(fullId)) return undefined;
  const imageId = bareImageId(textOf(answer['ImageID']));
  const row: ContainerRow = {
    ...bareContainer(fullId, 'docker'),
    ...imageMembers(textOf(answer['Image']), imageId, findImage(imageId)),
    ...podMembers(fullId, nameOf(answer['Names']), labelsOf(answer)),
    hostNetwork: objectOf(answer['HostConfig'])?.['NetworkMode'] === 'host',
    ip: addressOf(answer['NetworkSettings']),
    mounts: inOrder(mountsOf(answer['Mounts'])),
    createdTimeNs: epochSecondsNs(answer['Created']),
  };
  const state = answer['State'];
  return { row, pid: 0, isRunning: state === 'running' || state === 'paused' };
}

export function imageMembers(
  image: string,
  imageId: string,
  facts: ImageFacts | undefined,
): Pick<ContainerRow, 'image' | 'imageId' | 'imageRepository' | 'imageTag' | 'imageDigest'> {
  const { repository, tag, digest } = imageNameOf(image, imageId, facts);
  return { image, imageId, imageRepository: repository, imageTag: tag, imageDigest: digest };
}

/** What its name and labels say of the pod it is in. A sandbox is in its own pod. */
export function podMembers(
  fullId: string,
  name: string,
  labels: ReadonlyMap<string, string>,
): Pick<ContainerRow, 'name' | 'labels' | 'podSandboxId' | 'isPodSandbox'> {
  const isPodSandbox = name.startsWith(SANDBOX_NAME) || labels.get(DOCKER_TYPE_LABEL) === 'podsandbox';
  const podSandboxId = isPodSandbox ? fullId : (labels.get(SANDBOX_LABEL) ?? '');
  return { name, labels, podSandboxId, isPodSandbox };
}

export function labelsOf(answer: JsonObject | undefined): ReadonlyMap<string, string> {
  return textsByName(answer?.['Labels']);
}

/** Names of links have more than one slash: `/other/alias`. */
export function nameOf(names: unknown): string {
  const all = textsOf(names).map((name) => (name.startsWith('/') ? name.slice(1) : name));
  return all.find((name) => name !== '' && !name.includes('/')) ?? all[0] ?? '';
}

export function bareName(name: unknown): string {
  return nameOf([name]);
}

/** That of the default network, which newer versions do not tell apart, else the first there is. */
export function addressOf(settings: unknown): string {
  const network = objectOf(settings);
  const own = textOf(network?.['IPAddress']);
  if (own !== '') return own;
  for (const value of Object.values(objectOf(network?.['Networks']) ?? {})) {
    const address = textOf(objectOf(value)?.['IPAddress']);
    if (address !== '') return address;
  }
  return '';
}

export function mountsOf(value: unknown): readonly ContainerMount[] {
  return itemsOf(value).flatMap((element) => {
    const mount = objectOf(element);
    if (mount === undefined) return [];
    return {
      source: textOf(mount['Source']),
      destination: textOf(mount['Destination']),
      mode: textOf(mount['Mode']),
      rdwr: mount['RW'] === true,
      propagation: textOf(mount['Propagation']),
    };
  });
}

/** Docker tells them in another order each time, which is no news. */
function inOrder(mounts: readonly ContainerMount[]): readonly ContainerMount[] {
  return mounts.toSorted((one, other) => (one.destination < other.destination ? -1 : 1));
}

export function pidOf(value: unknown): number {
  const pid = numberOf(value);
  return Number.isInteger(pid) && pid > 0 && pid <= 0x7fff_ffff ? pid : 0;
}
