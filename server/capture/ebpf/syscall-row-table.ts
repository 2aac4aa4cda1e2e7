/**
 * What every system call with an event of its own writes, by name: its event and one operation per parameter (some write several), or
 * the program of the probe that writes it. Parameters stand in the order of the event table.
 */
import {
  bytes,
  const8,
  const32,
  creatFlags,
  devIno,
  enum8,
  enum16,
  fd,
  flags16,
  flags32,
  mountFlags,
  nativeId,
  type Op,
  openFlags,
  openMode,
  path,
  pathOut,
  RLIMIT_COMPAT32,
  RLIMIT_MINUS_ON_FAILURE,
  RLIMIT_ZERO_ON_FAILURE,
  ret,
  ret32,
  rlimit,
  s32,
  s32If,
  s64,
  syscallId,
  timespec,
  u8,
  u16,
  u32,
  uint,
  userFlags32,
  userU32,
  userU64,
  vm,
} from './syscall-ops.ts';

/** Operations, or the name of a program. */
export type RowContent = readonly Op[] | string;

const SETVAL = 16;

/** The event of calls without one of their own. */
export const GENERIC_OPS: readonly Op[] = [syscallId, nativeId];

const FILES: Readonly<Record<string, RowContent>> = {
  open: [ret, path(0), openFlags(1), openMode(2, 1), devIno],
  openat: [ret, fd(0), path(1), openFlags(2), openMode(3, 2), devIno],
  openat2: 'sx_openat2',
  open_by_handle_at: 'sx_open_by_handle_at',
  creat: [ret, path(0), flags32(1, 'chmodMode'), devIno, creatFlags],
  close: [ret, fd(0)],
  close_range: [ret, u32(0), u32(1), flags32(2, 'closeRangeFlags')],
  dup: [ret, fd(0)],
  dup2: [ret, fd(0), fd(1)],
  dup3: [ret, fd(0), fd(1), flags32(2, 'dup3Flags')],
  fcntl: [ret, fd(0), enum8(1, 'fcntlCommand'), s64(2)],
  flock: [ret, fd(0), flags32(1, 'flockFlags')],
  ioctl: [ret, fd(0), s64(1), s64(2)],
  lseek: [ret, fd(0), s64(1), enum8(2, 'lseekWhence')],
  access: [ret, path(0), flags32(1, 'accessFlags')],
  stat: [ret, path(0)],
  lstat: [ret, path(0)],
  fstat: [ret, fd(0)],
  newfstatat: [ret, fd(0), path(1), flags32(3, 'newfstatatFlags')],
  getdents: [ret, fd(0)],
  getdents64: [ret, fd(0)],
  getcwd: [ret, pathOut(0)],
  chdir: [ret, path(0)],
  fchdir: [ret, fd(0)],
  chroot: [ret, path(0)],
  rename: [ret, path(0), path(1)],
  renameat: [ret, fd(0), path(1), fd(2), path(3)],
  renameat2: [ret, fd(0), path(1), fd(2), path(3), flags32(4, 'renameat2Flags')],
  mkdir: [ret, path(0), u32(1)],
  mkdirat: [ret, fd(0), path(1), u32(2)],
  rmdir: [ret, path(0)],
  link: [ret, path(0), path(1)],
  linkat: [ret, fd(0), path(1), fd(2), path(3), flags32(4, 'linkatFlags')],
  unlink: [ret, path(0)],
  unlinkat: [ret, fd(0), path(1), flags32(2, 'unlinkatFlags')],
  symlink: [ret, path(0), path(1)],
  symlinkat: [ret, path(0), fd(1), path(2)],
  chmod: [ret, path(0), flags32(1, 'chmodMode')],
  fchmod: [ret, fd(0), flags32(1, 'chmodMode')],
  fchmodat: [ret, fd(0), path(1), flags32(2, 'chmodMode')],
  chown: [ret, path(0), u32(1), u32(2)],
  fchown: [ret, fd(0), u32(1), u32(2)],
  lchown: [ret, path(0), u32(1), u32(2)],
  fchownat: [ret, fd(0), path(1), u32(2), u32(3), flags32(4, 'fchownatFlags')],
  mknod: [ret, path(0), flags32(1, 'mknodMode'), u32(2)],
  mknodat: [ret, fd(0), path(1), flags32(2, 'mknodMode'), u32(3)],
  mount: [ret, path(0), path(1), path(2), mountFlags(3)],
  umount2: [ret, path(0), flags32(1, 'umountFlags')],
  fsconfig: 'sx_fsconfig',
  quotactl: 'sx_quotactl',
};

