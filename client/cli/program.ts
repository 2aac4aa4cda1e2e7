/** The command line of `strata`: its commands, and from their definitions --help and docs/cli.md. */
import { Command } from 'commander';
import { addEventsCommand } from './commands/events.ts';
import { addFieldsCommand } from './commands/fields.ts';
import { addGetCommand } from './commands/get.ts';
import { addRecordCommand } from './commands/record.ts';
import { addRecordConvertCommand } from './commands/record-convert.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addRulesCommand } from './commands/rules.ts';
import { addStatusCommand } from './commands/status.ts';
import type { CliContext } from './context.ts';
import { DEFAULT_TARGET, TARGET_ENVIRONMENT_NAME } from './target.ts';
import { projectVersion } from './version.ts';

/** Exit codes and environment, at the end of `strata --help`. */
export const PROGRAM_NOTES = `Exit codes:
  0    done, or the reader of the output has closed it
  1    the work failed: missing or damaged capture, no server, nothing found
  2    the request is wrong: options, filter, field or format
  130  ended by Ctrl-C

Environment:
  ${TARGET_ENVIRONMENT_NAME}     server to use instead of ${DEFAULT_TARGET}
  NO_COLOR          no colours, even on a terminal
  STRATA_LOG_LEVEL  log of a private server, on standard error (default: silent)
  STRATA_DEBUG      with any value: print where an unexpected error came from`;

/** All commands, bound to `context`. Parsing throws CommanderError instead of ending the process. */
export function makeProgram(context: CliContext): Command {
  const program = new Command('strata');
  program
    .description(
      'Enriched system-call events and the state of a node, from capture files or a running server.',
    )
    .version(projectVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [COMMAND]', 'print help for a command')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeErr: (text) => context.notes.write(text) })
    .addHelpText('after', `\n${PROGRAM_NOTES}`);
  addEventsCommand(program, context);
  addReplayCommand(program, context);
  addGetCommand(program, context);
  addFieldsCommand(program, context);
  addRulesCommand(program, context);
  addStatusCommand(program, context);
  addRecordCommand(program, context);
  addRecordConvertCommand(program, context);
  return program;
}
