/**
 * How the kernel's flags and enumerations become the schema's: per conversion the native value of each name of a schema table. Native
 * values are those of the kernel's user headers; where architectures differ, `arm64` says what is different there.
 */

export type NativeValues = Readonly<Record<string, number>>;

/** A part of a flag word that holds one of several values. The mask lies within one byte. */
export interface Field {
  readonly mask: number;
  readonly values: NativeValues;
  /** Name for all other values; without it they give nothing. */
  readonly otherwise?: string;
}

/** A set of bits: any bit of a name's native value gives that name. */
export interface BitConversion {
  /** Schema table (data/flag-tables.json). */
  readonly schema: string;
  readonly bits: NativeValues;
  readonly arm64?: NativeValues;
  readonly fields?: readonly Field[];
}

/** An enumeration: exactly one native value per name, with values 0 to 255, 0x400 to 0x4ff or 0x4200 to 0x42ff. */
export interface EnumConversion {
  readonly schema: string;
  readonly values: NativeValues;
  /** Further native values of the same names. */
  readonly also?: NativeValues;
  /** Names without a line in `values` have the schema's own number if it is at most this. */
  readonly sameUpTo?: number;
  /** The schema's value for all others. */
  readonly otherwise: number;
}

export type Conversion = BitConversion | EnumConversion;

const CLOEXEC = 0x80000;
const NONBLOCK = 0x800;

const MODE_BITS = {
  S_IXOTH: 0o1,
  S_IWOTH: 0o2,
  S_IROTH: 0o4,
  S_IXGRP: 0o10,
  S_IWGRP: 0o20,
  S_IRGRP: 0o40,
  S_IXUSR: 0o100,
  S_IWUSR: 0o200,
  S_IRUSR: 0o400,
  S_ISVTX: 0o1000,
  S_ISGID: 0o2000,
  S_ISUID: 0o4000,
};

