/** One event stream from a server to the output. */
import { CliError } from './cli-error.ts';
import type { PrintOptions } from './commands/event-options.ts';
import { type CliContext, note } from './context.ts';
import { checkEnd, EventPrinter } from './event-printer.ts';
import type { EventQuery } from './event-request.ts';
import { explainError } from './explain-error.ts';
import type { ServerConnection } from './server-connection.ts';

/**
 * Prints the stream that `query` asks for. Rejects with a CliError for requests that cannot be carried out and for
 * damaged captures, after all events before the damage; with OutputClosedError when nobody reads any more.
 */
export async function printEvents(
  context: CliContext,
  connection: ServerConnection,
  query: EventQuery,
  options: PrintOptions,
): Promise<void> {
  const stream = connection.client.streamEvents(query.request);
  const output = context.output();
  output.onFailure = () => stream.cancel();
  // Whoever waits for the reader of the output is woken too.
  const interrupt = (): void => output.fail(new Error('interrupted'));
  context.signal.addEventListener('abort', interrupt);
  const isUseful = context.notes.isTty && !context.isOutputTty;
  const printer = new EventPrinter({
    output,
    note: (text) => note(context, text),
    progressStream: (options.progress ?? isUseful) ? process.stderr : undefined,
    isProgressForced: options.progress === true,
    hasCompletions: options.json === true && options.delivery === 'immediate',
    hasSummary: options.verbose === true || options.progress === true,
    nowMs: () => context.nowMs(),
  });
  try {
    if (context.signal.aborted) return;
    const ended = await printer.print(stream.messages());
    checkEnd(ended, connection.name);
    if (ended === undefined && !context.signal.aborted) {
      throw new CliError(`${connection.name}: the stream was cut`);
    }
  } catch (error) {
    if (output.failure !== undefined) throw output.failure;
    throw explainError(error, connection.name, query.texts);
  } finally {
    context.signal.removeEventListener('abort', interrupt);
  }
}
