/** Which argument of a system call each parameter of its event must equal, as strace prints it. */

/**
 * - `fd`, `number`: compared as integers of the parameter's width; `s32`: as signed 32 bits
 * - `text`: a path or other string as the caller gave it; empty where strace saw no string
 * - `output`: a string the kernel wrote; compared only when the call succeeded
 * - `bytes`: the start of what was read or written, as far as the event carries it
 * - `address`: a socket address
 * - `pair0`, `pair1`: numbers of an array the kernel wrote, when the call succeeded
 * - `argv0`, `argv`: first and other items of an argument vector
 */
export type ParamKind =
  | 'fd'
  | 'number'
  | 's32'
  | 'text'
  | 'output'
  | 'bytes'
  | 'address'
  | 'pair0'
  | 'pair1'
  | 'argv0'
  | 'argv';

export type ParamRow = readonly [param: string, arg: number, kind: ParamKind];

const FD: ParamRow = ['fd', 0, 'fd'];
const SIZE: ParamRow = ['size', 2, 'number'];
const PATH: ParamRow = ['path', 0, 'text'];
const VM: readonly ParamRow[] = [
  ['addr', 0, 'number'],
  ['length', 1, 'number'],
];
const IDS = (names: string): ParamRow[] => names.split(' ').map((name, i) => [name, i, 'number']);
const OWNERS = (first: number): ParamRow[] => [
  ['uid', first, 'number'],
  ['gid', first + 1, 'number'],
];
const DIRFD: ParamRow = ['dirfd', 0, 's32'];

