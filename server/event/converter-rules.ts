/**
 * How records of older schemas become records of today's: one rule per event type and parameter count that needs one.
 *
 * A rule's parameters are words: `oN` takes parameter N of the record itself, `vN` likewise without the index byte before
 * a value of dynamic type, `eN` of the thread's stored enter record (a zero of the parameter's width when none is stored),
 * `eN?` likewise but empty when none is stored, `_` is empty, `0` is a zero, `json` is the text made of a whole old
 * container record. `oA-B` is short for every number from A to B.
 */
import * as E from './event-types.ts';

/** What a rule does with the record. */
export const RULE_PASS = 0;
export const RULE_STORE = 1;
export const RULE_STORE_AND_PASS = 2;
/** Keeps type and parameters and adds some. */
export const RULE_APPEND = 3;
/** Another type, all parameters listed. */
export const RULE_RETYPE = 4;
export type RuleAction = 0 | 1 | 2 | 3 | 4;

export const FROM_OLD = 0;
export const FROM_ENTER = 1;
export const FROM_ENTER_OR_EMPTY = 2;
export const FROM_EMPTY = 3;
const FROM_ZERO = 4;
export const FROM_CONTAINER_JSON = 5;
export const FROM_OLD_DYNAMIC = 6;

/** Where one parameter of the new record comes from. */
export interface ParamSource {
  readonly from: 0 | 1 | 2 | 3 | 4 | 5 | 6;
  readonly index: number;
}

export interface ConversionRule {
  readonly type: number;
  /** Parameters the record has. */
  readonly paramCount: number;
  readonly action: RuleAction;
  readonly newType: number;
  readonly sources: readonly ParamSource[];
  /** Whether any parameter comes from the stored enter record. */
  readonly usesEnter: boolean;
}

const NO_SOURCES: readonly ParamSource[] = [];

function parseWord(word: string): readonly ParamSource[] {
  if (word === '_') return [{ from: FROM_EMPTY, index: 0 }];
  if (word === '0') return [{ from: FROM_ZERO, index: 0 }];
  if (word === 'json') return [{ from: FROM_CONTAINER_JSON, index: 0 }];
  const match = /^([oev])(\d+)(?:-(\d+))?(\?)?$/.exec(word);
  if (match === null) throw new Error(`bad conversion word ${word}`);
  const first = Number(match[2]);
  const last = Number(match[3] ?? first);
  let from: ParamSource['from'] = FROM_OLD;
  if (match[1] === 'v') from = FROM_OLD_DYNAMIC;
  if (match[1] === 'e') from = match[4] === '?' ? FROM_ENTER_OR_EMPTY : FROM_ENTER;
  return Array.from({ length: last - first + 1 }, (_, i) => ({ from, index: first + i }));
}

function parseWords(words: string): readonly ParamSource[] {
  return words.split(' ').flatMap(parseWord);
}

function rule(
  type: number,
  paramCount: number,
  action: RuleAction,
  newType: number,
  sources: readonly ParamSource[],
): ConversionRule {
  const usesEnter = sources.some(({ from }) => from === FROM_ENTER || from === FROM_ENTER_OR_EMPTY);
  return { type, paramCount, action, newType, sources, usesEnter };
}

function plain(action: RuleAction): (type: number, paramCount: number) => ConversionRule {
  return (type, paramCount) => rule(type, paramCount, action, type, NO_SOURCES);
}

const pass = plain(RULE_PASS);
const store = plain(RULE_STORE);
const storeAndPass = plain(RULE_STORE_AND_PASS);

function append(type: number, paramCount: number, words: string): ConversionRule {
  return rule(type, paramCount, RULE_APPEND, type, parseWords(words));
}

function retype(type: number, paramCount: number, newType: number, words = ''): ConversionRule {
  const sources = words === '' ? NO_SOURCES : parseWords(words);
  return rule(type, paramCount, RULE_RETYPE, newType, sources);
}

/** The usual pair: the enter record is kept, and the exit record takes what only it has. */
function pair(exit: number, enterCount: number, exitCount: number, words: string): ConversionRule[] {
  return [store(exit - 1, enterCount), append(exit, exitCount, words)];
}

/** As `pair`, and the exit record becomes another type. */
function retypedPair(
  exit: number,
  enterCount: number,
  exitCount: number,
  newType: number,
  words: string,
): ConversionRule[] {
  return [store(exit - 1, enterCount), retype(exit, exitCount, newType, words)];
}

