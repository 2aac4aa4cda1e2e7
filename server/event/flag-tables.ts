/** Named values of the event schema: flag words, enums, errno, signals, capabilities, system call names. Source: data/flag-tables.json. */
import rawData from './data/flag-tables.json' with { type: 'json' };

/** One named value of a flag table, in the order the reference walks them. */
export type FlagEntry = readonly [name: string, value: number];

/** A dynamic parameter's possible types; the value's first byte is an index into this list. */
export interface DynamicType {
  readonly type: string;
  readonly format: string;
}

interface FlagData {
  readonly tables: Readonly<Record<string, readonly FlagEntry[]>>;
  readonly dynamicParams: Readonly<Record<string, readonly DynamicType[]>>;
  readonly eventFlags: Readonly<Record<string, number>>;
  readonly capabilities: Readonly<Record<string, number>>;
  readonly errno: Readonly<Record<string, number>>;
  readonly signals: Readonly<Record<string, number>>;
  readonly anonInodeFdTypes: Readonly<Record<string, number>>;
  /** Key is the system call code (ppm_sc) as decimal text. */
  readonly syscallNames: Readonly<Record<string, string>>;
  /** `[native number, name, ppm_sc, enter event, exit event]` */
  readonly syscallsX8664: readonly (readonly [number, string, number, number, number])[];
}

/** All tables of the data file, unchanged. */
export const FLAG_DATA: FlagData = rawData as unknown as FlagData;

/** Errno names by positive number, e.g. `ERRNO_NAMES[2] === 'ENOENT'`. */
export const ERRNO_NAMES: readonly (string | undefined)[] = invert(FLAG_DATA.errno);

/** Signal names by number, e.g. `SIGNAL_NAMES[9] === 'SIGKILL'`. */
export const SIGNAL_NAMES: readonly (string | undefined)[] = invert(FLAG_DATA.signals);

/** System call names by system call code (ppm_sc). */
export const SYSCALL_NAMES: readonly (string | undefined)[] = byNumber(FLAG_DATA.syscallNames);

function invert(table: Readonly<Record<string, number>>): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const [name, value] of Object.entries(table)) names[value] ??= name;
  return names;
}

function byNumber(table: Readonly<Record<string, string>>): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const [code, name] of Object.entries(table)) names[Number(code)] = name;
  return names;
}

/** Clone flags the thread table keeps (PPM_CL_*), and thread state bits that live in the same word. */
export const CL_CLONE_FILES = 1;
export const CL_CLONE_NEWPID = 64;
export const CL_CLONE_PARENT = 256;
export const CL_CLONE_THREAD = 8192;
export const CL_CLONE_INVERTED = 65536;
export const CL_NAME_CHANGED = 131072;
export const CL_CLOSED = 262144;
export const CL_ACTIVE = 524288;
export const CL_CLONE_NEWUSER = 1048576;
export const CL_PIPE_SRC = 2097152;
export const CL_PIPE_DST = 4194304;
export const CL_CHILD_IN_PIDNS = 536870912;
export const CL_IS_MAIN_THREAD = 1073741824;

/** The dirfd value that means "the current directory". */
export const AT_FDCWD = -100;
