/**
 * Loads a light skeleton: a program of type SYSCALL that itself creates the maps and loads the programs, with the relocation
 * against this kernel's types done in the kernel. Built by scripts/build-probe.ts; needs no libbpf, compiler or file format.
 */
import { closeSync, readFileSync } from 'node:fs';
import {
  createMap,
  EAGAIN,
  key32,
  LOAD_TRIES,
  loadProgram,
  MAP_TYPE_ARRAY,
  PROG_TYPE_SYSCALL,
  runProgram,
  updateMapLarge,
} from './bpf.ts';
import { errnoName } from './libc.ts';
import { allocateNative, withNative } from './native-memory.ts';

/** How a program is used: attached to its tracepoint, or opened as an iterator. */
export type AttachKind = 'tracepoint' | 'iterator';

/** What a blob's .json says about its .bin. */
export interface SkeletonManifest {
  readonly name: string;
  readonly arch: string;
  readonly dataBytes: number;
  readonly insnBytes: number;
  /** In the order of their descriptors. */
  readonly maps: readonly string[];
  readonly programs: readonly { readonly name: string; readonly kind: AttachKind }[];
  /** SHA-256 over the sources it was built from. */
  readonly sources: string;
}

export interface Skeleton {
  readonly manifest: SkeletonManifest;
  readonly data: Buffer;
  readonly insns: Buffer;
}

/** Fds of what was loaded, by name. */
export interface LoadedSkeleton {
  readonly maps: ReadonlyMap<string, number>;
  readonly programs: ReadonlyMap<string, number>;
}

/** The kernel refused the programs; `log` is the verifier's, when there is one. */
export class SkeletonRefused extends Error {
  override name = 'SkeletonRefused';
  readonly errno: number;
  readonly code: string;
  readonly log: string;

  constructor(name: string, errno: number, log: string) {
    super(
      `the kernel refused the ${name} programs: ${errnoName(errno)}${log === '' ? '' : `\n${lastLines(log)}`}`,
    );
    this.errno = errno;
    this.code = errnoName(errno);
    this.log = log;
  }
}

const LOG_LINES_SHOWN = 12;

function lastLines(log: string): string {
  return log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
}

const BLOB_FOLDER = new URL('./blob/', import.meta.url);

/** Reads a blob; `arch` as Node names it. Throws when there is none for it. */
export function readSkeleton(name: string, arch: string = process.arch, folder: URL = BLOB_FOLDER): Skeleton {
  const manifest = JSON.parse(
    readFileSync(new URL(`${name}-${arch}.json`, folder), 'utf8'),
  ) as SkeletonManifest;
  const bytes = readFileSync(new URL(`${name}-${arch}.bin`, folder));
  const data = bytes.subarray(4, 4 + bytes.readUInt32LE(0));
  const insnsAt = 4 + data.length;
  const insns = bytes.subarray(insnsAt + 4, insnsAt + 4 + bytes.readUInt32LE(insnsAt));
  if (data.length !== manifest.dataBytes || insns.length !== manifest.insnBytes) {
    throw new Error(`${name}-${arch}.bin is not what its .json describes`);
  }
  return { manifest, data, insns };
}

const CONTEXT_BYTES = 24;
const MAP_DESC_BYTES = 16;
const PROG_DESC_BYTES = 4;
const INSN_BYTES = 8;
const LOG_BYTES = 4 * 1024 * 1024;
const LOG_LEVEL_FINAL_STATE = 1;

/** struct bpf_loader_ctx, a descriptor per map and per program. `entries` overrides the size of maps. */
export function loaderContext(
  manifest: SkeletonManifest,
  entries: ReadonlyMap<string, number>,
  log: { readonly address: number; readonly length: number } | undefined,
): Buffer {
  const { maps, programs } = manifest;
  const context = Buffer.alloc(
    CONTEXT_BYTES + MAP_DESC_BYTES * maps.length + PROG_DESC_BYTES * programs.length,
  );
  context.writeUInt32LE(context.length, 0);
  if (log !== undefined) {
    context.writeUInt32LE(LOG_LEVEL_FINAL_STATE, 8);
    context.writeUInt32LE(log.length, 12);
    context.writeBigUInt64LE(BigInt(log.address), 16);
  }
  for (const [i, name] of maps.entries()) {
    context.writeUInt32LE(entries.get(name) ?? 0, CONTEXT_BYTES + MAP_DESC_BYTES * i + 4);
  }
  return context;
}

/** Fds of maps and programs in the context after the loader ran. */
export function loadedFds(manifest: SkeletonManifest, context: Buffer): LoadedSkeleton {
  const maps = new Map<string, number>();
  const programs = new Map<string, number>();
  for (const [i, name] of manifest.maps.entries()) {
    maps.set(name, context.readInt32LE(CONTEXT_BYTES + MAP_DESC_BYTES * i));
  }
  const programsAt = CONTEXT_BYTES + MAP_DESC_BYTES * manifest.maps.length;
  for (const [i, program] of manifest.programs.entries()) {
    programs.set(program.name, context.readInt32LE(programsAt + PROG_DESC_BYTES * i));
  }
  return { maps, programs };
}

function runLoader(
  skeleton: Skeleton,
  loaderFd: number,
  entries: ReadonlyMap<string, number>,
): LoadedSkeleton {
  const { manifest } = skeleton;
  const attempt = (log: { address: number; length: number } | undefined) => {
    const context = loaderContext(manifest, entries, log);
    const result = withNative(context, (address) => runProgram(loaderFd, address, context.length));
    return { context, result };
  };
  let first = attempt(undefined);
  for (let i = 1; first.result === -EAGAIN && i < LOAD_TRIES; i++) first = attempt(undefined);
  if (first.result >= 0) return loadedFds(manifest, first.context);
  // Once more for the verifier's words: collecting them always would slow every start.
  const log = allocateNative(LOG_BYTES);
  const second = attempt({ address: log.address, length: LOG_BYTES });
  if (second.result >= 0) return loadedFds(manifest, second.context);
  const end = log.bytes.indexOf(0);
  throw new SkeletonRefused(
    manifest.name,
    -second.result,
    log.bytes.latin1Slice(0, end < 0 ? LOG_BYTES : end),
  );
}

/**
 * Creates the maps and loads the programs; nothing is attached. `entries` gives maps another size than their source says.
 * Throws BpfError when bpf(2) itself is refused, SkeletonRefused when the kernel does not take the programs.
 */
export function loadSkeleton(
  skeleton: Skeleton,
  entries: ReadonlyMap<string, number> = new Map(),
): LoadedSkeleton {
  const { data, insns } = skeleton;
  const mapFd = createMap({
    type: MAP_TYPE_ARRAY,
    keyBytes: 4,
    valueBytes: data.length,
    entriesMax: 1,
    name: '__loader.map',
  });
  try {
    updateMapLarge(mapFd, key32(0), data);
    const loaderFd = withNative(insns, (insnsAddress) =>
      withNative(Buffer.from('Dual BSD/GPL\0'), (licenseAddress) =>
        withNative(key32(mapFd), (fdArrayAddress) =>
          loadProgram({
            type: PROG_TYPE_SYSCALL,
            insnCount: insns.length / INSN_BYTES,
            insnsAddress,
            licenseAddress,
            fdArrayAddress,
            name: '__loader.prog',
          }),
        ),
      ),
    );
    try {
      return runLoader(skeleton, loaderFd, entries);
    } finally {
      closeSync(loaderFd);
    }
  } finally {
    closeSync(mapFd);
  }
}
