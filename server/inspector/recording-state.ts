/**
 * The start of every recorded file: section header and the state of this moment. Machine, interfaces, users, groups, threads
 * and fds as lists that every reader of the format takes; what lists cannot say as a supplement; containers, and their users
 * and groups, as the state-only events that captures have had for them.
 */
import { BlockEncoder } from '../capture/savefile/block-encoder.ts';
import { encodeEvent, encodeSection } from '../capture/savefile/event-encoder.ts';
import { readStateBlocks } from '../capture/savefile/state-block.ts';
import {
  encodeFds,
  encodeInterfaces,
  encodeMachine,
  encodeThreads,
  encodeUsers,
} from '../capture/savefile/state-encoder.ts';
import { encodeSupplement } from '../capture/savefile/state-supplement.ts';
import { containerJsonOf, isBare } from '../container/container-rows.ts';
import type { EventRecord } from '../event/event-record.ts';
import {
  PPME_ASYNCEVENT_E,
  PPME_CONTAINER_JSON_2_E,
  PPME_GROUP_ADDED_E,
  PPME_USER_ADDED_E,
} from '../event/event-types.ts';
import type { FdEntry, ThreadEntry } from '../event/snapshot.ts';
import { podJsonOf } from '../kubernetes/pod-rows.ts';
import { InitialState } from '../parser/initial-state.ts';
import { POD_EVENT } from '../parser/pod-events.ts';
import { supplementRows } from '../parser/state-supplement.ts';
import { FD_FILE_V2, FD_UNSUPPORTED, type FdInfo } from '../state/fd-info.ts';
import type { FdTable } from '../state/fd-table.ts';
import { OsState } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { buildRecord } from './recording-events.ts';

/** Block flag of records that carry state only. */
const FLAG_STATE_ONLY = 1;
/** Last kind of fd that all readers of these lists know. */
const FD_KIND_MAX = FD_FILE_V2;
const LISTS_BYTES = 1_048_576;
/** Async events of the syscall source itself, not of a plugin. */
const OWN_PLUGIN_ID = 0;

/** Bytes of a file's start, and what it holds. */
export interface StateBytes {
  readonly bytes: Buffer;
  readonly threads: number;
}

/**
 * `at`: the event whose time the state-only events get, so that the time since the event before is what it was.
 * Takes as long as copying the whole state: to be called between events.
 */
export function encodeState(state: OsState, at: EventRecord): StateBytes {
  const to = new BlockEncoder(LISTS_BYTES);
  encodeSection(to);
  const listsAt = to.at;
  encodeLists(to, state);
  const lists = to.peek(listsAt);
  const rebuilt = new OsState({ ...state.limits, undoEntriesMax: 0 });
  const sink = new InitialState(rebuilt);
  readStateBlocks(lists, sink);
  sink.finish();
  encodeSupplement(to, supplementRows(state, rebuilt));
  encodeContainers(to, state, at);
  return { bytes: to.take(), threads: state.threads.size };
}

function encodeLists(to: BlockEncoder, state: OsState): void {
  encodeMachine(to, { ...state.machine, flags: 0n });
  encodeInterfaces(to, state.interfaces.values());
  const users = [...state.users.entries()].filter(([container]) => container === '');
  const groups = [...state.groups.entries()].filter(([container]) => container === '');
  encodeUsers(
    to,
    users.map(([, , row]) => row),
    groups.map(([, , row]) => row),
  );
  encodeThreads(to, threadEntries(state));
  const seen = new Set<FdTable>();
  for (const row of state.threads.values()) {
    if (seen.has(row.fds) || row.fds.size === 0) continue;
    seen.add(row.fds);
    // A process's fds are its main thread's.
    const tid = state.tree.findMain(row)?.fds === row.fds ? row.pid : row.tid;
    encodeFds(to, tid, fdEntries(row.fds));
  }
}

function* threadEntries(state: OsState): Generator<ThreadEntry> {
  for (const row of state.threads.values()) yield threadEntry(row);
}

function threadEntry(row: ThreadInfo): ThreadEntry {
  const { tid, pid, ptid, sid, vpgid, pgid, comm, exe, exepath, root, flags, uid, gid, tty, loginuid } = row;
  return {
    tid,
    pid,
    ptid,
    sid,
    vpgid,
    pgid,
    comm,
    exe,
    exepath,
    args: runOf(row.args),
    cwd: row.cwd.length > 1 && row.cwd.endsWith('/') ? row.cwd.slice(0, -1) : row.cwd,
    fdlimit: row.fdlimit,
    flags,
    uid,
    gid,
    vmsizeKb: row.vmsizeKb,
    vmrssKb: row.vmrssKb,
    vmswapKb: row.vmswapKb,
    pfmajor: row.pfmajor,
    pfminor: row.pfminor,
    env: runOf(row.env),
    vtid: row.vtid,
    vpid: row.vpid,
    cgroups: runOf(row.cgroups.map(([subsystem, path]) => `${subsystem}=${path}`)),
    root,
    pidnsInitStartNs: row.pidnsInitStartNs,
    tty,
    loginuid,
    exeWritable: row.exeWritable,
    capInheritable: row.capInheritable,
    capPermitted: row.capPermitted,
    capEffective: row.capEffective,
    exeUpperLayer: row.exeUpperLayer,
    exeIno: row.exeIno,
    exeInoCtimeNs: row.exeInoCtimeNs,
    exeInoMtimeNs: row.exeInoMtimeNs,
    exeFromMemfd: row.exeFromMemfd,
    exeLowerLayer: row.exeLowerLayer,
  };
}

function runOf(items: readonly string[]): string {
  return items.length === 0 ? '' : `${items.join('\0')}\0`;
}

/** Oldest first, so that a reader that adds them one by one has them in the same order. */
function fdEntries(table: FdTable): FdEntry[] {
  const entries: FdEntry[] = [];
  for (const fd of table.walk().reverse()) {
    const row = table.find(fd);
    if (row !== undefined) entries.push(fdEntry(fd, row));
  }
  return entries;
}

function fdEntry(fd: number, row: FdInfo): FdEntry {
  const { type, ino, name, openFlags, mountId, dev, sip, dip, sport, dport, l4proto } = row;
  const { unixSource, unixPeer } = row;
  return {
    fd,
    ino,
    // Kinds that older readers refuse the whole file for are told by the supplement.
    type: type > FD_KIND_MAX ? FD_UNSUPPORTED : type,
    name,
    openFlags,
    mountId,
    dev,
    sip,
    dip,
    sport,
    dport,
    l4proto,
    unixSource,
    unixPeer,
  };
}

function encodeContainers(to: BlockEncoder, state: OsState, at: EventRecord): void {
  const write = (type: number, values: readonly (string | number)[]): void => {
    encodeEvent(to, buildRecord(type, values, at), FLAG_STATE_ONLY);
  };
  for (const row of state.containers.values()) {
    // A container of which only the id is known follows from its threads.
    if (!isBare(row)) write(PPME_CONTAINER_JSON_2_E, [containerJsonOf(row)]);
  }
  for (const row of state.pods.values()) write(PPME_ASYNCEVENT_E, [OWN_PLUGIN_ID, POD_EVENT, podJsonOf(row)]);
  for (const [container, uid, row] of state.users.entries()) {
    if (container === '') continue;
    write(PPME_USER_ADDED_E, [uid, row.gid, row.name, row.homedir, row.shell, container]);
  }
  for (const [container, gid, row] of state.groups.entries()) {
    if (container !== '') write(PPME_GROUP_ADDED_E, [gid, row.name, container]);
  }
}
