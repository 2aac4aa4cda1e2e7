/**
 * Reading of /proc under a root: synchronous, as the kernel answers from memory and a promise would cost more than the read.
 * Processes vanish while they are read: every function answers `undefined` (or nothing) then, and never throws.
 */
import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

const CHUNK_BYTES = 65_536;
/** Bytes read of a file when the caller names no limit. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
const LATIN1 = { encoding: 'latin1' } as const;

/** The file's bytes as a binary string, at most `bytesMax` of them; undefined when it cannot be read. */
export function readText(path: string, bytesMax = TEXT_BYTES_MAX): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    let text = '';
    while (text.length < bytesMax) {
      const n = readSync(fd, buffer, 0, Math.min(CHUNK_BYTES, bytesMax - text.length), null);
      if (n === 0) break;
      text += buffer.latin1Slice(0, n);
      // procfs fills the buffer as long as it has more; single-record files end with their first read.
      if (n < 1024 && bytesMax <= CHUNK_BYTES) break;
    }
    return text;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** A link's target as a binary string. */
export function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path, LATIN1);
  } catch {
    return undefined;
  }
}

/** The numbers among a directory's names, ascending as the kernel lists them: pids, tids, fds. */
export function listNumbers(path: string): number[] | undefined {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch {
    return undefined;
  }
  const numbers: number[] = [];
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first >= 48 && first <= 57) numbers.push(Number(name));
  }
  return numbers.filter(Number.isSafeInteger);
}

/** A path of the node's own mount namespace as we can reach it: under its root, else through process 1; undefined when neither. */
export function hostPath(hostRoot: string, path: string): string | undefined {
  return [`${hostRoot}${path}`, `${hostRoot}/proc/1/root${path}`].find((candidate) =>
    existsSync(Buffer.from(candidate, 'latin1')),
  );
}

/** Names of the folders in a folder. */
export function listFolders(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true, encoding: 'utf8' });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}
