/** Compares the server's row of a thread, and its fds, with /proc. */
import { type Fd, FdKind, type Thread } from '../../../proto/gen/strata/v1/state.ts';
import type { ProcThread } from './proc-thread.ts';

const latin1 = (bytes: Buffer | Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Kinds that fit what the link of an fd says; undefined for links not listed: then any. */
const KINDS_BY_TARGET: readonly (readonly [RegExp, readonly FdKind[]])[] = [
  [
    /^socket:/,
    [
      ...[FdKind.IPV4_SOCKET, FdKind.IPV6_SOCKET, FdKind.IPV4_SERVER_SOCKET, FdKind.IPV6_SERVER_SOCKET],
      ...[FdKind.UNIX_SOCKET, FdKind.NETLINK, FdKind.UNSUPPORTED],
    ],
  ],
  [/^pipe:/, [FdKind.FIFO]],
  [/^anon_inode:\[eventfd\]/, [FdKind.EVENT]],
  [/^anon_inode:\[eventpoll\]/, [FdKind.EVENTPOLL]],
  [/^anon_inode:\[signalfd\]/, [FdKind.SIGNAL]],
  [/^anon_inode:\[timerfd\]/, [FdKind.TIMER]],
  [/^anon_inode:inotify/, [FdKind.INOTIFY]],
  [/^anon_inode:\[io_uring\]/, [FdKind.IO_URING]],
  [/^anon_inode:\[pidfd\]|^pidfd:/, [FdKind.PIDFD]],
  [/^anon_inode:bpf/, [FdKind.BPF]],
  [/^\/memfd:/, [FdKind.MEMFD, FdKind.FILE]],
  [/^\//, [FdKind.FILE, FdKind.DIRECTORY, FdKind.FIFO]],
];

/** Differences in words: `cwd: ours, theirs`. Empty when all is equal. */
export function threadDifferences(ours: Thread, theirs: ProcThread): string[] {
  const found: string[] = [];
  const differ = (what: string, a: string, b: string): void => {
    if (a !== b)
      found.push(`${what}: ${JSON.stringify(a.slice(0, 300))}, /proc has ${JSON.stringify(b.slice(0, 300))}`);
  };
  const run = [ours.exe, ...ours.args].map(latin1).join('\0');
  const wanted = theirs.cmdline.join('\0');
  // Arguments are kept up to a limit.
  if (run.length < 3800 || !wanted.startsWith(run)) differ('cmdline', run, wanted);
  differ('cwd', latin1(ours.cwd).replace(/(?<=.)\/$/, ''), theirs.cwd);
  differ('exe', latin1(ours.executable?.path ?? Buffer.alloc(0)).replace(/ \(deleted\)$/, ''), theirs.exe);
  differ('uid', String(ours.uid), String(theirs.uid));
  differ('gid', String(ours.gid), String(theirs.gid));
  differ('pid', String(ours.pid), String(theirs.pid));
  for (const row of ours.cgroups) {
    const subsystem = latin1(row.subsystem);
    const path = cgroupPath(theirs, subsystem);
    if (path !== undefined) differ(`cgroup ${subsystem}`, latin1(row.path), path);
  }
  if (ours.cgroups.length === 0) found.push('no cgroup at all');
  return found;
}

/** The path of the hierarchy a subsystem belongs to; undefined when /proc does not name it. */
function cgroupPath(theirs: ProcThread, subsystem: string): string | undefined {
  for (const [names, path] of theirs.cgroups) {
    if (names.split(',').includes(subsystem)) return path;
  }
  return subsystem === 'cgroups' ? theirs.cgroups.get('') : undefined;
}

export function fdDifferences(ours: readonly Fd[], theirs: ProcThread): string[] {
  const found: string[] = [];
  const rows = new Map(ours.map((row) => [Number(row.number), row]));
  for (const [number, { target }] of theirs.fds) {
    const row = rows.get(number);
    if (row === undefined) {
      // A program in the kernel that loads others (a light skeleton) puts these into its process without any system call.
      if (target.startsWith('anon_inode:bpf')) continue;
      found.push(`fd ${number}: missing, /proc has ${target}`);
      continue;
    }
    const name = latin1(row.name);
    const kinds = KINDS_BY_TARGET.find(([pattern]) => pattern.test(target))?.[1];
    // What was opened by one of these names is a file to its open event, whatever it leads to.
    const isOpenedByLink = row.kind === FdKind.FILE && /^\/(?:dev\/(?:fd|std)|proc\/)/.test(name);
    if (kinds !== undefined && !kinds.includes(row.kind) && !isOpenedByLink) {
      found.push(`fd ${number}: kind ${row.kind}, /proc has ${target}`);
    }
    const isPath = target.startsWith('/') && !target.startsWith('/memfd:');
    if (isPath && name.replace(/ \(deleted\)$/, '') !== target) {
      found.push(`fd ${number}: name ${JSON.stringify(name)}, /proc has ${target}`);
    }
    const inode = /^(?:socket|pipe):\[(\d+)\]/.exec(target)?.[1];
    if (inode !== undefined && row.inode !== 0n && String(row.inode) !== inode) {
      found.push(`fd ${number}: inode ${row.inode}, /proc has ${target}`);
    }
  }
  for (const number of rows.keys()) {
    if (!theirs.fds.has(number))
      found.push(`fd ${number}: ours only, ${latin1(rows.get(number)?.name ?? Buffer.alloc(0))}`);
  }
  return found;
}
