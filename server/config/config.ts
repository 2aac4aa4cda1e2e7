/** The server's configuration: defaults, then the YAML file, then the environment, then the command line. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { parse as parseYaml } from 'yaml';
import { nearestNames } from '../event/nearest-names.ts';
import {
  ConfigError,
  checkValue,
  environmentName,
  readEnvironment,
  readFlags,
  toOption,
} from './option-flags.ts';
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

export { ConfigError, environmentName };

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
  Object.assign(values, readEnvironment(OPTION_ROWS, environment), readFlags(OPTION_ROWS, flags));
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
