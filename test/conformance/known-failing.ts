/**
 * The reviewed list of differences: `capture field reason` per line, `*` for every capture or field. A row that matches
 * nothing must go.
 */
import { readFileSync } from 'node:fs';
import type { Difference } from './golden-compare.ts';

export interface KnownFailing {
  readonly capture: string;
  readonly field: string;
  readonly reason: string;
  readonly line: number;
}

export function readKnownFailing(): KnownFailing[] {
  const text = readFileSync(new URL('known-failing.txt', import.meta.url), 'utf8');
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [capture = '', field = '', ...reason] = line.trim().split(/\s+/);
    if (reason.length === 0)
      throw new Error(`known-failing.txt:${index + 1}: a row needs capture, field and reason`);
    return [{ capture, field, reason: reason.join(' '), line: index + 1 }];
  });
}

export function matches(row: KnownFailing, difference: Difference): boolean {
  return (
    (row.capture === '*' || row.capture === difference.capture) &&
    (row.field === '*' || row.field === difference.field)
  );
}
