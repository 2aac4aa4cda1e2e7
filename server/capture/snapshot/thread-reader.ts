/** One thread, or the fds of one process, from /proc. A thread that ends meanwhile is no thread: `undefined`. */
import type { ThreadEntry } from '../../event/snapshot.ts';
import { CgroupReader } from './cgroup-reader.ts';
import { filterEnvironment } from './environment.ts';
import { readExeFacts } from './exe-facts.ts';
import { FdReader } from './fd-reader.ts';
import { MountTable } from './mount-table.ts';
import { readLink, readText } from './proc-files.ts';
import { parseFdLimit, parseStat, parseStatus, type StatText, type StatusText } from './proc-text.ts';
import type { FdsRead, SourceOptions, ThreadRead } from './snapshot-rows.ts';

const NS_PER_TICK = 10_000_000n;
const STAT_BYTES_MAX = 4096;
const STATUS_BYTES_MAX = 16_384;
/** PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES: /proc does not tell, nearly every thread has both. */
const THREAD_FLAGS = 8192 | 1;
const ID_UNKNOWN = 0xffffffff;

/** What all threads of a process have in common. */
export type ProcessFacts = Pick<
  ThreadEntry,
  | 'exe'
  | 'args'
  | 'env'
  | 'exepath'
  | 'cwd'
  | 'root'
  | 'fdlimit'
  | 'loginuid'
  | 'exeIno'
  | 'exeInoCtimeNs'
  | 'exeInoMtimeNs'
  | 'exeWritable'
  | 'exeUpperLayer'
  | 'exeLowerLayer'
  | 'exeFromMemfd'
>;

export class ThreadReader {
  readonly cgroups: CgroupReader;
  readonly mounts: MountTable;
  private readonly options: SourceOptions;
  private readonly fds: FdReader;
  private readonly proc: string;
  /** Start of process 1 of each pid namespace met, by the namespace's link. */
  private readonly namespaceStarts: Map<string, bigint>;

  constructor(options: SourceOptions) {
    this.options = options;
    this.proc = `${options.hostRoot}/proc`;
    this.cgroups = new CgroupReader(options.hostRoot);
    this.mounts = new MountTable();
    this.fds = new FdReader(options.fdsPerProcessMax, this.mounts);
    this.namespaceStarts = new Map();
  }

  /** `facts` of the process save reading them again for each of its threads. */
  readThread(pid: number, tid: number, facts?: ProcessFacts): ThreadRead | undefined {
    const dir = `${this.proc}/${pid}/task/${tid}`;
    const readNs = this.options.clock.nowNs();
    const stat = parseStat(readText(`${dir}/stat`, STAT_BYTES_MAX) ?? '');
    if (stat === undefined || stat.isKernelThread) return undefined;
    const isDead = stat.state === 'Z' || stat.state === 'X';
    // A zombie whose threads live on still stands for its process.
    if (isDead && (tid !== pid || stat.threadCount < 2)) return undefined;
    const status = parseStatus(readText(`${dir}/status`, STATUS_BYTES_MAX) ?? '');
    if (status === undefined) return undefined;
    const entry = this.entryOf(tid, dir, stat, status, facts ?? this.readFacts(dir, status), isDead);
    return { entry, startNs: Number(entry.startTsNs), readNs, threadCount: stat.threadCount };
  }

  readFds(pid: number): FdsRead | undefined {
    const readNs = this.options.clock.nowNs();
    const entries = this.fds.read(`${this.proc}/${pid}`);
    return entries === undefined ? undefined : { tid: pid, entries, readNs };
  }

  /** The process of a thread; undefined when the thread is gone. */
  findPid(tid: number): number | undefined {
    return parseStatus(readText(`${this.proc}/${tid}/status`, STATUS_BYTES_MAX) ?? '')?.pid;
  }

  /** The fds a process shares among its threads are kept by namespace only as long as one snapshot takes. */
  forgetSockets(): void {
    this.fds.forgetSockets();
  }

