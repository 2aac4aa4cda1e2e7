/** The one error class of operating failures: what went wrong, in a form that crosses threads and becomes a gRPC status. */
import type { ErrorReason } from '../../proto/gen/strata/v1/error_reason.ts';

/** gRPC status codes that the server answers with, by name. */
export type StatusName =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE';

/** Cause for programs, as the contract names them: `UNKNOWN_FIELD`. */
export type FaultReason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;

/** An error as plain data. */
export interface Fault {
  readonly code: StatusName;
  /** Safe to show to any client. */
  readonly message: string;
  readonly reason?: FaultReason | undefined;
  /** Path of the wrong member in the request: `filters[0].condition`, `fields[3]`. */
  readonly field?: string | undefined;
  /** Offset of the fault in the text of that member. */
  readonly position?: number | undefined;
  /** Names close to an unknown one, best first. */
  readonly suggestions?: readonly string[] | undefined;
}

export class StrataError extends Error {
  override name = 'StrataError';
  readonly fault: Fault;

  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.message, options);
    this.fault = fault;
  }

  get code(): StatusName {
    return this.fault.code;
  }
}

/** A member of a request that cannot be used. */
export function invalidArgument(field: string, message: string): StrataError {
  return new StrataError({ code: 'INVALID_ARGUMENT', message, field, reason: 'INVALID_ARGUMENT' });
}

export function notFound(message: string): StrataError {
  return new StrataError({ code: 'NOT_FOUND', message });
}

/** Something the contract has and this version has not: `what` it is and why. */
export function unimplemented(message: string): StrataError {
  return new StrataError({ code: 'UNIMPLEMENTED', message, reason: 'NOT_IN_THIS_VERSION' });
}
