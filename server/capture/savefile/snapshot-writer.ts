/** Takes initial state as a source delivers it, row by row, and writes it as the lists of a capture file. */
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  MachineEntry,
  SnapshotSink,
  ThreadEntry,
  UserEntry,
} from '../../event/snapshot.ts';
import type { SavefileWriter } from './savefile-writer.ts';

export class SnapshotWriter implements SnapshotSink {
  private readonly writer: SavefileWriter;
  private users: UserEntry[];
  private groups: GroupEntry[];
  private threads: ThreadEntry[];
  /** Fds of threads whose list is not written yet. */
  private fds: [number, readonly FdEntry[]][];

  constructor(writer: SavefileWriter) {
    this.writer = writer;
    this.users = [];
    this.groups = [];
    this.threads = [];
    this.fds = [];
  }

  onMachine(entry: MachineEntry): void {
    this.writer.writeMachine(entry);
  }

  onInterfaces(entries: readonly InterfaceEntry[]): void {
    this.writer.writeInterfaces(entries);
  }

  onUser(entry: UserEntry): void {
    this.users.push(entry);
  }

  onGroup(entry: GroupEntry): void {
    this.groups.push(entry);
  }

  onThread(entry: ThreadEntry): void {
    this.threads.push(entry);
  }

  onFds(tid: number, entries: readonly FdEntry[]): void {
    this.fds.push([tid, entries]);
  }

  onSectionStart(): void {
    this.flush();
    this.writer.startSection();
  }

  onSectionReady(): void {
    this.flush();
  }

  /** Writes what has been collected; to be called when the source has delivered all. */
  flush(): void {
    this.writer.writeUsers(this.users, this.groups);
    this.writer.writeThreads(this.threads);
    for (const [tid, entries] of this.fds) this.writer.writeFds(tid, entries);
    this.users = [];
    this.groups = [];
    this.threads = [];
    this.fds = [];
  }
}
