/** The options of live capture, for commands that start a live server of their own: the server's, by the same names. */
import type { Command } from 'commander';
import type { Config } from '../../server/config/config.ts';
import { ConfigError, readEnvironment, readFlags, toOption } from '../../server/config/option-flags.ts';
import { OPTION_ROWS, type OptionRow } from '../../server/config/options.ts';
import { usageError } from './cli-error.ts';

const LIVE_ROWS: readonly OptionRow[] = (OPTION_ROWS as readonly OptionRow[]).filter((row) => row.isLive);

/** Adds them below the command's own, under a heading. */
export function addLiveOptions(command: Command): Command {
  for (const row of LIVE_ROWS) {
    command.addOption(toOption(row).helpGroup('Options of live capture, when no server is running:'));
  }
  return command;
}

/** What the user gave, by flags (as commander has parsed them) and environment. Throws a CliError. */
export function liveConfig(
  flags: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
): Partial<Config> {
  try {
    return { ...readEnvironment(LIVE_ROWS, environment), ...readFlags(LIVE_ROWS, flags) };
  } catch (error) {
    if (error instanceof ConfigError) throw usageError(error.message);
    throw error;
  }
}
