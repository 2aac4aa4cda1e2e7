/** The open fds of a process from /proc/PID/fd and fdinfo, sockets joined with their addresses. */
import { type Stats, statSync } from 'node:fs';
import type { FdEntry } from '../../event/snapshot.ts';
import type { Integer } from '../../event/u64.ts';
import { EMPTY_FD, FD_DIRECTORY, FD_FIFO, FD_FILE_V2, kindOf } from './fd-types.ts';
import type { MountTable } from './mount-table.ts';
import { readSockets, type SocketTable } from './net-tables.ts';
import { openFlagsOf } from './open-flags.ts';
import { listNumbers, readLink, readText } from './proc-files.ts';
import { type FdInfoText, integerOf, parseFdInfo } from './proc-text.ts';

const FDINFO_BYTES_MAX = 4096;
const SOCKET_NAME = /^socket:\[(\d+)\]$/;
const PIPE_NAME = /^pipe:\[(\d+)\]$/;

/** Tables are read again for a socket they lack when they are older than this, as long as that takes no more than so long in all. */
const FRESH_MS = 20;
const AGAIN_MS_MAX = 200;

interface NamespaceTables {
  readonly sockets: SocketTable;
  readonly readMs: number;
}

export class FdReader {
  private readonly fdsMax: number;
  private readonly mounts: MountTable;
  /** By the link of the network namespace. */
  private readonly sockets: Map<string, NamespaceTables>;
  private againMs: number;

  constructor(fdsMax: number, mounts: MountTable) {
    this.fdsMax = fdsMax;
    this.mounts = mounts;
    this.sockets = new Map();
    this.againMs = 0;
  }

  /** undefined when the process is gone. */
  read(procDir: string): FdEntry[] | undefined {
    const numbers = listNumbers(`${procDir}/fd`);
    if (numbers === undefined) return undefined;
    const entries: FdEntry[] = [];
    for (const fd of numbers.slice(0, this.fdsMax)) {
      const entry = this.readFd(procDir, fd);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  forgetSockets(): void {
    this.sockets.clear();
    this.againMs = 0;
  }

  private readFd(procDir: string, fd: number): FdEntry | undefined {
    const name = readLink(`${procDir}/fd/${fd}`);
    if (name === undefined) return undefined;
    const info = parseFdInfo(readText(`${procDir}/fdinfo/${fd}`, FDINFO_BYTES_MAX) ?? '');
    const base: FdEntry = { ...EMPTY_FD, fd, openFlags: openFlagsOf(info.flags), ino: info.ino };
    const socket = SOCKET_NAME.exec(name);
    if (socket !== null) return this.socketEntry(procDir, base, name, socket[1] as string);
    const pipe = PIPE_NAME.exec(name);
    if (pipe !== null) return { ...base, type: FD_FIFO, name, ino: integerOf(pipe[1] as string) };
    // Names without a slash are of no file system: their kind is in the name.
    if (!name.startsWith('/')) {
      const [type, shown] = kindOf(name, 0);
      return { ...base, type, name: shown };
    }
    return this.fileEntry(procDir, base, name, info);
  }

  private fileEntry(procDir: string, base: FdEntry, name: string, info: FdInfoText): FdEntry | undefined {
    let stat: Stats | undefined;
    try {
      stat = statSync(`${procDir}/fd/${base.fd}`, { throwIfNoEntry: false });
    } catch {
      return undefined;
    }
    if (stat === undefined) return undefined;
    const [type, shown] = kindOf(name, stat.mode);
    const entry = { ...base, type, name: shown, ino: info.ino === 0 ? stat.ino : info.ino };
    if (type !== FD_FILE_V2 && type !== FD_DIRECTORY) return entry;
    const dev = this.mounts.find(info.mountId, procDir)?.dev ?? stat.dev;
    return { ...entry, mountId: info.mountId, dev };
  }

  /** Sockets in no table (not bound yet, or of another family) keep the kernel's name. */
  private socketEntry(procDir: string, base: FdEntry, name: string, digits: string): FdEntry {
    const ino = integerOf(digits);
    const known = this.findSocket(procDir, ino);
    if (known === undefined) return { ...base, ino, name };
    return { ...known, fd: base.fd, openFlags: base.openFlags, ino };
  }

  private findSocket(procDir: string, ino: Integer): FdEntry | undefined {
    const namespace = readLink(`${procDir}/ns/net`) ?? '';
    const tables = this.sockets.get(namespace) ?? this.readTables(procDir, namespace);
    const found = tables.sockets.get(ino);
    if (found !== undefined || !this.mayReadAgain(tables)) return found;
    // Made since the tables were read, maybe.
    const startedMs = performance.now();
    const again = this.readTables(procDir, namespace);
    this.againMs += performance.now() - startedMs;
    return again.sockets.get(ino);
  }

  private mayReadAgain({ readMs }: NamespaceTables): boolean {
    return this.againMs < AGAIN_MS_MAX && performance.now() - readMs > FRESH_MS;
  }

  private readTables(procDir: string, namespace: string): NamespaceTables {
    const tables = { sockets: readSockets(procDir), readMs: performance.now() };
    // A process that ended meanwhile may have shown only a part, which must not stand for the others.
    if (readLink(`${procDir}/ns/net`) === namespace) this.sockets.set(namespace, tables);
    return tables;
  }
}
