/**
 * cgroup path -> container id, by the shapes container runtimes give their cgroups (v1, v2 and hybrid, cgroupfs and
 * systemd names). Text only; all memberships of a thread are tried, as a v2 view leaves the v1 ones at '/'.
 */
import type { CgroupEntry } from '../state/thread-info.ts';

export interface ContainerMatch {
  /** Full id: 64 hex digits, or the name the runtime was given where it has no ids of its own. */
  readonly id: string;
  /** Engine word as `container.type` shows it; '' where the shape fits several. */
  readonly type: string;
}

const ID_LENGTH = 64;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const BPM_NAME = /^[A-Za-z0-9._-]+$/;

/** Prefixes before an id, and whose they are; the systemd ones end in `.scope`. */
const PREFIXES: readonly (readonly [prefix: string, type: string])[] = [
  ['docker-', 'docker'],
  ['libpod-', 'podman'],
  // Where the container shares the cgroup of the unit that started it.
  ['libpod-payload-', 'podman'],
  ['cri-containerd-', 'containerd'],
  ['crio-', 'cri-o'],
  ['nerdctl-', 'containerd'],
  // The sandbox with its hypervisor.
  ['kata_', ''],
];

/** Parts directly above a bare id that tell the engine. */
const PARENTS: ReadonlyMap<string, string> = new Map([
  ['docker', 'docker'],
  ['moby', 'docker'],
  ['default', 'containerd'],
  ['k8s.io', 'containerd'],
]);

/** A bare id below it is a pod's: containers have a prefix here, and what has none is their monitor. */
const PODMAN_PARENT = 'libpod_parent';
/** Namespace of containerd's own client unless told otherwise: ids below it may be any text. */
const DEFAULT_NAMESPACE = 'default';
const LXC_PAYLOAD = 'lxc.payload.';
const LIBVIRT_SUFFIX = '.libvirt-lxc';
const LIBVIRT_SCOPE = 'machine-lxc\\x2d';
const BPM_PREFIX = 'bpm-';
const SCOPE = '.scope';

/** The container a thread with these memberships runs in; undefined on the host. */
export function matchContainer(cgroups: readonly CgroupEntry[]): ContainerMatch | undefined {
  for (const [, path] of cgroups) {
    const match = matchCgroupPath(path);
    if (match !== undefined) return match;
  }
  return undefined;
}

/** The innermost container a cgroup path names. */
export function matchCgroupPath(path: string): ContainerMatch | undefined {
  if (path.length < 2) return undefined;
  const parts = path.split('/');
  for (let i = parts.length - 1; i > 0; i--) {
    const part = parts[i] as string;
    const parent = parts[i - 1] as string;
    const match = matchId(part, parent) ?? matchNamed(part, parent, parts[i - 2]);
    if (match !== undefined) return match;
  }
  return matchDefaultNamespace(parts);
}

function matchId(part: string, parent: string): ContainerMatch | undefined {
  // Shortest possible id first: nearly all parts of host paths fail here.
  if (part.length < ID_LENGTH) return undefined;
  const name = withoutScope(part);
  if (isId(name, 0))
    return parent === PODMAN_PARENT ? undefined : { id: name, type: PARENTS.get(parent) ?? '' };
  for (const [prefix, type] of PREFIXES) {
    if (name.startsWith(prefix) && isId(name, prefix.length)) return { id: name.slice(prefix.length), type };
  }
  // `slice:runtime:id`, how runtimes with systemd cgroup driver name them when they run without systemd.
  const colon = name.lastIndexOf(':');
  if (colon < 0 || !isId(name, colon + 1)) return undefined;
  const runtime = name.slice(name.lastIndexOf(':', colon - 1) + 1, colon);
  const type = PREFIXES.find(([prefix]) => prefix === `${runtime}-`)?.[1];
  return { id: name.slice(colon + 1), type: type ?? '' };
}

/** Runtimes that use the name they were given. */
function matchNamed(
  part: string,
  parent: string,
  grandparent: string | undefined,
): ContainerMatch | undefined {
  if (parent === 'lxc') return named(part, grandparent === 'libvirt' ? 'libvirt-lxc' : 'lxc');
  if (parent === 'lxc.payload') return named(part, 'lxc');
  if (part.startsWith(LXC_PAYLOAD)) return named(part.slice(LXC_PAYLOAD.length), 'lxc');
  if (part.endsWith(LIBVIRT_SUFFIX)) return named(part.slice(0, -LIBVIRT_SUFFIX.length), 'libvirt-lxc');
  if (part.startsWith(LIBVIRT_SCOPE) && part.endsWith(SCOPE)) {
    return named(part.slice(LIBVIRT_SCOPE.length, -SCOPE.length), 'libvirt-lxc');
  }
  if (parent === 'mesos' && UUID.test(part)) return { id: part, type: 'mesos' };
  if (!part.startsWith(BPM_PREFIX) || isUnit(withoutScope(part))) return undefined;
  const name = withoutScope(part).slice(BPM_PREFIX.length);
  return BPM_NAME.test(name) ? { id: name, type: 'bpm' } : undefined;
}

function named(id: string, type: string): ContainerMatch | undefined {
  return id === '' ? undefined : { id, type };
}

function matchDefaultNamespace(parts: readonly string[]): ContainerMatch | undefined {
  const name = parts[2] ?? '';
  if (parts[1] !== DEFAULT_NAMESPACE || name === '' || isUnit(name) || name.endsWith(SCOPE)) return undefined;
  return { id: name, type: 'containerd' };
}

/** Whether systemd on the host names its own things so. */
function isUnit(name: string): boolean {
  return name.endsWith('.service') || name.endsWith('.slice');
}

function withoutScope(part: string): string {
  return part.endsWith(SCOPE) ? part.slice(0, -SCOPE.length) : part;
}

/** Whether the text from `start` on is 64 hex digits and nothing more. */
function isId(text: string, start: number): boolean {
  if (text.length - start !== ID_LENGTH) return false;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isHex = (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
    if (!isHex) return false;
  }
  return true;
}
