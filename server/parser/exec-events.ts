/** execve and execveat: the thread's row takes over what the new program is. */
import { haveSamePaths } from '../container/runtime-ancestor.ts';
import type { EventRecord } from '../event/event-record.ts';
import {
  PPME_SYSCALL_EXECVE_19_E,
  PPME_SYSCALL_EXECVE_19_X,
  PPME_SYSCALL_EXECVEAT_E,
  PPME_SYSCALL_EXECVEAT_X,
} from '../event/event-types.ts';
import {
  CL_ACTIVE,
  CL_CHILD_IN_PIDNS,
  CL_CLONE_INVERTED,
  CL_IS_MAIN_THREAD,
  CL_NAME_CHANGED,
  CL_PIPE_DST,
  CL_PIPE_SRC,
} from '../event/flag-tables.ts';
import { u64Big } from '../event/u64.ts';
import { CATEGORY_NONE, categoryOf } from '../state/container-category.ts';
import { O_CLOEXEC } from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { joinPath } from '../state/path-join.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { directoryOf, NOT_AVAILABLE } from './open-events.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';
import { exepathOf, readCommand, readMemory, splitItems } from './thread-params.ts';

const AT_EMPTY_PATH = 1;
const EXE_WRITABLE = 1;
const EXE_UPPER_LAYER = 2;
const EXE_FROM_MEMFD = 4;
const EXE_LOWER_LAYER = 8;
/** Flags an exec leaves as they are. */
const KEPT_FLAGS = CL_PIPE_SRC | CL_PIPE_DST | CL_IS_MAIN_THREAD | CL_CLONE_INVERTED;

export const EXEC_HANDLERS: readonly HandlerRow[] = [
  [PPME_SYSCALL_EXECVE_19_E, storeExec],
  [PPME_SYSCALL_EXECVEAT_E, (context, event) => context.storeEnter(event)],
  [PPME_SYSCALL_EXECVE_19_X, parseExec],
  [PPME_SYSCALL_EXECVEAT_X, parseExec],
];

function storeExec(context: ParserContext, event: InspectedEvent): void {
  if (!event.record.isEmpty(0)) context.storeEnter(event);
}

function parseExec(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (record.number(0) < 0 || thread === undefined) return;
  context.tree.resurrect(thread);
  context.threads.touch(thread);
  readCommand(record, thread);
  thread.lastExecTsNs = u64Big(record.tsHi, record.tsLo);
  thread.pid = record.number(4);
  if (thread.isInvalid()) adopt(context, record, thread);
  thread.fdlimit = record.signed(7);
  readMemory(record, thread);
  if (!record.isEmpty(15)) thread.env = splitItems(record.binary(15));
  if (!record.isEmpty(14)) readCgroups(context, record, thread);
  readExepath(context, event, thread);
  readIdentity(record, thread);
  readExecutable(record, thread);
  thread.flags = CL_ACTIVE | CL_NAME_CHANGED | (thread.flags & KEPT_FLAGS);
  removeOtherThreads(context, thread);
  closeOnExec(thread);
  thread.category = categoryOf(context.state, thread);
}

/** In another container the thread is nothing that it was before. */
function readCgroups(context: ParserContext, record: EventRecord, thread: ThreadInfo): void {
  const { containerId, cgroups } = thread;
  context.cgroups.assign(thread, record.binary(14));
  // Who was found by those above may have lost them since.
  if (thread.containerId === '' && haveSamePaths(thread.cgroups, cgroups)) thread.containerId = containerId;
  context.cgroups.adopt(thread);
  if (thread.containerId !== containerId) thread.category = CATEGORY_NONE;
}

/** The fds marked so do not reach the new program. */
function closeOnExec(thread: ThreadInfo): void {
  const closed: number[] = [];
  for (const [fd, row] of thread.fds.entries()) {
    if ((row.openFlags & O_CLOEXEC) !== 0) closed.push(fd);
  }
  for (const fd of closed) thread.fds.delete(fd);
}

/** An unknown thread gets a place in its process and under its parent. */
function adopt(context: ParserContext, record: EventRecord, thread: ThreadInfo): void {
  thread.ptid = record.number(5);
  if ((thread.flags & CL_CHILD_IN_PIDNS) === 0) {
    thread.vtid = thread.tid;
    thread.vpid = thread.pid;
  }
  context.tree.link(thread);
}

