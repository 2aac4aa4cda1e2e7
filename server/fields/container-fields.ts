/** Rows of the container class, and those of the proc class about health checks and probes. */
import {
  CATEGORY_HEALTHCHECK,
  CATEGORY_LIVENESS_PROBE,
  CATEGORY_READINESS_PROBE,
  categoryOf,
} from '../state/container-category.ts';
import type { ContainerMount, ContainerRow, HealthProbe } from '../state/container-table.ts';
import { type MountPicker, mountPicker, mountText } from './container-mounts.ts';
import {
  containerKeyOf,
  labelsText,
  ofContainer,
  ofContainerOrHost,
  ofContainerText,
  ofKnownContainer,
  shownContainerId,
} from './container-row.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { elapsedNs, nonZero } from './proc-exe-fields.ts';
import { ofThread, UNBOUND } from './proc-shape.ts';

const row = rowsOf('container');

const containerId: Extractor = (event) => {
  const key = containerKeyOf(event);
  return key === undefined ? undefined : shownContainerId(event.state, key);
};

function text(name: string, description: string, value: (container: ContainerRow) => string): FieldRow {
  return row(name, 'string', 'NA', description, ofContainerText(value));
}

function flag(name: string, description: string, value: (container: ContainerRow) => boolean): FieldRow {
  return row(name, 'bool', 'NA', description, ofKnownContainer(value));
}

function mount(
  name: string,
  description: string,
  value: (mount: ContainerMount) => string,
  member: 'source' | 'destination' = 'source',
): FieldRow {
  return row(name, 'string', 'NA', description, UNBOUND, {
    argument: 'index|key required',
    bind: (argument) => {
      const pick: MountPicker = mountPicker(argument, member);
      return ofContainer((container) => {
        const found = pick(container);
        return found === undefined ? undefined : value(found);
      });
    },
  });
}

/** The reference has these rows but fills them no more. */
const LEGACY = { deprecated: true } as const;

function probe(
  name: string,
  description: string,
  value: (container: ContainerRow) => HealthProbe | undefined,
): FieldRow {
  const extract = ofContainer((container) => {
    const found = value(container);
    return found === undefined ? undefined : [found.exe, ...found.args].join(' ');
  });
  return row(name, 'string', 'NA', description, extract, LEGACY);
}

function isProbe(name: string, description: string, category: number): FieldRow {
  const extract = ofThread((thread, { state }) => categoryOf(state, thread) === category);
  return rowsOf('proc')(name, 'bool', 'NA', description, extract, LEGACY);
}

export const CONTAINER_FIELDS: readonly FieldRow[] = [
  row('container.id', 'string', 'NA', '12-character container id, or "host"', containerId),
  row(
    'container.full_id',
    'string',
    'NA',
    'full container id, or "host"',
    ofContainerOrHost((container) => container.fullId),
  ),
  row(
    'container.name',
    'string',
    'NA',
    'container name, or "host"',
    ofContainerOrHost((container) => container.name),
  ),
  text('container.image', 'image with tag', (container) => container.image),
  text('container.image.id', 'image id', (container) => container.imageId),
  row(
    'container.type',
    'string',
    'NA',
    'engine name, or "host"',
    ofContainerOrHost((container) => container.type),
  ),
  flag('container.privileged', 'runs privileged', (container) => container.isPrivileged),
  row(
    'container.mounts',
    'string',
    'NA',
    'all mounts as source:dest:mode:rdwr:propagation, separated by commas',
    ofKnownContainer((container) => container.mounts.map(mountText).join(',')),
  ),
  mount('container.mount', 'one mount, by index or source glob', mountText),
  mount(
    'container.mount.source',
    'source of one mount, by index or destination glob',
    (found) => found.source,
    'destination',
  ),
  mount(
    'container.mount.dest',
    'destination of one mount, by index or source glob',
    (found) => found.destination,
  ),
  mount('container.mount.mode', 'mode of one mount, by index or source glob', (found) => found.mode),
  mount('container.mount.rdwr', 'whether one mount is writable, by index or source glob', (found) =>
    String(found.rdwr),
  ),
  mount(
    'container.mount.propagation',
    'propagation of one mount, by index or source glob',
    (found) => found.propagation,
  ),
  text('container.image.repository', 'image without tag', (container) => container.imageRepository),
  text('container.image.tag', 'image tag', (container) => container.imageTag),
  text('container.image.digest', 'registry digest of the image', (container) => container.imageDigest),
  probe('container.healthcheck', 'command of its health check', (container) => container.healthcheck),
  probe(
    'container.liveness_probe',
    "command of its pod's liveness probe",
    (container) => container.livenessProbe,
  ),
  probe(
    'container.readiness_probe',
    "command of its pod's readiness probe",
    (container) => container.readinessProbe,
  ),
  row(
    'container.start_ts',
    'abstime',
    'DEC',
    'container start (pid namespace start), epoch ns',
    ofThread((thread) => nonZero(thread.pidnsInitStartNs)),
  ),
  row(
    'container.duration',
    'reltime',
    'DEC',
    'ns since container.start_ts',
    ofThread((thread, event) =>
      thread.pidnsInitStartNs === 0n ? undefined : elapsedNs(event, thread.pidnsInitStartNs),
    ),
  ),
  text('container.ip', 'primary IPv4 address', (container) => container.ip),
  text(
    'container.cni.json',
    'CNI result as JSON text',
    (container) => container.podSandboxCniJson || container.cniJson,
  ),
  flag('container.host_pid', 'shares the host pid namespace', (container) => container.hostPid),
  flag('container.host_network', 'shares the host network namespace', (container) => container.hostNetwork),
  flag('container.host_ipc', 'shares the host IPC namespace', (container) => container.hostIpc),
  row('container.label', 'string', 'NA', 'one container label', UNBOUND, {
    argument: 'key required',
    bind: (argument) => {
      const key = argument?.text ?? '';
      return ofContainer((container) => container.labels.get(key));
    },
  }),
  text('container.labels', 'all labels as key:value list', (container) => labelsText(container.labels)),
];

export const CONTAINER_PROC_FIELDS: readonly FieldRow[] = [
  isProbe(
    'proc.is_container_healthcheck',
    "runs as part of the container's health check",
    CATEGORY_HEALTHCHECK,
  ),
  isProbe(
    'proc.is_container_liveness_probe',
    "runs as part of the container's liveness probe",
    CATEGORY_LIVENESS_PROBE,
  ),
  isProbe(
    'proc.is_container_readiness_probe',
    "runs as part of the container's readiness probe",
    CATEGORY_READINESS_PROBE,
  ),
];