const FLAG_CONVERSIONS = {
  openFlags: {
    schema: 'file_flags',
    // O_SYNC includes O_DSYNC and O_TMPFILE includes O_DIRECTORY: as in the reference, a part is enough for the name.
    bits: {
      O_CREAT: 0o100,
      O_EXCL: 0o200,
      O_TRUNC: 0o1000,
      O_APPEND: 0o2000,
      O_NONBLOCK: NONBLOCK,
      O_DSYNC: 0o10000,
      O_DIRECT: 0o40000,
      O_LARGEFILE: 0o100000,
      O_DIRECTORY: 0o200000,
      O_CLOEXEC: CLOEXEC,
      O_SYNC: 0o4010000,
      O_TMPFILE: 0o20200000,
    },
    arm64: { O_DIRECT: 0o200000, O_LARGEFILE: 0o400000, O_DIRECTORY: 0o40000, O_TMPFILE: 0o20040000 },
    fields: [{ mask: 3, values: { O_WRONLY: 1, O_RDWR: 2 }, otherwise: 'O_RDONLY' }],
  },
  cloneFlags: {
    schema: 'clone_flags',
    bits: {
      CLONE_VM: 0x100,
      CLONE_FS: 0x200,
      CLONE_FILES: 0x400,
      CLONE_SIGHAND: 0x800,
      CLONE_PTRACE: 0x2000,
      CLONE_VFORK: 0x4000,
      CLONE_PARENT: 0x8000,
      CLONE_THREAD: 0x10000,
      CLONE_NEWNS: 0x20000,
      CLONE_SYSVSEM: 0x40000,
      CLONE_SETTLS: 0x80000,
      CLONE_PARENT_SETTID: 0x100000,
      CLONE_CHILD_CLEARTID: 0x200000,
      CLONE_UNTRACED: 0x800000,
      CLONE_CHILD_SETTID: 0x1000000,
      CLONE_NEWCGROUP: 0x2000000,
      CLONE_NEWUTS: 0x4000000,
      CLONE_NEWIPC: 0x8000000,
      CLONE_NEWUSER: 0x10000000,
      CLONE_NEWPID: 0x20000000,
      CLONE_NEWNET: 0x40000000,
      CLONE_IO: 0x80000000,
    },
  },
  chmodMode: { schema: 'chmod_mode', bits: MODE_BITS },
  mknodMode: {
    schema: 'mknod_mode',
    bits: MODE_BITS,
    fields: [
      {
        mask: 0o170000,
        values: {
          S_IFREG: 0o100000,
          S_IFCHR: 0o20000,
          S_IFBLK: 0o60000,
          S_IFIFO: 0o10000,
          S_IFSOCK: 0o140000,
        },
      },
      // No type is a regular file.
      { mask: 0o170000, values: { S_IFREG: 0 } },
    ],
  },
  resolveFlags: {
    schema: 'openat2_flags',
    bits: {
      RESOLVE_NO_XDEV: 1,
      RESOLVE_NO_MAGICLINKS: 2,
      RESOLVE_NO_SYMLINKS: 4,
      RESOLVE_BENEATH: 8,
      RESOLVE_IN_ROOT: 0x10,
      RESOLVE_CACHED: 0x20,
    },
  },
  protFlags: {
    schema: 'prot_flags',
    bits: {
      PROT_READ: 1,
      PROT_WRITE: 2,
      PROT_EXEC: 4,
      PROT_SEM: 8,
      PROT_GROWSDOWN: 0x1000000,
      PROT_GROWSUP: 0x2000000,
    },
  },
  mmapFlags: {
    schema: 'mmap_flags',
    bits: {
      MAP_SHARED: 1,
      MAP_PRIVATE: 2,
      MAP_FIXED: 0x10,
      MAP_ANONYMOUS: 0x20,
      MAP_32BIT: 0x40,
      MAP_GROWSDOWN: 0x100,
      MAP_DENYWRITE: 0x800,
      MAP_EXECUTABLE: 0x1000,
      MAP_LOCKED: 0x2000,
      MAP_NORESERVE: 0x4000,
      MAP_POPULATE: 0x8000,
      MAP_NONBLOCK: 0x10000,
    },
    arm64: { MAP_32BIT: 0 },
  },
  accessFlags: { schema: 'access_flags', bits: { X_OK: 1, W_OK: 2, R_OK: 4 } },
  flockFlags: { schema: 'flock_flags', bits: { LOCK_SH: 1, LOCK_EX: 2, LOCK_NB: 4, LOCK_UN: 8 } },
  dup3Flags: { schema: 'file_flags', bits: { O_CLOEXEC: CLOEXEC } },
  pipe2Flags: {
    schema: 'file_flags',
    bits: { O_CLOEXEC: CLOEXEC, O_NONBLOCK: NONBLOCK, O_DIRECT: 0o40000 },
    arm64: { O_DIRECT: 0o200000 },
  },
  /** Of calls that make an fd of some other kind: inotify, eventfd, signalfd, userfaultfd, sockets. */
  newFdFlags: { schema: 'file_flags', bits: { O_CLOEXEC: CLOEXEC, O_NONBLOCK: NONBLOCK } },
  epollCreate1Flags: { schema: 'epoll_create1_flags', bits: { EPOLL_CLOEXEC: CLOEXEC } },
  spliceFlags: {
    schema: 'splice_flags',
    bits: { SPLICE_F_MOVE: 1, SPLICE_F_NONBLOCK: 2, SPLICE_F_MORE: 4, SPLICE_F_GIFT: 8 },
  },
  umountFlags: { schema: 'umount_flags', bits: { FORCE: 1, DETACH: 2, EXPIRE: 4, NOFOLLOW: 8 } },
  unlinkatFlags: { schema: 'unlinkat_flags', bits: { AT_REMOVEDIR: 0x200 } },
  linkatFlags: { schema: 'linkat_flags', bits: { AT_SYMLINK_FOLLOW: 0x400, AT_EMPTY_PATH: 0x1000 } },
  newfstatatFlags: {
    schema: 'newfstatat_flags',
    bits: { AT_SYMLINK_NOFOLLOW: 0x100, AT_NO_AUTOMOUNT: 0x800, AT_EMPTY_PATH: 0x1000 },
  },
  fchownatFlags: { schema: 'fchownat_flags', bits: { AT_SYMLINK_NOFOLLOW: 0x100, AT_EMPTY_PATH: 0x1000 } },
  renameat2Flags: {
    schema: 'renameat2_flags',
    bits: { RENAME_NOREPLACE: 1, RENAME_EXCHANGE: 2, RENAME_WHITEOUT: 4 },
  },
  semgetFlags: { schema: 'semget_flags', bits: { IPC_CREAT: 0o1000, IPC_EXCL: 0o2000 } },
  semopFlags: { schema: 'semop_flags', bits: { IPC_NOWAIT: 0o4000, SEM_UNDO: 0x1000 } },
  futexOperations: {
    schema: 'futex_operations',
    bits: { FUTEX_PRIVATE_FLAG: 0x80, FUTEX_CLOCK_REALTIME: 0x100 },
    fields: [
      {
        mask: 0x7f,
        values: {
          FUTEX_WAIT: 0,
          FUTEX_WAKE: 1,
          FUTEX_FD: 2,
          FUTEX_REQUEUE: 3,
          FUTEX_CMP_REQUEUE: 4,
          FUTEX_WAKE_OP: 5,
          FUTEX_LOCK_PI: 6,
          FUTEX_UNLOCK_PI: 7,
          FUTEX_TRYLOCK_PI: 8,
          FUTEX_WAIT_BITSET: 9,
          FUTEX_WAKE_BITSET: 10,
          FUTEX_WAIT_REQUEUE_PI: 11,
          FUTEX_CMP_REQUEUE_PI: 12,
        },
      },
    ],
  },
  memfdFlags: {
    schema: 'memfd_create_flags',
    bits: { MFD_CLOEXEC: 1, MFD_ALLOW_SEALING: 2, MFD_HUGETLB: 4 },
  },
  mlockallFlags: { schema: 'mlockall_flags', bits: { MCL_CURRENT: 1, MCL_FUTURE: 2, MCL_ONFAULT: 4 } },
  mlock2Flags: { schema: 'mlock2_flags', bits: { MLOCK_ONFAULT: 1 } },
  pidfdOpenFlags: { schema: 'pidfd_open_flags', bits: { PIDFD_NONBLOCK: NONBLOCK } },
  deleteModuleFlags: { schema: 'delete_module_flags', bits: { O_TRUNC: 0o1000, O_NONBLOCK: NONBLOCK } },
  closeRangeFlags: { schema: 'close_range_flags', bits: { CLOSE_RANGE_UNSHARE: 2, CLOSE_RANGE_CLOEXEC: 4 } },
  finitModuleFlags: {
    schema: 'finit_module_flags',
    bits: {
      MODULE_INIT_IGNORE_MODVERSIONS: 1,
      MODULE_INIT_IGNORE_VERMAGIC: 2,
      MODULE_INIT_COMPRESSED_FILE: 4,
    },
  },
  ioUringSetupFlags: {
    schema: 'io_uring_setup_flags',
    bits: {
      IORING_SETUP_IOPOLL: 1,
      IORING_SETUP_SQPOLL: 2,
      IORING_SETUP_SQ_AFF: 4,
      IORING_SETUP_CQSIZE: 8,
      IORING_SETUP_CLAMP: 0x10,
      // The schema's spelling of ATTACH_WQ.
      IORING_SETUP_ATTACH_RW: 0x20,
      IORING_SETUP_R_DISABLED: 0x40,
    },
  },
  ioUringFeatures: {
    schema: 'io_uring_setup_feats',
    bits: {
      IORING_FEAT_SINGLE_MMAP: 1,
      IORING_FEAT_NODROP: 2,
      IORING_FEAT_SUBMIT_STABLE: 4,
      IORING_FEAT_RW_CUR_POS: 8,
      IORING_FEAT_CUR_PERSONALITY: 0x10,
      IORING_FEAT_FAST_POLL: 0x20,
      IORING_FEAT_POLL_32BITS: 0x40,
      IORING_FEAT_SQPOLL_NONFIXED: 0x80,
      IORING_FEAT_ENTER_EXT_ARG: 0x100,
      IORING_FEAT_NATIVE_WORKERS: 0x200,
      IORING_FEAT_RSRC_TAGS: 0x400,
    },
  },
  ioUringEnterFlags: {
    schema: 'io_uring_enter_flags',
    bits: {
      IORING_ENTER_GETEVENTS: 1,
      IORING_ENTER_SQ_WAKEUP: 2,
      IORING_ENTER_SQ_WAIT: 4,
      IORING_ENTER_EXT_ARG: 8,
    },
  },
} as const satisfies Readonly<Record<string, BitConversion>>;