function readExepath(context: ParserContext, event: InspectedEvent, thread: ThreadInfo): void {
  const { record } = event;
  if (!record.isEmpty(27)) {
    thread.exepath = exepathOf(record.text(27));
    return;
  }
  // Older files lack what the kernel resolved: the caller's path is all there is.
  const enter = context.storedEnter(event);
  if (enter === undefined) return;
  const path =
    enter.type === PPME_SYSCALL_EXECVEAT_E
      ? execveatPath(context, event, enter)
      : execvePath(context, enter, thread);
  thread.exepath = exepathOf(path);
}

function execvePath(context: ParserContext, enter: EventRecord, thread: ThreadInfo): string {
  const filename = enter.text(0);
  return filename === NOT_AVAILABLE ? filename : joinPath(context.tree.cwd(thread), filename);
}

function execveatPath(context: ParserContext, event: InspectedEvent, enter: EventRecord): string {
  const dirfd = enter.number(0);
  const pathname = enter.text(1);
  const hasEmptyPath = (enter.unsignedNumber(2) & AT_EMPTY_PATH) !== 0;
  const directory = directoryOf(context, event, pathname, dirfd);
  if (directory === '<UNKNOWN>' || (!hasEmptyPath && pathname === NOT_AVAILABLE)) return NOT_AVAILABLE;
  // With an empty path the fd itself is what runs.
  return hasEmptyPath ? joinPath('', directory) : joinPath(directory, pathname);
}

/** Terminal, ids and capabilities, as far as the event has them. */
function readIdentity(record: EventRecord, thread: ThreadInfo): void {
  if (!record.isEmpty(16)) thread.tty = record.unsignedNumber(16);
  if (!record.isEmpty(17)) thread.vpgid = record.number(17);
  if (!record.isEmpty(18)) thread.loginuid = record.unsignedNumber(18);
  if (!record.isEmpty(22)) {
    thread.capInheritable = record.unsigned(20);
    thread.capPermitted = record.unsigned(21);
    thread.capEffective = record.unsigned(22);
  }
  if (!record.isEmpty(26)) thread.uid = record.unsignedNumber(26);
  thread.pgid = record.isEmpty(28) ? -1 : record.number(28);
  if (!record.isEmpty(29)) thread.gid = record.unsignedNumber(29);
}

/** The executable file: where it lies, and its age against the thread's. */
function readExecutable(record: EventRecord, thread: ThreadInfo): void {
  if (!record.isEmpty(19)) {
    const flags = record.unsignedNumber(19);
    thread.exeWritable = (flags & EXE_WRITABLE) !== 0;
    thread.exeUpperLayer = (flags & EXE_UPPER_LAYER) !== 0;
    thread.exeFromMemfd = (flags & EXE_FROM_MEMFD) !== 0;
    thread.exeLowerLayer = (flags & EXE_LOWER_LAYER) !== 0;
  }
  if (record.isEmpty(25)) return;
  thread.exeIno = record.unsigned(23);
  thread.exeInoCtimeNs = BigInt(record.unsigned(24));
  thread.exeInoMtimeNs = BigInt(record.unsigned(25));
  const { exeInoCtimeNs, cloneTsNs, pidnsInitStartNs } = thread;
  if (cloneTsNs !== 0n) {
    // An executable younger than its process gives the wrapped difference.
    thread.exeInoCtimeDurationCloneNs = BigInt.asUintN(64, cloneTsNs - exeInoCtimeNs);
  }
  if (pidnsInitStartNs !== 0n && exeInoCtimeNs > pidnsInitStartNs) {
    thread.exeInoCtimeDurationPidnsNs = exeInoCtimeNs - pidnsInitStartNs;
  }
}

/** The kernel ends all other threads of a process that executes a program; their exit events may have been lost. */
function removeOtherThreads(context: ParserContext, thread: ThreadInfo): void {
  const group = thread.threadGroup;
  if (group === undefined || group.aliveCount <= 1) return;
  for (const tid of [...group.tids]) {
    if (tid === thread.tid || context.threads.find(tid)?.isMain() !== false) continue;
    context.tree.remove(tid);
  }
}
