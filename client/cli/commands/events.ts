/** `strata events`: the events of a running server, or of the bundled capture when there is none. */
import { type Command, Option } from 'commander';
import type { StreamEventsRequest } from '../../../proto/gen/strata/v1/event_service.ts';
import { BUNDLED_CAPTURE } from '../capture-file.ts';
import { coloredPresets } from '../colored-presets.ts';
import { type CliContext, note } from '../context.ts';
import { makeEventQuery } from '../event-request.ts';
import { printEvents } from '../print-events.ts';
import { connectRunning } from '../server-connection.ts';
import { addEventOptions, FILTER_HELP, filterArgument, type PrintOptions } from './event-options.ts';
import { replayFile } from './replay.ts';
import { type TargetOptions, targetOption } from './target-option.ts';

interface EventsOptions extends PrintOptions, TargetOptions {
  readonly start?: 'beginning' | 'live' | undefined;
}

const STARTS: Readonly<Record<'beginning' | 'live', StreamEventsRequest['start']>> = {
  beginning: { $case: 'beginning', value: {} },
  live: { $case: 'live', value: {} },
};

export function addEventsCommand(program: Command, context: CliContext): void {
  const command = program
    .command('events')
    .summary('print the events of a running server')
    .description(
      'Prints the events of a running server. Where none runs and none was asked for, plays the capture that comes with the project.',
    )
    .addArgument(filterArgument())
    .addHelpText('after', `\n${FILTER_HELP}`);
  addEventOptions(command)
    .addOption(targetOption())
    .addOption(
      new Option(
        '--start <WHERE>',
        'beginning: the first event of the capture file that the server serves; live: the next event (default: beginning when it serves a file, else live)',
      ).choices(['beginning', 'live']),
    )
    .action(async (filter: readonly string[], options: EventsOptions) => {
      const start = options.start === undefined ? undefined : STARTS[options.start];
      const query = makeEventQuery(filter, options, start, await coloredPresets(context));
      const connection = await connectRunning(context, options.target);
      if (connection === undefined) {
        note(
          context,
          'no server is running and live capture is not available in this version: playing the bundled capture quick-start.scap',
        );
        await replayFile(context, BUNDLED_CAPTURE, filter, options);
        return;
      }
      try {
        await printEvents(context, connection, query, options);
      } finally {
        await connection.close();
      }
    });
}
