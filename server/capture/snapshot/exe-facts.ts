/** What is known of the executable file of a process: inode, times, whether its user may write it, its layer in an overlay. */
import { existsSync, statSync } from 'node:fs';
import type { Integer } from '../../event/u64.ts';
import type { MountRow, MountTable } from './mount-table.ts';
import { hostPath } from './proc-files.ts';

export interface ExeFacts {
  readonly exeIno: Integer;
  readonly exeInoCtimeNs: bigint;
  readonly exeInoMtimeNs: bigint;
  readonly exeWritable: boolean;
  readonly exeUpperLayer: boolean;
  readonly exeLowerLayer: boolean;
  readonly exeFromMemfd: boolean;
}

export const NO_EXE_FACTS: ExeFacts = {
  exeIno: 0,
  exeInoCtimeNs: 0n,
  exeInoMtimeNs: 0n,
  exeWritable: false,
  exeUpperLayer: false,
  exeLowerLayer: false,
  exeFromMemfd: false,
};

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly capEffective: Integer;
}

export interface FileAccess {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly isReadOnly: boolean;
}

const S_IWGRP = 0o020;
const S_IWOTH = 0o002;
const CAP_DAC_OVERRIDE = 1n << 1n;
const CAP_FOWNER = 1n << 3n;

/** Whether a process may write the file, or could make it so: its owner may always change the mode. */
export function mayWrite(file: FileAccess, who: Credentials): boolean {
  if (file.isReadOnly) return false;
  if (file.uid === who.uid || (file.mode & S_IWOTH) !== 0) return true;
  if ((file.mode & S_IWGRP) !== 0 && (file.gid === who.gid || who.groups.includes(file.gid))) return true;
  return (BigInt(who.capEffective) & (CAP_DAC_OVERRIDE | CAP_FOWNER)) !== 0n;
}

export function isMemfdPath(path: string): boolean {
  return path.startsWith('/memfd:');
}

/** Reads through `procDir/exe`, which works for deleted files and those of other mount namespaces. */
export function readExeFacts(
  procDir: string,
  exepath: string,
  who: Credentials,
  mounts: MountTable,
  hostRoot: string,
): ExeFacts {
  if (exepath === '') return NO_EXE_FACTS;
  let stat: ReturnType<typeof bigintStat>;
  try {
    stat = bigintStat(`${procDir}/exe`);
  } catch {
    return NO_EXE_FACTS;
  }
  const mount = mounts.findByDev(Number(stat.dev), procDir);
  const layer = layerOf(mount, exepath, hostRoot);
  const access = {
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    isReadOnly: mount?.isReadOnly === true,
  };
  return {
    exeIno: integer(stat.ino),
    exeInoCtimeNs: stat.ctimeNs,
    exeInoMtimeNs: stat.mtimeNs,
    exeWritable: mayWrite(access, who),
    exeUpperLayer: layer === 'upper',
    exeLowerLayer: layer === 'lower',
    exeFromMemfd: isMemfdPath(exepath),
  };
}

function bigintStat(path: string) {
  return statSync(path, { bigint: true });
}

function integer(value: bigint): Integer {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** A file of an overlay is of the upper layer when it exists there. The layers' folders are the host's. */
function layerOf(mount: MountRow | undefined, path: string, hostRoot: string): 'upper' | 'lower' | undefined {
  if (mount === undefined || mount.type !== 'overlay') return undefined;
  const upper = mount.options
    .split(',')
    .find((option) => option.startsWith('upperdir='))
    ?.slice(9);
  if (upper === undefined) return 'lower';
  const reachable = hostPath(hostRoot, upper);
  if (reachable === undefined) return undefined;
  const prefix = mount.mountPoint === '/' ? '' : mount.mountPoint;
  const inside = path.startsWith(prefix) ? path.slice(prefix.length) : path;
  // Paths are binary strings; the file system takes bytes.
  return existsSync(Buffer.from(`${reachable}${inside}`, 'latin1')) ? 'upper' : 'lower';
}
