/** Operations of the probe's table of system calls (OP_* in probe/ops.h): where each parameter of an event comes from. */
import { type ConversionName, flagTableIndex } from './flag-conversions.ts';

/** Numbers of ops.h. */
export const OP = {
  EMPTY: 0,
  RET: 1,
  S64: 2,
  FD: 3,
  U32: 4,
  U16: 5,
  U8: 6,
  FLAGS32: 7,
  FLAGS16: 8,
  FLAGS8: 9,
  PATH: 10,
  CONST32: 11,
  CONST8: 12,
  VM: 13,
  S32: 14,
  SYSCALL_ID: 15,
  NATIVE_ID: 16,
  DEV_INO: 17,
  USER_U64: 18,
  USER_U32: 19,
  TIMESPEC: 20,
  BYTES: 21,
  RET32: 22,
  UINT: 23,
  ENUM32: 24,
  ENUM16: 25,
  ENUM8: 26,
  OPEN_FLAGS: 27,
  CREAT_FLAGS: 28,
  OPEN_MODE: 29,
  USER_FLAGS32: 30,
  MOUNT_FLAGS: 31,
  S32_IF: 32,
  PATH_OK: 33,
  RLIMIT: 34,
} as const;

/** One operation, as `struct op` of probe/abi.h. */
export interface Op {
  readonly kind: number;
  /** Index of the system call's argument, 0 to 5. */
  readonly arg: number;
  /** Index in `flagTables()`, or what the operation says. */
  readonly table: number;
  readonly extra: number;
}

const VARIABLE = 0;

/** Bytes of the values an operation writes, in order; 0 stands for any length. */
export function opWidths(kind: number): readonly number[] {
  const widths = WIDTHS.get(kind);
  if (widths === undefined) throw new RangeError(`unknown operation ${kind}`);
  return widths;
}

const WIDTHS: ReadonlyMap<number, readonly number[]> = new Map<number, readonly number[]>([
  [OP.EMPTY, [VARIABLE]],
  [OP.RET, [8]],
  [OP.S64, [8]],
  [OP.FD, [8]],
  [OP.U32, [4]],
  [OP.U16, [2]],
  [OP.U8, [1]],
  [OP.FLAGS32, [4]],
  [OP.FLAGS16, [2]],
  [OP.FLAGS8, [1]],
  [OP.PATH, [VARIABLE]],
  [OP.CONST32, [4]],
  [OP.CONST8, [1]],
  [OP.VM, [4, 4, 4]],
  [OP.S32, [4]],
  [OP.SYSCALL_ID, [2]],
  [OP.NATIVE_ID, [2]],
  [OP.DEV_INO, [4, 8]],
  [OP.USER_U64, [8]],
  [OP.USER_U32, [4]],
  [OP.TIMESPEC, [8]],
  [OP.BYTES, [VARIABLE]],
  [OP.RET32, [4]],
  [OP.UINT, [8]],
  [OP.ENUM32, [4]],
  [OP.ENUM16, [2]],
  [OP.ENUM8, [1]],
  [OP.OPEN_FLAGS, [4]],
  [OP.CREAT_FLAGS, [2]],
  [OP.OPEN_MODE, [4]],
  [OP.USER_FLAGS32, [4]],
  [OP.MOUNT_FLAGS, [4]],
  [OP.S32_IF, [4]],
  [OP.PATH_OK, [VARIABLE]],
  [OP.RLIMIT, [8]],
]);

function op(kind: number, arg = 0, table = 0, extra = 0): Op {
  return { kind, arg, table, extra };
}

function converted(kind: number): (arg: number, conversion: ConversionName, extra?: number) => Op {
  return (arg, conversion, extra = 0) => op(kind, arg, flagTableIndex(conversion), extra);
}

/** The call's result. */
export const ret: Op = op(OP.RET);
export const ret32: Op = op(OP.RET32);
/** vm_size, vm_rss and vm_swap of the process. */
export const vm: Op = op(OP.VM);
/** Device and inode of the file behind the returned fd. */
export const devIno: Op = op(OP.DEV_INO);
export const syscallId: Op = op(OP.SYSCALL_ID);
export const nativeId: Op = op(OP.NATIVE_ID);

export const s64 = (arg: number): Op => op(OP.S64, arg);
/** An fd or a process id: 32 signed bits in 8 bytes. */
export const fd = (arg: number): Op => op(OP.FD, arg);
export const s32 = (arg: number): Op => op(OP.S32, arg);
export const u32 = (arg: number): Op => op(OP.U32, arg);
/** 32 unsigned bits in 8 bytes. */
export const uint = (arg: number): Op => op(OP.UINT, arg);
export const u16 = (arg: number): Op => op(OP.U16, arg);
export const u8 = (arg: number): Op => op(OP.U8, arg);
export const path = (arg: number): Op => op(OP.PATH, arg);
/** Text the kernel writes when the call succeeds. */
export const pathOut = (arg: number): Op => op(OP.PATH_OK, arg);
export const const32 = (value: number): Op => op(OP.CONST32, 0, 0, value);
export const const8 = (value: number): Op => op(OP.CONST8, 0, 0, value);
export const timespec = (arg: number): Op => op(OP.TIMESPEC, arg);
/** Bytes at an address whose length is another argument. */
export const bytes = (arg: number, lengthArg: number): Op => op(OP.BYTES, arg, 0, lengthArg);
export const userU64 = (arg: number, offset = 0): Op => op(OP.USER_U64, arg, 0, offset);
export const userU32 = (arg: number, offset = 0): Op => op(OP.USER_U32, arg, 0, offset);
export const mountFlags = (arg: number): Op => op(OP.MOUNT_FLAGS, arg);
/** The mode of a new file: 0 unless the open flags in `flagsArg` create one. */
export const openMode = (arg: number, flagsArg: number): Op =>
  op(OP.OPEN_MODE, arg, flagTableIndex('chmodMode'), flagsArg);
/** An argument that only counts when argument `otherArg` is `value`. */
export const s32If = (arg: number, otherArg: number, value: number): Op =>
  op(OP.S32_IF, arg, otherArg, value);

export const flags32 = converted(OP.FLAGS32);
export const flags16 = converted(OP.FLAGS16);
export const enum32 = converted(OP.ENUM32);
export const enum16 = converted(OP.ENUM16);
export const enum8 = converted(OP.ENUM8);
/** 4 bytes of flags at an address plus an offset. */
export const userFlags32 = converted(OP.USER_FLAGS32);
/** Flags of open, with what the kernel knows of the returned file: created, layer of an overlay. */
export const openFlags = (arg: number): Op => op(OP.OPEN_FLAGS, arg, flagTableIndex('openFlags'));
export const creatFlags: Op = op(OP.CREAT_FLAGS);

/** What a limit is when the call failed, and whether a 32-bit process has it in 32 bits. */
export const RLIMIT_ZERO_ON_FAILURE = 1;
export const RLIMIT_MINUS_ON_FAILURE = 2;
export const RLIMIT_COMPAT32 = 4;
/** Word `index` (0 soft, 1 hard) of a struct rlimit; `how` is a set of RLIMIT_*. */
export const rlimit = (arg: number, index: 0 | 1, how: number): Op => op(OP.RLIMIT, arg, how, index);
