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

/** Prefixes before an id, and whose they are; the systemd ones end in `.scope`. */
const PREFIXES: readonly (readonly [prefix: string, type: string])[] = [
  ['docker-', 'docker'],
  ['libpod-', 'podman'],
  ['cri-containerd-', 'containerd'],
  ['crio-', 'cri-o'],
  ['nerdctl-', 'containerd'],
];

/** Parts directly above a bare id that tell the engine. */
const PARENTS: ReadonlyMap<string, string> = new Map([
  ['docker', 'docker'],
  ['libpod_parent', 'podman'],
]);

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
    const match = matchPart(parts[i] as string, parts[i - 1] as string);
    if (match !== undefined) return match;
  }
  return matchNamed(parts);
}

function matchPart(part: string, parent: string): ContainerMatch | undefined {
  // Shortest possible id first: nearly all parts of host paths fail here.
  if (part.length < ID_LENGTH) return undefined;
  const name = part.endsWith('.scope') ? part.slice(0, -'.scope'.length) : part;
  if (isId(name, 0)) return { id: name, type: PARENTS.get(parent) ?? '' };
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

/** Runtimes that use the name they were given: containerd's own client in its default namespace, and LXC. */
function matchNamed(parts: readonly string[]): ContainerMatch | undefined {
  const first = parts[1] as string;
  const second = parts[2] ?? '';
  if (first === 'default' && second !== '' && parts.length === 3) return { id: second, type: 'containerd' };
  if (first === 'lxc' && second !== '') return { id: second, type: 'lxc' };
  if (first === 'lxc.payload' && second !== '') return { id: second, type: 'lxc' };
  const payload = 'lxc.payload.';
  if (first.startsWith(payload) && first.length > payload.length) {
    return { id: first.slice(payload.length), type: 'lxc' };
  }
  return undefined;
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
