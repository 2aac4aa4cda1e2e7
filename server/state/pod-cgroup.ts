/** The pod that a thread's cgroups name. */
import type { CgroupEntry } from './thread-info.ts';

/** `pod<uid>` as a part of its own, or at the end of a systemd slice, where dashes are written as underscores. */
const POD_PART =
  /(?:^|[/-])pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=\.slice|\/|$)/;

/** Threads of one cgroup share their list, so that each is looked through once. */
const known: WeakMap<readonly CgroupEntry[], string> = new WeakMap();

/** Uid as the kubelet calls the pod; '' when no cgroup names one. */
export function podUidOf(cgroups: readonly CgroupEntry[]): string {
  let uid = known.get(cgroups);
  if (uid === undefined) {
    uid = findUid(cgroups);
    known.set(cgroups, uid);
  }
  return uid;
}

function findUid(cgroups: readonly CgroupEntry[]): string {
  for (const [, path] of cgroups) {
    const uid = POD_PART.exec(path)?.[1];
    if (uid !== undefined) return uid.replaceAll('_', '-');
  }
  return '';
}
