/** One container as `name: value` lines for people. */
import type { Container, ContainerMount, HealthProbe } from '../../proto/gen/strata/v1/state.ts';
import { formatTime } from './state-views.ts';

/** What is not known is left out. */
export function containerPairs(container: Container): [name: string, value: string][] {
  const pairs: [string, string][] = [
    ['id', container.fullId],
    ['type', container.type],
    ['name', container.name],
    ['image', container.image],
    ['image id', container.imageId],
    ['image digest', container.imageDigest],
    ['state', container.isComplete ? '' : 'its runtime has not told everything'],
    ['created', container.createdTimestampNs === 0n ? '' : formatTime(container.createdTimestampNs)],
    ['privileges', privilegesOf(container)],
    ['ip', container.ip],
    ['cni', container.cniJson],
    ['cgroup', container.cgroupPath],
    ['pod sandbox', container.isPodSandbox ? 'this is one' : container.podSandboxId],
    ['pod labels', labelsOf(container.podSandboxLabels)],
    ['health check', commandOf(container.healthcheck)],
    ['liveness probe', commandOf(container.livenessProbe)],
    ['readiness probe', commandOf(container.readinessProbe)],
    ['labels', labelsOf(container.labels)],
    ...container.mounts.map((mount): [string, string] => ['mount', mountOf(mount)]),
    ['environment', container.env.join(' ')],
  ];
  return pairs.filter(([, value]) => value !== '');
}

function privilegesOf({ isPrivileged, hasHostPid, hasHostNetwork, hasHostIpc }: Container): string {
  const marks: readonly (readonly [boolean, string])[] = [
    [isPrivileged, 'privileged'],
    [hasHostPid, 'host pids'],
    [hasHostNetwork, 'host network'],
    [hasHostIpc, 'host ipc'],
  ];
  return marks.flatMap(([isSet, word]) => (isSet ? [word] : [])).join(', ');
}

function mountOf({ source, destination, mode, isWritable }: ContainerMount): string {
  const details = [mode, isWritable ? '' : 'read-only'].filter(Boolean).join(', ');
  return `${source} on ${destination}${details === '' ? '' : ` (${details})`}`;
}

/** `key=value` items by key. */
export function labelsOf(labels: { readonly [key: string]: string }): string {
  return Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

function commandOf(probe: HealthProbe | undefined): string {
  return probe === undefined ? '' : [probe.exe, ...probe.args].join(' ');
}
