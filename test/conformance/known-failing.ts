/**
 * The reviewed list of differences: `capture field reason` per line, `*` for every capture. `field=absent` is about cells
 * where we print nothing. A row that matches nothing must go.
 */
import { readFileSync } from 'node:fs';
import type { Difference } from './golden-compare.ts';

const ABSENT = '=absent';

export interface KnownFailing {
  readonly capture: string;
  readonly field: string;
  /** Only cells where we print nothing. */
  readonly isAbsent: boolean;
  readonly reason: string;
  readonly line: number;
}

export function readKnownFailing(): KnownFailing[] {
  const text = readFileSync(new URL('known-failing.txt', import.meta.url), 'utf8');
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [capture = '', cells = '', ...reason] = line.trim().split(/\s+/);
    if (reason.length === 0)
      throw new Error(`known-failing.txt:${index + 1}: a row needs capture, field and reason`);
    const isAbsent = cells.endsWith(ABSENT);
    const field = isAbsent ? cells.slice(0, -ABSENT.length) : cells;
    return [{ capture, field, isAbsent, reason: reason.join(' '), line: index + 1 }];
  });
}

export function matches(row: KnownFailing, difference: Difference): boolean {
  return (
    (row.capture === '*' || row.capture === difference.capture) &&
    row.field === difference.field &&
    (!row.isAbsent || difference.actual === undefined)
  );
}
