/** `strata replay FILE`: the events of a capture file. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { BUNDLED_CAPTURE, checkCaptureFile } from '../capture-file.ts';
import { coloredPresets } from '../colored-presets.ts';
import type { CliContext } from '../context.ts';
import { makeEventQuery } from '../event-request.ts';
import { printEvents } from '../print-events.ts';
import { connectPrivate, REPLAY_OPTIONS } from '../server-connection.ts';
import { addEventOptions, FILTER_HELP, filterArgument, type PrintOptions } from './event-options.ts';

export function addReplayCommand(program: Command, context: CliContext): void {
  const command = program
    .command('replay')
    .summary('print the events of a capture file')
    .description(
      'Prints the events of a .scap capture file (plain or gzip), enriched with the state they happened in. A server of its own reads the file and streams the events over gRPC.',
    )
    .argument('<FILE>', 'capture file')
    .addArgument(filterArgument())
    .addHelpText('after', `\n${FILTER_HELP}`);
  addEventOptions(command).action(async (file: string, filter: readonly string[], options: PrintOptions) => {
    await replayFile(context, file, filter, options);
  });
}

/** Plays `path` through a private server. */
export async function replayFile(
  context: CliContext,
  path: string,
  filter: readonly string[],
  options: PrintOptions,
): Promise<void> {
  const query = makeEventQuery(
    filter,
    options,
    { $case: 'beginning', value: {} },
    await coloredPresets(context),
  );
  checkCaptureFile(path);
  const name = path === BUNDLED_CAPTURE ? basename(path) : path;
  const connection = await connectPrivate({ ...REPLAY_OPTIONS, capture: path }, name);
  try {
    await printEvents(context, connection, query, options);
  } finally {
    await connection.close();
  }
}
