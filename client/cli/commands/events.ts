/** `strata events`: the events of a running server, else of this node, else of the bundled capture. */
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import type { StreamEventsRequest } from '../../../proto/gen/strata/v1/event_service.ts';
import { BUNDLED_CAPTURE, BUNDLED_CAPTURE_NAME } from '../capture-file.ts';
import { CliError } from '../cli-error.ts';
import { coloredPresets } from '../colored-presets.ts';
import { type CliContext, note } from '../context.ts';
import { makeEventQuery } from '../event-request.ts';
import { addLiveOptions, liveConfig } from '../live-options.ts';
import { printEvents } from '../print-events.ts';
import { connectLive, connectRunning, type ServerConnection } from '../server-connection.ts';
import { addEventOptions, FILTER_HELP, filterArgument, type PrintOptions } from './event-options.ts';
import { replayFile } from './replay.ts';
import { type TargetOptions, targetOption } from './target-option.ts';

interface EventsOptions extends PrintOptions, TargetOptions {
  readonly capture?: string | undefined;
  readonly start?: 'beginning' | 'live' | undefined;
}

const STARTS: Readonly<Record<'beginning' | 'live', StreamEventsRequest['start']>> = {
  beginning: { $case: 'beginning', value: {} },
  live: { $case: 'live', value: {} },
};

export function addEventsCommand(program: Command, context: CliContext): void {
  const command = program
    .command('events')
    .summary('print the events of this node, or of a running server')
    .description(
      'Prints the events of a running server. Where none runs and none was asked for, captures this node live, for as long as the command runs; where that is not possible, plays the capture that comes with the project.',
    )
    .addArgument(filterArgument())
    .addHelpText('after', `\n${FILTER_HELP}`);
  addEventOptions(command)
    .addOption(targetOption())
    .addOption(new Option('-c, --capture <FILE>', 'the events of this capture file').conflicts('target'))
    .addOption(
      new Option(
        '--start <WHERE>',
        'beginning: the first event of the capture file that the server serves; live: the next event (default: beginning when it serves a file, else live)',
      ).choices(['beginning', 'live']),
    )
    .action(async (filter: readonly string[], options: EventsOptions) => {
      if (options.capture !== undefined) {
        await replayFile(context, options.capture, filter, options);
        return;
      }
      const start = options.start === undefined ? undefined : STARTS[options.start];
      const query = makeEventQuery(filter, options, start, await coloredPresets(context));
      const connection =
        (await connectRunning(context, options.target)) ?? (await connectNode(context, command.opts()));
      if (connection === undefined) {
        await replayFile(context, BUNDLED_CAPTURE_NAME, filter, options);
        return;
      }
      try {
        await printEvents(context, connection, query, options);
      } finally {
        await connection.close();
      }
    });
  addLiveOptions(command);
}

/** This node, live; undefined, and a note why, where that is not possible and nobody insists. */
async function connectNode(
  context: CliContext,
  flags: Readonly<Record<string, unknown>>,
): Promise<ServerConnection | undefined> {
  const live = liveConfig(flags, {});
  const options = { ...liveConfig({}, context.environment), ...live };
  try {
    return await connectLive(options);
  } catch (error) {
    if (!(error instanceof CliError) || Object.keys(live).length > 0) throw error;
    note(context, error.message);
    note(context, `no server is running either: playing the bundled capture ${basename(BUNDLED_CAPTURE)}`);
    return undefined;
  }
}