  private readFacts(dir: string, status: StatusText): ProcessFacts {
    const { argsBytesMax, environment, hostRoot } = this.options;
    const cmdline = readText(`${dir}/cmdline`, argsBytesMax) ?? '';
    const [exe, args] = splitCommandLine(cmdline);
    const exepath = readLink(`${dir}/exe`) ?? '';
    const environ = environment === undefined ? '' : (readText(`${dir}/environ`, argsBytesMax) ?? '');
    const loginuid = readText(`${dir}/loginuid`, 32);
    return {
      exe,
      args,
      env: filterEnvironment(environ, environment),
      exepath,
      cwd: readLink(`${dir}/cwd`) ?? '',
      root: readLink(`${dir}/root`) ?? '',
      fdlimit: parseFdLimit(readText(`${dir}/limits`, STAT_BYTES_MAX) ?? ''),
      loginuid: loginuid === undefined || !/^\d/.test(loginuid) ? ID_UNKNOWN : Number.parseInt(loginuid, 10),
      ...readExeFacts(dir, exepath, status, this.mounts, hostRoot),
    };
  }

  private entryOf(
    tid: number,
    dir: string,
    stat: StatText,
    status: StatusText,
    facts: ProcessFacts,
    isDead: boolean,
  ): ThreadEntry {
    const { pid } = status;
    const startTsNs = this.options.clock.bootEpochNs + BigInt(stat.startTicks) * NS_PER_TICK;
    const vtid = status.vtid ?? tid;
    return {
      ...facts,
      tid,
      pid,
      ptid: status.ptid,
      sid: stat.sid,
      pgid: stat.pgid,
      vpgid: status.vpgid ?? stat.pgid,
      comm: stat.comm,
      flags: tid === pid ? 0 : THREAD_FLAGS,
      uid: status.uid,
      gid: status.gid,
      vmsizeKb: status.vmsizeKb,
      vmrssKb: status.vmrssKb,
      vmswapKb: status.vmswapKb,
      pfmajor: stat.pfmajor,
      pfminor: stat.pfminor,
      vtid,
      vpid: status.vpid ?? pid,
      cgroups: this.cgroups.read(dir),
      pidnsInitStartNs: this.namespaceStart(dir, vtid !== tid, status.vpid, startTsNs),
      tty: stat.tty,
      capInheritable: status.capInheritable,
      capPermitted: status.capPermitted,
      capEffective: status.capEffective,
      startTsNs,
      isDead,
    };
  }

  /** Start of the first process of the thread's pid namespace. The host's is as old as the machine. */
  private namespaceStart(
    dir: string,
    isInside: boolean,
    vpid: number | undefined,
    startTsNs: bigint,
  ): bigint {
    if (!isInside) return this.options.clock.bootEpochNs;
    const namespace = readLink(`${dir}/ns/pid`) ?? '';
    if (vpid === 1) this.namespaceStarts.set(namespace, startTsNs);
    let start = this.namespaceStarts.get(namespace);
    if (start === undefined) {
      start = this.findInitStart(namespace, dir);
      this.namespaceStarts.set(namespace, start);
    }
    return start;
  }

  /** Up the parents until they leave the namespace: the last inside is its init, or was put in from outside. */
  private findInitStart(namespace: string, dir: string): bigint {
    let at = dir;
    for (let depth = 0; depth < 64; depth++) {
      const status = parseStatus(readText(`${at}/status`, STATUS_BYTES_MAX) ?? '');
      if (status === undefined) return 0n;
      if (status.vpid === 1) return this.startOf(at);
      at = `${this.proc}/${status.ptid}`;
      if (status.ptid <= 0 || readLink(`${at}/ns/pid`) !== namespace) return 0n;
    }
    return 0n;
  }

  private startOf(dir: string): bigint {
    const stat = parseStat(readText(`${dir}/stat`, STAT_BYTES_MAX) ?? '');
    return stat === undefined ? 0n : this.options.clock.bootEpochNs + BigInt(stat.startTicks) * NS_PER_TICK;
  }
}

/** argv[0], and the rest as a NUL-separated run. */
export function splitCommandLine(cmdline: string): readonly [exe: string, args: string] {
  const nul = cmdline.indexOf('\0');
  return nul < 0 ? [cmdline, ''] : [cmdline.slice(0, nul), cmdline.slice(nul + 1)];
}
