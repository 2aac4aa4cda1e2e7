/** Whether live tests can run here, and the reason in words when they cannot: a skip must be loud. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const BTF = '/sys/kernel/btf/vmlinux';
/** Bits of CapEff. */
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;
const CAP_SYS_ADMIN = 21n;

/** Undefined when live capture is permitted here. */
export function liveRefusal(): string | undefined {
  if (process.platform !== 'linux') return `live capture needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'live tests run as root only';
  if (!existsSync(BTF)) return `the kernel has no BTF (${BTF})`;
  const held = BigInt(
    `0x${/^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'}`,
  );
  const has = (capability: bigint): boolean => ((held >> capability) & 1n) === 1n;
  if (!has(CAP_SYS_ADMIN) && !(has(CAP_BPF) && has(CAP_PERFMON)))
    return 'neither CAP_BPF and CAP_PERFMON nor CAP_SYS_ADMIN is held';
  return undefined;
}

/** The first of `commands` that is not installed, in words; undefined when all are. */
export function missingCommand(...commands: readonly string[]): string | undefined {
  const missing = commands.find((command) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0);
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/** Option of a test: runs, or skips saying why on standard error too. */
export function liveOrSkip(...commands: readonly string[]): { skip: string | false } {
  const reason = liveRefusal() ?? missingCommand(...commands);
  if (reason !== undefined) process.stderr.write(`LIVE TESTS SKIPPED: ${reason}\n`);
  return { skip: reason ?? false };
}
