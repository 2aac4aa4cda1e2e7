/** What the probe writes for every system call: the rows of its table `syscalls`, one per native number. */
import { EVENT_TABLE } from '../../event/event-table.ts';
import { FLAG_DATA } from '../../event/flag-tables.ts';
import { type Architecture, COMPAT_ONLY, nativeNumbers } from './syscall-numbers.ts';
import { type Op, opWidths } from './syscall-ops.ts';
import { COMPAT_ROW_CONTENTS, GENERIC_OPS, ROW_CONTENTS, type RowContent } from './syscall-row-table.ts';

export type { FlagTable } from './flag-conversions.ts';
export { flagTables } from './flag-conversions.ts';
export type { Architecture } from './syscall-numbers.ts';
export { compatNumbers } from './syscall-numbers.ts';
export type { Op } from './syscall-ops.ts';

/** Operations of a row at most (OPS_MAX of probe/abi.h). */
export const OPS_MAX = 16;

/** Event of system calls without one of their own. */
export const GENERIC_EVENT = 1;

/** One system call as the probe sees it (struct syscall_row). */
export interface SyscallRow {
  /** Native number. */
  readonly nr: number;
  readonly name: string;
  /** Event type. */
  readonly eventType: number;
  /** The schema's number of the call (PPM_SC_*); 0 when it has none. */
  readonly syscallId: number;
  /** C name of the program that writes the event; undefined: the operations do. */
  readonly program: string | undefined;
  /** Parameters of the event. */
  readonly paramCount: number;
  readonly ops: readonly Op[];
}

const EVENT_TYPES: ReadonlyMap<string, number> = new Map(
  FLAG_DATA.syscallsX8664.map((row) => [row[1], row[4]]),
);
const SYSCALL_IDS: ReadonlyMap<string, number> = new Map(
  Object.entries(FLAG_DATA.syscallNames).map(([code, name]) => [name, Number(code)]),
);
const EVENT_TYPES_BY_CODE: ReadonlyMap<string, number> = new Map(
  EVENT_TABLE.map((info) => [info.code, info.id]),
);

/** Rows of all system calls of an architecture, by rising number; on x86_64 with those only 32-bit processes make. */
export function syscallRows(arch: Architecture): readonly SyscallRow[] {
  const rows: SyscallRow[] = [];
  for (const [name, nr] of nativeNumbers(arch)) {
    const eventType = EVENT_TYPES.get(name) ?? GENERIC_EVENT;
    const content = eventType === GENERIC_EVENT ? GENERIC_OPS : ROW_CONTENTS.get(name);
    if (content === undefined) throw new Error(`system call ${name} has an event but no row`);
    rows.push(toRow(nr, name, eventType, content));
  }
  if (arch === 'x64') rows.push(...compatRows());
  return rows.sort((a, b) => a.nr - b.nr);
}

function compatRows(): SyscallRow[] {
  return Array.from(COMPAT_ROW_CONTENTS, ([name, { code, content }]) => {
    const nr = COMPAT_ONLY.get(name);
    const eventType = EVENT_TYPES_BY_CODE.get(code);
    if (nr === undefined || eventType === undefined)
      throw new Error(`system call ${name} has no number or event`);
    return toRow(nr, name, eventType, content);
  });
}

function toRow(nr: number, name: string, eventType: number, content: RowContent): SyscallRow {
  const isProgram = typeof content === 'string';
  const ops = isProgram ? [] : content;
  const declared = EVENT_TABLE[eventType]?.params.length ?? 0;
  const paramCount = isProgram ? declared : ops.reduce((sum, op) => sum + opWidths(op.kind).length, 0);
  return {
    nr,
    name,
    eventType,
    syscallId: SYSCALL_IDS.get(name) ?? 0,
    program: isProgram ? content : undefined,
    paramCount,
    ops,
  };
}
