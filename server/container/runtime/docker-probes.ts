/** Commands that see whether a container is well: its own health check, and the exec probes of its pod. */
import type { HealthProbe } from '../../state/container-table.ts';
import { listOf, objectOf, parseJson, textOf } from '../container-json.ts';
import { itemsOf } from './grpc-values.ts';

/** Where kubelet left the pod as it was applied, on the sandbox's container. */
const POD_LABEL = 'annotation.kubectl.kubernetes.io/last-applied-configuration';
const CONTAINER_NAME_LABEL = 'io.kubernetes.container.name';

export interface PodProbes {
  readonly liveness: HealthProbe | undefined;
  readonly readiness: HealthProbe | undefined;
}

const NO_PROBES: PodProbes = { liveness: undefined, readiness: undefined };

/** `config` is that of an inspection; `shell` runs commands given as one text. Undefined when there is no check (`NONE` too). */
export function healthcheckOf(config: unknown, shell: readonly string[]): HealthProbe | undefined {
  const [kind, ...command] = textsOf(objectOf(objectOf(config)?.['Healthcheck'])?.['Test']);
  if (kind === 'CMD') return probeOf(command);
  if (kind !== 'CMD-SHELL' || command.length === 0) return undefined;
  return probeOf([...shell, command.join(' ')]);
}

/** Probes of the container that `labels` are of; the pod is told by its own labels or by those of its sandbox. */
export function podProbesOf(
  labels: ReadonlyMap<string, string>,
  sandboxLabels: ReadonlyMap<string, string>,
): PodProbes {
  const text = labels.get(POD_LABEL) ?? sandboxLabels.get(POD_LABEL);
  const name = labels.get(CONTAINER_NAME_LABEL);
  if (text === undefined || name === undefined) return NO_PROBES;
  const spec = objectOf(parseJson(text)?.['spec']);
  for (const value of listOf(spec?.['containers'])) {
    const container = objectOf(value);
    if (container === undefined || textOf(container['name']) !== name) continue;
    return {
      liveness: execProbeOf(container['livenessProbe']),
      readiness: execProbeOf(container['readinessProbe']),
    };
  }
  return NO_PROBES;
}

/** Every text of a list, as many as are kept; anything else in it counts as ''. */
export function textsOf(value: unknown): string[] {
  return itemsOf(value).map(textOf);
}

function execProbeOf(probe: unknown): HealthProbe | undefined {
  return probeOf(textsOf(objectOf(objectOf(probe)?.['exec'])?.['command']));
}

function probeOf(command: readonly string[]): HealthProbe | undefined {
  const [exe, ...args] = command;
  return exe === undefined || exe === '' ? undefined : { exe, args };
}