/** Commands of quotactl: the low byte of the command, plus 0x400 for those of XFS. */
const QUOTACTL_COMMANDS = {
  Q_SYNC: 1,
  Q_QUOTAON: 2,
  Q_QUOTAOFF: 3,
  Q_GETFMT: 4,
  Q_GETINFO: 5,
  Q_SETINFO: 6,
  Q_GETQUOTA: 7,
  Q_SETQUOTA: 8,
  Q_XQUOTAON: 0x401,
  Q_XQUOTAOFF: 0x402,
  Q_XGETQUOTA: 0x403,
  Q_XSETQLIM: 0x404,
  Q_XGETQSTAT: 0x405,
  Q_XQUOTARM: 0x406,
  Q_XQUOTASYNC: 0x407,
};

const PTRACE_REQUESTS = {
  PTRACE_TRACEME: 0,
  PTRACE_PEEKTEXT: 1,
  PTRACE_PEEKDATA: 2,
  PTRACE_PEEKUSR: 3,
  PTRACE_POKETEXT: 4,
  PTRACE_POKEDATA: 5,
  PTRACE_POKEUSR: 6,
  PTRACE_CONT: 7,
  PTRACE_KILL: 8,
  PTRACE_SINGLESTEP: 9,
  PTRACE_GETREGS: 12,
  PTRACE_SETREGS: 13,
  PTRACE_GETFPREGS: 14,
  PTRACE_SETFPREGS: 15,
  PTRACE_ATTACH: 16,
  PTRACE_DETACH: 17,
  PTRACE_GETFPXREGS: 18,
  PTRACE_SETFPXREGS: 19,
  PTRACE_OLDSETOPTIONS: 21,
  PTRACE_SYSCALL: 24,
  PTRACE_GET_THREAD_AREA: 25,
  PTRACE_SET_THREAD_AREA: 26,
  PTRACE_ARCH_PRCTL: 30,
  PTRACE_SYSEMU: 31,
  PTRACE_SYSEMU_SINGLESTEP: 32,
  PTRACE_SINGLEBLOCK: 33,
  PTRACE_SETOPTIONS: 0x4200,
  PTRACE_GETEVENTMSG: 0x4201,
  PTRACE_GETSIGINFO: 0x4202,
  PTRACE_SETSIGINFO: 0x4203,
  PTRACE_GETREGSET: 0x4204,
  PTRACE_SETREGSET: 0x4205,
  PTRACE_SEIZE: 0x4206,
  PTRACE_INTERRUPT: 0x4207,
  PTRACE_LISTEN: 0x4208,
  PTRACE_PEEKSIGINFO: 0x4209,
  PTRACE_GETSIGMASK: 0x420a,
  PTRACE_SETSIGMASK: 0x420b,
};

