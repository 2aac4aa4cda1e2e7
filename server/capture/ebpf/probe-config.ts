/** Writes the options of live capture into the probe's configuration. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import type { LiveOptions } from '../live-options.ts';
import {
  ARGS_BYTES_MAX,
  CGROUP_BYTES,
  CGROUPS_MAX,
  COMM_BYTES,
  COMMS_MAX,
  CONFIG,
  SNAPLEN_MAX,
} from './probe-abi.ts';

/** Where the unified hierarchy may be, under the node's root. */
const CGROUP_ROOTS = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'];

/** The kernel gives the first pid namespace this number, always. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

export interface CgroupKey {
  readonly id: bigint;
  /** Depth below the root, whose level is 0. */
  readonly level: number;
}

/** This process as the kernel's programs see it: its pid in the initial namespace, if the node's /proc is at hand. */
export function ownPid(hostRoot: string): number {
  try {
    return Number(readlinkSync(`${hostRoot}/proc/self`));
  } catch {
    return process.pid;
  }
}

/** Whether `ownPid` is that of another pid namespace than the node's: in a container without the node's /proc. */
function isForeignPid(hostRoot: string): boolean {
  if (hostRoot !== '') return false;
  try {
    return readlinkSync('/proc/self/ns/pid') !== INITIAL_PID_NAMESPACE;
  } catch {
    return false;
  }
}

/** Id and level of a cgroup by its path (`/system.slice/x.service`); undefined when there is none. */
export function cgroupKey(hostRoot: string, path: string): CgroupKey | undefined {
  const parts = path.split('/').filter(Boolean);
  for (const root of CGROUP_ROOTS) {
    const folder = `${hostRoot}${root}`;
    try {
      if (!readdirSync(folder).includes('cgroup.procs')) continue;
      return { id: statSync(`${folder}/${parts.join('/')}`, { bigint: true }).ino, level: parts.length };
    } catch {
      // Not there, or no such cgroup in it.
    }
  }
  return undefined;
}

/**
 * Fills everything but the interest. `config` is struct config; processes suppressed by pid go to their own map, of which this
 * only says that it counts. Returns what could not be applied, in sentences.
 */
export function writeConfig(config: Buffer, options: LiveOptions, bootEpochNs: bigint): string[] {
  const notes: string[] = [];
  config.writeBigUInt64LE(bootEpochNs, CONFIG.bootEpochNs);
  config.writeUInt32LE(Math.min(options.snaplen, SNAPLEN_MAX), CONFIG.snaplen);
  config.writeUInt32LE(Math.min(options.argsBytesMax, ARGS_BYTES_MAX), CONFIG.argsBytesMax);
  config.writeUInt32LE(options.collectEnv.length > 0 ? 1 : 0, CONFIG.wantsEnv);
  if (!options.captureSelf) {
    config.writeUInt32LE(ownPid(options.hostRoot), CONFIG.selfTgids);
    config.writeUInt32LE(1, CONFIG.selfCount);
    // And what it starts from now on.
    config.writeUInt32LE(1, CONFIG.selfTree);
    if (isForeignPid(options.hostRoot)) {
      notes.push(
        'this process cannot tell its pid on the node and is captured: run it with the pid namespace of the host',
      );
    }
  }
  // Also when only names or cgroups are suppressed: the probe adds to the map what they start.
  const suppressesAny = options.suppressPids.length + options.suppressComms.length > 0;
  config.writeUInt32LE(suppressesAny ? 1 : 0, CONFIG.suppressedCount);
  const comms = options.suppressComms.slice(0, COMMS_MAX);
  for (const [i, comm] of comms.entries()) {
    // The kernel keeps 15 bytes of a name.
    config.write(comm.slice(0, COMM_BYTES - 1), CONFIG.comms + i * COMM_BYTES, 'latin1');
  }
  config.writeUInt32LE(comms.length, CONFIG.commCount);
  if (options.suppressComms.length > COMMS_MAX) notes.push(`only ${COMMS_MAX} names can be suppressed`);
  let cgroups = 0;
  for (const path of options.suppressCgroups) {
    const key = cgroupKey(options.hostRoot, path);
    if (key === undefined) {
      notes.push(`cgroup ${path} is not suppressed: there is none of that path`);
    } else if (cgroups === CGROUPS_MAX) {
      notes.push(`cgroup ${path} is not suppressed: there is room for ${CGROUPS_MAX}`);
    } else {
      const at = CONFIG.cgroups + cgroups * CGROUP_BYTES;
      config.writeBigUInt64LE(key.id, at);
      config.writeUInt32LE(key.level, at + 8);
      cgroups++;
    }
  }
  config.writeUInt32LE(cgroups, CONFIG.cgroupCount);
  return notes;
}
