/** What goes wrong over HTTP on a Unix socket, as the errors runtime clients reject with. */
import { RuntimeError, type RuntimeFault } from './runtime-client.ts';

const FAULTS: ReadonlyMap<string, RuntimeFault> = new Map([
  ['EACCES', 'permission'],
  ['EPERM', 'permission'],
  ['ETIMEDOUT', 'timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'protocol'],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'protocol'],
]);

/** Characters of an error's text that are passed on: it may come from outside. */
const TEXT_MAX = 200;

/** `asked` says what was asked of whom. Errors that are known already stay as they are. */
export function runtimeErrorOf(asked: string, cause: unknown): RuntimeError {
  if (cause instanceof RuntimeError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const code = codeOf(error);
  return new RuntimeError(faultOf(error, code), `${asked}: ${shortText(error.message) || code}`, {
    cause: error,
  });
}

export function shortText(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, TEXT_MAX);
}

function faultOf(error: Error, code: string): RuntimeFault {
  // What its parser of HTTP objects to.
  if (error.name === 'HTTPParserError' || code.startsWith('HPE_')) return 'protocol';
  return FAULTS.get(code) ?? 'unreachable';
}

function codeOf(error: Error): string {
  const code: unknown = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : '';
}