const FCNTL_COMMANDS = {
  F_DUPFD: 0,
  F_GETFD: 1,
  F_SETFD: 2,
  F_GETFL: 3,
  F_SETFL: 4,
  F_GETLK: 5,
  F_SETLK: 6,
  F_SETLKW: 7,
  F_SETOWN: 8,
  F_GETOWN: 9,
  F_SETSIG: 10,
  F_GETSIG: 11,
  // Of 32-bit processes.
  F_GETLK64: 12,
  F_SETLK64: 13,
  F_SETLKW64: 14,
  F_SETOWN_EX: 15,
  F_GETOWN_EX: 16,
  F_OFD_GETLK: 36,
  F_OFD_SETLK: 37,
  F_OFD_SETLKW: 38,
  F_SETLEASE: 0x400,
  F_GETLEASE: 0x401,
  F_NOTIFY: 0x402,
  F_CANCELLK: 0x405,
  F_DUPFD_CLOEXEC: 0x406,
  F_SETPIPE_SZ: 0x407,
  F_GETPIPE_SZ: 0x408,
};

const SOCKET_OPTIONS_RENUMBERED = {
  SO_ATTACH_BPF: 50,
  SO_MEMINFO: 55,
  SO_COOKIE: 57,
  SO_PEERGROUPS: 59,
};

