/** What a lab leaves on the node: found by its folder, which all of it names, and removed. */
import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

const CGROUP_ROOT = '/sys/fs/cgroup';
/** Cgroups that runtimes make for their containers, and keep. */
const CGROUP_PARENTS = ['docker', 'libpod_parent/conmon', 'libpod_parent', 'kubepods/burstable', 'kubepods'];

/** Processes whose command line names a path in `folder`: shims, monitors, daemons. Not this one. */
export function processesOf(folder: string): number[] {
  const found: number[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`${folder}/`)) found.push(pid);
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** Name of the bridge of the lab in this folder: at most 15 characters. */
export function bridgeOf(folder: string): string {
  return `slab-${folder.slice(-6)}`;
}

/** Innermost first. */
export function mountsOf(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}

/** Paths of cgroups under every hierarchy that end in one of `names`. */
export function cgroupsOf(names: readonly string[]): string[] {
  return hierarchies().flatMap((root) => names.map((name) => join(root, name)).filter(isFolder));
}

export async function unmountAll(folder: string): Promise<void> {
  for (const path of mountsOf(folder)) await runCommand(['umount', '--lazy', path]).catch(() => undefined);
}

export function killAll(folder: string): void {
  for (const pid of processesOf(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** Removes `names` and then the runtimes' own parents, each only when nothing is in it. */
export function removeCgroups(names: readonly string[]): void {
  for (const root of hierarchies()) {
    for (const name of [...names, ...CGROUP_PARENTS]) {
      try {
        rmdirSync(join(root, name));
      } catch {
        // In use by somebody else, or never made here.
      }
    }
  }
}

function hierarchies(): string[] {
  const roots = readdirSync(CGROUP_ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(CGROUP_ROOT, entry.name));
  return [CGROUP_ROOT, ...roots];
}

function isFolder(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}
