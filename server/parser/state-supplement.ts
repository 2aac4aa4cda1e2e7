/**
 * What the lists of a capture file lose of a state, as rows, and putting it back. The rows are found by reading the lists back
 * into a state of their own and comparing: whatever the lists cannot say, now or after a change to them, is in the rows.
 */
import type { SupplementMembers, SupplementRow } from '../event/snapshot.ts';
import {
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_PIDFD,
  FD_UNKNOWN,
  FD_UNSUPPORTED,
  FdInfo,
  L4_RAW,
  L4_UNKNOWN,
} from '../state/fd-info.ts';
import type { FdTable } from '../state/fd-table.ts';
import type { OsState } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import {
  allMembers,
  assignMembers,
  differingMembers,
  FD_MEMBERS,
  THREAD_MEMBERS,
} from './supplement-members.ts';

/** `rebuilt`: what the lists of `state` are read as. */
export function* supplementRows(state: OsState, rebuilt: OsState): Generator<SupplementRow> {
  if (state.isLive) yield { kind: 'live' };
  const seenTables = new Set<FdTable>();
  const seenPids = new Set<number>();
  for (const row of state.threads.values()) {
    const other = rebuilt.threads.find(row.tid);
    if (other === undefined) continue;
    yield* threadRows(row, other, seenPids);
    if (seenTables.has(row.fds)) continue;
    seenTables.add(row.fds);
    yield* fdRows(row.tid, row.fds, other.fds);
  }
}

function* threadRows(row: ThreadInfo, other: ThreadInfo, seenPids: Set<number>): Generator<SupplementRow> {
  const { tid, pid } = row;
  const members = differingMembers(THREAD_MEMBERS, row, other);
  if (members !== undefined) yield { kind: 'thread', tid, members };
  if (row.isDead) yield { kind: 'dead', tid };
  if (row.storedEvent !== undefined) yield { kind: 'enter', tid, record: row.storedEvent.bytes };
  const group = row.threadGroup;
  if (group === undefined || seenPids.has(pid)) return;
  seenPids.add(pid);
  if (group.isReaper !== other.threadGroup?.isReaper) yield { kind: 'reaper', pid, isReaper: group.isReaper };
}

function* fdRows(tid: number, table: FdTable, other: FdTable): Generator<SupplementRow> {
  for (const [fd, row] of table.entries()) {
    const rebuilt = other.find(fd);
    // A row the lists lose altogether is made anew from its type.
    const members = differingMembers(FD_MEMBERS, row, rebuilt ?? new FdInfo(-1));
    if (members !== undefined) yield { kind: 'fd', tid, fd, members };
  }
  const fds = table.walk();
  if (fds.join() === other.walk().join() && table.buckets === other.buckets) return;
  yield { kind: 'fd-order', tid, fds: fds.reverse(), bucketCount: table.buckets };
}

/** Puts the rows into a state whose lists have been read and linked. Rows about what is not there do nothing. */
export function applySupplement(state: OsState, rows: Iterable<SupplementRow>): void {
  for (const row of rows) applyRow(state, row);
}

function applyRow(state: OsState, row: SupplementRow): void {
  if (row.kind === 'reaper') {
    const group = state.tree.findGroup(row.pid);
    if (group !== undefined) group.isReaper = row.isReaper;
    return;
  }
  if (row.kind === 'live') {
    state.isLive = true;
    return;
  }
  const thread = state.threads.find(row.tid);
  if (thread === undefined) return;
  switch (row.kind) {
    case 'thread': {
      const { pid } = thread;
      assignMembers(THREAD_MEMBERS, thread, row.members);
      // Who is linked belongs to its process.
      if (thread.threadGroup !== undefined) thread.pid = pid;
      return;
    }
    case 'dead':
      state.tree.markDead(thread);
      return;
    case 'fd': {
      const fd = thread.fds.write(row.fd) ?? new FdInfo(0);
      assignMembers(FD_MEMBERS, fd, row.members);
      keepInRange(fd);
      if (thread.fds.find(row.fd) === undefined) thread.fds.set(row.fd, fd);
      return;
    }
    case 'fd-order':
      thread.fds.arrange(row.fds, row.bucketCount);
      return;
    case 'enter': {
      const type = row.record.readUInt16LE(20);
      thread.storedEvent = { type, bytes: row.record };
      thread.lastEventType = type;
    }
  }
}

/** Kinds that nobody knows, and addresses of no family: what is read from outside may say anything. */
function keepInRange(fd: FdInfo): void {
  if (fd.type < FD_UNKNOWN || fd.type > FD_PIDFD) fd.type = FD_UNSUPPORTED;
  if (fd.l4proto < L4_UNKNOWN || fd.l4proto > L4_RAW) fd.l4proto = L4_UNKNOWN;
  const length = fd.type === FD_IPV6_SOCK || fd.type === FD_IPV6_SERVSOCK ? 16 : 4;
  if (fd.sip.length !== length) fd.sip = '';
  if (fd.dip.length !== length) fd.dip = '';
}

/** Threads as they are now, with all their fds: for changes of the state that no event told. */
export function* changedRows(state: OsState, tids: Iterable<number>): Generator<SupplementRow> {
  for (const tid of tids) {
    const row = state.threads.find(tid);
    if (row === undefined) continue;
    yield { kind: 'thread', tid, members: allMembers(THREAD_MEMBERS, row) };
    if (row.isDead) yield { kind: 'dead', tid };
    for (const [fd, info] of row.fds.entries()) {
      yield { kind: 'fd', tid, fd, members: allMembers(FD_MEMBERS, info) };
    }
    yield { kind: 'fd-order', tid, fds: row.fds.walk().reverse(), bucketCount: row.fds.buckets };
  }
}

/** Applies `changedRows` between two events of a replay. */
export function applyChangedRows(state: OsState, rows: Iterable<SupplementRow>): void {
  for (const row of rows) {
    if (row.kind === 'thread') takeThread(state, row.tid, row.members);
    else if (row.kind === 'fd-order') keepFds(state, row.tid, row.fds);
    if (row.kind === 'fd' || row.kind === 'fd-order' || row.kind === 'dead') applyRow(state, row);
  }
}

function takeThread(state: OsState, tid: number, members: SupplementMembers): void {
  const { threads, tree } = state;
  let known = threads.find(tid);
  if (known?.threadGroup !== undefined && known.pid !== members['pid']) {
    // The tid has passed to another process.
    tree.unlink(known);
    threads.delete(tid);
    known = undefined;
  }
  const row = known ?? threads.newThread(tid, -1);
  if (known !== undefined) threads.touch(known);
  assignMembers(THREAD_MEMBERS, row, members);
  if (known === undefined && !threads.set(row)) return;
  tree.link(row);
  // Linking decides some of them by what it finds; here is what it found at the time.
  assignMembers(THREAD_MEMBERS, row, members);
}

function keepFds(state: OsState, tid: number, fds: readonly number[]): void {
  const table = state.threads.find(tid)?.fds;
  if (table === undefined) return;
  const kept = new Set(fds);
  for (const [fd] of [...table.entries()]) if (!kept.has(fd)) table.delete(fd);
}
