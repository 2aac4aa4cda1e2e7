/** The reviewed list of differences between strace and the events: `KEY [~ REGEX] # REASON`, one a line; the key `*` is any. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Difference } from '../workload/oracle.ts';

const PATH = fileURLToPath(new URL('../workload/known-differences.txt', import.meta.url));

export interface KnownDifference {
  readonly key: string;
  /** The detail must match it too; undefined: any. */
  readonly pattern: RegExp | undefined;
  readonly reason: string;
  uses: number;
}

/** Throws on a line without a reason. */
export function readKnownDifferences(text: string = readFileSync(PATH, 'utf8')): KnownDifference[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const parts = /^(.+?)(?: ~ (.+?))? # (\S.*)$/.exec(line);
      if (parts === null) throw new Error(`known-differences.txt: no reason in '${line}'`);
      const pattern = parts[2] === undefined ? undefined : new RegExp(parts[2]);
      return { key: (parts[1] as string).trim(), pattern, reason: parts[3] as string, uses: 0 };
    });
}

/** Those that nothing explains; counts the uses of the others. */
export function unexplained(
  differences: readonly Difference[],
  known: readonly KnownDifference[],
): Difference[] {
  return differences.filter((difference) => {
    const row = known.find(
      ({ key, pattern }) =>
        (key === '*' || key === difference.key) && (pattern === undefined || pattern.test(difference.detail)),
    );
    if (row !== undefined) row.uses++;
    return row === undefined;
  });
}
