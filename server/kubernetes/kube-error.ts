/** Why the API server could not be asked, as far as it decides what to do next. */

export type KubeFault =
  /** No connection, or it broke. */
  | 'unreachable'
  /** The server's certificate, or ours, was not taken. */
  | 'tls'
  /** 401: the token or certificate is not (no longer) good. */
  | 'unauthorized'
  /** 403: this identity may not read this kind. */
  | 'forbidden'
  /** 404: no such object, or the server does not have this kind. */
  | 'not-found'
  /** 410: what was asked for is too long ago; list anew. */
  | 'gone'
  /** 429, or 503 with a time: the server asks for patience. */
  | 'throttled'
  /** Other statuses of 500 and above. */
  | 'server'
  | 'timeout'
  /** An answer that is none: no JSON, too long, another status. */
  | 'protocol';

export class KubeError extends Error {
  readonly fault: KubeFault;
  /** HTTP status; 0 when there was none. */
  readonly status: number;
  /** How long the server asked to wait, in milliseconds; undefined when it did not. */
  readonly retryAfterMs: number | undefined;

  constructor(
    fault: KubeFault,
    message: string,
    details: { status?: number; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'KubeError';
    this.fault = fault;
    this.status = details.status ?? 0;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Characters of a foreign text that are passed on. */
const TEXT_MAX = 200;
/** A server that asks for more is asked again after this. */
const RETRY_AFTER_MS_MAX = 10 * 60_000;

const FAULTS_BY_STATUS: ReadonlyMap<number, KubeFault> = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [410, 'gone'],
  [429, 'throttled'],
]);

/** `text`: what the answer says of itself. `retryAfter`: the header, in seconds or as a date. */
export function statusError(
  asked: string,
  status: number,
  text: string,
  retryAfter: string | undefined,
  nowMs: number,
): KubeError {
  const retryAfterMs = retryAfterOf(retryAfter, nowMs);
  let fault = FAULTS_BY_STATUS.get(status) ?? (status >= 500 ? 'server' : 'protocol');
  if (status === 503 && retryAfterMs !== undefined) fault = 'throttled';
  return new KubeError(fault, `${asked}: status ${status} ${shortText(text)}`.trimEnd(), {
    status,
    retryAfterMs,
  });
}

function retryAfterOf(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, RETRY_AFTER_MS_MAX) : undefined;
}

/** Any other error of a call, by its code. Errors that are known already stay as they are. */
export function kubeErrorOf(asked: string, cause: unknown): KubeError {
  if (cause instanceof KubeError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const code = codeOf(error);
  return new KubeError(faultOf(code), `${asked}: ${shortText(textOf(error)) || code}`, { cause: error });
}

function faultOf(code: string): KubeFault {
  if (/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO_/.test(code)) return 'tls';
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return 'timeout';
  if (code.startsWith('HPE_')) return 'protocol';
  return 'unreachable';
}

/** Of several addresses that failed each has its own error inside. */
function innermost(error: Error): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error.cause instanceof Error ? error.cause : error;
}

function codeOf(error: Error): string {
  for (const candidate of [error, innermost(error)]) {
    const code: unknown = (candidate as NodeJS.ErrnoException).code;
    if (typeof code === 'string') return code;
  }
  return '';
}

function textOf(error: Error): string {
  return error.message === '' ? innermost(error).message : error.message;
}

export function shortText(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, TEXT_MAX);
}
