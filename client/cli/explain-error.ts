/** From what a server answered to what the user is told. */
import { StrataClientError } from '../client-error.ts';
import { CliError, EXIT_FAILURE, EXIT_USAGE } from './cli-error.ts';
import { formatTextFault } from './error-report.ts';

/** What members of a request are called by people. */
function subjectOf(member: string): string {
  if (member.startsWith('filters') || member === 'condition') return 'filter';
  if (member.startsWith('fields')) return 'field';
  if (member.startsWith('output_format')) return 'format';
  return member;
}

/**
 * The error as a CliError: wrong members of the request become usage errors that mark the place in the text the user wrote
 * (`texts` by member). Errors that are none of the server's stay as they are. `server` names it.
 */
export function explainError(
  error: unknown,
  server: string,
  texts: ReadonlyMap<string, string> = new Map(),
): unknown {
  if (!(error instanceof StrataClientError)) return error;
  const options = { cause: error };
  if (error.code === 'INVALID_ARGUMENT' && error.field !== undefined) {
    const fault = {
      subject: subjectOf(error.field),
      text: texts.get(error.field) ?? '',
      message: error.message,
      position: error.position,
      suggestions: error.suggestions,
    };
    return new CliError(formatTextFault(fault), EXIT_USAGE, options);
  }
  switch (error.code) {
    case 'INVALID_ARGUMENT':
    case 'UNIMPLEMENTED':
      return new CliError(error.message, EXIT_USAGE, options);
    case 'UNAVAILABLE':
      return new CliError(
        `the server ${server} has gone or does not answer: ${error.message}`,
        EXIT_FAILURE,
        options,
      );
    default:
      return new CliError(error.message, EXIT_FAILURE, options);
  }
}
