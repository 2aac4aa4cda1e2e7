/** One option row as a flag of the command line, and the check of what is given for it. */
import { Option } from 'commander';
import type { OptionRow, OptionValue } from './options.ts';

/** An option that cannot be used: the text names it and where it came from. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Environment name of an option. */
export function environmentName(name: string): string {
  return `STRATA_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** What the rows get from flags as commander has parsed them; only those given. Throws ConfigError. */
export function readFlags(
  rows: readonly OptionRow[],
  flags: Readonly<Record<string, unknown>>,
): Record<string, OptionValue> {
  const values: Record<string, OptionValue> = {};
  for (const row of rows) {
    const given = flags[camelCase(row.name)];
    if (given !== undefined) values[row.name] = checkValue(row, given, `--${row.name}`);
  }
  return values;
}

/** The same from the environment. */
export function readEnvironment(
  rows: readonly OptionRow[],
  environment: NodeJS.ProcessEnv,
): Record<string, OptionValue> {
  const values: Record<string, OptionValue> = {};
  for (const row of rows) {
    const own = environmentName(row.name);
    const name = environment[own] === undefined && row.alias !== undefined ? row.alias : own;
    const text = environment[name];
    if (text === undefined) continue;
    values[row.name] = checkValue(
      row,
      row.type === 'list' ? text.split(',').map((item) => item.trim()) : text,
      name,
    );
  }
  return values;
}

export function toOption(row: OptionRow): Option {
  const short = row.short === undefined ? '' : `-${row.short}, `;
  const text =
    row.type === 'boolean'
      ? // What is on unless told otherwise can be turned off only with a word.
        `${short}--${row.name}${row.placeholder === undefined ? '' : ` [${row.placeholder}]`}`
      : `${short}--${row.name} <${row.placeholder ?? 'VALUE'}>`;
  const shown =
    row.default === undefined || String(row.default) === '' ? '' : ` (default: ${String(row.default)})`;
  const option = new Option(text, `${row.description}${shown}`);
  if (row.type === 'list') {
    option.argParser((value: string, previous: readonly string[] | undefined) => [
      ...(previous ?? []),
      value,
    ]);
  }
  return option;
}

/** The value in the row's type; throws ConfigError naming `place`. Flags without a value are `true`, all else is text. */
export function checkValue(row: OptionRow, value: unknown, place: string): OptionValue {
  if (row.type === 'list') return checkList(row, value, place);
  if (row.type === 'boolean' && value === true) return true;
  const text = mustText(value, place);
  switch (row.type) {
    case 'boolean':
      return checkBoolean(text, place);
    case 'integer':
    case 'number':
      return checkNumber(row, text, place);
    case 'string':
      return checkText(row, text, place);
  }
}

function checkBoolean(text: string, place: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new ConfigError(`${place}: expected true or false, got '${text}'`);
}

function checkNumber(row: OptionRow, text: string, place: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || (row.type === 'integer' && !Number.isSafeInteger(number))) {
    throw new ConfigError(
      `${place}: expected ${row.type === 'integer' ? 'a whole number' : 'a number'}, got '${text}'`,
    );
  }
  if ((row.min !== undefined && number < row.min) || (row.max !== undefined && number > row.max)) {
    throw new ConfigError(`${place}: ${number} is outside ${row.min ?? '-'} to ${row.max ?? '-'}`);
  }
  return number;
}

function checkList(row: OptionRow, value: unknown, place: string): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const mayBeEmpty = Array.isArray(row.default) && row.default.length === 0;
  if (items.length === 0 && !mayBeEmpty) throw new ConfigError(`${place}: expected at least one value`);
  return items.map((item) => mustText(item, place));
}

function checkText(row: OptionRow, text: string, place: string): string {
  if (row.choices !== undefined && !row.choices.includes(text)) {
    throw new ConfigError(`${place}: '${text}' is not one of ${row.choices.join(', ')}`);
  }
  return text;
}

/** Throws for the lists, mappings and blanks that a file can hold where a value should be. */
function mustText(value: unknown, place: string): string {
  if (typeof value !== 'string') throw new ConfigError(`${place}: expected one value`);
  if (value.trim() === '') throw new ConfigError(`${place}: the value is empty`);
  return value;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
