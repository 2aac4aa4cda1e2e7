/** The value of a YAML scalar with the place of each character, through folding, indentation and escapes. */
import type { Scalar } from 'yaml';
import { MappedText } from './mapped-text.ts';
import type { PlaceCode, RuleFile } from './rule-files.ts';

/** Characters of an escape in double quotes, by the letter after the backslash, when they are not two. */
const ESCAPE_LENGTHS: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 };

/** Where a node begins. */
export function startOf(range: readonly number[] | null | undefined, file: RuleFile): PlaceCode {
  return file.start + (range?.[0] ?? 0);
}

/** Text and places of a scalar of `file`. */
export function scalarText(node: Scalar, file: RuleFile): MappedText {
  const value = String(node.value ?? '');
  const [start, end] = node.range ?? [0, 0];
  const raw = file.text.slice(start, end);
  const offsets = align(value, raw, String(node.type ?? ''));
  return new MappedText(
    value,
    offsets.map((offset) => file.start + start + offset),
  );
}

/**
 * Offset in `raw` of each character of `value`. Both are walked side by side: blanks of the value stand for a run of blanks
 * in the file, and what is in the file only (indentation, line ends, escapes) is passed over.
 */
function align(value: string, raw: string, style: string): number[] {
  const isBlock = style.startsWith('BLOCK');
  const isEscaped = style === 'QUOTE_DOUBLE';
  const isQuoted = isEscaped || style === 'QUOTE_SINGLE';
  let at = isBlock ? raw.indexOf('\n') + 1 : isQuoted ? 1 : 0;
  const offsets: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const char = value[i] as string;
    if (!isBlank(char)) at = skipFolding(raw, at, isEscaped);
    offsets.push(Math.min(at, Math.max(raw.length - 1, 0)));
    if (isEscaped && raw[at] === '\\') at += ESCAPE_LENGTHS[raw[at + 1] ?? ''] ?? 2;
    else if (raw[at] === char) at += style === 'QUOTE_SINGLE' && char === "'" ? 2 : 1;
    else if (isBlank(char) && isBlank(raw[at])) at++;
  }
  return offsets;
}

/** Passes blanks and, in double quotes, escaped line ends. */
function skipFolding(raw: string, start: number, isEscaped: boolean): number {
  let at = start;
  while (at < raw.length && (isBlank(raw[at]) || (isEscaped && raw[at] === '\\' && raw[at + 1] === '\n')))
    at++;
  return at;
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r';
}
