/** The bpf(2) system call: builders of its argument blocks, and one function per command in use. */
import { errnoName, libc } from './libc.ts';
import { allocateNative, type NativeMemory, withNative } from './native-memory.ts';

const BPF_SYSCALL: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };

export const MAP_CREATE = 0;
const MAP_LOOKUP_ELEM = 1;
const MAP_UPDATE_ELEM = 2;
const MAP_DELETE_ELEM = 3;
const PROG_LOAD = 5;
const PROG_RUN = 10;
const PROG_GET_NEXT_ID = 11;
const MAP_GET_NEXT_ID = 12;
const OBJ_GET_INFO_BY_FD = 15;
const RAW_TRACEPOINT_OPEN = 17;
const LINK_CREATE = 28;
const LINK_GET_NEXT_ID = 31;
const ITER_CREATE = 33;

const COMMAND_NAMES: Readonly<Record<number, string>> = {
  [MAP_CREATE]: 'MAP_CREATE',
  [MAP_LOOKUP_ELEM]: 'MAP_LOOKUP_ELEM',
  [MAP_UPDATE_ELEM]: 'MAP_UPDATE_ELEM',
  [MAP_DELETE_ELEM]: 'MAP_DELETE_ELEM',
  [PROG_LOAD]: 'PROG_LOAD',
  [PROG_RUN]: 'PROG_RUN',
  [PROG_GET_NEXT_ID]: 'PROG_GET_NEXT_ID',
  [MAP_GET_NEXT_ID]: 'MAP_GET_NEXT_ID',
  [OBJ_GET_INFO_BY_FD]: 'OBJ_GET_INFO_BY_FD',
  [RAW_TRACEPOINT_OPEN]: 'RAW_TRACEPOINT_OPEN',
  [LINK_CREATE]: 'LINK_CREATE',
  [LINK_GET_NEXT_ID]: 'LINK_GET_NEXT_ID',
  [ITER_CREATE]: 'ITER_CREATE',
};

export const MAP_TYPE_ARRAY = 2;
export const MAP_TYPE_RINGBUF = 27;
export const PROG_TYPE_SYSCALL = 31;
const ATTACH_TRACE_ITER = 28;
const F_SLEEPABLE = 16;
const NAME_BYTES_MAX = 15;

/** A refused bpf(2) call. */
export class BpfError extends Error {
  override name = 'BpfError';
  readonly errno: number;
  /** Name of the errno: `EPERM`. */
  readonly code: string;