const IO_AND_SYSTEM: readonly ConversionRule[] = [
  ...pair(E.PPME_GENERIC_X, 2, 1, 'e1?'),
  ...pair(E.PPME_SYSCALL_CLOSE_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_READ_X, 2, 2, 'e0-1'),
  ...pair(E.PPME_SYSCALL_WRITE_X, 2, 2, 'e0-1'),
  ...pair(E.PPME_SYSCALL_PREAD_X, 3, 2, 'e0-2'),
  ...pair(E.PPME_SYSCALL_PWRITE_X, 3, 2, 'e0-2'),
  ...pair(E.PPME_SYSCALL_READV_X, 1, 3, 'e0'),
  ...pair(E.PPME_SYSCALL_WRITEV_X, 2, 2, 'e0-1'),
  ...pair(E.PPME_SYSCALL_PREADV_X, 2, 3, 'e0-1'),
  ...pair(E.PPME_SYSCALL_PWRITEV_X, 3, 2, 'e0-2'),
  ...pair(E.PPME_SYSCALL_SIGNALFD_X, 3, 1, 'e0-2'),
  ...pair(E.PPME_SYSCALL_SIGNALFD4_X, 2, 2, 'e0-1'),
  ...pair(E.PPME_SYSCALL_KILL_X, 2, 1, 'e0-1'),
  ...pair(E.PPME_SYSCALL_TKILL_X, 2, 1, 'e0-1'),
  ...pair(E.PPME_SYSCALL_TGKILL_X, 3, 1, 'e0-2'),
  ...pair(E.PPME_SYSCALL_NANOSLEEP_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_TIMERFD_CREATE_X, 2, 1, 'e0-1'),
  ...pair(E.PPME_SYSCALL_INOTIFY_INIT_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_GETRLIMIT_X, 1, 3, 'e0'),
  ...pair(E.PPME_SYSCALL_SETRLIMIT_X, 1, 3, 'e0'),
  ...pair(E.PPME_SYSCALL_PRLIMIT_X, 2, 5, 'e0-1?'),
  ...pair(E.PPME_SYSCALL_FCNTL_X, 2, 1, 'e0-1'),
  append(E.PPME_SYSCALL_FCNTL_X, 3, '0'),
  ...pair(E.PPME_SYSCALL_EVENTFD_X, 2, 1, 'e0-1'),
  ...pair(E.PPME_SYSCALL_EVENTFD2_X, 1, 2, 'e0'),
  ...pair(E.PPME_SYSCALL_UNSHARE_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_FUTEX_X, 3, 1, 'e0-2'),
  ...pair(E.PPME_SYSCALL_FSTAT_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_EPOLLWAIT_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_EPOLL_CREATE_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_EPOLL_CREATE1_X, 1, 1, 'e0'),
  // Of the two enter parameters of poll the first, the fds, is on the exit record already.
  ...pair(E.PPME_SYSCALL_POLL_X, 2, 2, 'e1'),
  ...pair(E.PPME_SYSCALL_PPOLL_X, 3, 2, 'e1-2'),
  retype(E.PPME_SYSCALL_NEWSELECT_X, 1, E.PPME_SYSCALL_SELECT_X, 'o0'),
  ...pair(E.PPME_SYSCALL_LSEEK_X, 3, 1, 'e0-2'),
  ...pair(E.PPME_SYSCALL_LLSEEK_X, 3, 1, 'e0-2'),
  ...retypedPair(E.PPME_SYSCALL_IOCTL_2_X, 2, 1, E.PPME_SYSCALL_IOCTL_3_X, 'o0 e0-1? _'),
  ...pair(E.PPME_SYSCALL_IOCTL_3_X, 3, 1, 'e0-2'),
  ...pair(E.PPME_SYSCALL_SPLICE_X, 4, 1, 'e0-3'),
  // The offset, enter parameter 2, is on the exit record as it is after the call.
  ...pair(E.PPME_SYSCALL_SENDFILE_X, 4, 2, 'e0-1 e3'),
  ...pair(E.PPME_SYSCALL_QUOTACTL_X, 4, 14, 'e0-3'),
  ...pair(E.PPME_SYSCALL_GETDENTS_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_GETDENTS64_X, 1, 1, 'e0'),
  ...pair(E.PPME_SYSCALL_FLOCK_X, 2, 1, 'e0-1'),
  ...pair(E.PPME_SYSCALL_SEMOP_X, 1, 8, 'e0'),
  ...pair(E.PPME_SYSCALL_SEMCTL_X, 4, 1, 'e0-3'),
  ...pair(E.PPME_SYSCALL_SEMGET_X, 3, 1, 'e0-2'),
  ...pair(E.PPME_SYSCALL_MOUNT_X, 1, 4, 'e0'),
  retype(E.PPME_SYSCALL_UMOUNT_X, 2, E.PPME_SYSCALL_UMOUNT_1_X, 'o0-1'),
  ...pair(E.PPME_SYSCALL_UMOUNT2_X, 1, 2, 'e0'),
  ...pair(E.PPME_SYSCALL_ACCESS_X, 1, 2, 'e0'),
  ...pair(E.PPME_SYSCALL_COPY_FILE_RANGE_X, 3, 3, 'e0-2'),
  // The reference copies the index byte too, which makes the fd a number that is none.
  ...retypedPair(E.PPME_SYSCALL_BPF_X, 1, 1, E.PPME_SYSCALL_BPF_2_X, 'v0 e0?'),
  append(E.PPME_SYSCALL_SECCOMP_E, 1, '0'),
  ...pair(E.PPME_SYSCALL_SECCOMP_X, 2, 1, 'e0-1'),
  append(E.PPME_SYSCALL_PTRACE_X, 0, '_ _ _'),
  ...pair(E.PPME_SYSCALL_PTRACE_X, 2, 3, 'e0-1?'),
  ...retypedPair(E.PPME_SYSCALL_BRK_1_X, 1, 1, E.PPME_SYSCALL_BRK_4_X, 'o0 e0? _ _ _'),
  ...pair(E.PPME_SYSCALL_BRK_4_X, 1, 4, 'e0?'),
  ...pair(E.PPME_SYSCALL_MMAP_X, 6, 4, 'e0-5'),
  ...pair(E.PPME_SYSCALL_MMAP2_X, 6, 4, 'e0-5'),
  ...pair(E.PPME_SYSCALL_MUNMAP_X, 2, 4, 'e0-1'),
  ...pair(E.PPME_SYSCALL_MPROTECT_X, 3, 1, 'e0-2'),
  retype(E.PPME_SCHEDSWITCH_1_E, 1, E.PPME_SCHEDSWITCH_6_E, 'o0 _ _ _ _ _'),
];

