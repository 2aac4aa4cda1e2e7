/**
 * The links between the rows of the thread table: threads to their process, processes to their parents.
 *
 * The main thread owns what a process shares (fds, cwd, environment); it therefore stays in the table, marked dead, until
 * the last thread of its process is gone. Children of an exited thread move to a reaper as the kernel would choose it.
 */
import { CL_CLONE_FILES, CL_CLOSED } from '../event/flag-tables.ts';
import { ThreadGroup } from './thread-group.ts';
import type { ThreadInfo } from './thread-info.ts';
import type { ThreadTable } from './thread-table.ts';

const NO_ENV: readonly string[] = [];

export class ProcessTree {
  private readonly threads: ThreadTable;
  private readonly groups: Map<number, ThreadGroup>;

  constructor(threads: ThreadTable) {
    this.threads = threads;
    this.groups = new Map();
  }

  /** Forgets all processes; the thread table has been emptied. */
  clear(): void {
    this.groups.clear();
  }

  findGroup(pid: number): ThreadGroup | undefined {
    return this.groups.get(pid);
  }

  /** The main thread of the row's process; undefined for placeholders and when it was never seen. */
  findMain(row: ThreadInfo): ThreadInfo | undefined {
    if (row.isMain()) return row;
    if (row.threadGroup === undefined) return undefined;
    const main = this.threads.find(row.pid);
    return main?.threadGroup === row.threadGroup ? main : undefined;
  }

  /** Working directory with its trailing slash; './' when the process is not known. */
  cwd(row: ThreadInfo): string {
    return this.findMain(row)?.cwd ?? './';
  }

  env(row: ThreadInfo): readonly string[] {
    return (this.findMain(row) ?? row).env ?? NO_ENV;
  }

  /** Makes the row a member of its process and a child of its parent. Does nothing for invalid or linked rows. */
  link(row: ThreadInfo): void {
    if (row.isInvalid() || row.threadGroup !== undefined) return;
    row.isPlaceholder = false;
    let group = this.groups.get(row.pid);
    if (group === undefined) {
      group = new ThreadGroup(row.pid, row.pid === 1 || row.vpid === 1);
      this.groups.set(row.pid, group);
    }
    group.tids.add(row.tid);
    group.aliveCount++;
    row.threadGroup = group;
    row.group = group.tids;
    if (row.isMain()) this.shareFdsOf(row, group);
    else if ((row.flags & CL_CLONE_FILES) !== 0) row.fds = this.findMain(row)?.fds ?? this.threads.orphanFds;
    this.countThreads(group);
    if (row.pid === 1) return;
    const parent = this.threads.find(row.ptid);
    if (parent === undefined || parent.isInvalid()) row.ptid = 0;
    else this.addChild(parent, row);
  }

  /** Marks an exiting thread; the row is removed by `remove` once all have looked at it. */
  markDead(row: ThreadInfo): void {
    this.threads.touch(row);
    if (!row.isDead && row.threadGroup !== undefined) {
      row.threadGroup.aliveCount--;
      row.isDead = true;
      row.flags |= CL_CLOSED;
      this.countThreads(row.threadGroup);
      return;
    }
    row.isDead = true;
    row.flags |= CL_CLOSED;
  }

  /** A dead main thread lives again when another thread of its process executes a program under its tid. */
  resurrect(row: ThreadInfo): void {
    if (!row.isDead) return;
    this.threads.touch(row);
    row.isDead = false;
    row.flags &= ~CL_CLOSED;
    if (row.threadGroup === undefined) return;
    row.threadGroup.aliveCount++;
    this.countThreads(row.threadGroup);
  }

  /** Takes the thread out of the table, its process and its parent, and gives its children to a reaper. */
  remove(tid: number): void {
    const row = this.threads.find(tid);
    if (row === undefined) return;
    const group = row.threadGroup;
    if (row.isInvalid() || group === undefined) {
      this.leaveParent(row);
      this.threads.delete(tid);
      return;
    }
    if (!row.isDead) this.markDead(row);
    if (row.children.size > 0) this.reparent(row);
    if (group.aliveCount <= 0) this.removeProcess(group);
    else if (!row.isMain()) this.leave(row, group);
  }

