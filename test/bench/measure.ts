/** Runs a command with its output thrown away and reports what the operating system charged for it. */
import { spawnSync } from 'node:child_process';

export interface Usage {
  readonly cpuS: number;
  readonly wallS: number;
  readonly maxRssKb: number;
}

/** Characters of a failed command shown: conditions are long. */
const COMMAND_SHOWN = 200;

const WRAPPER = `
import os, resource, subprocess, sys, time
start = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_utime + used.ru_stime, wall, used.ru_maxrss)
`;

/** Undefined when the command cannot be run or fails; the reason is printed. */
export function measure(argv: readonly string[]): Usage | undefined {
  const result = spawnSync('python3', ['-c', WRAPPER, ...argv], { encoding: 'utf8' });
  const [code, cpu, wall, rss] = (result.stdout ?? '').trim().split(' ').map(Number);
  if (result.status !== 0 || code !== 0) {
    console.log(
      `failed: ${argv.join(' ').slice(0, COMMAND_SHOWN)} (${result.stderr?.trim().split('\n').at(-1) ?? ''} exit ${code})`,
    );
    return undefined;
  }
  return { cpuS: cpu as number, wallS: wall as number, maxRssKb: rss as number };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
