/** The few functions of libc that live capture calls, through koffi; loaded at first use, so that nothing else needs it. */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type koffiModule from 'koffi';

/** Addresses are numbers: user space ends below 2^53. `Buffer` arguments are handed over in place. */
export interface Libc {
  readonly koffi: typeof koffiModule;
  syscall(number: number, a: number, b: Buffer | number, c: number): number;
  mmap(
    address: number,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): number;
  munmap(address: number, length: number): number;
  mprotect(address: number, length: number, protection: number): number;
  /** System calls of four words, and of a word, two memories and a word. */
  syscallNumbers(number: number, a: number, b: number, c: number): number;
  syscallBuffers(number: number, a: number, b: Buffer, c: Buffer, d: number): number;
  clockGettime(clock: number, timespec: number): number;
  sysconf(name: number): number;
  epollCreate(flags: number): number;
  epollControl(epollFd: number, operation: number, fd: number, event: Buffer): number;
  /** Error number of the last call that failed, in this thread. */
  errno(): number;
}

/** koffi's native part is not installed for this platform, or libc is not glibc. */
export class LibcMissing extends Error {
  override name = 'LibcMissing';
}

let loaded: Libc | undefined;

/** Throws LibcMissing. */
export function libc(): Libc {
  if (loaded !== undefined) return loaded;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule;
    const library = koffi.load('libc.so.6');
    loaded = {
      koffi,
      syscall: library.func('long syscall(long number, long a, void *b, long c)'),
      mmap: library.func(
        'int64_t mmap(uintptr_t at, size_t length, int prot, int flags, int fd, int64_t offset)',
      ),
      munmap: library.func('int munmap(uintptr_t at, size_t length)'),
      mprotect: library.func('int mprotect(uintptr_t at, size_t length, int prot)'),
      syscallNumbers: library.func('long syscall(long number, long a, long b, long c)'),
      syscallBuffers: library.func('long syscall(long number, long a, void *b, void *c, long d)'),
      clockGettime: library.func('int clock_gettime(int clock, uintptr_t timespec)'),
      sysconf: library.func('long sysconf(int name)'),
      epollCreate: library.func('int epoll_create1(int flags)'),
      epollControl: library.func('int epoll_ctl(int epoll, int operation, int fd, void *event)'),
      errno: () => koffi.errno(),
    };
    return loaded;
  } catch (error) {
    throw new LibcMissing(`libc cannot be called through koffi: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * For the main thread, before it starts a thread that calls libc. Node unloads a native module with the last thread that has loaded it,
 * but koffi's handles are closed later, by its own code: without this, one in ten live processes ended with a segmentation fault.
 */
export function keepLibcLoaded(): void {
  try {
    libc();
  } catch {
    // The thread meets the same, and can say what it was needed for.
  }
}

/** The first name of a number counts: EAGAIN, not EWOULDBLOCK. */
const ERRNO_NAMES = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, number]) => [number, name]),
);
// Not among Node's own names.
ERRNO_NAMES.set(524, 'ENOTSUPP');

/** `EPERM` for 1; the number itself when it has no name. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `error ${errno}`;
}

const SC_PAGESIZE = 30;
let pageBytesKnown = 0;

export function pageBytes(): number {
  if (pageBytesKnown === 0) pageBytesKnown = libc().sysconf(SC_PAGESIZE);
  return pageBytesKnown;
}
