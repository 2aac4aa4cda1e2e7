/** Exec probes of a pod's containers, from the configuration that `kubectl apply` leaves as an annotation of the pod. */

import type { HealthProbe } from '../../state/container-table.ts';
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { itemsOf, jsonObjectOf, objectAt, objectsOf } from './grpc-values.ts';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

export interface CriProbes {
  readonly livenessProbe: HealthProbe | undefined;
  readonly readinessProbe: HealthProbe | undefined;
}

const NONE: CriProbes = { livenessProbe: undefined, readinessProbe: undefined };

/** `annotations`: of the pod; `name`: of the container in it, as a binary string. */
export function criProbesOf(annotations: unknown, name: string): CriProbes {
  const configuration = jsonObjectOf(objectOf(annotations)?.[ANNOTATION]);
  if (configuration === undefined || name === '') return NONE;
  const containers = objectsOf(objectAt(configuration, 'spec')?.['containers']);
  const container = containers.find((one) => textOf(one['name']) === name);
  if (container === undefined) return NONE;
  return {
    livenessProbe: probeOf(objectAt(container, 'livenessProbe', 'exec')),
    readinessProbe: probeOf(objectAt(container, 'readinessProbe', 'exec')),
  };
}

function probeOf(exec: JsonObject | undefined): HealthProbe | undefined {
  const [exe, ...args] = itemsOf(exec?.['command']).map(textOf);
  return exe === undefined || exe === '' ? undefined : { exe, args };
}
