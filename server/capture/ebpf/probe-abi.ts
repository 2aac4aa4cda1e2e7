/** Layout of what the probe and its loader share, as probe/abi.h declares it. A test compiles abi.h and compares every number. */

export const SYSCALLS_MAX = 512;
export const OPS_MAX = 16;
export const CPUS_MAX = 512;
export const RINGS_MAX = 512;
export const FLAG_TABLES_MAX = 64;
export const PROGRAMS_MAX = 64;
export const EVENT_TYPES_MAX = 512;
export const COMMS_MAX = 16;
export const COMM_BYTES = 16;
export const CGROUPS_MAX = 16;
export const SELF_MAX = 4;

/** Bytes before each record in a ring: u32 cpu, u32 reserved. */
export const RING_PREFIX_BYTES = 8;

/** Index in `config.events` of what is no system call. */
export const EVENT_FORK = 0;
export const EVENT_EXEC = 1;
export const EVENT_EXIT = 2;
export const EVENT_SIGNAL = 3;
export const EVENT_PAGE_FAULT = 4;
export const EVENT_SWITCH = 5;
export const EVENTS_COUNT = 16;

/** struct config: offsets. */
export const CONFIG = {
  bytes: 1112,
  bootEpochNs: 0,
  enabled: 8,
  ringCount: 12,
  snaplen: 16,
  argsBytesMax: 20,
  selfCount: 24,
  selfTgids: 28,
  suppressedCount: 44,
  commCount: 48,
  cgroupCount: 52,
  wantsEnv: 56,
  selfTree: 60,
  comms: 64,
  cgroups: 320,
  pageKb: 576,
  events: 584,
  syscalls: 600,
} as const;
/** u64 id, u32 level, u32 reserved. */
export const CGROUP_BYTES = 16;

/** struct counters: offsets of u64. */
export const COUNTERS = {
  bytes: 128,
  generated: 0,
  dropped: 8,
  suppressed: 16,
  unread: 24,
  truncated: 32,
  failed: 40,
} as const;

/** struct syscall_row: offsets. */
export const SYSCALL_ROW = {
  bytes: 72,
  eventType: 0,
  syscallId: 2,
  program: 4,
  opCount: 5,
  paramCount: 6,
  ops: 8,
} as const;
/** u8 kind, arg, table, extra. */
export const OP_BYTES = 4;

/** Four tables of 256 u32, one per byte of the native word. */
export const FLAG_TABLE_BYTES = 4096;

/** Largest I/O payload the record format can hold beside its other parameters. */
export const SNAPLEN_MAX = 65_000;
export const ARGS_BYTES_MAX = 32_767;
