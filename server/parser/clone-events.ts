/** clone, clone3, fork and vfork, which return twice: in the caller with the child's tid, in the child with 0. */
import type { EventRecord } from '../event/event-record.ts';
import {
  PPME_SYSCALL_CLONE_20_X,
  PPME_SYSCALL_CLONE3_X,
  PPME_SYSCALL_FORK_20_X,
  PPME_SYSCALL_VFORK_20_X,
} from '../event/event-types.ts';
import {
  CL_CHILD_IN_PIDNS,
  CL_CLONE_FILES,
  CL_CLONE_INVERTED,
  CL_CLONE_NEWPID,
  CL_CLONE_PARENT,
  CL_CLONE_THREAD,
} from '../event/flag-tables.ts';
import { u64Big } from '../event/u64.ts';
import { categoryOf } from '../state/container-category.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';
import { inherit, readCommand, readMemory } from './thread-params.ts';

const CLONE_VFORK = 1 << 27;
/** A thread older than this when its own clone event comes is a stale row: its exit was lost and the tid recycled. */
const STALE_NS = 2_000_000_000n;
const U64_MASK = 0xffffffffffffffffn;

const P_PID = 4;
const P_PTID = 5;
const P_FDLIMIT = 7;
const P_CGROUPS = 14;
const P_FLAGS = 15;
const P_UID = 16;
const P_GID = 17;
const P_VTID = 18;
const P_VPID = 19;
const P_PIDNS_START = 20;

export const CLONE_HANDLERS: readonly HandlerRow[] = [
  [PPME_SYSCALL_CLONE_20_X, parseClone],
  [PPME_SYSCALL_CLONE3_X, parseClone],
  [PPME_SYSCALL_FORK_20_X, parseClone],
  [PPME_SYSCALL_VFORK_20_X, parseClone],
];

function parseClone(context: ParserContext, event: InspectedEvent): void {
  const childTid = event.record.number(0);
  if (childTid === 0) parseInChild(context, event);
  else if (childTid > 0) parseInCaller(context, event, childTid);
}

/** The caller's half: fills in an unknown caller, and makes the child when the child's own half will not tell more. */
function parseInCaller(context: ParserContext, event: InspectedEvent, childTid: number): void {
  const { record } = event;
  const caller = context.getThread(record.tid);
  event.thread = caller;
  if (caller === undefined) return;
  const wasKnown = !caller.isInvalid();
  if (!wasKnown) fillCaller(context, event, caller);
  const flags = record.unsignedNumber(P_FLAGS);
  if (isLeftToChild(record.tid, record.type, flags, caller)) return;
  if (hasExited(context, event, childTid, caller)) return;
  const existing = context.threads.find(childTid);
  if (existing !== undefined) {
    if ((existing.flags & CL_CLONE_INVERTED) !== 0) return;
    discard(context, existing);
  }
  const child = childOfCaller(context, event, caller, childTid, wasKnown);
  if (!wasKnown) {
    caller.exe = child.exe;
    caller.comm = child.comm;
    caller.args = child.args;
  }
  addThread(context, child);
}

function fillCaller(context: ParserContext, event: InspectedEvent, caller: ThreadInfo): void {
  const { record } = event;
  context.threads.touch(caller);
  caller.pid = record.number(P_PID);
  caller.ptid = record.number(P_PTID);
  readNamespaceIds(record, caller);
  context.tree.link(caller);
}

/** Old records do not have them. */
function readNamespaceIds(record: EventRecord, row: ThreadInfo): void {
  const hasIds = !record.isEmpty(P_VPID);
  row.vtid = hasIds ? record.number(P_VTID) : row.tid;
  row.vpid = hasIds ? record.number(P_VPID) : -1;
}

/**
 * In a pid namespace the caller sees another tid than the table is keyed by. With vfork the child may have come and gone
 * before the caller goes on. In both cases only the child's half can be trusted to make the row.
 */
function isLeftToChild(tid: number, type: number, flags: number, caller: ThreadInfo): boolean {
  const inNamespace = CL_CHILD_IN_PIDNS | CL_CLONE_NEWPID | CL_CLONE_PARENT;
  if ((flags & inNamespace) !== 0 || tid !== caller.vtid) return true;
  return (flags & CLONE_VFORK) !== 0 || type === PPME_SYSCALL_VFORK_20_X;
}

function hasExited(
  context: ParserContext,
  event: InspectedEvent,
  childTid: number,
  caller: ThreadInfo,
): boolean {
  const { tsHi, tsLo } = event.record;
  const exits = context.recentExits;
  return exits.has(childTid, caller.tid, tsHi, tsLo) || exits.has(childTid, caller.ptid, tsHi, tsLo);
}