const INPUT_OUTPUT: Readonly<Record<string, RowContent>> = {
  read: 'sx_read',
  write: 'sx_write',
  pread64: 'sx_pread64',
  pwrite64: 'sx_pwrite64',
  readv: 'sx_readv',
  writev: 'sx_writev',
  preadv: 'sx_preadv',
  pwritev: 'sx_pwritev',
  sendfile: [ret, userU64(2), fd(0), fd(1), s64(3)],
  splice: [ret, fd(0), fd(2), s64(4), flags32(5, 'spliceFlags')],
  copy_file_range: [ret, fd(2), s64(3), fd(0), s64(1), s64(4)],
  pipe: 'sx_pipe',
  pipe2: 'sx_pipe2',
  poll: 'sx_poll',
  ppoll: 'sx_ppoll',
  select: [ret],
  epoll_create: [ret, s32(0)],
  epoll_create1: [ret, flags32(0, 'epollCreate1Flags')],
  epoll_wait: [ret, fd(2)],
  eventfd: [ret, uint(0), const32(0)],
  eventfd2: [ret, flags16(1, 'newFdFlags'), uint(0)],
  inotify_init: [ret, const8(0)],
  inotify_init1: [ret, flags16(0, 'newFdFlags')],
  signalfd: [ret, fd(0), userU32(1), const8(0)],
  signalfd4: [ret, flags16(3, 'newFdFlags'), fd(0), userU32(1)],
  // Its flags do not fit into the 8 bits of the schema.
  timerfd_create: [ret, u8(0), const8(0)],
  userfaultfd: [ret, flags32(0, 'newFdFlags')],
  memfd_create: [ret, path(0), flags32(1, 'memfdFlags')],
  io_uring_setup: [
    ret,
    u32(0),
    userU32(1, 0),
    userU32(1, 4),
    userFlags32(1, 'ioUringSetupFlags', 8),
    userU32(1, 12),
    userU32(1, 16),
    userFlags32(1, 'ioUringFeatures', 20),
  ],
  io_uring_enter: [ret, fd(0), u32(1), u32(2), flags32(3, 'ioUringEnterFlags'), u32(4)],
  io_uring_register: [ret, fd(0), u16(1), s64(2), u32(3)],
};

const SOCKETS: Readonly<Record<string, RowContent>> = {
  socket: 'sx_socket',
  bind: 'sx_bind',
  connect: 'sx_connect',
  listen: [ret, fd(0), s32(1)],
  accept: 'sx_accept',
  accept4: 'sx_accept4',
  sendto: 'sx_sendto',
  recvfrom: 'sx_recvfrom',
  sendmsg: 'sx_sendmsg',
  recvmsg: 'sx_recvmsg',
  sendmmsg: 'sx_sendmmsg',
  recvmmsg: 'sx_recvmmsg',
  shutdown: [ret, fd(0), enum8(1, 'shutdownHow')],
  getsockname: [],
  getpeername: [],
  socketpair: 'sx_socketpair',
  setsockopt: 'sx_setsockopt',
  getsockopt: 'sx_getsockopt',
};

