/** The threads of one process, as a unit: the fd table, the exit of the last one and reparenting go by it. */
export class ThreadGroup {
  readonly pid: number;
  /** Whether orphans of the process's descendants are given to it: init of a pid namespace, or a child subreaper. */
  isReaper: boolean;
  /** Threads that have not exited, the main thread included. */
  aliveCount: number;
  /** tids in the order they were linked; `ThreadInfo.group` of every member is this set. */
  readonly tids: Set<number>;

  constructor(pid: number, isReaper: boolean) {
    this.pid = pid;
    this.isReaper = isReaper;
    this.aliveCount = 0;
    this.tids = new Set();
  }
}
