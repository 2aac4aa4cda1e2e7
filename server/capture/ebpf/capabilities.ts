/** What this process may do: read from /proc, and given up once the probe is attached. */
import { readdirSync, readFileSync } from 'node:fs';
import { allocateNative } from './native-memory.ts';
import { broadcastSyscalls, type SyscallArguments } from './thread-broadcast.ts';

/** Capabilities by number. */
const NAMES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
];

/** Read processes of other users in /proc. */
export const KEPT_CAPABILITIES: readonly string[] = ['CAP_DAC_READ_SEARCH', 'CAP_SYS_PTRACE'];

/** Connect to the sockets of other users. */
export const CONNECT_CAPABILITY = 'CAP_DAC_OVERRIDE';

const CAPSET: Readonly<Record<string, number>> = { x64: 126, arm64: 91 };
const PRCTL: Readonly<Record<string, number>> = { x64: 157, arm64: 167 };
const CAPABILITY_VERSION_3 = 0x20080522;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const TIMEOUT_MS = 2000;

export type CapabilitySet = 'CapEff' | 'CapPrm' | 'CapInh' | 'CapBnd' | 'CapAmb';

/** One set of a `status` file of /proc. */
export function parseCapabilities(status: string, set: CapabilitySet): bigint {
  const match = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status);
  return match === null ? 0n : BigInt(`0x${match[1]}`);
}

/** Names in a set, by rising number; a newer kernel's have their number: `CAP_41`. */
export function capabilityNames(set: bigint): string[] {
  const names: string[] = [];
  for (let i = 0; i < 64; i++) {
    if ((set >> BigInt(i)) & 1n) names.push(NAMES[i] ?? `CAP_${i}`);
  }
  return names;
}

export function capabilityBits(names: readonly string[]): bigint {
  return names.reduce((set, name) => set | (1n << BigInt(NAMES.indexOf(name))), 0n);
}

/** Union over all threads of this process of what any may use or could regain. */
export function heldCapabilities(): bigint {
  let held = 0n;
  for (const tid of readdirSync('/proc/self/task')) {
    try {
      const status = readFileSync(`/proc/self/task/${tid}/status`, 'latin1');
      held |= parseCapabilities(status, 'CapPrm') | parseCapabilities(status, 'CapEff');
    } catch {
      // The thread has ended.
    }
  }
  return held;
}

/** Names of `heldCapabilities`. */
export function currentCapabilities(): string[] {
  return capabilityNames(heldCapabilities());
}

/** struct __user_cap_header_struct, then two struct __user_cap_data_struct. */
function capsetMemory(keep: bigint): { readonly header: number; readonly data: number } {
  const { address, bytes } = allocateNative(64);
  bytes.writeUInt32LE(CAPABILITY_VERSION_3, 0);
  for (let half = 0; half < 2; half++) {
    const word = Number((keep >> BigInt(32 * half)) & 0xffffffffn);
    bytes.writeUInt32LE(word, 8 + 12 * half);
    bytes.writeUInt32LE(word, 12 + 12 * half);
  }
  return { header: address, data: address + 8 };
}

/**
 * Gives up everything but `names` (as far as it is held) in all threads, and for all programs started later. Threads made later
 * inherit it. Returns a sentence about what could not be done, or ''.
 */
export async function dropCapabilities(names: readonly string[] = KEPT_CAPABILITIES): Promise<string> {
  const capset = CAPSET[process.arch];
  const prctl = PRCTL[process.arch];
  if (capset === undefined || prctl === undefined)
    return `capabilities are kept: no code for ${process.arch}`;
  const held = heldCapabilities();
  const keep = capabilityBits(names) & held;
  if ((held & ~keep) === 0n) return '';
  const calls: SyscallArguments[] = [];
  // Before the capability to do so goes.
  for (let i = 0; i < NAMES.length; i++) {
    if (((keep >> BigInt(i)) & 1n) === 0n) calls.push([prctl, PR_CAPBSET_DROP, i, 0, 0, 0]);
  }
  const { header, data } = capsetMemory(keep);
  calls.push([capset, header, data], [prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
  const isDone = (): boolean => (heldCapabilities() & ~keep) === 0n;
  try {
    if (await broadcastSyscalls(calls, isDone, TIMEOUT_MS)) return '';
  } catch (error) {
    return `capabilities are kept: ${(error as Error).message}`;
  }
  const left = capabilityNames(heldCapabilities() & ~keep).join(', ');
  return `some threads could not give up ${left}`;
}
