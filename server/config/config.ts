/** The server's configuration: defaults, then the YAML file, then the environment, then the command line. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { parse as parseYaml } from 'yaml';
import { nearestNames } from '../event/nearest-names.ts';
import { OPTION_ROWS, type OptionRow, type OptionValue } from './options.ts';

type Row = (typeof OPTION_ROWS)[number];
type Name = Row['name'];

type ValueOf<R extends Row> = R['type'] extends 'integer' | 'number'
  ? number
  : R['type'] extends 'boolean'
    ? boolean
    : R['type'] extends 'list'
      ? readonly string[]
      : string;

/** One member per option row, named as the row; options without a default may be undefined. */
export type Config = {
  readonly [R in Row as R['name']]: R['default'] extends undefined ? ValueOf<R> | undefined : ValueOf<R>;
};

/** An option that cannot be used: the text names it and where it came from. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Environment name of an option. */
export function environmentName(name: string): string {
  return `STRATA_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Result of reading the command line: a configuration, or text to print and end with. */
export type ParsedCommandLine =
  | { readonly kind: 'run'; readonly config: Config }
  | { readonly kind: 'print'; readonly text: string };

/** Defaults alone, with some options replaced: for private servers and tests. */
export function configWith(overrides: Partial<Config>): Config {
  const values: Record<string, OptionValue | undefined> = {};
  for (const row of OPTION_ROWS as readonly OptionRow[]) values[row.name] = row.default;
  return { ...values, ...overrides } as Config;
}

/**
 * Reads the configuration of `strata` the server.
 * Throws ConfigError for unknown options or values that do not fit; nothing has been started then.
 */
export function parseConfig(args: readonly string[], environment: NodeJS.ProcessEnv): ParsedCommandLine {
  const printed: string[] = [];
  const command = makeCommand(printed);
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'print', text: printed.join('') };
    throw new ConfigError(error.message.replace(/^error: /, ''), { cause: error });
  }
  const flags = command.opts<Record<string, unknown>>();
  const values: Record<string, OptionValue | undefined> = {};
  for (const row of OPTION_ROWS as readonly OptionRow[]) values[row.name] = row.default;
  const file = (flags['config'] as string | undefined) ?? environment['STRATA_CONFIG'];
  if (file !== undefined) readFile(file, values);
  readEnvironment(environment, values);
  for (const row of OPTION_ROWS as readonly OptionRow[]) {
    const given = flags[camelCase(row.name)];
    if (given !== undefined) values[row.name] = checkValue(row, given, `--${row.name}`);
  }
  const config = values as unknown as Config;
  if (flags['printConfig'] === true) return { kind: 'print', text: formatConfig(config) };
  return { kind: 'run', config };
}

/** The configuration as a YAML file would hold it. */
export function formatConfig(config: Config): string {
  const lines = (OPTION_ROWS as readonly OptionRow[]).map((row) => {
    const value = config[row.name as Name];
    return value === undefined ? `# ${row.name}:` : `${row.name}: ${JSON.stringify(value)}`;
  });
  return `${lines.join('\n')}\n`;
}

function makeCommand(printed: string[]): Command {
  const command = new Command('strata-server');
  command
    .description('Serves the context of this node, or of a capture file, over gRPC.')
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({ writeOut: (text) => printed.push(text), writeErr: () => undefined })
    .option('--config <FILE>', 'YAML file with options by their long names (environment: STRATA_CONFIG)')
    .option('--print-config', 'print the resulting configuration and end');
  for (const row of OPTION_ROWS as readonly OptionRow[]) command.addOption(toOption(row));
  return command;
}

function toOption(row: OptionRow): Option {
  const text =
    row.type === 'boolean'
      ? // What is on unless told otherwise can be turned off only with a word.
        `--${row.name}${row.placeholder === undefined ? '' : ` [${row.placeholder}]`}`
      : `--${row.name} <${row.placeholder ?? 'VALUE'}>`;
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

function readFile(path: string, values: Record<string, OptionValue | undefined>): void {
  let document: unknown;
  try {
    // Scalars stay as they are written: the rows know their types, and `0o660` or `007` is not a number to them.
    document = parseYaml(readFileSync(path, 'utf8'), { schema: 'failsafe' });
  } catch (error) {
    throw new ConfigError(`configuration file ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (document === null || document === undefined || document === '') return;
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new ConfigError(`configuration file ${path}: expected a mapping of options`);
  }
  for (const [key, value] of Object.entries(document)) {
    const row = findRow(key);
    if (row === undefined) throw new ConfigError(`configuration file ${path}: ${unknownOption(key)}`);
    values[row.name] = checkValue(row, value, `configuration file ${path}: ${key}`);
  }
}

function readEnvironment(
  environment: NodeJS.ProcessEnv,
  values: Record<string, OptionValue | undefined>,
): void {
  for (const row of OPTION_ROWS as readonly OptionRow[]) {
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
}

function findRow(name: string): OptionRow | undefined {
  return (OPTION_ROWS as readonly OptionRow[]).find((row) => row.name === name);
}

function unknownOption(name: string): string {
  const near = nearestNames(
    name,
    OPTION_ROWS.map((row) => row.name),
  );
  return `unknown option '${name}'${near.length > 0 ? `, did you mean ${near.join(' or ')}?` : ''}`;
}

/** The value in the row's type; throws ConfigError naming `place`. Flags without a value are `true`, all else is text. */
function checkValue(row: OptionRow, value: unknown, place: string): OptionValue {
  if (row.type === 'list') return checkList(value, place);
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

function checkList(value: unknown, place: string): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (items.length === 0) throw new ConfigError(`${place}: expected at least one value`);
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
