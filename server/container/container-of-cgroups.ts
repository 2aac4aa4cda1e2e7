/** The container that cgroups belong to: by what their paths say, and by what runtimes have told about them. */
import type { ContainerTable } from '../state/container-table.ts';
import type { CgroupEntry } from '../state/thread-info.ts';
import { type ContainerMatch, matchContainer } from './cgroup-matcher.ts';

/** The innermost one; undefined on the host. */
export function containerOfCgroups(
  containers: ContainerTable,
  cgroups: readonly CgroupEntry[],
): ContainerMatch | undefined {
  const byShape = matchContainer(cgroups);
  for (const [, path] of cgroups) {
    const told = containers.findByCgroup(path);
    if (told === undefined) continue;
    // Of a path that ends in an id, the id says more than who claims the path.
    const isInside = byShape === undefined || told.path.length > endOf(byShape.id, path);
    if (isInside) return { id: told.key, type: containers.find(told.key)?.type ?? '' };
  }
  return byShape;
}

/** 0 when the id is of another path. */
function endOf(id: string, path: string): number {
  const at = path.lastIndexOf(id);
  return at < 0 ? 0 : at + id.length;
}
