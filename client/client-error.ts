/** The one error class of the client library. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '../proto/gen/google/rpc/error_details.ts';
import { Status } from '../proto/gen/google/rpc/status.ts';

/** Name of a gRPC status code: `NOT_FOUND`, `UNIMPLEMENTED`. */
export type StatusName = keyof typeof status;

/** A call that failed, with what the server told about it. */
export class StrataClientError extends Error {
  override name = 'StrataClientError';
  readonly code: StatusName;
  /** Cause for programs, such as `UNKNOWN_FIELD`; undefined when the server gave none. */
  readonly reason: string | undefined;
  /** Member of the request that is wrong: `filters[0].condition`. */
  readonly field: string | undefined;
  /** Offset of the fault in the text of that member. */
  readonly position: number | undefined;
  /** Names close to an unknown one, best first. */
  readonly suggestions: readonly string[];

  constructor(code: StatusName, message: string, details: Partial<ErrorFacts> = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.reason = details.reason;
    this.field = details.field;
    this.position = details.position;
    this.suggestions = details.suggestions ?? [];
  }
}

interface ErrorFacts {
  readonly reason: string | undefined;
  readonly field: string | undefined;
  readonly position: number | undefined;
  readonly suggestions: readonly string[];
}

const DETAILS_KEY = 'grpc-status-details-bin';

/** Turns what grpc-js throws into a StrataClientError; leaves other errors as they are. */
export function toClientError(error: unknown): unknown {
  if (!isServiceError(error)) return error;
  const name = status[error.code] as StatusName;
  return new StrataClientError(name, error.details, readFacts(error), { cause: error });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}

function readFacts(error: ServiceError): Partial<ErrorFacts> {
  const [encoded] = error.metadata.get(DETAILS_KEY);
  if (!Buffer.isBuffer(encoded)) return {};
  let facts: Partial<ErrorFacts> = {};
  for (const { typeUrl, value } of Status.decode(encoded).details) {
    if (typeUrl.endsWith('/google.rpc.ErrorInfo')) {
      const { reason, metadata } = ErrorInfo.decode(value);
      const { position, suggestions } = metadata;
      facts = {
        ...facts,
        reason,
        position: position === undefined ? undefined : Number(position),
        suggestions: suggestions === undefined ? [] : suggestions.split(','),
      };
    } else if (typeUrl.endsWith('/google.rpc.BadRequest')) {
      facts = { ...facts, field: BadRequest.decode(value).fieldViolations[0]?.field };
    }
  }
  return facts;
}
