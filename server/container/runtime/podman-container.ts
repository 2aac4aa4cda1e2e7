/** Answers of Podman's own API about containers as rows. Most members are Docker's. Text is binary strings. */
import type { ContainerRow } from '../../state/container-table.ts';
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { bareContainer } from '../container-rows.ts';
import {
  addressOf,
  bareName,
  imageMembers,
  isFullId,
  labelsOf,
  mountsOf,
  nameOf,
  networkOwnerOf,
  pidOf,
} from './docker-container.ts';
import { bareImageId, type ImageFacts } from './docker-image.ts';
import { healthcheckOf, textsOf } from './docker-probes.ts';
import type { NeighbourIds, Neighbours } from './http-neighbours.ts';
import { epochSecondsNs, rfc3339Ns } from './http-time.ts';
import type { RuntimeContainer } from './runtime-client.ts';

/** Annotation of a pod's containers: the infra container, which holds the pod's namespaces and labels. */
const SANDBOX_ANNOTATION = 'io.kubernetes.cri-o.SandboxID';

/** Podman runs the text of a health check in this one, whatever the image names. */
const SHELL = ['/bin/sh', '-c'];

const RUNNING_STATES = new Set<unknown>(['running', 'paused', 'stopping']);

export function podmanNeighboursOf(answer: JsonObject): NeighbourIds {
  return {
    // Versions before 4 do not tell the digest with the container.
    image: textOf(answer['ImageDigest']) === '' ? bareImageId(textOf(answer['Image'])) : '',
    network: networkOwnerOf(answer),
    sandbox: sandboxOf(answer),
  };
}

/** Id of its pod's infra container; '' when it is in no pod, or the pod has none, or it is the infra container. */
function sandboxOf(answer: JsonObject): string {
  if (textOf(answer['Pod']) === '' || answer['IsInfra'] === true) return '';
  const annotations = objectOf(objectOf(answer['Config'])?.['Annotations']);
  return textOf(annotations?.[SANDBOX_ANNOTATION]);
}

/** From an inspection; undefined when it names no container. */
export function podmanContainerOf(answer: JsonObject, neighbours: Neighbours): RuntimeContainer | undefined {
  const fullId = textOf(answer['Id']);
  if (!isFullId(fullId)) return undefined;
  const config = objectOf(answer['Config']) ?? {};
  const hostConfig = objectOf(answer['HostConfig']) ?? {};
  const state = objectOf(answer['State']) ?? {};
  const digest = textOf(answer['ImageDigest']);
  const image = digest === '' ? neighbours.image : { names: [], digest };
  const isPodSandbox = answer['IsInfra'] === true;
  const row: ContainerRow = {
    ...bareContainer(fullId, 'podman'),
    ...imageMembers(
      textOf(answer['ImageName']) || textOf(config['Image']),
      bareImageId(textOf(answer['Image'])),
      image,
    ),
    name: bareName(answer['Name']),
    labels: labelsOf(config),
    isPrivileged: hostConfig['Privileged'] === true,
    hostPid: hostConfig['PidMode'] === 'host',
    hostNetwork: hostConfig['NetworkMode'] === 'host',
    hostIpc: hostConfig['IpcMode'] === 'host',
    ip: addressOf(answer['NetworkSettings']) || addressOf(neighbours.network?.['NetworkSettings']),
    mounts: mountsOf(answer['Mounts']),
    env: textsOf(config['Env']),
    podSandboxId: isPodSandbox ? fullId : sandboxOf(answer),
    podSandboxLabels: labelsOf(isPodSandbox ? config : objectOf(neighbours.sandbox?.['Config'])),
    isPodSandbox,
    createdTimeNs: rfc3339Ns(answer['Created']),
    healthcheck: healthcheckOf(config, SHELL),
    cgroupPath: textOf(state['CgroupPath']),
    isComplete: neighbours.isComplete,
  };
  return { row, pid: pidOf(state['Pid']), isRunning: state['Running'] === true };
}

/** From an element of a list, which does not tell everything; undefined when it names no container. */
export function podmanListedOf(
  value: unknown,
  findImage: (imageId: string) => ImageFacts | undefined,
): RuntimeContainer | undefined {
  const answer = objectOf(value);
  const fullId = textOf(answer?.['Id']);
  if (answer === undefined || !isFullId(fullId)) return undefined;
  const imageId = bareImageId(textOf(answer['ImageID']));
  const isPodSandbox = answer['IsInfra'] === true;
  const labels = labelsOf(answer);
  const row: ContainerRow = {
    ...bareContainer(fullId, 'podman'),
    ...imageMembers(textOf(answer['Image']), imageId, findImage(imageId)),
    name: nameOf(answer['Names']),
    labels,
    podSandboxId: isPodSandbox ? fullId : '',
    podSandboxLabels: isPodSandbox ? labels : new Map(),
    isPodSandbox,
    // Text, or whole seconds, by version.
    createdTimeNs: rfc3339Ns(answer['Created']) || epochSecondsNs(answer['Created']),
  };
  return { row, pid: pidOf(answer['Pid']), isRunning: RUNNING_STATES.has(answer['State']) };
}
