/** Threads and fds read from /proc: works everywhere, at the price of several reads for each of them. */
import { listNumbers } from './proc-files.ts';
import type { FdsRead, SnapshotSource, SourceOptions, ThreadIds, ThreadRead } from './snapshot-rows.ts';
import { ThreadReader } from './thread-reader.ts';
import { Turns } from './turns.ts';

export class ProcfsSource implements SnapshotSource {
  readonly name: 'procfs';
  private readonly options: SourceOptions;
  private readonly reader: ThreadReader;
  private pids: readonly number[];

  constructor(options: SourceOptions) {
    this.name = 'procfs';
    this.options = options;
    this.reader = new ThreadReader(options);
    this.pids = [];
  }

  async readThreads(): Promise<readonly ThreadRead[]> {
    const turns = new Turns();
    const reads: ThreadRead[] = [];
    const pids: number[] = [];
    for (const pid of listNumbers(`${this.options.hostRoot}/proc`) ?? []) {
      if (this.options.excludedPids.has(pid)) continue;
      const main = this.reader.readThread(pid, pid);
      if (main !== undefined) {
        reads.push(main);
        pids.push(pid);
        this.readOthers(main, reads);
      }
      if (turns.isOver) await turns.next();
    }
    this.pids = pids;
    return reads;
  }

  async readFds(onFds: (fds: FdsRead) => void): Promise<void> {
    const turns = new Turns();
    for (const pid of this.pids) {
      const fds = this.reader.readFds(pid);
      if (fds !== undefined) onFds(fds);
      if (turns.isOver) await turns.next();
    }
    this.reader.forgetSockets();
  }

  listThreads(): readonly ThreadIds[] {
    return listThreadIds(this.options);
  }

  close(): void {
    // Nothing is held open.
  }

  private readOthers(main: ThreadRead, reads: ThreadRead[]): void {
    const { pid } = main.entry;
    if (main.threadCount < 2) return;
    for (const tid of listNumbers(`${this.options.hostRoot}/proc/${pid}/task`) ?? []) {
      if (tid === pid) continue;
      const thread = this.reader.readThread(pid, tid, main.entry);
      if (thread !== undefined) reads.push(thread);
    }
  }
}

export function listThreadIds(options: Pick<SourceOptions, 'hostRoot' | 'excludedPids'>): ThreadIds[] {
  const ids: ThreadIds[] = [];
  for (const pid of listNumbers(`${options.hostRoot}/proc`) ?? []) {
    if (options.excludedPids.has(pid)) continue;
    for (const tid of listNumbers(`${options.hostRoot}/proc/${pid}/task`) ?? []) ids.push({ tid, pid });
  }
  return ids;
}