const FILES: readonly ConversionRule[] = [
  append(E.PPME_SYSCALL_OPEN_E, 0, '_ _ _'),
  pass(E.PPME_SYSCALL_OPEN_E, 3),
  append(E.PPME_SYSCALL_OPEN_X, 4, '_'),
  append(E.PPME_SYSCALL_OPEN_X, 5, '_'),
  append(E.PPME_SYSCALL_CREAT_E, 0, '_ _'),
  pass(E.PPME_SYSCALL_CREAT_E, 2),
  append(E.PPME_SYSCALL_CREAT_X, 3, '_'),
  append(E.PPME_SYSCALL_CREAT_X, 4, '_'),
  append(E.PPME_SYSCALL_CREAT_X, 5, '_'),
  ...retypedPair(E.PPME_SYSCALL_OPENAT_X, 4, 1, E.PPME_SYSCALL_OPENAT_2_X, 'o0 e0-3? _ _'),
  append(E.PPME_SYSCALL_OPENAT_2_E, 0, '_ _ _ _'),
  pass(E.PPME_SYSCALL_OPENAT_2_E, 4),
  append(E.PPME_SYSCALL_OPENAT_2_X, 5, '_'),
  append(E.PPME_SYSCALL_OPENAT_2_X, 6, '_'),
  append(E.PPME_SYSCALL_OPENAT2_E, 0, '_ _ _ _ _'),
  pass(E.PPME_SYSCALL_OPENAT2_E, 5),
  append(E.PPME_SYSCALL_OPENAT2_X, 6, '_ _'),
  ...retypedPair(E.PPME_SYSCALL_LINK_X, 2, 1, E.PPME_SYSCALL_LINK_2_X, 'o0 e0-1?'),
  ...retypedPair(E.PPME_SYSCALL_LINKAT_X, 4, 1, E.PPME_SYSCALL_LINKAT_2_X, 'o0 e0-3? _'),
  ...retypedPair(E.PPME_SYSCALL_UNLINK_X, 1, 1, E.PPME_SYSCALL_UNLINK_2_X, 'o0 e0?'),
  ...retypedPair(E.PPME_SYSCALL_UNLINKAT_X, 2, 1, E.PPME_SYSCALL_UNLINKAT_2_X, 'o0 e0-1? _'),
  ...retypedPair(E.PPME_SYSCALL_MKDIR_X, 2, 1, E.PPME_SYSCALL_MKDIR_2_X, 'o0 e0-1?'),
  ...pair(E.PPME_SYSCALL_MKDIR_2_X, 1, 2, 'e0?'),
  ...retypedPair(E.PPME_SYSCALL_RMDIR_X, 1, 1, E.PPME_SYSCALL_RMDIR_2_X, 'o0 e0?'),
  ...retypedPair(E.PPME_SYSCALL_DUP_X, 1, 1, E.PPME_SYSCALL_DUP_1_X, 'o0 e0?'),
  ...pair(E.PPME_SYSCALL_FCHDIR_X, 1, 1, 'e0?'),
];

