/**
 * Paths inside a root that is not ours: every symbolic link is followed within that root, as a process would see it that runs there,
 * and never out of it. Each step opens the next part relative to a folder that is held open, so that nobody who owns the files can
 * exchange one for another in between.
 */
import { constants } from 'node:fs';
import { access, type FileHandle, open, readlink, statfs } from 'node:fs/promises';

/** As include/uapi/asm-generic/fcntl.h has it: Node does not name it. The file itself is not opened, so nothing can block. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * File systems whose files are the kernel's own words (include/uapi/linux/magic.h): proc, sysfs, debugfs, tracefs. Reading one may
 * do something: lines read from /proc/kmsg are gone for those who keep the kernel's log.
 */
const KERNEL_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x9fa0, 0x62656572, 0x64626720, 0x74726163]);

/** As the kernel. */
const LINKS_MAX = 40;
const PARTS_MAX = 256;
const CHUNK_BYTES = 65_536;

/**
 * The first bytes of a regular file, at most `bytesMax`, as a binary string; undefined when there is none, or the file is the kernel's. Rejects when the root
 * cannot be reached, or the file is there and cannot be read.
 */
export async function readRootedFile(
  root: string,
  path: string,
  bytesMax: number,
): Promise<string | undefined> {
  const walk = await RootedWalk.start(root);
  try {
    const found = await walk.to(path);
    if (found === undefined || !(await found.stat()).isFile()) return undefined;
    if (isKernelFile((await statfs(`${walk.fds}/${found.fd}`)).type)) return undefined;
    const file = await open(`${walk.fds}/${found.fd}`, O_RDONLY | O_NONBLOCK);
    try {
      return await readStart(file, bytesMax);
    } finally {
      await file.close();
    }
  } finally {
    await walk.close();
  }
}

/** Device and number of what a root is; rejects when it cannot be reached. */
export async function rootIdentity(root: string): Promise<string> {
  const folder = await open(root, O_PATH | O_DIRECTORY);
  try {
    const { dev, ino } = await folder.stat();
    return `${dev} ${ino}`;
  } finally {
    await folder.close();
  }
}

class RootedWalk {
  /** Folder of our own open files. */
  readonly fds: string;
  private readonly root: FileHandle;
  /** Folders from the root to where the walk is, all held open; without the root. */
  private readonly trail: FileHandle[];

  private constructor(root: FileHandle, fds: string) {
    this.root = root;
    this.fds = fds;
    this.trail = [];
  }

  static async start(root: string): Promise<RootedWalk> {
    const fds = '/proc/self/fd';
    await access(fds);
    return new RootedWalk(await open(root, O_PATH | O_DIRECTORY), fds);
  }

  /** What the path names in the end; undefined when there is no such file. */
  async to(path: string): Promise<FileHandle | undefined> {
    const parts = partsOf(path);
    let links = 0;
    for (let steps = 0; steps < PARTS_MAX; steps++) {
      const part = parts.shift();
      if (part === undefined) return this.here;
      if (part === '..') {
        await this.trail.pop()?.close();
        continue;
      }
      const next = await this.open(part);
      if (next === undefined) return undefined;
      this.trail.push(next);
      const stat = await next.stat();
      if (!stat.isSymbolicLink()) {
        if (parts.length > 0 && !stat.isDirectory()) return undefined;
        continue;
      }
      if (++links > LINKS_MAX) return undefined;
      await this.trail.pop()?.close();
      const target = await readlink(`${this.fds}/${this.here.fd}/${part}`);
      if (target.startsWith('/')) await this.rewind();
      parts.unshift(...partsOf(target));
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.rewind();
    await this.root.close();
  }

  private get here(): FileHandle {
    return this.trail.at(-1) ?? this.root;
  }

  private async rewind(): Promise<void> {
    for (const folder of this.trail.splice(0)) await folder.close();
  }

  private async open(part: string): Promise<FileHandle | undefined> {
    try {
      return await open(`${this.fds}/${this.here.fd}/${part}`, O_PATH | O_NOFOLLOW);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }
}

function isKernelFile(type: number): boolean {
  return KERNEL_FILE_SYSTEMS.has(type >>> 0);
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function isAbsence(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG';
}

async function readStart(file: FileHandle, bytesMax: number): Promise<string> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let text = '';
  while (text.length < bytesMax) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK_BYTES, bytesMax - text.length), null);
    if (bytesRead === 0) break;
    text += buffer.latin1Slice(0, bytesRead);
  }
  return text;
}
