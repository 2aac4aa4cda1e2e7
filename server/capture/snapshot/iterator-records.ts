/**
 * Records that the kernel iterators write, as in server/capture/ebpf/probe/iterators.bpf.c: a header whose first words are kind and
 * length, then the texts. Little-endian.
 */
import { type Integer, i64, u64 } from '../../event/u64.ts';

const RECORD_TASK = 0x4b534154;
const RECORD_FILE = 0x454c4946;
const RECORD_ARGS = 0x53475241;
const TASK_BYTES = 248;
const FILE_BYTES = 120;
const ARGS_BYTES = 16;
const HEADER_BYTES: Readonly<Record<number, number>> = {
  [RECORD_TASK]: TASK_BYTES,
  [RECORD_FILE]: FILE_BYTES,
  [RECORD_ARGS]: ARGS_BYTES,
};

/** Facts of a task, a bit each. */
export const TASK_IS_DEAD = 1;
export const TASK_OWN_FILES = 2;
export const TASK_HAS_EXE = 4;
export const TASK_EXE_READ_ONLY = 8;
export const TASK_EXE_UPPER = 16;
export const TASK_EXE_LOWER = 32;

/** Times are nanoseconds since boot, memory is in pages. */
export interface TaskRecord {
  readonly facts: number;
  readonly tid: number;
  readonly pid: number;
  readonly ptid: number;
  readonly vtid: number;
  readonly vpid: number;
  readonly pgid: number;
  readonly vpgid: number;
  readonly sid: number;
  readonly uid: number;
  readonly gid: number;
  readonly loginuid: number;
  readonly tty: number;
  /** 0 in the first pid namespace. */
  readonly pidnsLevel: number;
  readonly exeMode: number;
  readonly exeUid: number;
  readonly exeGid: number;
  readonly threadCount: number;
  readonly readNs: bigint;
  readonly startNs: bigint;
  readonly pidnsStartNs: bigint;
  readonly fdlimit: Integer;
  readonly sizePages: number;
  readonly rssPages: number;
  readonly swapPages: number;
  readonly majorFaults: Integer;
  readonly minorFaults: Integer;
  readonly capInheritable: Integer;
  readonly capPermitted: Integer;
  readonly capEffective: Integer;
  readonly exeIno: Integer;
  readonly exeCtimeNs: bigint;
  readonly exeMtimeNs: bigint;
  /** Threads with the same key have the same cgroup memberships. */
  readonly cgroupKey: bigint;
  readonly comm: string;
  readonly exe: string;
  readonly cwd: string;
  readonly root: string;
}

export interface FileRecord {
  readonly tid: number;
  readonly fd: number;
  /** Native open flags, close-on-exec among them. */
  readonly flags: number;
  readonly mode: number;
  readonly dev: number;
  readonly mountId: number;
  /** 0 for what is no socket. */
  readonly family: number;
  readonly socketType: number;
  readonly protocol: number;
  readonly state: number;
  readonly port: number;
  readonly peerPort: number;
  /** 16 bytes; IPv4 addresses are the first four. */
  readonly address: string;
  readonly peerAddress: string;
  readonly ino: Integer;
  readonly readNs: bigint;
  readonly socket: Integer;
  readonly peerSocket: Integer;
  readonly name: string;
}

/** argv or environment of a process. */
export interface ArgsRecord {
  readonly pid: number;
  readonly bytes: string;
}

export interface RecordListener {
  onTask?(record: TaskRecord): void;
  onFile?(record: FileRecord): void;
  onArgs?(record: ArgsRecord): void;
}

/** Decodes a stream of records that arrives in chunks. Throws an Error on bytes that are no record. */
export class RecordDecoder {
  private readonly listener: RecordListener;
  private rest: Buffer;

  constructor(listener: RecordListener) {
    this.listener = listener;
    this.rest = Buffer.alloc(0);
  }

  /** Takes a chunk; it may be reused afterwards. */
  push(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 8) {
      const length = bytes.readUInt32LE(at + 4);
      if (length < ARGS_BYTES || length > 65_536) throw new Error(`iterator record of ${length} bytes`);
      if (bytes.length - at < length) break;
      this.decode(bytes, at, length);
      at += length;
    }
    this.rest = Buffer.from(bytes.subarray(at));
  }

  /** Throws when the last record is incomplete. */
  end(): void {
    if (this.rest.length > 0) throw new Error(`iterator ended inside a record (${this.rest.length} bytes)`);
  }

  private decode(bytes: Buffer, at: number, length: number): void {
    const kind = bytes.readUInt32LE(at);
    const textBytes = length - (HEADER_BYTES[kind] ?? Number.POSITIVE_INFINITY);
    if (textBytes < 0) throw new Error(`iterator record of unknown kind ${kind} with ${length} bytes`);
    if (textBytes !== textLength(bytes, at, kind))
      throw new Error('iterator record with texts of other lengths');
    if (kind === RECORD_TASK) this.listener.onTask?.(readTask(bytes, at));
    else if (kind === RECORD_FILE) this.listener.onFile?.(readFile(bytes, at));
    else this.listener.onArgs?.(readArgs(bytes, at));
  }
}

