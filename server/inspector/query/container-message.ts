/** Rows of the container table as messages, and how a container is found by what a request calls it. */
import type { Container } from '../../../proto/gen/strata/v1/state.ts';
import type { ContainerRow } from '../../state/container-table.ts';
import type { StateView } from '../../state/os-state.ts';
import { binaryOf, utf8Of } from './text.ts';

/** A container under its key: its full id where that is known. */
export interface FoundContainer {
  readonly key: string;
  readonly row: ContainerRow;
}

/** By full or short id, as a request spells it. */
export function findContainerById(view: StateView, id: string): FoundContainer | undefined {
  const text = binaryOf(id);
  const exact = view.findContainer(text);
  if (exact !== undefined) return { key: text, row: exact };
  const key = view.findContainerKey(text);
  const row = key === undefined ? undefined : view.findContainer(key);
  return key === undefined || row === undefined ? undefined : { key, row };
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
  };
}

function labelsOf(labels: ReadonlyMap<string, string>): { [key: string]: string } {
  const entries = [...labels].map(([key, value]): [string, string] => [utf8Of(key), utf8Of(value)]);
  // fromEntries defines members, so that a label named __proto__ is a label.
  return Object.fromEntries(entries);
}
