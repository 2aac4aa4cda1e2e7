/**
 * Containers whose cgroup has no id in it, such as those of a runtime that leaves them in its own: the runtime's process that
 * watches over them says on its command line which one they are.
 */
import type { CgroupEntry, ThreadInfo } from '../state/thread-info.ts';
import type { ContainerMatch } from './cgroup-matcher.ts';

/** Ancestors looked at; a monitor is the parent of the first process, or a few above while it starts. */
const ANCESTORS_MAX = 16;

const SHIM_NAME = 'containerd-shim';
const MONITOR_NAME = 'conmon';
/** containerd's namespace of Docker's containers. */
const DOCKER_NAMESPACE = 'moby';

/** A container as its monitor's command line names it. */
export interface MonitorMatch extends ContainerMatch {
  /** Users run monitors too, and programs that call themselves so: what these say is not to be believed of others' containers. */
  readonly isTrusted: boolean;
}

export interface ThreadFinder {
  find(tid: number): ThreadInfo | undefined;
}

/**
 * The container of a thread that has a pid namespace of its own but no container in its cgroups; undefined when no monitor is
 * above it.
 */
export function findContainerAbove(threads: ThreadFinder, thread: ThreadInfo): MonitorMatch | undefined {
  let row = thread;
  for (let i = 0; i < ANCESTORS_MAX; i++) {
    const parent = threads.find(row.ptid);
    if (parent === undefined || parent === row) return undefined;
    if (parent.containerId !== '') {
      const isSame = parent.isInPidNamespace() && haveSamePaths(parent.cgroups, thread.cgroups);
      return isSame ? { id: parent.containerId, type: '', isTrusted: true } : undefined;
    }
    const match = matchMonitor(parent);
    if (match !== undefined) return match;
    row = parent;
  }
  return undefined;
}

/** The container that a monitor of a runtime is for. By the program's file: anybody may call himself what he likes. */
function matchMonitor({ exepath, args, uid }: ThreadInfo): MonitorMatch | undefined {
  const name = exepath.slice(exepath.lastIndexOf('/') + 1);
  const isTrusted = uid === 0;
  if (name.startsWith(SHIM_NAME)) {
    const id = optionOf(args, 'id');
    const type = optionOf(args, 'namespace') === DOCKER_NAMESPACE ? 'docker' : 'containerd';
    return id === '' || !isTrusted ? undefined : { id, type, isTrusted };
  }
  if (name !== MONITOR_NAME) return undefined;
  const id = optionOf(args, 'cid') || optionOf(args, 'c');
  return id === '' ? undefined : { id, type: isTrusted ? '' : 'podman', isTrusted };
}

/** Value of `-name VALUE`, `--name VALUE` or `-name=VALUE`; '' when there is none. */
function optionOf(args: readonly string[], name: string): string {
  for (const [i, arg] of args.entries()) {
    if (!arg.startsWith('-')) continue;
    const option = arg.replace(/^--?/, '');
    if (option === name) return args[i + 1] ?? '';
    if (option.startsWith(`${name}=`)) return option.slice(name.length + 1);
  }
  return '';
}

export function haveSamePaths(a: readonly CgroupEntry[], b: readonly CgroupEntry[]): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every(([, path], i) => path === b[i]?.[1]);
}
