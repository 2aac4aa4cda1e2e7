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
    const isInside = byShape === undefined || told.path.length > path.lastIndexOf(byShape.id);
    if (isInside) return { id: told.key, type: containers.find(told.key)?.type ?? '' };
  }
  return byShape;
}
