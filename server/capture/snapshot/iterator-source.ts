/**
 * Threads and fds from kernel iterators: three passes over the kernel's own lists instead of several files a thread. What the
 * iterators do not tell (names of v1 cgroups) comes from /proc, once for each set of memberships.
 */
import { closeSync, readSync } from 'node:fs';
import type { FdEntry, ThreadEntry } from '../../event/snapshot.ts';
import { createIterator, createIteratorLink } from '../ebpf/bpf.ts';
import { pageBytes } from '../ebpf/libc.ts';
import { type LoadedSkeleton, loadSkeleton, readSkeleton } from '../ebpf/light-skeleton.ts';
import { filterEnvironment } from './environment.ts';
import { isMemfdPath, mayWrite } from './exe-facts.ts';
import { fdOfRecord } from './file-records.ts';
import {
  RecordDecoder,
  type RecordListener,
  TASK_EXE_LOWER,
  TASK_EXE_READ_ONLY,
  TASK_EXE_UPPER,
  TASK_HAS_EXE,
  TASK_IS_DEAD,
  TASK_OWN_FILES,
  type TaskRecord,
} from './iterator-records.ts';
import { readLink, readText } from './proc-files.ts';
import { parseStatus } from './proc-text.ts';
import { listThreadIds } from './procfs-source.ts';
import type { FdsRead, SnapshotSource, SourceOptions, ThreadIds, ThreadRead } from './snapshot-rows.ts';
import { type ProcessFacts, splitCommandLine, ThreadReader } from './thread-reader.ts';
import { Turns } from './turns.ts';

const CHUNK_BYTES = 65_536;
/** Inode of the first pid namespace: only from there do iterators see every task. */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
const CL_CLONE_FILES = 1;
const CL_CLONE_THREAD = 8192;
const S_IWGRP = 0o020;
const ITERATOR_ARGS_BYTES_MAX = 4095;
const BYTES_PER_KB = 1024;

/** Throws when the programs cannot be loaded (privileges, an old kernel) or would not see the whole node. */
export function openIteratorSource(options: SourceOptions): SnapshotSource {
  const namespace = readLink('/proc/self/ns/pid');
  if (namespace !== FIRST_PID_NAMESPACE) throw new Error('iterators see only the own pid namespace');
  return new IteratorSource(options, loadSkeleton(readSkeleton('iterators')));
}

class IteratorSource implements SnapshotSource {
  readonly name: 'iterators';
  private readonly options: SourceOptions;
  private readonly loaded: LoadedSkeleton;
  private readonly reader: ThreadReader;
  private readonly cgroups: Map<bigint, string>;
  private readonly bootNs: number;
  private readonly pageKb: number;
  /** Threads that have an fd table; threads of a process share its main thread's. */
  private owners: readonly number[];

  constructor(options: SourceOptions, loaded: LoadedSkeleton) {
    this.name = 'iterators';
    this.options = options;
    this.loaded = loaded;
    this.reader = new ThreadReader(options);
    this.cgroups = new Map();
    this.pageKb = pageBytes() / BYTES_PER_KB;
    this.bootNs = Number(options.clock.bootEpochNs);
    this.owners = [];
  }

  async readThreads(): Promise<readonly ThreadRead[]> {
    const tasks: TaskRecord[] = [];
    const { excludedPids, environment } = this.options;
    const onTask = (task: TaskRecord) => {
      if (!excludedPids.has(task.pid)) tasks.push(task);
    };
    await this.run('each_task', { onTask });
    const argv = await this.readArgs('each_argv');
    const environ =
      environment === undefined ? new Map<number, string>() : await this.readArgs('each_environment');
    const mains = new Map<number, ThreadEntry>();
    const reads: ThreadRead[] = [];
    // Main threads first: the others take from them.
    for (const task of tasks) {
      if (task.tid !== task.pid) continue;
      const read = this.mainRead(task, argv.get(task.pid), environ.get(task.pid) ?? '');
      if (read === undefined) continue;
      mains.set(task.pid, read.entry);
      reads.push(read);
    }
    const owners = [...mains.keys()];
    for (const task of tasks) {
      const main = task.tid === task.pid ? undefined : mains.get(task.pid);
      if (main === undefined || (task.facts & TASK_IS_DEAD) !== 0) continue;
      reads.push(this.readOf(task, main));
      if ((task.facts & TASK_OWN_FILES) !== 0) owners.push(task.tid);
    }
    this.owners = owners;
    return reads;
  }

  async readFds(onFds: (fds: FdsRead) => void): Promise<void> {
    const startedNs = this.options.clock.nowNs();
    const tables = new Map<number, { readonly entries: FdEntry[]; readonly readNs: number }>();
    await this.run('each_file', {
      onFile: (record) => {
        let table = tables.get(record.tid);
        if (table === undefined) {
          table = { entries: [], readNs: this.bootNs + Number(record.readNs) };
          tables.set(record.tid, table);
        }
        if (table.entries.length < this.options.fdsPerProcessMax) table.entries.push(fdOfRecord(record));
      },
    });
    for (const tid of this.owners) {
      const table = tables.get(tid);
      // A process without fds leaves no record.
      onFds({ tid, entries: table?.entries ?? [], readNs: table?.readNs ?? startedNs });
    }
  }

  listThreads(): readonly ThreadIds[] {
    return listThreadIds(this.options);
  }

  close(): void {
    for (const fd of [...this.loaded.programs.values(), ...this.loaded.maps.values()]) closeSync(fd);
  }

  private async readArgs(program: string): Promise<Map<number, string>> {
    const runs = new Map<number, string>();
    await this.run(program, { onArgs: ({ pid, bytes }) => runs.set(pid, bytes) });
    return runs;
  }

