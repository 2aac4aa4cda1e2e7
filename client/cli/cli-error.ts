/** Failures the command reports, and the exit codes it ends with. */

/** Everything went well, or the reader of the output closed it. */
export const EXIT_OK = 0;
/** The work failed: a missing or damaged capture, no server, nothing found. */
export const EXIT_FAILURE = 1;
/** The request was wrong: an unknown option, or a filter, field or template that does not compile. */
export const EXIT_USAGE = 2;
/** Ended by Ctrl-C. */
export const EXIT_INTERRUPTED = 130;
/** Ended by SIGTERM. */
export const EXIT_TERMINATED = 143;

/** A failure whose message is ready to be shown; it may have several lines. */
export class CliError extends Error {
  override name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT_FAILURE, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Another program's exit code, to be passed on; there is nothing to say about it. */
export class ExitCodeError extends Error {
  override name = 'ExitCodeError';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** A request that cannot be carried out as written. */
export function usageError(message: string): CliError {
  return new CliError(message, EXIT_USAGE);
}