const SOCKETS: readonly ConversionRule[] = [
  ...pair(E.PPME_SOCKET_BIND_X, 1, 2, 'e0'),
  append(E.PPME_SOCKET_CONNECT_E, 1, '_'),
  storeAndPass(E.PPME_SOCKET_CONNECT_E, 2),
  append(E.PPME_SOCKET_CONNECT_X, 2, 'e0'),
  append(E.PPME_SOCKET_CONNECT_X, 3, 'e1?'),
  ...pair(E.PPME_SOCKET_SOCKET_X, 3, 1, 'e0-2'),
  append(E.PPME_SOCKET_SOCKET_X, 4, '0'),
  ...pair(E.PPME_SOCKET_LISTEN_X, 2, 1, 'e0-1'),
  retype(E.PPME_SOCKET_ACCEPT_X, 3, E.PPME_SOCKET_ACCEPT_5_X, 'o0-2 0 0'),
  ...retypedPair(E.PPME_SOCKET_ACCEPT4_X, 1, 3, E.PPME_SOCKET_ACCEPT4_6_X, 'o0-2 0 0 e0'),
  ...retypedPair(E.PPME_SOCKET_ACCEPT4_5_X, 1, 5, E.PPME_SOCKET_ACCEPT4_6_X, 'o0-4 e0'),
  ...pair(E.PPME_SOCKET_ACCEPT4_6_X, 1, 5, 'e0'),
  ...pair(E.PPME_SOCKET_RECV_X, 2, 2, 'e0-1 0'),
  ...pair(E.PPME_SOCKET_RECVFROM_X, 2, 3, 'e0-1'),
  ...pair(E.PPME_SOCKET_SEND_X, 2, 2, 'e0-1 0'),
  ...pair(E.PPME_SOCKET_SENDTO_X, 3, 2, 'e0-2'),
  ...pair(E.PPME_SOCKET_SHUTDOWN_X, 2, 1, 'e0-1'),
  ...pair(E.PPME_SOCKET_SOCKETPAIR_X, 3, 5, 'e0-2'),
  ...pair(E.PPME_SOCKET_SENDMSG_X, 3, 2, 'e0-2'),
  append(E.PPME_SOCKET_RECVMSG_X, 4, '0'),
  ...pair(E.PPME_SOCKET_RECVMSG_X, 1, 5, 'e0'),
  // A result is never empty.
  append(E.PPME_SOCKET_SENDMMSG_X, 0, '0 _ _ _ _'),
  append(E.PPME_SOCKET_RECVMMSG_X, 0, '0 _ _ _ _ _'),
];

