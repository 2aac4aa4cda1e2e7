/**
 * The golden files: what the reference implementation prints for each capture. One JSON object per event; fields that are
 * absent are left out. They are kept beside the repository and are not part of it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const SHARED = join(import.meta.dirname, '../../../shared');
const GOLDEN_DIRECTORY = join(SHARED, 'golden');
export const CAPTURES_DIRECTORY = join(SHARED, 'captures');

/** Integers beyond 2^53 are given as bigint, all others as numbers. */
export type GoldenValue = string | number | bigint | boolean | null | readonly GoldenValue[];
export type GoldenEvent = Readonly<Record<string, GoldenValue>>;

export function hasGolden(): boolean {
  return existsSync(GOLDEN_DIRECTORY) && existsSync(CAPTURES_DIRECTORY);
}

/** Names of the captures that have golden rows, without extension. */
export function goldenNames(): readonly string[] {
  return readdirSync(CAPTURES_DIRECTORY)
    .filter((file) => file.endsWith('.scap'))
    .map((file) => file.slice(0, -'.scap'.length))
    .filter((name) => existsSync(join(GOLDEN_DIRECTORY, `${name}.jsonl.gz`)))
    .sort();
}

export function capturePath(name: string): string {
  return join(CAPTURES_DIRECTORY, `${name}.scap`);
}

/** The fields every golden row was asked for. */
export function goldenFields(): string[] {
  return JSON.parse(readFileSync(join(GOLDEN_DIRECTORY, 'fields.json'), 'utf8')) as string[];
}

/** Rows of a capture in order, as raw lines. */
export function goldenLines(name: string): string[] {
  const text = gunzipSync(readFileSync(join(GOLDEN_DIRECTORY, `${name}.jsonl.gz`))).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** Rows of a capture in order. */
export function* readGolden(name: string): IterableIterator<GoldenEvent> {
  for (const line of goldenLines(name)) yield JSON.parse(line, exactIntegers) as GoldenEvent;
}

function exactIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}
