/** The kernel side of live capture: loads the programs, fills their tables, attaches them, and reads their counters. */
import { closeSync, readFileSync } from 'node:fs';
import {
  BpfError,
  createMap,
  key32,
  MAP_TYPE_RINGBUF,
  openRawTracepoint,
  programInfo,
  updateMap,
} from './bpf.ts';
import { pageBytes } from './libc.ts';
import { type LoadedSkeleton, loadSkeleton, readSkeleton } from './light-skeleton.ts';
import { mapShared } from './native-memory.ts';
import {
  CONFIG,
  COUNTERS,
  CPUS_MAX,
  EVENT_TYPES_MAX,
  FLAG_TABLE_BYTES,
  OP_BYTES,
  OPS_MAX,
  PROGRAMS_MAX,
  SYSCALL_ROW,
  SYSCALLS_MAX,
} from './probe-abi.ts';
import type { RingMemory } from './ring.ts';

/** One parameter of a system call's event: see OP_* in probe/ops.h. */
export interface ProbeOp {
  readonly kind: number;
  readonly arg: number;
  readonly table: number;
  readonly extra: number;
}

/** How the probe writes the event of one system call. */
export interface ProbeRow {
  /** Native number. */
  readonly nr: number;
  readonly eventType: number;
  /** The schema's number of the call. */
  readonly syscallId: number;
  /** Name of the program that writes the event; undefined: the operations do. */
  readonly program: string | undefined;
  readonly paramCount: number;
  readonly ops: readonly ProbeOp[];
}

/** What the probe's maps are filled with. */
export interface ProbeTables {
  readonly rows: readonly ProbeRow[];
  /** Native number by the number of the 32-bit call; 0xffff: none. Empty where there are no such calls. */
  readonly compat: Uint16Array;
  /** Four times 256 words each. */
  readonly flagTables: readonly Uint32Array[];
}

export interface ProbeOptions {
  readonly ringCount: number;
  /** A power of two, at least a page. */
  readonly ringBytes: number;
  readonly tables: ProbeTables;
}

/** Sums over all cpus. */
export interface KernelTotals {
  readonly generated: number;
  readonly dropped: number;
  readonly suppressed: number;
  readonly unread: number;
  readonly truncated: number;
  readonly failed: number;
}

const SYSCALL_PROGRAM_PREFIX = 'sx_';
const WAKE_BYTES = 8;
/** Value of the map `suppressed` (probe/suppress.h). */
const SUPPRESSED_SEEN = 2;
/** In `compat`: no such call. */
const NO_SYSCALL = 0xffff;

/** How many cpus there can be: `0-7` or `0,2-3` names the last. */
export function possibleCpuCount(path = '/sys/devices/system/cpu/possible'): number {
  return Number(/(\d+)\s*$/.exec(readFileSync(path, 'latin1'))?.[1] ?? 0) + 1;
}

function roundUpToPage(bytes: number): number {
  const page = pageBytes();
  return Math.ceil(bytes / page) * page;
}

export function syscallRowBytes(row: ProbeRow, programIndex: number): Buffer {
  if (row.ops.length > OPS_MAX) throw new Error(`system call ${row.nr} has ${row.ops.length} operations`);
  const value = Buffer.alloc(SYSCALL_ROW.bytes);
  value.writeUInt16LE(row.eventType, SYSCALL_ROW.eventType);
  value.writeUInt16LE(row.syscallId, SYSCALL_ROW.syscallId);
  value[SYSCALL_ROW.program] = programIndex;
  value[SYSCALL_ROW.opCount] = row.ops.length;
  value[SYSCALL_ROW.paramCount] = row.paramCount;
  for (const [i, op] of row.ops.entries()) {
    value.set([op.kind, op.arg, op.table, op.extra], SYSCALL_ROW.ops + OP_BYTES * i);
  }
  return value;
}

function words64(bytes: Buffer): BigUint64Array {
  return new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 3);
}