function childOfCaller(
  context: ParserContext,
  event: InspectedEvent,
  caller: ThreadInfo,
  childTid: number,
  isCallerKnown: boolean,
): ThreadInfo {
  const { record } = event;
  const flags = record.unsignedNumber(P_FLAGS);
  const isThread = (flags & CL_CLONE_THREAD) !== 0;
  const child = context.threads.newThread(childTid, isThread ? caller.pid : childTid);
  child.flags = flags;
  if (isThread) {
    child.flags |= CL_CLONE_FILES;
    child.ptid = caller.ptid;
    child.lastExecTsNs = caller.lastExecTsNs;
  } else {
    child.ptid = caller.tid;
    if (isCallerKnown) shareProcess(context, child, caller);
  }
  child.vtid = child.tid;
  child.vpid = child.pid;
  readCommand(record, child);
  readCommon(context, event, child);
  child.pidnsInitStartNs = context.bootTsNs;
  if (isCallerKnown) inherit(child, caller);
  return child;
}

/** The child's half. */
function parseInChild(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const known = event.thread;
  if (known !== undefined && known.cloneTsNs !== 0n) {
    const age = (record.timestampNs() - known.cloneTsNs) & U64_MASK;
    // The caller's half has made the row already.
    if (age < STALE_NS) return;
  }
  if (known !== undefined) discard(context, known);
  event.thread = undefined;
  const child = context.threads.newThread(record.tid, record.number(P_PID));
  child.ptid = record.number(P_PTID);
  readNamespaceIds(record, child);
  child.flags = record.unsignedNumber(P_FLAGS) | CL_CLONE_INVERTED;
  const isLeader = (child.flags & CL_CLONE_THREAD) === 0;
  if (!isLeader) child.flags |= CL_CLONE_FILES;
  const source = context.getThread(isLeader ? child.ptid : child.pid);
  if (source === undefined) return;
  readCommand(record, child);
  takeFromSource(context, child, source, isLeader);
  readCommon(context, event, child);
  readPidns(context, event, child);
  if (addThread(context, child)) event.thread = child;
}

/** A process takes from its parent, a thread from its main thread; an unknown main thread learns from its new thread. */
function takeFromSource(
  context: ParserContext,
  child: ThreadInfo,
  source: ThreadInfo,
  isLeader: boolean,
): void {
  if (!source.isInvalid()) {
    inherit(child, source);
    if (isLeader) shareProcess(context, child, source);
    else child.lastExecTsNs = source.lastExecTsNs;
    return;
  }
  if (isLeader) return;
  context.threads.touch(source);
  source.pid = child.pid;
  source.ptid = child.ptid;
  source.vpid = child.vpid;
  source.vtid = child.vpid;
  source.exe = child.exe;
  source.comm = child.comm;
  source.args = child.args;
  context.tree.link(source);
}

/** What a new process has of its own but starts as a copy. Close-on-exec is not followed: all fds are copied. */
function shareProcess(context: ParserContext, child: ThreadInfo, parent: ThreadInfo): void {
  child.fds.copyFrom(parent.fds);
  child.cwd = context.tree.cwd(parent);
  child.env = parent.env;
}

function readCommon(context: ParserContext, event: InspectedEvent, child: ThreadInfo): void {
  const { record } = event;
  child.fdlimit = record.signed(P_FDLIMIT);
  readMemory(record, child);
  child.uid = record.unsignedNumber(P_UID);
  child.gid = record.unsignedNumber(P_GID);
  if (!record.isEmpty(P_CGROUPS)) context.cgroups.assign(child, record.binary(P_CGROUPS));
  context.cgroups.adopt(child);
  child.category = categoryOf(context.state, child);
  child.cloneTsNs = u64Big(record.tsHi, record.tsLo);
}

function readPidns(context: ParserContext, event: InspectedEvent, child: ThreadInfo): void {
  const { record } = event;
  const isInNamespace =
    (child.flags & (CL_CHILD_IN_PIDNS | CL_CLONE_NEWPID)) !== 0 || child.tid !== child.vtid;
  if (!isInNamespace) child.pidnsInitStartNs = context.bootTsNs;
  else if (!record.isEmpty(P_PIDNS_START)) {
    child.pidnsInitStartNs = BigInt(record.unsigned(P_PIDNS_START)) + context.bootTsNs;
  }
}

/** Takes a row out of the way of a new thread with its tid. */
function discard(context: ParserContext, row: ThreadInfo): void {
  context.tree.remove(row.tid);
  // A main thread whose threads live on stays in the table, and must give way all the same.
  if (context.threads.find(row.tid) === row) {
    context.tree.unlink(row);
    context.threads.delete(row.tid);
  }
}

function addThread(context: ParserContext, child: ThreadInfo): boolean {
  const replaced = context.threads.find(child.tid);
  if (!context.threads.set(child)) return false;
  if (replaced !== undefined) context.tree.unlink(replaced);
  context.tree.link(child);
  return true;
}
