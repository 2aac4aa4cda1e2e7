/** What live capture needs of this machine, and what to do about each thing that is missing. */
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { BpfError, createMap, MAP_TYPE_ARRAY, MAP_TYPE_RINGBUF } from './bpf.ts';
import { capabilityBits, parseCapabilities } from './capabilities.ts';
import { LibcMissing, libc } from './libc.ts';
import { SkeletonRefused } from './light-skeleton.ts';

export type MissingKind =
  | 'platform'
  | 'architecture'
  | 'koffi'
  | 'kernel'
  | 'btf'
  | 'capabilities'
  | 'lockdown'
  | 'bpf-refused'
  | 'memory'
  | 'programs';

/** One reason why live capture is not possible. */
export interface MissingFeature {
  readonly kind: MissingKind;
  /** What is missing. */
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** What the check looks at; replaced in tests. */
export interface CheckedMachine {
  /** Prefix of /proc and /sys; '' for the machine itself. */
  readonly root: string;
  readonly platform: string;
  readonly arch: string;
  /** As `uname -r` prints it. */
  readonly release: string;
  /** Throws LibcMissing. */
  readonly loadLibc: () => void;
  /** Creates a map of each kind in use, and closes it. Throws BpfError. */
  readonly tryMaps: () => void;
}

/** Programs that load programs came with 5.14; all else that is used is older (ring buffers: 5.8). */
const KERNEL_MIN: readonly [number, number] = [5, 14];
const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];
const BLOB_FOLDER = new URL('./blob/', import.meta.url);
const PAGE_BYTES = 65_536;

function tryMaps(): void {
  const fd = createMap({
    type: MAP_TYPE_RINGBUF,
    keyBytes: 0,
    valueBytes: 0,
    entriesMax: PAGE_BYTES,
    name: 'check',
  });
  closeSync(fd);
  const array = { type: MAP_TYPE_ARRAY, keyBytes: 4, valueBytes: 8, entriesMax: 1, name: 'check' };
  closeSync(createMap(array));
}

export function thisMachine(): CheckedMachine {
  const { platform, arch } = process;
  return { root: '', platform, arch, release: release(), loadLibc: () => libc(), tryMaps };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function kernelIsOld(text: string): boolean {
  const match = /^(\d+)\.(\d+)/.exec(text);
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < KERNEL_MIN[0] || (major === KERNEL_MIN[0] && minor < KERNEL_MIN[1]);
}

/** CAP_SYS_ADMIN stands for both. */
function missingCapabilities(root: string): string[] {
  const held = parseCapabilities(readText(`${root}/proc/self/status`), 'CapEff');
  const has = (name: string) => (held & capabilityBits([name])) !== 0n;
  return has('CAP_SYS_ADMIN') ? [] : ['CAP_BPF', 'CAP_PERFMON'].filter((name) => !has(name));
}

function lockdownMode(root: string): string {
  return /\[(\w+)\]/.exec(readText(`${root}/sys/kernel/security/lockdown`))?.[1] ?? 'none';
}

/** Empty when nothing is known to stand in the way. Attaches nothing. */
export function missingFeatures(machine: CheckedMachine = thisMachine()): MissingFeature[] {
  const { root, platform, arch } = machine;
  if (platform !== 'linux') {
    return [{ kind: 'platform', what: `this is ${platform}`, remedy: 'live capture needs Linux' }];
  }
  const missing: MissingFeature[] = [];
  if (!ARCHITECTURES.includes(arch) || !existsSync(new URL(`probe-${arch}.bin`, BLOB_FOLDER))) {
    missing.push({ kind: 'architecture', what: `there is no probe for ${arch}`, remedy: 'use x64 or arm64' });
  }
  if (kernelIsOld(machine.release)) {
    missing.push({
      kind: 'kernel',
      what: `kernel ${machine.release} is too old`,
      remedy: `live capture needs kernel ${KERNEL_MIN.join('.')} or later`,
    });
  }
  if (!existsSync(`${root}/sys/kernel/btf/vmlinux`)) {
    missing.push({
      kind: 'btf',
      what: '/sys/kernel/btf/vmlinux is missing: the kernel does not describe its types',
      remedy: 'use a kernel built with CONFIG_DEBUG_INFO_BTF=y; in a container, let it see /sys',
    });
  }
  const capabilities = missingCapabilities(root);
  if (capabilities.length > 0) {
    missing.push({
      kind: 'capabilities',
      what: `the process lacks ${capabilities.join(' and ')}`,
      remedy: 'run as root, or grant them (setcap, systemd AmbientCapabilities=, container --cap-add)',
    });
  }
  const lockdown = lockdownMode(root);
  if (lockdown === 'confidentiality') {
    missing.push({
      kind: 'lockdown',
      what: 'kernel lockdown is in mode confidentiality: programs may not read kernel memory',
      remedy: 'boot with lockdown=integrity or without it',
    });
  }
  if (missing.length === 0) missing.push(...tried(machine));
  return missing;
}

/** What only trying shows. */
function tried(machine: CheckedMachine): MissingFeature[] {
  try {
    machine.loadLibc();
    machine.tryMaps();
    return [];
  } catch (error) {
    return [refusalReason(error, machine.root)];
  }
}

/** What an error of loading or attaching means. */
export function refusalReason(error: unknown, root = ''): MissingFeature {
  if (error instanceof LibcMissing) {
    return {
      kind: 'koffi',
      what: error.message,
      remedy: 'install with `npm ci`, not with --omit=optional; libc must be glibc',
    };
  }
  if (error instanceof BpfError && error.code === 'ENOMEM') {
    return {
      kind: 'memory',
      what: `no memory for the rings (${error.message})`,
      remedy: 'choose smaller rings, or raise the memory limit of the cgroup',
    };
  }
  if ((error instanceof BpfError || error instanceof SkeletonRefused) && error.code === 'EPERM') {
    return { kind: 'bpf-refused', what: 'bpf(2) is refused: EPERM', remedy: refusalRemedy(root) };
  }
  const what = error instanceof Error ? error.message : String(error);
  const remedy = 'report it with the version of the kernel; --capture-engine nodriver works without';
  return { kind: 'programs', what, remedy };
}

/** The capabilities are there, yet: a seccomp filter, a security module, or a user namespace. */
function refusalRemedy(root: string): string {
  const status = readText(`${root}/proc/self/status`);
  if (/^Seccomp:\s*2$/m.test(status)) {
    return 'a seccomp filter is active: in a container allow bpf and perf_event_open (--security-opt seccomp=unconfined)';
  }
  const uidMap = readText(`${root}/proc/self/uid_map`).trim();
  if (uidMap !== '' && !/^0\s+0\s+4294967295$/.test(uidMap)) {
    return 'the process is in a user namespace: run it in the initial one';
  }
  const disabled = readText(`${root}/proc/sys/kernel/unprivileged_bpf_disabled`).trim();
  if (disabled === '1' || disabled === '2') {
    return 'kernel.unprivileged_bpf_disabled is set: CAP_BPF must be held in the initial user namespace';
  }
  return 'a security module may forbid it: see the kernel log and the audit log';
}

/** One sentence for an error message or a log. */
export function describeMissing(missing: readonly MissingFeature[]): string {
  return missing.map(({ what, remedy }) => `${what} (${remedy})`).join('; ');
}