  /** Takes out the main thread, which outlived its threads, and whatever else the dead process left. */
  private removeProcess(group: ThreadGroup): void {
    for (const tid of [...group.tids]) {
      const member = this.threads.find(tid);
      if (member?.threadGroup !== group) group.tids.delete(tid);
      else if (member.isDead) this.leave(member, group);
    }
    if (this.groups.get(group.pid) === group) this.groups.delete(group.pid);
  }

  private leave(row: ThreadInfo, group: ThreadGroup): void {
    group.tids.delete(row.tid);
    this.leaveParent(row);
    this.threads.delete(row.tid);
  }

  private leaveParent(row: ThreadInfo): void {
    this.threads.find(row.ptid)?.children.delete(row.tid);
  }

  /** Detaches a row that is about to be replaced under its tid: a stale thread whose exit was lost. */
  unlink(row: ThreadInfo): void {
    const group = row.threadGroup;
    this.leaveParent(row);
    if (group === undefined) return;
    group.tids.delete(row.tid);
    if (!row.isDead) group.aliveCount--;
    if (group.aliveCount <= 0 && this.groups.get(group.pid) === group) this.groups.delete(group.pid);
  }

  private addChild(parent: ThreadInfo, child: ThreadInfo): void {
    parent.children.add(child.tid);
    child.ptid = parent.tid;
  }

  private shareFdsOf(main: ThreadInfo, group: ThreadGroup): void {
    for (const tid of group.tids) {
      const member = this.threads.find(tid);
      if (member === undefined || member === main || (member.flags & CL_CLONE_FILES) === 0) continue;
      this.threads.touch(member);
      member.fds = main.fds;
    }
  }

  private countThreads(group: ThreadGroup): void {
    const main = this.threads.find(group.pid);
    if (main === undefined || main.threadGroup !== group) return;
    const count = group.aliveCount - (main.isDead ? 0 : 1);
    if (main.threadCount === count) return;
    this.threads.touch(main);
    main.threadCount = count;
  }

  private reparent(row: ThreadInfo): void {
    let reaper = row.reaperTid > 0 ? this.threads.find(row.reaperTid) : undefined;
    if (reaper === undefined || reaper.isInvalid() || reaper === row) reaper = this.findNewReaper(row);
    if (reaper !== undefined) {
      row.reaperTid = reaper.tid;
      if (reaper.pid !== row.pid && reaper.threadGroup !== undefined) reaper.threadGroup.isReaper = true;
    }
    for (const tid of row.children) {
      const child = this.threads.find(tid);
      if (child === undefined) continue;
      this.threads.touch(child);
      if (reaper === undefined) child.ptid = 0;
      else this.addChild(reaper, child);
    }
    row.children.clear();
  }

  /** The kernel's choice: a live thread of the process, else the nearest ancestor that reaps in the same pid namespace. */
  private findNewReaper(row: ThreadInfo): ThreadInfo | undefined {
    const own = this.findAlive(row.threadGroup, row);
    if (own !== undefined) return own;
    const seen = new Set([row.tid]);
    let parent = this.threads.find(row.ptid);
    while (parent !== undefined && !seen.has(parent.tid)) {
      seen.add(parent.tid);
      if (parent.isInPidNamespace() !== row.isInPidNamespace()) return undefined;
      if (parent.threadGroup?.isReaper === true) {
        const alive = this.findAlive(parent.threadGroup, row);
        if (alive !== undefined) return alive;
      }
      parent = this.threads.find(parent.ptid);
    }
    return undefined;
  }

  private findAlive(group: ThreadGroup | undefined, except: ThreadInfo): ThreadInfo | undefined {
    if (group === undefined || group.aliveCount <= 0) return undefined;
    const main = this.threads.find(group.pid);
    if (main !== undefined && main !== except && main.threadGroup === group && !main.isDead) return main;
    for (const tid of group.tids) {
      const member = this.threads.find(tid);
      if (member !== undefined && member !== except && member.threadGroup === group && !member.isDead) {
        return member;
      }
    }
    return undefined;
  }
}