  constructor(what: string, errno: number) {
    super(`${what}: ${errnoName(errno)}`);
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

export interface MapSpec {
  readonly type: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entriesMax: number;
  readonly name: string;
}

export function mapCreateAttr(spec: MapSpec): Buffer {
  const attr = Buffer.alloc(72);
  attr.writeUInt32LE(spec.type, 0);
  attr.writeUInt32LE(spec.keyBytes, 4);
  attr.writeUInt32LE(spec.valueBytes, 8);
  attr.writeUInt32LE(spec.entriesMax, 12);
  attr.write(spec.name.slice(0, NAME_BYTES_MAX), 28, 'latin1');
  return attr;
}

export function mapElemAttr(fd: number, keyAddress: number, valueAddress: number): Buffer {
  const attr = Buffer.alloc(32);
  attr.writeUInt32LE(fd, 0);
  attr.writeBigUInt64LE(BigInt(keyAddress), 8);
  attr.writeBigUInt64LE(BigInt(valueAddress), 16);
  return attr;
}

export interface ProgramSpec {
  readonly type: number;
  readonly insnCount: number;
  readonly insnsAddress: number;
  readonly licenseAddress: number;
  readonly fdArrayAddress: number;
  readonly name: string;
}

/** For a sleepable program, which loader programs are. */
export function programLoadAttr(spec: ProgramSpec): Buffer {
  const attr = Buffer.alloc(128);
  attr.writeUInt32LE(spec.type, 0);
  attr.writeUInt32LE(spec.insnCount, 4);
  attr.writeBigUInt64LE(BigInt(spec.insnsAddress), 8);
  attr.writeBigUInt64LE(BigInt(spec.licenseAddress), 16);
  attr.writeUInt32LE(F_SLEEPABLE, 44);
  attr.write(spec.name.slice(0, NAME_BYTES_MAX), 48, 'latin1');
  attr.writeBigUInt64LE(BigInt(spec.fdArrayAddress), 120);
  return attr;
}

export function programRunAttr(fd: number, contextAddress: number, contextBytes: number): Buffer {
  const attr = Buffer.alloc(80);
  attr.writeUInt32LE(fd, 0);
  attr.writeUInt32LE(contextBytes, 40);
  attr.writeBigUInt64LE(BigInt(contextAddress), 48);
  return attr;
}

/** What a signal during a load looks like, and how often a load is tried then. */
export const EAGAIN = 11;
export const LOAD_TRIES = 5;

/** Whether this architecture's number of bpf(2) is known. */
export function knowsBpfSyscall(arch: string): boolean {
  return BPF_SYSCALL[arch] !== undefined;
}

/** The kernel's answer, which is not negative; `attr` is written in place. Throws BpfError. */
export function bpf(command: number, attr: Buffer, what = ''): number {
  const number = BPF_SYSCALL[process.arch];
  if (number === undefined) throw new Error(`bpf(2) has no known number on ${process.arch}`);
  const result = Number(libc().syscall(number, command, attr, attr.length));
  if (result < 0) {
    const name = COMMAND_NAMES[command] ?? `command ${command}`;
    throw new BpfError(what === '' ? `bpf ${name}` : `bpf ${name} of ${what}`, libc().errno());
  }
  return result;
}

const KEY_AT = 0;
const VALUE_AT = 64;
const ELEM_BYTES = 16_384;
let elem: NativeMemory | undefined;

/** Key and value of map commands: one native place for all, as the calls are synchronous. */
function elemMemory(): NativeMemory {
  elem ??= allocateNative(ELEM_BYTES);
  return elem;
}

function elemCommand(command: number, fd: number, key: Buffer, value: Buffer): number {
  if (VALUE_AT + value.length > ELEM_BYTES)
    throw new Error(`a map value of ${value.length} bytes is too long`);
  const memory = elemMemory();
  memory.bytes.set(key, KEY_AT);
  memory.bytes.set(value, VALUE_AT);
  return bpf(command, mapElemAttr(fd, memory.address + KEY_AT, memory.address + VALUE_AT));
}

/** Returns the fd. */
export function createMap(spec: MapSpec): number {
  return bpf(MAP_CREATE, mapCreateAttr(spec), spec.name);
}

export function updateMap(fd: number, key: Buffer, value: Buffer): void {
  elemCommand(MAP_UPDATE_ELEM, fd, key, value);
}

/** A value of any length, for the one big element of a loader's map. */
export function updateMapLarge(fd: number, key: Buffer, value: Buffer): void {
  withNative(value, (valueAddress) => {
    const memory = elemMemory();
    memory.bytes.set(key, KEY_AT);
    bpf(MAP_UPDATE_ELEM, mapElemAttr(fd, memory.address + KEY_AT, valueAddress));
  });
}

/** Fills `value`; throws BpfError `ENOENT` when there is none. */
export function lookupMap(fd: number, key: Buffer, value: Buffer): void {
  elemCommand(MAP_LOOKUP_ELEM, fd, key, value);
  value.set(elemMemory().bytes.subarray(VALUE_AT, VALUE_AT + value.length));
}

export function deleteFromMap(fd: number, key: Buffer): void {
  elemCommand(MAP_DELETE_ELEM, fd, key, Buffer.alloc(0));
}

/** A key of 4 bytes. */
export function key32(value: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(value);
  return key;
}

/** Returns the fd. A signal that waits makes the verifier give up with EAGAIN: it is asked again, a few times. */
export function loadProgram(spec: ProgramSpec): number {
  for (let triesLeft = LOAD_TRIES; ; triesLeft--) {
    try {
      return bpf(PROG_LOAD, programLoadAttr(spec), spec.name);
    } catch (error) {
      if (!(error instanceof BpfError) || error.errno !== EAGAIN || triesLeft <= 1) throw error;
    }
  }
}

/** Runs a program of type SYSCALL and returns its own result, signed. */
export function runProgram(fd: number, contextAddress: number, contextBytes: number): number {
  const attr = programRunAttr(fd, contextAddress, contextBytes);
  bpf(PROG_RUN, attr);
  return attr.readInt32LE(4);
}

/** Attaches a tp_btf program; the fd returned is the link, which closing removes. */
export function openRawTracepoint(programFd: number): number {
  const attr = Buffer.alloc(16);
  attr.writeUInt32LE(programFd, 8);
  return bpf(RAW_TRACEPOINT_OPEN, attr);
}

/** Link of an iterator program. */
export function createIteratorLink(programFd: number): number {
  const attr = Buffer.alloc(64);
  attr.writeUInt32LE(programFd, 0);
  attr.writeUInt32LE(ATTACH_TRACE_ITER, 8);
  return bpf(LINK_CREATE, attr);
}

/** One run of an iterator: an fd to read its output from, to the end. */
export function createIterator(linkFd: number): number {
  const attr = Buffer.alloc(8);
  attr.writeUInt32LE(linkFd, 0);
  return bpf(ITER_CREATE, attr);
}

const PROG_INFO_BYTES = 224;
const PROG_INFO_ID = 4;
const PROG_INFO_RECURSION_MISSES = 208;

export interface ProgramInfo {
  readonly id: number;
  /** Runs left out because the program ran on that cpu already. */
  readonly recursionMisses: number;
}

export function programInfo(fd: number): ProgramInfo {
  const info = Buffer.alloc(PROG_INFO_BYTES);
  withNative(info, (address) => {
    const attr = Buffer.alloc(16);
    attr.writeUInt32LE(fd, 0);
    attr.writeUInt32LE(PROG_INFO_BYTES, 4);
    attr.writeBigUInt64LE(BigInt(address), 8);
    bpf(OBJ_GET_INFO_BY_FD, attr);
  });
  return {
    id: info.readUInt32LE(PROG_INFO_ID),
    recursionMisses: Number(info.readBigUInt64LE(PROG_INFO_RECURSION_MISSES)),
  };
}

const NEXT_ID = { program: PROG_GET_NEXT_ID, map: MAP_GET_NEXT_ID, link: LINK_GET_NEXT_ID } as const;

/** Ids of every program, map or link in the kernel. Needs CAP_SYS_ADMIN. */
export function kernelIds(kind: keyof typeof NEXT_ID): number[] {
  const ids: number[] = [];
  const attr = Buffer.alloc(12);
  for (;;) {
    attr.writeUInt32LE(ids.at(-1) ?? 0, 0);
    try {
      bpf(NEXT_ID[kind], attr);
    } catch (error) {
      if (error instanceof BpfError && error.code === 'ENOENT') return ids;
      throw error;
    }
    ids.push(attr.readUInt32LE(4));
  }
}