function mapRing(fd: number, ringBytes: number): RingMemory {
  const page = pageBytes();
  const consumer = mapShared({ fd, offset: 0, length: page, isWritable: true }).bytes;
  const shared = mapShared({ fd, offset: page, length: page + 2 * ringBytes, isWritable: false }).bytes;
  return {
    consumer: new BigUint64Array(consumer.buffer, consumer.byteOffset, 1),
    producer: new Uint32Array(shared.buffer, shared.byteOffset, 2),
    data: Buffer.from(shared.buffer, shared.byteOffset + page, 2 * ringBytes),
  };
}

export class Probe {
  /** struct config, shared with the kernel: a store takes effect at once. */
  readonly config: Buffer;
  /** The need-wakeup flag. */
  readonly wake: BigUint64Array;
  readonly rings: readonly RingMemory[];
  readonly ringFds: readonly number[];
  readonly cpuCount: number;
  /** Programs that rows name and the blob does not have: their system calls are not captured. */
  readonly missingPrograms: string[];
  private readonly loaded: LoadedSkeleton;
  private readonly counters: BigUint64Array;
  private readonly drops: BigUint64Array;
  /** Link of each attached program, by name. */
  private readonly links: Map<string, number>;
  private isClosed: boolean;

  /** Loads and fills, attaches nothing. Throws BpfError or SkeletonRefused. */
  constructor(options: ProbeOptions) {
    const { ringCount, ringBytes } = options;
    this.cpuCount = possibleCpuCount();
    if (this.cpuCount > CPUS_MAX) {
      throw new Error(`${this.cpuCount} cpus: the probe has room for ${CPUS_MAX}`);
    }
    const entries = new Map([
      ['scratches', this.cpuCount],
      ['counters', this.cpuCount],
      ['rings', ringCount],
    ]);
    this.loaded = loadSkeleton(readSkeleton('probe'), entries);
    this.missingPrograms = [];
    this.links = new Map();
    this.isClosed = false;
    this.config = this.share('config', CONFIG.bytes, true);
    this.wake = words64(this.share('wake', WAKE_BYTES, true));
    this.counters = words64(this.share('counters', this.cpuCount * COUNTERS.bytes, false));
    this.drops = words64(this.share('drops', EVENT_TYPES_MAX * WAKE_BYTES, false));
    this.fillTables(options.tables);
    this.ringFds = this.createRings(ringCount, ringBytes);
    this.rings = this.ringFds.map((fd) => mapRing(fd, ringBytes));
    this.config.writeUInt32LE(ringCount, CONFIG.ringCount);
    this.config.writeUInt32LE(pageBytes() / 1024, CONFIG.pageKb);
  }

  /** Names of the programs that can be attached by themselves. */
  get tracepoints(): string[] {
    return [...this.loaded.programs.keys()].filter((name) => !name.startsWith(SYSCALL_PROGRAM_PREFIX));
  }

  isAttached(name: string): boolean {
    return this.links.has(name);
  }

  /** Attaches a program to its tracepoint; does nothing when it is. Throws BpfError. */
  attach(name: string): void {
    if (!this.links.has(name)) this.links.set(name, openRawTracepoint(this.programFd(name)));
  }

  detach(name: string): void {
    const fd = this.links.get(name);
    if (fd === undefined) return;
    this.links.delete(name);
    closeSync(fd);
  }

  /** A process that is not captured from now on, but its end is told: its row is there. `tgid` as the initial namespace counts. */
  suppress(tgid: number): void {
    updateMap(this.mapFd('suppressed'), key32(tgid), key32(SUPPRESSED_SEEN));
  }

  totals(): KernelTotals {
    return {
      generated: this.sum(COUNTERS.generated),
      dropped: this.sum(COUNTERS.dropped),
      suppressed: this.sum(COUNTERS.suppressed),
      unread: this.sum(COUNTERS.unread),
      truncated: this.sum(COUNTERS.truncated),
      failed: this.sum(COUNTERS.failed),
    };
  }

