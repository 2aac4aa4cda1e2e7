/** Sizes and durations as people write them. */
import { InvalidArgumentError } from 'commander';

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['k', 1e3],
  ['kb', 1e3],
  ['kib', 1024],
  ['m', 1e6],
  ['mb', 1e6],
  ['mib', 1024 ** 2],
  ['g', 1e9],
  ['gb', 1e9],
  ['gib', 1024 ** 3],
]);
const TIME_UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['', 1000],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
]);

/** `10MB`, `1.5 GiB`, `4096` -> bytes. Throws commander's error. */
export function parseSize(text: string): number {
  return Math.round(parseAmount(text, SIZE_UNITS, 'a size such as 10MB or 512KiB'));
}

/** `10s`, `1.5m`, `500ms`, `10` (seconds) -> milliseconds. Throws commander's error. */
export function parseDuration(text: string): number {
  return Math.ceil(parseAmount(text, TIME_UNITS_MS, 'a time such as 10s, 500ms or 5m'));
}

function parseAmount(text: string, units: ReadonlyMap<string, number>, expected: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = units.get((match?.[2] ?? '?').toLowerCase());
  const amount = Number(match?.[1]) * (unit ?? Number.NaN);
  if (!Number.isFinite(amount) || amount <= 0 || amount > Number.MAX_SAFE_INTEGER) {
    throw new InvalidArgumentError(`expected ${expected}.`);
  }
  return amount;
}

/** `12345678` -> `12.3 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const names = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let index = 0;
  while (value >= 999.95 && index < names.length - 1) {
    value /= 1000;
    index++;
  }
  return `${value.toFixed(1)} ${names[index]}`;
}

/** `83000` -> `1:23`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
