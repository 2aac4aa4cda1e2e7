/** Rows of the proc class about process, session and process group ids and their leaders. */
import type { ThreadInfo } from '../state/thread-info.ts';
import { findAncestor, findMain, type LeaderId } from './ancestors.ts';
import type { Extractor, FieldArgument, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { loginShellPid } from './proc-command-fields.ts';
import { ANCESTOR_OPTIONS, bindAnyAncestor, ofLeader, ofParent, ofThread, UNBOUND } from './proc-shape.ts';

const row = rowsOf('proc');

/** Ids beyond are those of sources that cannot name a process by number. */
const ID_MAX = 0xffffffff;

/** An id as it may be shown: -1 stands for "unknown". */
export function shownId(id: number): number | undefined {
  return id >= -1 && id <= ID_MAX ? id : undefined;
}

function id(name: string, description: string, extract: Extractor): FieldRow {
  return row(name, 'int64', 'ID', description, extract);
}

function leaderTexts(idName: LeaderId, word: string, commName: string): FieldRow[] {
  return [
    row(
      commName,
      'string',
      'NA',
      `comm of the ${word} leader`,
      ofLeader(idName, (leader) => leader.comm),
    ),
    row(
      `proc.${idName}.exe`,
      'string',
      'NA',
      `argv[0] of the ${word} leader`,
      ofLeader(idName, (leader) => leader.exe),
    ),
    row(
      `proc.${idName}.exepath`,
      'string',
      'NA',
      `executable path of the ${word} leader`,
      ofLeader(idName, (leader) => leader.exepath),
    ),
  ];
}

/** Parent of the process; a process that has none in sight has no such id. */
const parentPid = ofThread((thread, event) => {
  const ptid = findMain(event.state, thread)?.ptid ?? 0;
  return ptid <= 0 ? undefined : shownId(ptid);
});

/** Ids inside the pid namespace are absent while unknown. */
function knownId(pick: (thread: ThreadInfo) => number): Extractor {
  return ofThread((thread) => {
    const value = pick(thread);
    return value === -1 ? undefined : value;
  });
}

function bindAncestorPid(argument: FieldArgument | undefined): Extractor {
  const level = argument?.index ?? 0;
  return ofThread((thread, event) => {
    const ancestor = findAncestor(event.state, thread, level);
    return ancestor === undefined ? undefined : shownId(ancestor.pid);
  });
}

export const PROC_ID_FIELDS: readonly FieldRow[] = [
  id(
    'proc.loginshellid',
    'pid of the oldest shell among the ancestors',
    ofThread((thread, event) => loginShellPid(thread, event.state)),
  ),
  row(
    'proc.tty',
    'uint32',
    'ID',
    'controlling terminal number, 0 when none',
    ofThread((thread) => thread.tty),
  ),
  id(
    'proc.pid',
    'process id',
    ofThread((thread) => shownId(thread.pid)),
  ),
  id('proc.ppid', 'parent process id', parentPid),
  row('proc.apid', 'int64', 'ID', 'pid of the Nth ancestor; without index the own pid', UNBOUND, {
    ...ANCESTOR_OPTIONS,
    bind: bindAncestorPid,
    bindFilter: bindAnyAncestor((ancestor) => ancestor.pid, bindAncestorPid),
  }),
  id(
    'proc.vpid',
    'pid inside its pid namespace',
    knownId((thread) => thread.vpid),
  ),
  id(
    'proc.pvpid',
    'parent pid inside its pid namespace',
    ofParent((parent) => parent.vpid),
  ),
  id(
    'proc.sid',
    'session id',
    ofThread((thread) => thread.sid),
  ),
  ...leaderTexts('sid', 'session', 'proc.sname'),
  id(
    'proc.vpgid',
    'process group id in its pid namespace',
    ofThread((thread) => thread.vpgid),
  ),
  ...leaderTexts('vpgid', '(virtual) process group', 'proc.vpgid.name'),
  id(
    'proc.pgid',
    'process group id, host pid namespace',
    ofThread((thread) => thread.pgid),
  ),
  ...leaderTexts('pgid', 'process group', 'proc.pgid.name'),
];

export const PROC_LEADER_FIELDS: readonly FieldRow[] = [
  row(
    'proc.is_sid_leader',
    'bool',
    'NA',
    'process leads its session',
    ofThread((thread) => thread.sid === thread.vpid),
  ),
  row(
    'proc.is_vpgid_leader',
    'bool',
    'NA',
    'process leads its (virtual) process group',
    ofThread((thread) => thread.vpgid === thread.vpid),
  ),
  row(
    'proc.is_pgid_leader',
    'bool',
    'NA',
    'process leads its process group',
    ofThread((thread) => thread.pgid === thread.pid),
  ),
];