  /** One pass of an iterator. */
  private async run(program: string, listener: RecordListener): Promise<void> {
    const programFd = this.loaded.programs.get(program);
    if (programFd === undefined) throw new Error(`the iterators have no program ${program}`);
    const link = createIteratorLink(programFd);
    try {
      const iterator = createIterator(link);
      try {
        await readAll(iterator, new RecordDecoder(listener));
      } finally {
        closeSync(iterator);
      }
    } finally {
      closeSync(link);
    }
  }

  private mainRead(task: TaskRecord, argv: string | undefined, environ: string): ThreadRead | undefined {
    // A zombie whose threads live on still stands for its process.
    if ((task.facts & TASK_IS_DEAD) !== 0 && task.threadCount < 2) return undefined;
    const { argsBytesMax, environment, hostRoot } = this.options;
    const dir = `${hostRoot}/proc/${task.pid}`;
    // The iterator gives nothing when a page is not resident, and cuts what is longer than its record.
    const isWhole =
      argv !== undefined && argv !== '' && argv.length < Math.min(argsBytesMax, ITERATOR_ARGS_BYTES_MAX);
    const cmdline = isWhole ? argv : (readText(`${dir}/cmdline`, argsBytesMax) ?? argv ?? '');
    const [exe, args] = splitCommandLine(cmdline.slice(0, argsBytesMax));
    return this.readOf(task, {
      ...this.exeFacts(task, dir),
      exe,
      args,
      env: filterEnvironment(environ.slice(0, argsBytesMax), environment),
      exepath: task.exe,
      cwd: task.cwd,
      root: task.root,
      fdlimit: task.fdlimit,
      loginuid: task.loginuid,
    });
  }

  private exeFacts(task: TaskRecord, dir: string) {
    const { facts, exeMode, exeGid, gid } = task;
    const hasExe = (facts & TASK_HAS_EXE) !== 0;
    const asksGroups = (exeMode & S_IWGRP) !== 0 && exeGid !== gid;
    const status = asksGroups ? parseStatus(readText(`${dir}/status`, 16_384) ?? '') : undefined;
    const access = {
      mode: exeMode,
      uid: task.exeUid,
      gid: exeGid,
      isReadOnly: (facts & TASK_EXE_READ_ONLY) !== 0,
    };
    const who = { uid: task.uid, gid, groups: status?.groups ?? [], capEffective: task.capEffective };
    return {
      exeIno: task.exeIno,
      exeInoCtimeNs: task.exeCtimeNs,
      exeInoMtimeNs: task.exeMtimeNs,
      exeWritable: hasExe && mayWrite(access, who),
      exeUpperLayer: (facts & TASK_EXE_UPPER) !== 0,
      exeLowerLayer: (facts & TASK_EXE_LOWER) !== 0,
      exeFromMemfd: isMemfdPath(task.exe),
    };
  }

  private readOf(task: TaskRecord, facts: ProcessFacts): ThreadRead {
    const { bootEpochNs } = this.options.clock;
    const startTsNs = bootEpochNs + task.startNs;
    const entry: ThreadEntry = {
      ...facts,
      tid: task.tid,
      pid: task.pid,
      ptid: task.ptid,
      sid: task.sid,
      vpgid: task.vpgid,
      pgid: task.pgid,
      comm: task.comm,
      flags: flagsOf(task),
      uid: task.uid,
      gid: task.gid,
      vmsizeKb: task.sizePages * this.pageKb,
      vmrssKb: task.rssPages * this.pageKb,
      vmswapKb: task.swapPages * this.pageKb,
      pfmajor: task.majorFaults,
      pfminor: task.minorFaults,
      vtid: task.vtid,
      vpid: task.vpid,
      cgroups: this.cgroupsOf(task),
      pidnsInitStartNs: task.pidnsLevel === 0 ? bootEpochNs : bootEpochNs + task.pidnsStartNs,
      tty: task.tty,
      capInheritable: task.capInheritable,
      capPermitted: task.capPermitted,
      capEffective: task.capEffective,
      startTsNs,
      isDead: (task.facts & TASK_IS_DEAD) !== 0,
    };
    const { threadCount } = task;
    return { entry, startNs: Number(startTsNs), readNs: this.bootNs + Number(task.readNs), threadCount };
  }

  private cgroupsOf(task: TaskRecord): string {
    let items = this.cgroups.get(task.cgroupKey);
    if (items === undefined) {
      items = this.reader.cgroups.read(`${this.options.hostRoot}/proc/${task.pid}/task/${task.tid}`);
      // A thread that ended meanwhile must not decide for the others.
      if (items !== '') this.cgroups.set(task.cgroupKey, items);
    }
    return items;
  }
}

function flagsOf(task: TaskRecord): number {
  if (task.tid === task.pid) return 0;
  return CL_CLONE_THREAD | ((task.facts & TASK_OWN_FILES) === 0 ? CL_CLONE_FILES : 0);
}

async function readAll(fd: number, decoder: RecordDecoder): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const turns = new Turns();
  for (;;) {
    const n = readChunk(fd, chunk);
    if (n === 0) break;
    if (n > 0) decoder.push(chunk.subarray(0, n));
    if (turns.isOver) await turns.next();
  }
  decoder.end();
}

/** 0 at the end, -1 when the kernel wants to be asked again. */
function readChunk(fd: number, chunk: Buffer): number {
  try {
    return readSync(fd, chunk, 0, chunk.length, null);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN' || code === 'EINTR') return -1;
    throw error;
  }
}
