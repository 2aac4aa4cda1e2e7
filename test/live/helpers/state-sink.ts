/** Keeps an initial state as it was delivered. */
import type { FdEntry, SnapshotSink, ThreadEntry } from '../../../server/event/snapshot.ts';

export class StateSink implements SnapshotSink {
  readonly threads: Map<number, ThreadEntry> = new Map();
  readonly fds: Map<number, Map<number, FdEntry>> = new Map();
  users = 0;
  groups = 0;
  interfaces = 0;

  onMachine(): void {
    // Not compared.
  }

  onInterfaces(entries: readonly unknown[]): void {
    this.interfaces = entries.length;
  }

  onUser(): void {
    this.users++;
  }

  onGroup(): void {
    this.groups++;
  }

  onThread(entry: ThreadEntry): void {
    this.threads.set(entry.tid, entry);
  }

  onFds(tid: number, entries: readonly FdEntry[]): void {
    this.fds.set(tid, new Map(entries.map((entry) => [entry.fd, entry])));
  }
}
