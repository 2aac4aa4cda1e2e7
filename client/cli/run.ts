/** The `strata` command: command line -> commands -> exit code; nothing else. */
import { CommanderError } from 'commander';
import {
  CliError,
  EXIT_FAILURE,
  EXIT_INTERRUPTED,
  EXIT_OK,
  EXIT_TERMINATED,
  EXIT_USAGE,
  ExitCodeError,
} from './cli-error.ts';
import { type CliContext, processContext } from './context.ts';
import { OutputClosedError } from './output-writer.ts';
import { makeProgram } from './program.ts';

/** How long an interrupted command may take to end cleanly. */
const STOP_TIMEOUT_MS = 3_000;

/** Runs the command that the process's arguments name; resolves with the exit code, everything being closed. */
export async function run(): Promise<number> {
  const controller = new AbortController();
  let interruptCode: number | undefined;
  const interrupt = (code: number): void => {
    // The second time, or when the clean end hangs: leave at once. Exit handlers still remove sockets.
    if (interruptCode !== undefined) process.exit(code);
    interruptCode = code;
    setTimeout(() => process.exit(code), STOP_TIMEOUT_MS).unref();
    controller.abort();
  };
  process.on('SIGINT', () => interrupt(EXIT_INTERRUPTED));
  process.on('SIGTERM', () => interrupt(EXIT_TERMINATED));
  process.on('SIGHUP', () => interrupt(EXIT_TERMINATED));
  const context = processContext(controller.signal);
  try {
    await makeProgram(context).parseAsync(process.argv);
    return interruptCode ?? EXIT_OK;
  } catch (error) {
    return interruptCode ?? exitCodeOf(error, context);
  }
}

/** Tells the user about `error` unless that has been done, or there is nothing to tell. */
function exitCodeOf(error: unknown, context: CliContext): number {
  if (error instanceof OutputClosedError) return EXIT_OK;
  if (error instanceof ExitCodeError) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  const message = error instanceof Error ? error.message : String(error);
  context.notes.write(`${context.noteColors.red('strata:')} ${message}\n`);
  if (error instanceof CliError) return error.exitCode;
  if (context.environment['STRATA_DEBUG'] !== undefined && error instanceof Error) {
    context.notes.write(`${error.stack ?? ''}\n`);
  }
  return EXIT_FAILURE;
}
