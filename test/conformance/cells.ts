/** Rows of JSON output as cells of raw text: compared without losing the digits of numbers. */

/** A value as raw JSON; undefined is absent. */
export type Cell = string | undefined;

/** Fields whose golden key is not what was asked for: the reference leaves this argument out of the key. */
const GOLDEN_KEYS: Readonly<Record<string, string>> = { 'evt.abspath': 'evt.abspath[path]' };

/**
 * Cells by field name, as raw JSON text: a scanner for one flat object per line, an order of magnitude faster than a JSON
 * parser that keeps the digits of numbers. `null` is left out, as absent fields are.
 */
export function scanCells(line: string): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  let at = 1;
  while (at < line.length - 1) {
    const keyEnd = endOfText(line, at);
    const key = line.slice(at + 1, keyEnd - 1);
    const end = endOfValue(line, keyEnd + 1);
    const value = line.slice(keyEnd + 1, end);
    if (value !== 'null') cells.set(GOLDEN_KEYS[key] ?? key, value);
    at = end + 1;
  }
  return cells;
}

/** Position after the closing quote of the text that starts at `at`. */
function endOfText(line: string, at: number): number {
  let quote = line.indexOf('"', at + 1);
  while (isEscaped(line, quote)) quote = line.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(line: string, at: number): boolean {
  let count = 0;
  while (line[at - 1 - count] === '\\') count++;
  return count % 2 === 1;
}

function endOfValue(line: string, at: number): number {
  if (line[at] === '"') return endOfText(line, at);
  let end = at;
  if (line[at] === '[') {
    end++;
    while (line[end] !== ']') end = line[end] === '"' ? endOfText(line, end) : end + 1;
    return end + 1;
  }
  while (line[end] !== ',' && line[end] !== '}') end++;
  return end;
}

/** Whether two cells are the same typed value: integers by their digits, doubles by value, texts by what they say. */
export function isSameCell(a: Cell, b: Cell): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (isInteger(a) || isInteger(b)) return false;
  return JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b));
}

function isInteger(cell: string): boolean {
  return /^-?[0-9]+$/.test(cell);
}
