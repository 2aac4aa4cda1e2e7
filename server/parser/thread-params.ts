/** Decoding of the parameters that clone, exec and snapshot events share. */
import type { EventRecord } from '../event/event-record.ts';
import type { ThreadInfo } from '../state/thread-info.ts';

const DELETED_SUFFIX = ' (deleted)';

/** The items of a NUL-separated run; one NUL ends the run, and a run of only that has no items. */
export function splitItems(run: string): string[] {
  const text = run.endsWith('\0') ? run.slice(0, -1) : run;
  return text === '' ? [] : text.split('\0');
}

/** The path without the mark of the kernel for a file that is gone. */
export function exepathOf(path: string): string {
  return path.length > DELETED_SUFFIX.length && path.endsWith(DELETED_SUFFIX)
    ? path.slice(0, -DELETED_SUFFIX.length)
    : path;
}

/** Page fault and memory counters at parameters 8 to 12 of clone and exec events. */
export function readMemory(record: EventRecord, row: ThreadInfo): void {
  if (record.isEmpty(12)) return;
  row.pfmajor = record.unsigned(8);
  row.pfminor = record.unsigned(9);
  row.vmsizeKb = record.unsignedNumber(10);
  row.vmrssKb = record.unsignedNumber(11);
  row.vmswapKb = record.unsignedNumber(12);
}

/** argv[0], arguments and the command name of clone and exec events. */
export function readCommand(record: EventRecord, row: ThreadInfo): void {
  row.exe = record.text(1);
  row.comm = record.isEmpty(13) ? row.exe : record.text(13);
  row.args = splitItems(record.binary(2));
}

/** What a new thread inherits from the one it was made by. */
export function inherit(child: ThreadInfo, from: ThreadInfo): void {
  child.exepath = from.exepath;
  child.exeWritable = from.exeWritable;
  child.exeUpperLayer = from.exeUpperLayer;
  child.exeLowerLayer = from.exeLowerLayer;
  child.exeFromMemfd = from.exeFromMemfd;
  child.root = from.root;
  child.sid = from.sid;
  child.vpgid = from.vpgid;
  child.pgid = from.pgid;
  child.tty = from.tty;
  child.loginuid = from.loginuid;
  child.capPermitted = from.capPermitted;
  child.capInheritable = from.capInheritable;
  child.capEffective = from.capEffective;
  child.exeIno = from.exeIno;
  child.exeInoCtimeNs = from.exeInoCtimeNs;
  child.exeInoMtimeNs = from.exeInoMtimeNs;
  child.exeInoCtimeDurationCloneNs = from.exeInoCtimeDurationCloneNs;
}