/** What the header says about the bytes behind it. */
function textLength(bytes: Buffer, at: number, kind: number): number {
  if (kind === RECORD_ARGS) return bytes.readUInt32LE(at + 12);
  const first = bytes.readUInt32LE(at + 8);
  if (kind === RECORD_FILE) return first;
  return first + bytes.readUInt32LE(at + 12) + bytes.readUInt32LE(at + 16);
}

function word64(bytes: Buffer, at: number): Integer {
  return u64(bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at));
}

function timeNs(bytes: Buffer, secondsAt: number, nanosecondsAt: number): bigint {
  return bytes.readBigInt64LE(secondsAt) * 1_000_000_000n + BigInt(bytes.readUInt32LE(nanosecondsAt));
}

/** A text of `length` bytes up to its first NUL. */
function text(bytes: Buffer, at: number, length: number): string {
  const nul = bytes.subarray(at, at + length).indexOf(0);
  return bytes.latin1Slice(at, at + (nul < 0 ? length : nul));
}

function readTask(bytes: Buffer, at: number): TaskRecord {
  const exeLength = bytes.readUInt32LE(at + 8);
  const cwdLength = bytes.readUInt32LE(at + 12);
  const exeAt = at + TASK_BYTES;
  return {
    facts: bytes.readUInt32LE(at + 20),
    tid: bytes.readInt32LE(at + 24),
    pid: bytes.readInt32LE(at + 28),
    ptid: bytes.readInt32LE(at + 32),
    vtid: bytes.readInt32LE(at + 36),
    vpid: bytes.readInt32LE(at + 40),
    pgid: bytes.readInt32LE(at + 44),
    vpgid: bytes.readInt32LE(at + 48),
    sid: bytes.readInt32LE(at + 52),
    uid: bytes.readUInt32LE(at + 56),
    gid: bytes.readUInt32LE(at + 60),
    loginuid: bytes.readUInt32LE(at + 64),
    tty: bytes.readUInt32LE(at + 68),
    pidnsLevel: bytes.readUInt32LE(at + 72),
    exeMode: bytes.readUInt32LE(at + 76),
    exeUid: bytes.readUInt32LE(at + 80),
    exeGid: bytes.readUInt32LE(at + 84),
    threadCount: bytes.readInt32LE(at + 88),
    readNs: bytes.readBigUInt64LE(at + 96),
    startNs: bytes.readBigUInt64LE(at + 104),
    pidnsStartNs: bytes.readBigUInt64LE(at + 112),
    fdlimit: i64(bytes.readUInt32LE(at + 124), bytes.readUInt32LE(at + 120)),
    sizePages: Number(word64(bytes, at + 128)),
    rssPages: Number(word64(bytes, at + 136)),
    swapPages: Number(word64(bytes, at + 144)),
    majorFaults: word64(bytes, at + 152),
    minorFaults: word64(bytes, at + 160),
    capInheritable: word64(bytes, at + 168),
    capPermitted: word64(bytes, at + 176),
    capEffective: word64(bytes, at + 184),
    exeIno: word64(bytes, at + 192),
    exeCtimeNs: timeNs(bytes, at + 200, at + 216),
    exeMtimeNs: timeNs(bytes, at + 208, at + 220),
    cgroupKey: bytes.readBigUInt64LE(at + 224),
    comm: text(bytes, at + 232, 16),
    exe: text(bytes, exeAt, exeLength),
    cwd: text(bytes, exeAt + exeLength, cwdLength),
    root: text(bytes, exeAt + exeLength + cwdLength, bytes.readUInt32LE(at + 16)),
  };
}

function readFile(bytes: Buffer, at: number): FileRecord {
  const family = bytes.readUInt16LE(at + 40);
  const nameLength = bytes.readUInt32LE(at + 8);
  const nameAt = at + FILE_BYTES;
  return {
    tid: bytes.readInt32LE(at + 12),
    fd: bytes.readInt32LE(at + 20),
    flags: bytes.readInt32LE(at + 24),
    mode: bytes.readUInt32LE(at + 28),
    dev: bytes.readUInt32LE(at + 32),
    mountId: bytes.readUInt32LE(at + 36),
    family,
    socketType: bytes.readUInt16LE(at + 42),
    protocol: bytes.readUInt16LE(at + 44),
    state: bytes.readUInt16LE(at + 46),
    port: bytes.readUInt16LE(at + 48),
    peerPort: bytes.readUInt16LE(at + 50),
    address: family === 0 ? '' : bytes.latin1Slice(at + 52, at + 68),
    peerAddress: family === 0 ? '' : bytes.latin1Slice(at + 68, at + 84),
    ino: word64(bytes, at + 88),
    readNs: bytes.readBigUInt64LE(at + 96),
    socket: word64(bytes, at + 104),
    peerSocket: word64(bytes, at + 112),
    // An abstract unix name starts with a NUL and may hold more.
    name: family === 0 ? text(bytes, nameAt, nameLength) : bytes.latin1Slice(nameAt, nameAt + nameLength),
  };
}

function readArgs(bytes: Buffer, at: number): ArgsRecord {
  const length = bytes.readUInt32LE(at + 12);
  return {
    pid: bytes.readInt32LE(at + 8),
    bytes: bytes.latin1Slice(at + ARGS_BYTES, at + ARGS_BYTES + length),
  };
}
