/** `strata replay FILE`: the events of a capture file. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { BUNDLED_CAPTURE_NAME, capturePath, checkCaptureFile } from '../capture-file.ts';
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
    .argument('<FILE>', `capture file, or '${BUNDLED_CAPTURE_NAME}' for the one that comes with the project`)
    .addArgument(filterArgument())
    .addHelpText('after', `\n${FILTER_HELP}`);
  addEventOptions(command).action(async (file: string, filter: readonly string[], options: PrintOptions) => {
    await replayFile(context, file, filter, options);
  });
}

/** Plays the capture through a private server. */
export async function replayFile(
  context: CliContext,
  word: string,
  filter: readonly string[],
  options: PrintOptions,
): Promise<void> {
  const query = makeEventQuery(
    filter,
    options,
    { $case: 'beginning', value: {} },
    await coloredPresets(context),
  );
  const path = capturePath(word);
  checkCaptureFile(path);
  const name = path === word ? path : basename(path);
  const connection = await connectPrivate({ ...REPLAY_OPTIONS, capture: path }, name);
  try {
    await printEvents(context, connection, query, options);
  } finally {
    await connection.close();
  }
}
