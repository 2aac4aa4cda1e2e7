/** Options that `replay` and `events` share. */
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { DELIVERY_WORDS, type EventOptions } from '../event-request.ts';

/** The options as commander hands them to the action. */
export interface PrintOptions extends EventOptions {
  /** undefined: when it is useful. */
  readonly progress?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

export const FILTER_HELP = `FILTER is a condition in Falco's language, such as
  evt.type in (open, openat) and fd.name startswith /etc
Words that the shell leaves alone need no quotes. Field names: strata fields.`;

/** The optional filter, in one word or several. */
export function filterArgument(): Argument {
  return new Argument('[FILTER...]', 'condition that events must match (default: all events)').default(
    [],
    '',
  );
}

/** Adds the options, in the order of --help. */
export function addEventOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-f, --fields <LIST>',
        'field names separated by commas, or @FILE with such a list or a JSON array of names; a line holds the values separated by tabs, <NA> where absent',
      ),
    )
    .addOption(
      new Option(
        '-p, --format <FORMAT>',
        "line template such as '%evt.time %proc.name'; a line with an absent field is left out unless the template starts with *; -pc adds the container, -pk the pod",
      ),
    )
    .option(
      '-j, --json',
      'one JSON object per event: keys are the names in --fields, values are typed, 64-bit integers exact, null where absent',
    )
    .addOption(
      new Option(
        '--delivery <MODE>',
        'events of containers that are still being asked about. complete: wait for the metadata, in order, for a bounded time; immediate: are printed at once, and with --json a line {"completion": ...} per event follows when more is known (default: at once, without those lines)',
      ).choices(DELIVERY_WORDS),
    )
    .addOption(new Option('-n, --count <N>', 'end after N matching events').argParser(parseCount))
    .option(
      '--progress',
      'show progress on standard error (default: on a terminal, for long replays to a file or pipe)',
    )
    .option('--no-progress', 'never show progress')
    .option('-v, --verbose', 'tell at the end how many events were read, and how fast');
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('expected a whole number from 1.');
  }
  return count;
}