const PROCESSES: Readonly<Record<string, RowContent>> = {
  clone: 'sx_clone',
  clone3: 'sx_clone',
  fork: 'sx_clone',
  vfork: 'sx_clone',
  execve: 'sx_execve',
  execveat: 'sx_execve',
  kill: [ret, fd(0), u8(1)],
  tkill: [ret, fd(0), u8(1)],
  tgkill: [ret, fd(0), fd(1), u8(2)],
  pidfd_open: [ret, fd(0), flags32(1, 'pidfdOpenFlags')],
  pidfd_getfd: [ret, fd(0), fd(1), u32(2)],
  ptrace: 'sx_ptrace',
  prctl: 'sx_prctl',
  process_vm_readv: 'sx_process_vm_readv',
  process_vm_writev: 'sx_process_vm_writev',
  seccomp: [ret, uint(0), uint(1)],
  unshare: [ret, flags32(0, 'cloneFlags')],
  setns: [ret, fd(0), flags32(1, 'cloneFlags')],
  nanosleep: [ret, timespec(0)],
  futex: [ret, s64(0), flags16(1, 'futexOperations'), uint(2)],
  getuid: [ret32],
  geteuid: [ret32],
  getgid: [ret32],
  getegid: [ret32],
  setuid: [ret, u32(0)],
  setgid: [ret, u32(0)],
  setreuid: [ret, u32(0), u32(1)],
  setregid: [ret, u32(0), u32(1)],
  setresuid: [ret, u32(0), u32(1), u32(2)],
  setresgid: [ret, u32(0), u32(1), u32(2)],
  getresuid: [ret, userU32(0), userU32(1), userU32(2)],
  getresgid: [ret, userU32(0), userU32(1), userU32(2)],
  setpgid: [ret, fd(0), fd(1)],
  setsid: [ret],
  capset: 'sx_capset',
  getrlimit: [ret, ...limits(1, RLIMIT_MINUS_ON_FAILURE | RLIMIT_COMPAT32), enum8(0, 'rlimitResource')],
  setrlimit: [ret, ...limits(1, RLIMIT_COMPAT32), enum8(0, 'rlimitResource')],
  prlimit64: [ret, ...limits(2, 0), ...limits(3, RLIMIT_ZERO_ON_FAILURE), fd(0), enum8(1, 'rlimitResource')],
  semget: [ret, s32(0), s32(1), flags32(2, 'semgetFlags')],
  semop: 'sx_semop',
  semctl: [ret, s32(0), s32(1), enum16(2, 'semctlCommand'), s32If(3, 2, SETVAL)],
  keyctl: 'sx_keyctl',
  bpf: [ret, s32(0)],
  init_module: [ret, bytes(0, 1), s64(1), path(2)],
  finit_module: [ret, fd(0), path(1), flags32(2, 'finitModuleFlags')],
  delete_module: [ret, path(0), flags32(1, 'deleteModuleFlags')],
};

const MEMORY: Readonly<Record<string, RowContent>> = {
  brk: [ret, vm, s64(0)],
  mmap: [ret, vm, s64(0), s64(1), flags32(2, 'protFlags'), flags32(3, 'mmapFlags'), fd(4), s64(5)],
  mprotect: [ret, s64(0), s64(1), flags32(2, 'protFlags')],
  munmap: [ret, vm, s64(0), s64(1)],
  mlock: [ret, s64(0), s64(1)],
  mlock2: [ret, s64(0), s64(1), flags32(2, 'mlock2Flags')],
  mlockall: [ret, flags32(0, 'mlockallFlags')],
  munlock: [ret, s64(0), s64(1)],
  munlockall: [ret],
};

/** Rows by native name. */
export const ROW_CONTENTS: ReadonlyMap<string, RowContent> = new Map(
  Object.entries({ ...FILES, ...INPUT_OUTPUT, ...SOCKETS, ...PROCESSES, ...MEMORY }),
);

/** Rows of calls only 32-bit x86 processes make, with the constant name of their event. */
export const COMPAT_ROW_CONTENTS: ReadonlyMap<
  string,
  { readonly code: string; readonly content: RowContent }
> = new Map([
  ['mmap2', { code: 'PPME_SYSCALL_MMAP2_X', content: mustContent('mmap') }],
  // Offset in two halves; the upper one is that of files of more than 4 GiB.
  ['_llseek', { code: 'PPME_SYSCALL_LLSEEK_X', content: [ret, fd(0), uint(2), enum8(4, 'lseekWhence')] }],
  ['umount', { code: 'PPME_SYSCALL_UMOUNT_1_X', content: [ret, path(0)] }],
  ['stat64', { code: 'PPME_SYSCALL_STAT64_X', content: [ret, path(0)] }],
  ['lstat64', { code: 'PPME_SYSCALL_LSTAT64_X', content: [ret, path(0)] }],
  ['fstat64', { code: 'PPME_SYSCALL_FSTAT64_X', content: [ret] }],
  ['send', { code: 'PPME_SOCKET_SEND_X', content: 'sx_send' }],
  ['recv', { code: 'PPME_SOCKET_RECV_X', content: 'sx_recv' }],
]);

function limits(arg: number, how: number): readonly Op[] {
  return [rlimit(arg, 0, how), rlimit(arg, 1, how)];
}

function mustContent(name: string): RowContent {
  const content = ROW_CONTENTS.get(name);
  if (content === undefined) throw new Error(`no row for ${name}`);
  return content;
}
