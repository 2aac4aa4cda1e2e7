/**
 * Rows cut down to what an event may hold: whoever makes a container chooses its labels, variables and mounts, and must not be able
 * to hide its name and image behind more of them than can be told.
 */
import type { ContainerMount, ContainerRow, HealthProbe } from '../state/container-table.ts';

const TEXT_CHARS_MAX = 4096;
/** Characters of a row that is told as it is: its JSON is within what readers take even when all of them must be escaped. */
const ROW_CHARS_MAX = 512 * 1024;
/** Of all labels, all variables, all mounts together: six times as many when every one of them must be escaped. */
const GROUP_CHARS_MAX = 128 * 1024;
const PROBE_CHARS_MAX = 16 * 1024;
/** What JSON adds to a member, at most. */
const LABEL_CHARS = 8;
const MOUNT_CHARS = 96;

/** Whether a row may be told as it is. */
export function isFit(row: ContainerRow): boolean {
  let chars = row.cniJson.length + row.podSandboxCniJson.length + row.cgroupPath.length + row.ip.length;
  chars += row.name.length + row.image.length + row.imageId.length + row.imageRepository.length;
  chars += row.imageTag.length + row.imageDigest.length;
  for (const labels of [row.labels, row.podSandboxLabels]) {
    for (const [name, text] of labels) chars += textChars(name) + text.length;
  }
  for (const text of row.env) chars += textChars(text);
  for (const mount of row.mounts) chars += mountChars(mount);
  for (const probe of [row.healthcheck, row.livenessProbe, row.readinessProbe]) {
    if (probe === undefined) continue;
    chars += probe.exe.length;
    for (const text of probe.args) chars += textChars(text);
  }
  return chars <= ROW_CHARS_MAX;
}

/** The same with every text cut, and of labels, variables and mounts those that find room, first come first. */
export function fittedRow(row: ContainerRow): ContainerRow {
  return {
    ...row,
    name: cut(row.name),
    image: cut(row.image),
    imageId: cut(row.imageId),
    imageRepository: cut(row.imageRepository),
    imageTag: cut(row.imageTag),
    imageDigest: cut(row.imageDigest),
    ip: cut(row.ip),
    cniJson: cut(row.cniJson),
    mounts: fitted(row.mounts.map(cutMount), mountChars, GROUP_CHARS_MAX),
    labels: fittedLabels(row.labels),
    env: fitted(row.env.map(cut), textChars, GROUP_CHARS_MAX),
    podSandboxLabels: fittedLabels(row.podSandboxLabels),
    podSandboxCniJson: cut(row.podSandboxCniJson),
    healthcheck: fittedProbe(row.healthcheck),
    livenessProbe: fittedProbe(row.livenessProbe),
    readinessProbe: fittedProbe(row.readinessProbe),
    cgroupPath: cut(row.cgroupPath),
  };
}

function cut(text: string): string {
  return text.length > TEXT_CHARS_MAX ? text.slice(0, TEXT_CHARS_MAX) : text;
}

/** The first items that fit together. */
function fitted<Item>(items: readonly Item[], charsOf: (item: Item) => number, charsMax: number): Item[] {
  const kept: Item[] = [];
  let chars = 0;
  for (const item of items) {
    chars += charsOf(item);
    if (chars > charsMax) break;
    kept.push(item);
  }
  return kept;
}

function textChars(text: string): number {
  return text.length + LABEL_CHARS;
}

/** A name that is cut would be another: labels with such a name are left out. */
function fittedLabels(labels: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const named = [...labels].filter(([name]) => name.length <= TEXT_CHARS_MAX);
  const entries = named.map(([name, text]): [string, string] => [name, cut(text)]);
  return new Map(fitted(entries, ([name, text]) => textChars(name) + text.length, GROUP_CHARS_MAX));
}

function cutMount(mount: ContainerMount): ContainerMount {
  return {
    source: cut(mount.source),
    destination: cut(mount.destination),
    mode: cut(mount.mode),
    rdwr: mount.rdwr,
    propagation: cut(mount.propagation),
  };
}

function mountChars({ source, destination, mode, propagation }: ContainerMount): number {
  return source.length + destination.length + mode.length + propagation.length + MOUNT_CHARS;
}

function fittedProbe(probe: HealthProbe | undefined): HealthProbe | undefined {
  if (probe === undefined) return undefined;
  return { exe: cut(probe.exe), args: fitted(probe.args.map(cut), textChars, PROBE_CHARS_MAX) };
}
