/** What /proc says of a thread, in the terms of StateService. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcFd {
  /** Target of the link, without the mark of deleted files. */
  readonly target: string;
}

export interface ProcThread {
  readonly tid: number;
  readonly pid: number;
  readonly cmdline: readonly string[];
  readonly cwd: string;
  readonly exe: string;
  readonly uid: number;
  readonly gid: number;
  /** Path by subsystem list, as /proc writes it. */
  readonly cgroups: ReadonlyMap<string, string>;
  readonly fds: ReadonlyMap<number, ProcFd>;
}

/** Undefined when the thread is gone, or is the kernel's own. */
export function readProcThread(pid: number, tid: number): ProcThread | undefined {
  const at = `/proc/${pid}/task/${tid}`;
  try {
    const status = readFileSync(`${at}/status`, 'latin1');
    if (/^State:\s*[ZX]/m.test(status)) return undefined;
    return {
      tid,
      pid,
      cmdline: splitItems(readFileSync(`${at}/cmdline`, 'latin1')),
      cwd: withoutMark(readlinkSync(`${at}/cwd`, 'latin1' as BufferEncoding)),
      exe: withoutMark(readlinkSync(`${at}/exe`, 'latin1' as BufferEncoding)),
      uid: effective(status, 'Uid'),
      gid: effective(status, 'Gid'),
      cgroups: parseCgroups(readFileSync(`${at}/cgroup`, 'latin1')),
      fds: readFds(`${at}/fd`),
    };
  } catch {
    return undefined;
  }
}

/** Every thread of user space: pid and tid. */
export function listThreads(): { pid: number; tid: number }[] {
  const threads: { pid: number; tid: number }[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      readlinkSync(`/proc/${pid}/exe`);
      for (const tid of readdirSync(`/proc/${pid}/task`))
        threads.push({ pid: Number(pid), tid: Number(tid) });
    } catch {
      // Gone, or without a program: a kernel thread.
    }
  }
  return threads;
}

function splitItems(text: string): string[] {
  return text === '' ? [] : (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0');
}

function withoutMark(path: string): string {
  return path.endsWith(' (deleted)') ? path.slice(0, -' (deleted)'.length) : path;
}

function effective(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*\\d+\\s+(\\d+)`, 'm').exec(status)?.[1]);
}

function parseCgroups(text: string): Map<string, string> {
  const rows = new Map<string, string>();
  for (const line of text.split('\n')) {
    const parts = /^\d+:([^:]*):(.*)$/.exec(line);
    if (parts !== null) rows.set(parts[1] as string, parts[2] as string);
  }
  return rows;
}

function readFds(at: string): Map<number, ProcFd> {
  const fds = new Map<number, ProcFd>();
  for (const name of readdirSync(at)) {
    try {
      fds.set(Number(name), {
        target: withoutMark(readlinkSync(`${at}/${name}`, 'latin1' as BufferEncoding)),
      });
    } catch {
      // Closed meanwhile.
    }
  }
  return fds;
}
