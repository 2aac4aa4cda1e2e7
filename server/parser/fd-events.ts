/** close, close_range, dup, fcntl, pipe and the calls that make an fd of a kind of its own. */
import {
  PPME_SYSCALL_BPF_2_X,
  PPME_SYSCALL_CLOSE_RANGE_X,
  PPME_SYSCALL_CLOSE_X,
  PPME_SYSCALL_DUP_1_X,
  PPME_SYSCALL_DUP2_X,
  PPME_SYSCALL_DUP3_X,
  PPME_SYSCALL_EPOLL_CREATE_X,
  PPME_SYSCALL_EPOLL_CREATE1_X,
  PPME_SYSCALL_EVENTFD_X,
  PPME_SYSCALL_EVENTFD2_X,
  PPME_SYSCALL_FCNTL_X,
  PPME_SYSCALL_INOTIFY_INIT_X,
  PPME_SYSCALL_INOTIFY_INIT1_X,
  PPME_SYSCALL_IO_URING_SETUP_X,
  PPME_SYSCALL_MEMFD_CREATE_X,
  PPME_SYSCALL_PIDFD_GETFD_X,
  PPME_SYSCALL_PIDFD_OPEN_X,
  PPME_SYSCALL_PIPE_X,
  PPME_SYSCALL_PIPE2_X,
  PPME_SYSCALL_SIGNALFD_X,
  PPME_SYSCALL_SIGNALFD4_X,
  PPME_SYSCALL_TIMERFD_CREATE_X,
  PPME_SYSCALL_USERFAULTFD_X,
} from '../event/event-types.ts';
import { CL_PIPE_DST, CL_PIPE_SRC } from '../event/flag-tables.ts';
import {
  FD_BPF,
  FD_EVENT,
  FD_EVENTPOLL,
  FD_FIFO,
  FD_INOTIFY,
  FD_IOURING,
  FD_MEMFD,
  FD_PIDFD,
  FD_SIGNALFD,
  FD_TIMERFD,
  FD_USERFAULTFD,
  FdInfo,
  O_CLOEXEC,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { EventHandler, HandlerRow, ParserContext } from './parser-context.ts';

const F_DUPFD = 1;
const F_SETFD = 3;
const FD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = 26;
const CLOSE_RANGE_CLOEXEC = 4;
const EPOLL_CLOEXEC = 1;
const MFD_CLOEXEC = 1;
const NO_FLAGS = -1;
/** Commands of bpf(2) whose result is an fd; that of the others, mostly 0, is none. */
const BPF_FD_COMMANDS: ReadonlySet<number> = new Set([0, 5, 7, 13, 14, 17, 18, 19, 28, 30, 32, 33, 36]);
const createBpf = creator(FD_BPF, NO_FLAGS);

export const FD_HANDLERS: readonly HandlerRow[] = [
  [PPME_SYSCALL_CLOSE_X, parseClose],
  [PPME_SYSCALL_CLOSE_RANGE_X, parseCloseRange],
  [PPME_SYSCALL_DUP_1_X, parseDup],
  [PPME_SYSCALL_DUP2_X, parseDup],
  [PPME_SYSCALL_DUP3_X, parseDup],
  [PPME_SYSCALL_FCNTL_X, parseFcntl],
  [PPME_SYSCALL_PIPE_X, parsePipe],
  [PPME_SYSCALL_PIPE2_X, parsePipe],
  [PPME_SYSCALL_EVENTFD_X, creator(FD_EVENT, NO_FLAGS)],
  [PPME_SYSCALL_EVENTFD2_X, creator(FD_EVENT, 1)],
  [PPME_SYSCALL_SIGNALFD_X, creator(FD_SIGNALFD, NO_FLAGS)],
  [PPME_SYSCALL_SIGNALFD4_X, creator(FD_SIGNALFD, 1)],
  [PPME_SYSCALL_TIMERFD_CREATE_X, creator(FD_TIMERFD, NO_FLAGS)],
  [PPME_SYSCALL_INOTIFY_INIT_X, creator(FD_INOTIFY, NO_FLAGS)],
  [PPME_SYSCALL_INOTIFY_INIT1_X, creator(FD_INOTIFY, 1)],
  [PPME_SYSCALL_BPF_2_X, parseBpf],
  [PPME_SYSCALL_USERFAULTFD_X, creator(FD_USERFAULTFD, NO_FLAGS)],
  [PPME_SYSCALL_IO_URING_SETUP_X, creator(FD_IOURING, NO_FLAGS)],
  [PPME_SYSCALL_EPOLL_CREATE_X, creator(FD_EVENTPOLL, NO_FLAGS)],
  [PPME_SYSCALL_EPOLL_CREATE1_X, parseEpollCreate1],
  [PPME_SYSCALL_MEMFD_CREATE_X, parseMemfdCreate],
  [PPME_SYSCALL_PIDFD_OPEN_X, parsePidfdOpen],
  [PPME_SYSCALL_PIDFD_GETFD_X, parsePidfdGetfd],
];

/** A call whose result is a new fd of one kind; `flagsParam` is where its open flags are, or NO_FLAGS. */
function creator(type: number, flagsParam: number): EventHandler {
  return (context, event) => {
    const { record } = event;
    const fd = record.number(0);
    if (fd < 0 || event.thread === undefined) return;
    const row = new FdInfo(type);
    if (flagsParam !== NO_FLAGS) row.openFlags = record.unsignedNumber(flagsParam);
    context.addFd(event, fd, row);
  };
}

function parseBpf(context: ParserContext, event: InspectedEvent): void {
  if (BPF_FD_COMMANDS.has(event.record.unsignedNumber(1))) createBpf(context, event);
}

function parseClose(context: ParserContext, event: InspectedEvent): void {
  if (event.fd === undefined || event.record.number(0) < 0) return;
  context.removeFd = event.fdNumber;
  context.removeFdTable = event.thread?.fds;
}

function parseCloseRange(_context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (record.number(0) < 0 || thread === undefined) return;
  // With this flag the fds stay open until the next exec.
  if ((record.unsignedNumber(3) & CLOSE_RANGE_CLOEXEC) !== 0) return;
  const first = record.unsignedNumber(1);
  const last = record.unsignedNumber(2);
  const closed: number[] = [];
  for (const [fd] of thread.fds.entries()) {
    if (fd >= first && fd <= last) closed.push(fd);
  }
  for (const fd of closed) thread.fds.delete(fd);
}

function parseDup(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  const fd = record.number(0);
  if (fd < 0 || thread === undefined) return;
  markPipeEnd(context, event, fd);
  if (event.fd === undefined) return;
  const isMarked = record.type === PPME_SYSCALL_DUP3_X && (record.unsignedNumber(3) & O_CLOEXEC) !== 0;
  context.putFd(event, fd, duplicateOf(event.fd, isMarked));
}

/** A duplicate has a close-on-exec mark of its own, whatever the original's. */
function duplicateOf(row: FdInfo, isMarked: boolean): FdInfo {
  const copy = row.copy();
  copy.openFlags = isMarked ? copy.openFlags | O_CLOEXEC : copy.openFlags & ~O_CLOEXEC;
  return copy;
}

/** A process that moves an fd to its input or output is likely one side of a shell pipe. */
function markPipeEnd(context: ParserContext, event: InspectedEvent, fd: number): void {
  const { thread } = event;
  if (thread === undefined || fd > 1) return;
  const flag = fd === 0 ? CL_PIPE_DST : CL_PIPE_SRC;
  if ((thread.flags & flag) !== 0) return;
  context.threads.touch(thread);
  thread.flags |= flag;
}

function setCloseOnExec(context: ParserContext, event: InspectedEvent, isSet: boolean): void {
  if (event.fd === undefined || ((event.fd.openFlags & O_CLOEXEC) !== 0) === isSet) return;
  const row = context.writeFd(event);
  if (row !== undefined) row.openFlags ^= O_CLOEXEC;
}

function parseFcntl(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const command = record.number(2);
  if (command === F_SETFD) {
    if (record.number(0) >= 0) setCloseOnExec(context, event, (record.unsignedNumber(3) & FD_CLOEXEC) !== 0);
    return;
  }
  if (command !== F_DUPFD && command !== F_DUPFD_CLOEXEC) return;
  const fd = record.number(0);
  if (fd < 0 || event.fd === undefined) return;
  context.putFd(event, fd, duplicateOf(event.fd, command === F_DUPFD_CLOEXEC));
}

function parsePipe(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  if (record.number(0) < 0 || event.thread === undefined) return;
  const row = new FdInfo(FD_FIFO);
  row.ino = record.unsigned(3);
  if (record.type === PPME_SYSCALL_PIPE2_X) row.openFlags = record.unsignedNumber(4);
  context.addFd(event, record.number(1), row);
  context.addFd(event, record.number(2), row.copy());
}

function parseEpollCreate1(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const fd = record.number(0);
  if (fd < 0 || event.thread === undefined) return;
  const row = new FdInfo(FD_EVENTPOLL);
  if ((record.unsignedNumber(1) & EPOLL_CLOEXEC) !== 0) row.openFlags = O_CLOEXEC;
  context.addFd(event, fd, row);
}

function parseMemfdCreate(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const fd = record.number(0);
  if (fd < 0 || event.thread === undefined) return;
  const row = new FdInfo(FD_MEMFD);
  row.name = record.text(1);
  // The flags are of the call's own kind: only this one is an open flag as well.
  if ((record.unsignedNumber(2) & MFD_CLOEXEC) !== 0) row.openFlags = O_CLOEXEC;
  context.addFd(event, fd, row);
}

function parsePidfdOpen(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const fd = record.number(0);
  if (fd < 0 || event.thread === undefined) return;
  const row = new FdInfo(FD_PIDFD);
  row.pid = record.number(1);
  row.name = `${context.options.hostRoot ?? ''}/proc/${row.pid}`;
  context.addFd(event, fd, row);
}

/** Takes a copy of another process's fd. */
function parsePidfdGetfd(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  const fd = record.number(0);
  if (fd < 0 || thread === undefined) return;
  const pidfd = thread.fds.find(record.number(1));
  if (pidfd === undefined || pidfd.type !== FD_PIDFD) return;
  const taken = context.threads.find(pidfd.pid)?.fds.find(record.number(2));
  if (taken === undefined) return;
  context.fdNameBefore = taken.name;
  context.putFd(event, fd, taken.copy());
}
