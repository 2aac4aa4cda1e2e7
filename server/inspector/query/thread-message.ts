/** Rows of the thread table as messages. */
import type { Thread } from '../../../proto/gen/strata/v1/state.ts';
import { findMain } from '../../fields/ancestors.ts';
import type { StateView } from '../../state/os-state.ts';
import { ID_UNKNOWN, type ThreadInfo } from '../../state/thread-info.ts';
import { bytesOf, utf8Of } from './text.ts';

/** Ancestors told of; a longer chain is cut. */
const ANCESTORS_MAX = 256;

/** What a process shares is told of each of its threads. */
export function threadMessage(view: StateView, row: ThreadInfo): Thread {
  const main = findMain(view, row) ?? row;
  return {
    tid: BigInt(row.tid),
    pid: BigInt(row.pid),
    ptid: BigInt(row.ptid),
    sid: BigInt(row.sid),
    pgid: BigInt(row.pgid),
    vtid: BigInt(row.vtid),
    vpid: BigInt(row.vpid),
    vpgid: BigInt(row.vpgid),
    comm: bytesOf(row.comm),
    exe: bytesOf(row.exe),
    args: row.args.map(bytesOf),
    env: main.env.map(bytesOf),
    cwd: bytesOf(main.cwd),
    root: bytesOf(row.root),
    cgroups: row.cgroups.map(([subsystem, path]) => ({ subsystem: bytesOf(subsystem), path: bytesOf(path) })),
    executable: executableOf(row),
    capabilities: {
      inheritable: unsigned(row.capInheritable),
      permitted: unsigned(row.capPermitted),
      effective: unsigned(row.capEffective),
    },
    uid: knownId(row.uid),
    gid: knownId(row.gid),
    loginuid: knownId(row.loginuid),
    tty: row.tty >>> 0,
    flags: row.flags >>> 0,
    fdLimit: BigInt.asIntN(64, BigInt(row.fdlimit)),
    fdCount: view.fdCount(main.fds),
    threadCount: Math.max(0, row.threadCount),
    vmSizeKb: unsigned(row.vmsizeKb),
    vmRssKb: unsigned(row.vmrssKb),
    vmSwapKb: unsigned(row.vmswapKb),
    pageFaultsMajor: unsigned(row.pfmajor),
    pageFaultsMinor: unsigned(row.pfminor),
    cloneTimestampNs: unsigned(row.cloneTsNs),
    pidnsInitStartNs: unsigned(row.pidnsInitStartNs),
    containerId: utf8Of(row.containerId),
    isPlaceholder: row.isPlaceholder,
    isDead: row.isDead,
  };
}

function executableOf(row: ThreadInfo): Thread['executable'] {
  return {
    path: bytesOf(row.exepath),
    inode: unsigned(row.exeIno),
    inodeCtimeNs: unsigned(row.exeInoCtimeNs),
    inodeMtimeNs: unsigned(row.exeInoMtimeNs),
    isWritable: row.exeWritable,
    isUpperLayer: row.exeUpperLayer,
    isLowerLayer: row.exeLowerLayer,
    isFromMemfd: row.exeFromMemfd,
  };
}

/** Main threads of the parent, its parent, and so on, nearest first. A chain that bites its own tail ends there. */
export function ancestorsOf(view: StateView, row: ThreadInfo): ThreadInfo[] {
  const ancestors: ThreadInfo[] = [];
  const seen = new Set<number>([row.pid]);
  let below = findMain(view, row) ?? row;
  while (ancestors.length < ANCESTORS_MAX) {
    const parent = view.findThread(below.ptid);
    if (parent === undefined) break;
    const main = findMain(view, parent) ?? parent;
    if (seen.has(main.pid)) break;
    seen.add(main.pid);
    ancestors.push(main);
    below = main;
  }
  return ancestors;
}

function knownId(id: number): number | undefined {
  return id === ID_UNKNOWN ? undefined : id >>> 0;
}

function unsigned(value: number | bigint): bigint {
  return BigInt.asUintN(64, BigInt(value));
}