const ENUM_CONVERSIONS = {
  lseekWhence: { schema: 'lseek_whence', values: { SEEK_SET: 0, SEEK_CUR: 1, SEEK_END: 2 }, otherwise: 0 },
  shutdownHow: {
    schema: 'shutdown_how',
    values: { SHUT_RD: 0, SHUT_WR: 1, SHUT_RDWR: 2 },
    otherwise: 0xffff,
  },
  fcntlCommand: { schema: 'fcntl_commands', values: FCNTL_COMMANDS, otherwise: 0 },
  rlimitResource: {
    schema: 'rlimit_resources',
    values: {
      RLIMIT_CPU: 0,
      RLIMIT_FSIZE: 1,
      RLIMIT_DATA: 2,
      RLIMIT_STACK: 3,
      RLIMIT_CORE: 4,
      RLIMIT_RSS: 5,
      RLIMIT_NPROC: 6,
      RLIMIT_NOFILE: 7,
      RLIMIT_MEMLOCK: 8,
      RLIMIT_AS: 9,
      RLIMIT_LOCKS: 10,
      RLIMIT_SIGPENDING: 11,
      RLIMIT_MSGQUEUE: 12,
      RLIMIT_NICE: 13,
      RLIMIT_RTPRIO: 14,
      RLIMIT_RTTIME: 15,
    },
    otherwise: 0xff,
  },
  semctlCommand: {
    schema: 'semctl_commands',
    values: {
      IPC_RMID: 0,
      IPC_SET: 1,
      IPC_STAT: 2,
      IPC_INFO: 3,
      GETPID: 11,
      GETVAL: 12,
      GETALL: 13,
      GETNCNT: 14,
      GETZCNT: 15,
      SETVAL: 16,
      SETALL: 17,
      SEM_STAT: 18,
      SEM_INFO: 19,
    },
    otherwise: 0,
  },
  ptraceRequest: { schema: 'ptrace_requests', values: PTRACE_REQUESTS, otherwise: 0 },
  quotactlCommand: { schema: 'quotactl_cmds', values: QUOTACTL_COMMANDS, otherwise: 0 },
  sockoptLevel: { schema: 'sockopt_levels', values: { SOL_SOCKET: 1, SOL_TCP: 6 }, otherwise: 0 },
  sockoptOption: {
    schema: 'sockopt_options',
    values: SOCKET_OPTIONS_RENUMBERED,
    // SO_RCVTIMEO_NEW and SO_SNDTIMEO_NEW.
    also: { SO_RCVTIMEO: 66, SO_SNDTIMEO: 67 },
    sameUpTo: 49,
    otherwise: 0,
  },
} as const satisfies Readonly<Record<string, EnumConversion>>;

export type ConversionName = keyof typeof FLAG_CONVERSIONS | keyof typeof ENUM_CONVERSIONS;

/** All conversions; their order is that of the probe's tables, from index 1 (table 0 changes nothing). */
export const CONVERSIONS: Readonly<Record<ConversionName, Conversion>> = {
  ...FLAG_CONVERSIONS,
  ...ENUM_CONVERSIONS,
};
