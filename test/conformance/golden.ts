/**
 * The golden files: what the reference implementation prints for each capture. One JSON object per event; fields that are
 * absent are left out. They are kept beside the repository and are not part of it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const SHARED = new URL('../../../shared/', import.meta.url);

/** A value as it is compared: `number:12`, `string:...`; undefined is absent. */
export type Cell = string | undefined;

/** Fields whose golden key is not what was asked for: the reference leaves this argument out of the key. */
const GOLDEN_KEYS: Readonly<Record<string, string>> = { 'evt.abspath': 'evt.abspath[path]' };

/** Whether the golden files are there. */
export function hasGolden(): boolean {
  return existsSync(new URL('golden/fields.json', SHARED));
}

/** Names of all captures that have golden rows. */
export function captureNames(): string[] {
  return readdirSync(new URL('golden/', SHARED))
    .filter((file) => file.endsWith('.jsonl.gz') && !file.endsWith('.container.jsonl.gz'))
    .map((file) => file.slice(0, -'.jsonl.gz'.length))
    .sort();
}

export function capturePath(name: string): string {
  return new URL(`captures/${name}.scap`, SHARED).pathname;
}

/** The fields every golden row was asked for. */
export function goldenFields(): string[] {
  return JSON.parse(readFileSync(new URL('golden/fields.json', SHARED), 'utf8')) as string[];
}

/** Rows of a capture in order, as raw lines. */
export function goldenLines(name: string): string[] {
  const text = gunzipSync(readFileSync(new URL(`golden/${name}.jsonl.gz`, SHARED))).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** Cells by field name. 64-bit integers are compared by their digits, doubles by value. */
export function parseCells(line: string): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  JSON.parse(line, function (
    this: unknown,
    key: string,
    value: unknown,
    context?: { source?: string },
  ): unknown {
    if (key === '' || Array.isArray(this)) return value;
    cells.set(GOLDEN_KEYS[key] ?? key, cellOf(value, context?.source));
    return value;
  } as (this: unknown, key: string, value: unknown) => unknown);
  return cells;
}

function cellOf(value: unknown, source: string | undefined): Cell {
  if (value === null) return undefined;
  if (typeof value !== 'number') return `${typeof value}:${JSON.stringify(value)}`;
  if (source !== undefined && /^-?[0-9]+$/.test(source)) return `integer:${source}`;
  return `double:${value}`;
}
