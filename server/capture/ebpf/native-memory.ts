/**
 * Memory outside the heap, for what the kernel points at or shares. Mapped memory is never unmapped while a view of it may live:
 * an access through such a view would end the process.
 */
import { errnoName, libc, pageBytes } from './libc.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;

export interface NativeMemory {
  readonly address: number;
  /** The whole memory; writing to a read-only mapping ends the process. */
  readonly bytes: Buffer;
}

export interface Mapping {
  readonly fd: number;
  /** Offset in the file, a multiple of the page size. */
  readonly offset: number;
  readonly length: number;
  readonly isWritable: boolean;
}

function viewOf(address: number, length: number): NativeMemory {
  return { address, bytes: Buffer.from(libc().koffi.view(address, length)) };
}

function map(length: number, protection: number, flags: number, fd: number, offset: number): NativeMemory {
  const address = libc().mmap(0, length, protection, flags, fd, offset);
  if (address === -1) throw new Error(`mmap of ${length} bytes: ${errnoName(libc().errno())}`);
  return viewOf(address, length);
}

/** Zeroed memory of at least `length` bytes; kept until the process ends. */
export function allocateNative(length: number): NativeMemory {
  const page = pageBytes();
  const rounded = Math.max(page, Math.ceil(length / page) * page);
  return map(rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/** Shares a map's memory; throws an Error with the errno's name. */
export function mapShared(mapping: Mapping): NativeMemory {
  const protection = mapping.isWritable ? PROT_READ | PROT_WRITE : PROT_READ;
  return map(mapping.length, protection, MAP_SHARED, mapping.fd, mapping.offset);
}

/**
 * Runs `work` with a native copy of `bytes`, which is given back afterwards: `work` must not keep views of it.
 * What the kernel wrote is copied back into `bytes`.
 */
export function withNative<T>(bytes: Buffer, work: (address: number) => T): T {
  const page = pageBytes();
  const length = Math.max(page, Math.ceil(bytes.length / page) * page);
  const memory = map(length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memory.bytes.set(bytes);
  try {
    return work(memory.address);
  } finally {
    bytes.set(memory.bytes.subarray(0, bytes.length));
    libc().munmap(memory.address, length);
  }
}
