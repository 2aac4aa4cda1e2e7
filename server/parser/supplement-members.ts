/** The members of thread and fd rows that fields are read from, by kind: what a supplement may say about a row. */
import type { SupplementMembers, SupplementValue } from '../event/snapshot.ts';
import type { FdInfo } from '../state/fd-info.ts';
import type { ThreadInfo } from '../state/thread-info.ts';

/** `number`: whole and exact; `integer`: 64 bits, a bigint beyond 2^53; `bigint`: always one; `text`: a binary string. */
type MemberKind = 'number' | 'integer' | 'bigint' | 'boolean' | 'text' | 'texts' | 'pairs';

export type MemberTable = ReadonlyMap<string, MemberKind>;

function table<Row>(members: { readonly [Name in keyof Row & string]?: MemberKind }): MemberTable {
  return new Map(Object.entries(members) as [string, MemberKind][]);
}

export const THREAD_MEMBERS: MemberTable = table<ThreadInfo>({
  pid: 'number',
  ptid: 'number',
  reaperTid: 'number',
  sid: 'number',
  pgid: 'number',
  vtid: 'number',
  vpid: 'number',
  vpgid: 'number',
  comm: 'text',
  exe: 'text',
  exepath: 'text',
  args: 'texts',
  env: 'texts',
  cwd: 'text',
  root: 'text',
  cgroups: 'pairs',
  flags: 'number',
  uid: 'number',
  gid: 'number',
  loginuid: 'number',
  fdlimit: 'integer',
  capInheritable: 'integer',
  capPermitted: 'integer',
  capEffective: 'integer',
  vmsizeKb: 'number',
  vmrssKb: 'number',
  vmswapKb: 'number',
  pfmajor: 'integer',
  pfminor: 'integer',
  tty: 'number',
  exeIno: 'integer',
  exeInoCtimeNs: 'bigint',
  exeInoMtimeNs: 'bigint',
  exeInoCtimeDurationCloneNs: 'bigint',
  exeInoCtimeDurationPidnsNs: 'bigint',
  exeWritable: 'boolean',
  exeUpperLayer: 'boolean',
  exeLowerLayer: 'boolean',
  exeFromMemfd: 'boolean',
  pidnsInitStartNs: 'bigint',
  cloneTsNs: 'bigint',
  lastExecTsNs: 'bigint',
  containerId: 'text',
  category: 'number',
  lastExecTimeNs: 'number',
  totalExecTimeNs: 'number',
  cpuUser: 'number',
  cpuSystem: 'number',
  isPlaceholder: 'boolean',
});

export const FD_MEMBERS: MemberTable = table<FdInfo>({
  type: 'number',
  openFlags: 'number',
  name: 'text',
  rawName: 'text',
  oldName: 'text',
  dev: 'number',
  mountId: 'number',
  ino: 'integer',
  pid: 'number',
  flags: 'number',
  sip: 'text',
  dip: 'text',
  sport: 'number',
  dport: 'number',
  l4proto: 'number',
  unixSource: 'integer',
  unixPeer: 'integer',
});

/** All members of a row. */
export function allMembers(members: MemberTable, row: object): SupplementMembers {
  return Object.fromEntries([...members.keys()].map((name) => [name, Reflect.get(row, name)]));
}

/** What `row` has otherwise than `rebuilt`; undefined when nothing. */
export function differingMembers(
  members: MemberTable,
  row: object,
  rebuilt: object,
): SupplementMembers | undefined {
  let found: Record<string, SupplementValue> | undefined;
  for (const [name, kind] of members) {
    const value = Reflect.get(row, name) as SupplementValue;
    const other = Reflect.get(rebuilt, name) as SupplementValue;
    if (value === other || (isList(kind) && JSON.stringify(value) === JSON.stringify(other))) continue;
    found ??= {};
    found[name] = value;
  }
  return found;
}

function isList(kind: MemberKind): boolean {
  return kind === 'texts' || kind === 'pairs';
}

/** Sets members of a row. Names that are none of its own and values of another kind are left out: they come from outside. */
export function assignMembers(members: MemberTable, row: object, values: SupplementMembers): void {
  for (const [name, value] of Object.entries(values)) {
    const kind = members.get(name);
    if (kind !== undefined && fits(kind, value)) Reflect.set(row, name, value);
  }
}

function fits(kind: MemberKind, value: SupplementValue): boolean {
  switch (kind) {
    case 'number':
    case 'boolean':
    case 'bigint':
      return typeof value === kind;
    case 'integer':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'text':
      return typeof value === 'string';
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'pairs':
      return Array.isArray(value) && value.every((item) => Array.isArray(item));
  }
}