/** Each generation of a process's events lacks what the next one added in the middle. */
const PROCESSES: readonly ConversionRule[] = [
  retype(E.PPME_SYSCALL_EXECVE_8_E, 0, E.PPME_SYSCALL_EXECVE_13_E),
  retype(E.PPME_SYSCALL_EXECVE_13_E, 0, E.PPME_SYSCALL_EXECVE_14_E),
  retype(E.PPME_SYSCALL_EXECVE_14_E, 0, E.PPME_SYSCALL_EXECVE_15_E),
  retype(E.PPME_SYSCALL_EXECVE_15_E, 0, E.PPME_SYSCALL_EXECVE_16_E),
  retype(E.PPME_SYSCALL_EXECVE_16_E, 0, E.PPME_SYSCALL_EXECVE_17_E),
  retype(E.PPME_SYSCALL_EXECVE_17_E, 0, E.PPME_SYSCALL_EXECVE_18_E, '_'),
  retype(E.PPME_SYSCALL_EXECVE_18_E, 1, E.PPME_SYSCALL_EXECVE_19_E, 'o0'),
  storeAndPass(E.PPME_SYSCALL_EXECVE_19_E, 1),
  retype(E.PPME_SYSCALL_EXECVE_8_X, 8, E.PPME_SYSCALL_EXECVE_13_X, 'o0-7 _ _ _ _ _'),
  retype(E.PPME_SYSCALL_EXECVE_13_X, 13, E.PPME_SYSCALL_EXECVE_14_X, 'o0-12 _'),
  retype(E.PPME_SYSCALL_EXECVE_14_X, 14, E.PPME_SYSCALL_EXECVE_15_X, 'o0-12 _ o13'),
  retype(E.PPME_SYSCALL_EXECVE_15_X, 15, E.PPME_SYSCALL_EXECVE_16_X, 'o0-13 _ o14'),
  retype(E.PPME_SYSCALL_EXECVE_16_X, 16, E.PPME_SYSCALL_EXECVE_17_X, 'o0-15 _'),
  retype(E.PPME_SYSCALL_EXECVE_17_X, 17, E.PPME_SYSCALL_EXECVE_18_X, 'o0-16'),
  retype(E.PPME_SYSCALL_EXECVE_18_X, 17, E.PPME_SYSCALL_EXECVE_19_X, 'o0-16 _'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 18, '_'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 19, '_'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 20, '_ _ _'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 23, '_ _ _'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 26, '_'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 27, '_'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 28, '_'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 29, '_'),
  append(E.PPME_SYSCALL_EXECVE_19_X, 30, 'e0?'),
  pass(E.PPME_SYSCALL_EXECVEAT_E, 3),
  append(E.PPME_SYSCALL_EXECVEAT_X, 19, '_'),
  append(E.PPME_SYSCALL_EXECVEAT_X, 20, '_ _ _'),
  append(E.PPME_SYSCALL_EXECVEAT_X, 23, '_ _ _'),
  append(E.PPME_SYSCALL_EXECVEAT_X, 26, '_'),
  append(E.PPME_SYSCALL_EXECVEAT_X, 27, '_'),
  append(E.PPME_SYSCALL_EXECVEAT_X, 28, '_'),
  append(E.PPME_SYSCALL_EXECVEAT_X, 29, '_'),
  retype(E.PPME_SYSCALL_CLONE_11_X, 11, E.PPME_SYSCALL_CLONE_16_X, 'o0-7 _ _ _ _ _ o8-10'),
  retype(E.PPME_SYSCALL_CLONE_16_X, 16, E.PPME_SYSCALL_CLONE_17_X, 'o0-12 _ o13-15'),
  retype(E.PPME_SYSCALL_CLONE_17_X, 17, E.PPME_SYSCALL_CLONE_20_X, 'o0-13 _ o14-16 _ _'),
  append(E.PPME_SYSCALL_CLONE_20_X, 20, '_'),
  append(E.PPME_SYSCALL_CLONE3_X, 20, '_'),
  retype(E.PPME_SYSCALL_FORK_X, 16, E.PPME_SYSCALL_FORK_17_X, 'o0-12 _ o13-15'),
  retype(E.PPME_SYSCALL_FORK_17_X, 17, E.PPME_SYSCALL_FORK_20_X, 'o0-13 _ o14-16 _ _'),
  append(E.PPME_SYSCALL_FORK_20_X, 20, '_'),
  retype(E.PPME_SYSCALL_VFORK_X, 16, E.PPME_SYSCALL_VFORK_17_X, 'o0-12 _ o13-15'),
  retype(E.PPME_SYSCALL_VFORK_17_X, 17, E.PPME_SYSCALL_VFORK_20_X, 'o0-13 _ o14-16 _ _'),
  append(E.PPME_SYSCALL_VFORK_20_X, 20, '_'),
  retype(E.PPME_PROCEXIT_E, 0, E.PPME_PROCEXIT_1_E, '_ _ _ _ _'),
  ...pair(E.PPME_SYSCALL_SETRESUID_X, 3, 1, 'e0-2?'),
  ...pair(E.PPME_SYSCALL_SETRESGID_X, 3, 1, 'e0-2?'),
  ...pair(E.PPME_SYSCALL_SETUID_X, 1, 1, 'e0?'),
  ...pair(E.PPME_SYSCALL_SETGID_X, 1, 1, 'e0?'),
  ...pair(E.PPME_SYSCALL_SETPGID_X, 2, 1, 'e0-1?'),
  ...pair(E.PPME_SYSCALL_SETNS_X, 2, 1, 'e0-1?'),
];

const CONTAINERS: readonly ConversionRule[] = [
  retype(E.PPME_CONTAINER_E, 4, E.PPME_CONTAINER_JSON_E, 'json'),
  retype(E.PPME_CONTAINER_JSON_E, 1, E.PPME_CONTAINER_JSON_2_E, 'o0'),
];

export const CONVERSION_RULES: readonly ConversionRule[] = [
  ...IO_AND_SYSTEM,
  ...FILES,
  ...SOCKETS,
  ...PROCESSES,
  ...CONTAINERS,
];
