/** Native numbers of system calls by name, and how 32-bit x86 calls map to those of 64 bits. */
import { FLAG_DATA } from '../../event/flag-tables.ts';
import rawNumbers from './data/syscall-numbers.json' with { type: 'json' };

export type Architecture = 'x64' | 'arm64';

/** System calls the probe has room for (SYSCALLS_MAX of probe/abi.h). */
export const SYSCALLS_MAX = 512;

/** Compat calls without a counterpart. */
export const NO_SYSCALL = 0xffff;

const NUMBERS = rawNumbers as { readonly arm64: NumberTable; readonly i386: NumberTable };
type NumberTable = Readonly<Record<string, number>>;

/**
 * 32-bit calls that only resemble one of 64 bits get a row of their own, at a number no 64-bit call has: other units
 * (pages instead of bytes), other arguments, or an event type of their own.
 */
export const COMPAT_ONLY: ReadonlyMap<string, number> = new Map([
  ['mmap2', 500],
  ['_llseek', 501],
  ['umount', 502],
  ['stat64', 503],
  ['lstat64', 504],
  ['fstat64', 505],
  ['send', 506],
  ['recv', 507],
]);

/** 32-bit calls that are the same as a call of 64 bits under another name. */
const SAME_AS: ReadonlyMap<string, string> = new Map([
  ['_newselect', 'select'],
  ['chown32', 'chown'],
  ['fadvise64_64', 'fadvise64'],
  ['fchown32', 'fchown'],
  ['fcntl64', 'fcntl'],
  ['fstatat64', 'newfstatat'],
  ['fstatfs64', 'fstatfs'],
  ['ftruncate64', 'ftruncate'],
  ['futex_time64', 'futex'],
  ['getegid32', 'getegid'],
  ['geteuid32', 'geteuid'],
  ['getgid32', 'getgid'],
  ['getgroups32', 'getgroups'],
  ['getresgid32', 'getresgid'],
  ['getresuid32', 'getresuid'],
  ['getuid32', 'getuid'],
  ['lchown32', 'lchown'],
  ['ppoll_time64', 'ppoll'],
  ['pselect6_time64', 'pselect6'],
  ['recvmmsg_time64', 'recvmmsg'],
  ['rt_sigtimedwait_time64', 'rt_sigtimedwait'],
  ['sched_rr_get_interval_time64', 'sched_rr_get_interval'],
  ['semtimedop_time64', 'semtimedop'],
  ['sendfile64', 'sendfile'],
  ['setfsgid32', 'setfsgid'],
  ['setfsuid32', 'setfsuid'],
  ['setgid32', 'setgid'],
  ['setgroups32', 'setgroups'],
  ['setregid32', 'setregid'],
  ['setresgid32', 'setresgid'],
  ['setresuid32', 'setresuid'],
  ['setreuid32', 'setreuid'],
  ['setuid32', 'setuid'],
  ['statfs64', 'statfs'],
  ['truncate64', 'truncate'],
  ['ugetrlimit', 'getrlimit'],
  ['clock_gettime64', 'clock_gettime'],
  ['clock_settime64', 'clock_settime'],
  ['clock_adjtime64', 'clock_adjtime'],
  ['clock_getres_time64', 'clock_getres'],
  ['clock_nanosleep_time64', 'clock_nanosleep'],
  ['timer_gettime64', 'timer_gettime'],
  ['timer_settime64', 'timer_settime'],
  ['timerfd_gettime64', 'timerfd_gettime'],
  ['timerfd_settime64', 'timerfd_settime'],
  ['utimensat_time64', 'utimensat'],
  ['mq_timedsend_time64', 'mq_timedsend'],
  ['mq_timedreceive_time64', 'mq_timedreceive'],
  ['io_pgetevents_time64', 'io_pgetevents'],
]);

/** Where the calls of sockets begin that 32-bit processes make through `socketcall` (COMPAT_SOCKETCALLS of probe/task.h). */
const SOCKETCALLS_AT = 480;

/** By the first argument of `socketcall`, from 1 on. */
const SOCKETCALLS = [
  'socket',
  'bind',
  'connect',
  'listen',
  'accept',
  'getsockname',
  'getpeername',
  'socketpair',
  'send',
  'recv',
  'sendto',
  'recvfrom',
  'shutdown',
  'setsockopt',
  'getsockopt',
  'sendmsg',
  'recvmsg',
  'accept4',
  'recvmmsg',
  'sendmmsg',
];

/**
 * Names the two share though the arguments differ: the old mmap takes them all from memory, the first getrlimit has limits of 31
 * bits, and result and identities of the 16-bit calls would be cut.
 */
const DIFFERENT: ReadonlySet<string> = new Set(['mmap']);

const X64: ReadonlyMap<string, number> = new Map(FLAG_DATA.syscallsX8664.map((row) => [row[1], row[0]]));
const ARM64: ReadonlyMap<string, number> = new Map(Object.entries(NUMBERS.arm64));

/** Native numbers by name. */
export function nativeNumbers(arch: Architecture): ReadonlyMap<string, number> {
  return arch === 'x64' ? X64 : ARM64;
}

/** Numbers of 32-bit x86 calls by name. */
export function i386Numbers(): ReadonlyMap<string, number> {
  return new Map(Object.entries(NUMBERS.i386));
}

/**
 * For every 32-bit x86 call the number of its row on x86_64, or `NO_SYSCALL`; from 480 on for the calls behind `socketcall`.
 * Always `SYSCALLS_MAX` entries.
 */
export function compatNumbers(): Uint16Array {
  const numbers = new Uint16Array(SYSCALLS_MAX).fill(NO_SYSCALL);
  for (const [name, nr] of Object.entries(NUMBERS.i386)) {
    if (nr < SOCKETCALLS_AT) numbers[nr] = compatRow(name);
  }
  for (const [i, name] of SOCKETCALLS.entries()) numbers[SOCKETCALLS_AT + 1 + i] = compatRow(name);
  return numbers;
}

function compatRow(name: string): number {
  if (DIFFERENT.has(name)) return NO_SYSCALL;
  return COMPAT_ONLY.get(name) ?? X64.get(SAME_AS.get(name) ?? name) ?? NO_SYSCALL;
}
