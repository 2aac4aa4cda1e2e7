/** Rows of the proc class about the executable file and about when the process started. */
import { type Integer, u64Big } from '../event/u64.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { findMain, findParent } from './ancestors.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { ofParent, ofThread } from './proc-shape.ts';

const row = rowsOf('proc');

function flag(name: string, description: string, pick: (thread: ThreadInfo) => boolean): FieldRow {
  return row(name, 'bool', 'NA', description, ofThread(pick));
}

/** Number of fds the process has open; 0 when the process is not known. */
export function openFdCount(thread: ThreadInfo, event: InspectedEvent): number {
  const main = findMain(event.state, thread);
  return main === undefined ? 0 : event.state.fdCount(main.fds);
}

/** Nanoseconds from `startNs` to the event, as an unsigned number. */
export function elapsedNs(event: InspectedEvent, startNs: bigint): Integer {
  const { tsHi, tsLo } = event.record;
  return narrow(BigInt.asUintN(64, u64Big(tsHi, tsLo) - startNs));
}

function narrow(value: bigint): Integer {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** 0 is how the state says that it does not know. */
export function nonZero(value: bigint): Integer | undefined {
  return value === 0n ? undefined : narrow(BigInt.asUintN(64, value));
}

function time(name: string, description: string, pick: (thread: ThreadInfo) => bigint): FieldRow {
  return row(
    name,
    'abstime',
    'DEC',
    description,
    ofThread((thread) => nonZero(pick(thread))),
  );
}

/** For a parent of unknown start the reference lets the number of open fds stand in; so must we to be equal. */
const parentDuration: Extractor = (event) => {
  const { thread } = event;
  const parent = thread === undefined ? undefined : findParent(event.state, thread);
  if (thread === undefined || parent === undefined) return undefined;
  return parent.cloneTsNs === 0n ? openFdCount(thread, event) : elapsedNs(event, parent.cloneTsNs);
};

export const PROC_TIME_FIELDS: readonly FieldRow[] = [
  row(
    'proc.duration',
    'reltime',
    'DEC',
    'ns since the process started',
    ofThread((thread, event) => (thread.cloneTsNs === 0n ? undefined : elapsedNs(event, thread.cloneTsNs))),
  ),
  row('proc.ppid.duration', 'reltime', 'DEC', 'ns since the parent started', parentDuration),
  row(
    'proc.pid.ts',
    'reltime',
    'DEC',
    'process start, epoch ns',
    ofThread((thread) => nonZero(thread.cloneTsNs)),
  ),
  row(
    'proc.ppid.ts',
    'reltime',
    'DEC',
    'parent start, epoch ns; 0 when it started before the capture',
    ofParent((parent) => parent.cloneTsNs),
  ),
];

export const PROC_EXE_FLAG_FIELDS: readonly FieldRow[] = [
  flag(
    'proc.is_exe_writable',
    'executable is writable by the user who ran it',
    (thread) => thread.exeWritable,
  ),
  flag(
    'proc.is_exe_upper_layer',
    'executable lives in the overlayfs upper layer',
    (thread) => thread.exeUpperLayer,
  ),
  flag(
    'proc.is_exe_lower_layer',
    'executable lives in the overlayfs lower layer',
    (thread) => thread.exeLowerLayer,
  ),
  flag('proc.is_exe_from_memfd', 'executable runs from a memfd', (thread) => thread.exeFromMemfd),
];

export const PROC_EXE_FILE_FIELDS: readonly FieldRow[] = [
  row(
    'proc.exe_ino',
    'int64',
    'DEC',
    'inode of the executable',
    // Zero of either kind, number or bigint, is no inode.
    ofThread((thread) => (thread.exeIno ? signed64(thread.exeIno) : undefined)),
  ),
  time('proc.exe_ino.ctime', 'ctime of the executable, epoch ns', (thread) => thread.exeInoCtimeNs),
  time('proc.exe_ino.mtime', 'mtime of the executable, epoch ns', (thread) => thread.exeInoMtimeNs),
  time(
    'proc.exe_ino.ctime_duration_proc_start',
    'ns from executable ctime to process start',
    (thread) => thread.exeInoCtimeDurationCloneNs,
  ),
  time(
    'proc.exe_ino.ctime_duration_pidns_start',
    'ns from pid namespace start to executable ctime',
    (thread) => thread.exeInoCtimeDurationPidnsNs,
  ),
  row(
    'proc.pidns_init_start_ts',
    'uint64',
    'DEC',
    'start of the pid namespace, epoch ns',
    ofThread((thread) => nonZero(thread.pidnsInitStartNs)),
  ),
];

function signed64(value: Integer): Integer {
  return typeof value === 'number' ? value : BigInt.asIntN(64, value);
}

/** Fd limit of the process; 0 when the process is not known. */
export function fdLimit(thread: ThreadInfo, event: InspectedEvent): Integer {
  return findMain(event.state, thread)?.fdlimit ?? 0;
}