  /** Records without room in a ring, of one event type. */
  dropsOf(type: number): number {
    return Number(this.drops[type] ?? 0n);
  }

  /**
   * Runs that were left out because the same program ran on that cpu already; each may have been an event. Undefined where the
   * kernel does not tell: before 5.14 it wants capabilities for it.
   */
  recursionMisses(): number | undefined {
    let misses = 0;
    try {
      // Of detached ones too: a count of losses never shrinks.
      for (const name of this.tracepoints) misses += programInfo(this.programFd(name)).recursionMisses;
    } catch (error) {
      if (error instanceof BpfError) return undefined;
      throw error;
    }
    return misses;
  }

  /** Detaches and lets go of everything in the kernel. The mappings stay: views of them may live. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.config.writeUInt32LE(0, CONFIG.enabled);
    for (const name of [...this.links.keys()]) this.detach(name);
    for (const fd of [...this.loaded.programs.values(), ...this.loaded.maps.values(), ...this.ringFds]) {
      closeSync(fd);
    }
  }

  private sum(offset: number): number {
    let total = 0;
    for (let at = offset; at < this.cpuCount * COUNTERS.bytes; at += COUNTERS.bytes) {
      total += Number(this.counters[at >> 3]);
    }
    return total;
  }

  private mapFd(name: string): number {
    const fd = this.loaded.maps.get(name);
    if (fd === undefined) throw new Error(`the probe has no map ${name}`);
    return fd;
  }

  private programFd(name: string): number {
    const fd = this.loaded.programs.get(name);
    if (fd === undefined) throw new Error(`the probe has no program ${name}`);
    return fd;
  }

  private share(name: string, bytes: number, isWritable: boolean): Buffer {
    const length = roundUpToPage(bytes);
    return mapShared({ fd: this.mapFd(name), offset: 0, length, isWritable }).bytes.subarray(0, bytes);
  }

  private fillTables(tables: ProbeTables): void {
    const syscalls = [...this.loaded.programs.keys()].filter((name) =>
      name.startsWith(SYSCALL_PROGRAM_PREFIX),
    );
    // Index 0 means that the operations write the event.
    const indexes = new Map(syscalls.map((name, i) => [name, i + 1]));
    if (syscalls.length >= PROGRAMS_MAX) throw new Error(`${syscalls.length} programs: the table is full`);
    for (const [name, index] of indexes) {
      updateMap(this.mapFd('programs'), key32(index), key32(this.programFd(name)));
    }
    for (const row of tables.rows) {
      const index = row.program === undefined ? 0 : indexes.get(row.program);
      if (index === undefined) {
        this.missingPrograms.push(`${row.program}`);
        continue;
      }
      updateMap(this.mapFd('syscalls'), key32(row.nr), syscallRowBytes(row, index));
    }
    const compat = Buffer.alloc(2);
    for (let nr = 0; nr < SYSCALLS_MAX; nr++) {
      compat.writeUInt16LE(tables.compat[nr] ?? NO_SYSCALL);
      updateMap(this.mapFd('compat'), key32(nr), compat);
    }
    for (const [i, table] of tables.flagTables.entries()) {
      const bytes = Buffer.from(table.buffer, table.byteOffset, table.byteLength);
      if (bytes.length !== FLAG_TABLE_BYTES) throw new Error(`flag table ${i} has ${bytes.length} bytes`);
      updateMap(this.mapFd('flag_tables'), key32(i), bytes);
    }
  }

  private createRings(count: number, bytes: number): number[] {
    const fds: number[] = [];
    for (let i = 0; i < count; i++) {
      const spec = { type: MAP_TYPE_RINGBUF, keyBytes: 0, valueBytes: 0, entriesMax: bytes, name: 'ring' };
      const fd = createMap(spec);
      fds.push(fd);
      updateMap(this.mapFd('rings'), key32(i), key32(fd));
    }
    return fds;
  }
}