/** By event name. */
export const CALL_PARAMS: Readonly<Record<string, readonly ParamRow[]>> = {
  open: [
    ['name', 0, 'text'],
    ['mode', 2, 'number'],
  ],
  openat: [DIRFD, ['name', 1, 'text'], ['mode', 3, 'number']],
  openat2: [DIRFD, ['name', 1, 'text']],
  creat: [
    ['name', 0, 'text'],
    ['mode', 1, 'number'],
  ],
  close: [FD],
  read: [FD, SIZE, ['data', 1, 'bytes']],
  write: [FD, SIZE, ['data', 1, 'bytes']],
  pread: [FD, SIZE, ['pos', 3, 'number'], ['data', 1, 'bytes']],
  pwrite: [FD, SIZE, ['pos', 3, 'number'], ['data', 1, 'bytes']],
  readv: [FD],
  writev: [FD],
  preadv: [FD],
  execve: [
    ['exe', 1, 'argv0'],
    ['args', 1, 'argv'],
  ],
  execveat: [
    ['exe', 2, 'argv0'],
    ['args', 2, 'argv'],
  ],
  socket: [
    ['domain', 0, 'number'],
    ['type', 1, 'number'],
    ['proto', 2, 'number'],
  ],
  bind: [FD, ['addr', 1, 'address']],
  connect: [FD, ['addr', 1, 'address']],
  listen: [FD, ['backlog', 1, 'number']],
  sendto: [FD, SIZE, ['data', 1, 'bytes']],
  recvfrom: [FD, SIZE, ['data', 1, 'bytes']],
  sendmsg: [FD],
  recvmsg: [FD],
  shutdown: [FD],
  socketpair: [
    ['fd1', 3, 'pair0'],
    ['fd2', 3, 'pair1'],
    ['domain', 0, 'number'],
    ['type', 1, 'number'],
  ],
  setsockopt: [FD, ['optlen', 4, 'number']],
  getsockopt: [FD],
  pipe: [
    ['fd1', 0, 'pair0'],
    ['fd2', 0, 'pair1'],
  ],
  pipe2: [
    ['fd1', 0, 'pair0'],
    ['fd2', 0, 'pair1'],
  ],
  eventfd2: [['initval', 0, 'number']],
  futex: [
    ['addr', 0, 'number'],
    ['val', 2, 'number'],
  ],
  stat: [PATH],
  lstat: [PATH],
  fstat: [FD],
  newfstatat: [DIRFD, ['path', 1, 'text']],
  lseek: [FD, ['offset', 1, 'number'], ['whence', 2, 'number']],
  ioctl: [FD, ['request', 1, 'number']],
  getcwd: [['path', 0, 'output']],
  chdir: [PATH],
  fchdir: [FD],
  dup: [['oldfd', 0, 'fd']],
  dup2: [
    ['oldfd', 0, 'fd'],
    ['newfd', 1, 'fd'],
  ],
  dup3: [
    ['oldfd', 0, 'fd'],
    ['newfd', 1, 'fd'],
  ],
  fcntl: [FD],
  kill: IDS('pid sig'),
  tkill: IDS('tid sig'),
  tgkill: IDS('pid tid sig'),
  mmap: [...VM, ['fd', 4, 's32'], ['offset', 5, 'number']],
  munmap: VM,
  mprotect: VM,
  brk: [['addr', 0, 'number']],
  rename: [
    ['oldpath', 0, 'text'],
    ['newpath', 1, 'text'],
  ],
  renameat: [
    ['olddirfd', 0, 's32'],
    ['oldpath', 1, 'text'],
    ['newdirfd', 2, 's32'],
    ['newpath', 3, 'text'],
  ],
  renameat2: [
    ['olddirfd', 0, 's32'],
    ['oldpath', 1, 'text'],
    ['newdirfd', 2, 's32'],
    ['newpath', 3, 'text'],
  ],
  link: [
    ['oldpath', 0, 'text'],
    ['newpath', 1, 'text'],
  ],
  linkat: [
    ['olddir', 0, 's32'],
    ['oldpath', 1, 'text'],
    ['newdir', 2, 's32'],
    ['newpath', 3, 'text'],
  ],
  symlink: [
    ['target', 0, 'text'],
    ['linkpath', 1, 'text'],
  ],
  symlinkat: [
    ['target', 0, 'text'],
    ['linkdirfd', 1, 's32'],
    ['linkpath', 2, 'text'],
  ],
  unlink: [PATH],
  unlinkat: [DIRFD, ['name', 1, 'text']],
  mkdir: [PATH, ['mode', 1, 'number']],
  mkdirat: [DIRFD, ['path', 1, 'text'], ['mode', 2, 'number']],
  rmdir: [PATH],
  mknod: [PATH],
  mknodat: [DIRFD, ['path', 1, 'text']],
  chmod: [['filename', 0, 'text']],
  fchmod: [FD],
  fchmodat: [DIRFD, ['filename', 1, 'text']],
  chown: [PATH, ...OWNERS(1)],
  lchown: [PATH, ...OWNERS(1)],
  fchown: [FD, ...OWNERS(1)],
  fchownat: [DIRFD, ['pathname', 1, 'text'], ...OWNERS(2)],
  access: [
    ['name', 0, 'text'],
    ['mode', 1, 'number'],
  ],
  chroot: [PATH],
  mount: [
    ['dev', 0, 'text'],
    ['dir', 1, 'text'],
    ['type', 2, 'text'],
  ],
  umount: [['name', 0, 'text']],
  umount2: [['name', 0, 'text']],
  setuid: IDS('uid'),
  setgid: IDS('gid'),
  setresuid: IDS('ruid euid suid'),
  setresgid: IDS('rgid egid sgid'),
  setreuid: IDS('ruid euid'),
  setregid: IDS('rgid egid'),
  setpgid: IDS('pid pgid'),
  getdents64: [FD],
  setns: [FD],
  flock: [FD],
  splice: [
    ['fd_in', 0, 'fd'],
    ['fd_out', 2, 'fd'],
    ['size', 4, 'number'],
  ],
  sendfile: [
    ['out_fd', 0, 'fd'],
    ['in_fd', 1, 'fd'],
    ['size', 3, 'number'],
  ],
  copy_file_range: [
    ['fdin', 0, 'fd'],
    ['fdout', 2, 'fd'],
    ['len', 4, 'number'],
  ],
  close_range: [
    ['first', 0, 'number'],
    ['last', 1, 'number'],
  ],
  epoll_wait: [['maxevents', 2, 'number']],
  memfd_create: [['name', 0, 'text']],
  delete_module: [['name', 0, 'text']],
  finit_module: [FD],
  pidfd_open: [['pid', 0, 'number']],
  pidfd_getfd: [
    ['pid_fd', 0, 'fd'],
    ['target_fd', 1, 'fd'],
  ],
  open_by_handle_at: [['mountfd', 0, 's32']],
  prctl: [],
  prlimit: [['pid', 0, 'number']],
  io_uring_enter: [FD, ['to_submit', 1, 'number'], ['min_complete', 2, 'number']],
  process_vm_readv: [['pid', 0, 'number']],
};
