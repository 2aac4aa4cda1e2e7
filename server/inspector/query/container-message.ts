/** Rows of the container table as messages, and how a container is found by what a request calls it. */
import type { Container, HealthProbe } from '../../../proto/gen/strata/v1/state.ts';
import type { ContainerRow } from '../../state/container-table.ts';
import type { StateView } from '../../state/os-state.ts';
import { binaryOf, labelsOf, utf8Of } from './text.ts';

/** A container under its key: its full id where that is known. */
export interface FoundContainer {
  readonly key: string;
  readonly row: ContainerRow;
}

/** By the key itself. */
export function findContainerByKey(view: StateView, key: string): FoundContainer | undefined {
  const row = view.findContainer(key);
  return row === undefined ? undefined : { key, row };
}

/** By full or short id, as a request spells it: one, or all that are shown with it. */
export function findContainersById(view: StateView, id: string): readonly FoundContainer[] {
  const text = binaryOf(id);
  const exact = findContainerByKey(view, text);
  return exact === undefined ? rowsOf(view, view.findContainerKeys('id', text)) : [exact];
}

export function findContainersByName(view: StateView, name: string): readonly FoundContainer[] {
  return rowsOf(view, view.findContainerKeys('name', binaryOf(name)));
}

function rowsOf(view: StateView, keys: readonly string[]): readonly FoundContainer[] {
  return keys.flatMap((key) => findContainerByKey(view, key) ?? []);
}

export function containerMessage({ key, row }: FoundContainer): Container {
  return {
    id: utf8Of(row.id),
    fullId: utf8Of(row.fullId === '' ? key : row.fullId),
    type: utf8Of(row.type),
    name: utf8Of(row.name),
    image: utf8Of(row.image),
    imageId: utf8Of(row.imageId),
    imageRepository: utf8Of(row.imageRepository),
    imageTag: utf8Of(row.imageTag),
    imageDigest: utf8Of(row.imageDigest),
    isPrivileged: row.isPrivileged,
    hasHostPid: row.hostPid,
    hasHostNetwork: row.hostNetwork,
    hasHostIpc: row.hostIpc,
    ip: utf8Of(row.ip),
    cniJson: utf8Of(row.cniJson),
    mounts: row.mounts.map((mount) => ({
      source: utf8Of(mount.source),
      destination: utf8Of(mount.destination),
      mode: utf8Of(mount.mode),
      isWritable: mount.rdwr,
      propagation: utf8Of(mount.propagation),
    })),
    labels: labelsOf(row.labels),
    env: row.env.map(utf8Of),
    podSandboxId: utf8Of(row.podSandboxId),
    podSandboxLabels: labelsOf(row.podSandboxLabels),
    isPodSandbox: row.isPodSandbox,
    createdTimestampNs: row.createdTimeNs,
    isComplete: row.isComplete,
    healthcheck: probeOf(row.healthcheck),
    livenessProbe: probeOf(row.livenessProbe),
    readinessProbe: probeOf(row.readinessProbe),
    cgroupPath: utf8Of(row.cgroupPath),
  };
}

function probeOf(probe: ContainerRow['healthcheck']): HealthProbe | undefined {
  return probe === undefined ? undefined : { exe: utf8Of(probe.exe), args: probe.args.map(utf8Of) };
}
