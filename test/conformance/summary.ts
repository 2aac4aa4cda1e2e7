/** Differences by field, most frequent first, with examples. */
import type { Difference } from './golden-compare.ts';

const FIELDS_SHOWN = 40;
const EXAMPLES_SHOWN = 2;
const CELL_CHARACTERS_MAX = 160;

export function summarize(differences: readonly Difference[]): string {
  const byField = new Map<string, Difference[]>();
  for (const difference of differences) {
    const list = byField.get(difference.field);
    if (list === undefined) byField.set(difference.field, [difference]);
    else list.push(difference);
  }
  const fields = [...byField].sort((a, b) => b[1].length - a[1].length);
  const lines = fields.slice(0, FIELDS_SHOWN).flatMap(([field, list]) => {
    const captures = [...new Set(list.map((difference) => difference.capture))];
    return [
      `${String(list.length).padStart(7)} ${field}  (${captures.join(', ')})`,
      ...list.slice(0, EXAMPLES_SHOWN).map((difference) => `          ${describe(difference)}`),
    ];
  });
  if (fields.length > FIELDS_SHOWN) lines.push(`        ... and ${fields.length - FIELDS_SHOWN} more fields`);
  return lines.join('\n');
}

/** One line: where, what was expected, what came. */
export function describe(difference: Difference): string {
  const { capture, num, eventType, field, expected, actual } = difference;
  return `${capture} #${num} ${eventType} ${field}: expected ${shorten(expected)}, got ${shorten(actual)}`;
}

function shorten(cell: string | undefined): string {
  if (cell === undefined) return 'nothing';
  return cell.length > CELL_CHARACTERS_MAX ? `${cell.slice(0, CELL_CHARACTERS_MAX)}...` : cell;
}
