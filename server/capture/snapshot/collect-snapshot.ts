/**
 * Phase one of live capture: everything there is on the node when capture starts. Start capture first, then collect; a
 * `Reconciler` given as `reads` tells afterwards which of the early events are contained in what was collected.
 */
import type { SnapshotSink } from '../../event/snapshot.ts';
import type { EnvironmentChoice } from './environment.ts';
import { type Identities, readIdentities } from './identities.ts';
import { openIteratorSource } from './iterator-source.ts';
import { createClock, type EventClock, readInterfaces, readMachine } from './node-facts.ts';
import { ProcfsSource } from './procfs-source.ts';
import type { FdsRead, SnapshotSource, SourceOptions, ThreadRead } from './snapshot-rows.ts';
import { ThreadReader } from './thread-reader.ts';
import { Turns } from './turns.ts';

/** Who wants to know when what was read: the reconciler. */
export interface ReadTimes {
  onThreadRead(tid: number, pid: number, startNs: number, readNs: number): void;
  onFdsRead(tid: number, readNs: number): void;
  /** All is read: every thread that lived at `listedNs`, unless it ended meanwhile. */
  onComplete(listedNs: number, endedNs: number): void;
}

export interface SnapshotOptions {
  /** Prefix of /proc, /etc and /sys as the node's files are seen; default '' (the node itself). */
  readonly hostRoot?: string | undefined;
  /** Clock of the events; default: the wall clock, and a boot time worked out from /proc/uptime. */
  readonly clock?: EventClock | undefined;
  /** Environment variables to keep; default none. */
  readonly environment?: EnvironmentChoice | undefined;
  /** Bytes of argv, and of the environment, kept of a process; default 4096. */
  readonly argsBytesMax?: number | undefined;
  /** Fds read of one process; default 65,536. */
  readonly fdsPerProcessMax?: number | undefined;
  /** Processes left out; default none. */
  readonly excludedPids?: ReadonlySet<number> | undefined;
  /** Default 'auto': kernel iterators where they load, else procfs. */
  readonly source?: 'auto' | 'iterators' | 'procfs' | undefined;
  readonly reads?: ReadTimes | undefined;
  /** Whether users and groups are read, too; default true. */
  readonly identities?: boolean | undefined;
}

export interface SnapshotResult {
  readonly source: 'iterators' | 'procfs';
  /** Why iterators were not used; '' when they were, or were not asked for. */
  readonly fallbackReason: string;
  readonly threads: number;
  readonly fds: number;
  readonly users: number;
  readonly groups: number;
  /** Threads that appeared while the others were read, and were read by themselves. */
  readonly lateThreads: number;
  readonly elapsedMs: number;
  readonly threadsMs: number;
  readonly fdsMs: number;
}

const ARGS_BYTES_MAX = 4096;
const FDS_PER_PROCESS_MAX = 65_536;
const NO_IDENTITIES: Identities = { users: [], groups: [] };

/** Fills the defaults. */
export function sourceOptions(options: SnapshotOptions): SourceOptions {
  const hostRoot = options.hostRoot ?? '';
  return {
    hostRoot,
    clock: createClock(hostRoot, options.clock),
    environment: options.environment,
    argsBytesMax: options.argsBytesMax ?? ARGS_BYTES_MAX,
    fdsPerProcessMax: options.fdsPerProcessMax ?? FDS_PER_PROCESS_MAX,
    excludedPids: options.excludedPids ?? new Set(),
  };
}

/** Rejects only when `source: 'iterators'` is demanded and they cannot be used. */
export async function collectSnapshot(
  sink: SnapshotSink,
  options: SnapshotOptions = {},
): Promise<SnapshotResult> {
  const startedMs = performance.now();
  const filled = sourceOptions(options);
  const identitiesPromise = options.identities === false ? NO_IDENTITIES : readIdentities(filled.hostRoot);
  const collector = new Collector(sink, filled, options.reads);
  sink.onMachine(readMachine(filled.hostRoot, filled.clock));
  sink.onInterfaces(readInterfaces(filled.hostRoot));
  const read = await readSource(collector, filled, options.source ?? 'auto');
  const { users, groups } = await identitiesPromise;
  for (const user of users) sink.onUser(user);
  for (const group of groups) sink.onGroup(group);
  return {
    ...read,
    threads: collector.tids.size,
    fds: collector.fdCount,
    users: users.length,
    groups: groups.length,
    lateThreads: collector.lateThreads,
    elapsedMs: performance.now() - startedMs,
  };
}

type SourceRead = Pick<SnapshotResult, 'source' | 'fallbackReason' | 'threadsMs' | 'fdsMs'>;

/** Iterators may be refused when they are loaded and, on kernels that are short of something, when they run. */
async function readSource(
  collector: Collector,
  options: SourceOptions,
  wanted: 'auto' | 'iterators' | 'procfs',
): Promise<SourceRead> {
  let fallbackReason = '';
  if (wanted !== 'procfs') {
    try {
      return { ...(await readAll(collector, openIteratorSource(options))), fallbackReason };
    } catch (error) {
      if (wanted === 'iterators') throw error;
      fallbackReason = (error as Error).message;
    }
  }
  return { ...(await readAll(collector, new ProcfsSource(options))), fallbackReason };
}

async function readAll(
  collector: Collector,
  source: SnapshotSource,
): Promise<Omit<SourceRead, 'fallbackReason'>> {
  const startedMs = performance.now();
  try {
    for (const thread of await source.readThreads()) collector.addThread(thread);
    const threadsMs = performance.now() - startedMs;
    await source.readFds((fds) => collector.addFds(fds));
    const fdsMs = performance.now() - startedMs - threadsMs;
    await collector.addLate(source);
    return { source: source.name, threadsMs, fdsMs };
  } finally {
    source.close();
  }
}

class Collector {
  readonly tids: Set<number>;
  fdCount: number;
  lateThreads: number;
  private readonly sink: SnapshotSink;
  private readonly options: SourceOptions;
  private readonly reads: ReadTimes | undefined;

  constructor(sink: SnapshotSink, options: SourceOptions, reads: ReadTimes | undefined) {
    this.tids = new Set();
    this.fdCount = 0;
    this.lateThreads = 0;
    this.sink = sink;
    this.options = options;
    this.reads = reads;
  }

  addThread({ entry, startNs, readNs }: ThreadRead): void {
    this.tids.add(entry.tid);
    this.sink.onThread(entry);
    this.reads?.onThreadRead(entry.tid, entry.pid, startNs, readNs);
  }

  addFds({ tid, entries, readNs }: FdsRead): void {
    // Processes that came after the threads were read come with their fds below.
    if (!this.tids.has(tid)) return;
    this.fdCount += entries.length;
    this.sink.onFds(tid, entries);
    this.reads?.onFdsRead(tid, readNs);
  }

  /**
   * Threads made while the others were read, one by one. Only then can an early event about an unknown thread be told to be
   * about one that has ended.
   */
  async addLate(source: SnapshotSource): Promise<void> {
    const listedNs = this.options.clock.nowNs();
    const reader = new ThreadReader(this.options);
    const turns = new Turns();
    for (const { tid, pid } of source.listThreads()) {
      if (this.tids.has(tid) || this.options.excludedPids.has(pid)) continue;
      const thread = reader.readThread(pid, tid);
      if (thread === undefined) continue;
      this.lateThreads++;
      this.addThread(thread);
      const fds = tid === pid ? reader.readFds(pid) : undefined;
      if (fds !== undefined) this.addFds(fds);
      if (turns.isOver) await turns.next();
    }
    this.reads?.onComplete(listedNs, this.options.clock.nowNs());
  }
}
