/** What a failed gRPC call means for a runtime client. */
import { accessSync, constants } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { RuntimeError, type RuntimeFault } from './runtime-client.ts';

/** Characters of a runtime's own words that are passed on. */
const DETAILS_LENGTH_MAX = 300;

const FAULTS: ReadonlyMap<number, RuntimeFault> = new Map([
  [status.UNAVAILABLE, 'unreachable'],
  [status.DEADLINE_EXCEEDED, 'timeout'],
  [status.DATA_LOSS, 'protocol'],
]);

/** What is said of an answer that cannot be taken; the same codes from the runtime itself are its refusals. */
const OWN_FINDINGS = ['Received message larger', 'Response message parsing error', 'Received RST_STREAM'];

/** Shims before other runtimes pass on what these said, without a code. */
const NOT_FOUND_WORDS = /no such (?:container|pod|sandbox)|\b(?:container|sandbox)\b.*not found/i;

/** A call that failed with a gRPC status. */
export class GrpcCallError extends RuntimeError {
  readonly code: number;

  constructor(fault: RuntimeFault, code: number, message: string, options?: ErrorOptions) {
    super(fault, message, options);
    this.code = code;
  }
}

/** `cause`: whatever a gRPC call failed with. `what`: the call, for the message. */
export function grpcCallError(cause: unknown, socketPath: string, what: string): GrpcCallError {
  const { code, details } = partsOf(cause);
  const fault = faultOf(code, details, socketPath);
  return new GrpcCallError(fault, code, `${socketPath}: ${what}: ${textOfFault(fault, details)}`, { cause });
}

/** Whether the runtime knows no such thing. */
export function isNotFound(error: unknown): boolean {
  if (!(error instanceof GrpcCallError)) return false;
  return (
    error.code === status.NOT_FOUND || (error.code === status.UNKNOWN && NOT_FOUND_WORDS.test(error.message))
  );
}

/** Whether the runtime does not offer this call. */
export function isUnimplemented(error: unknown): boolean {
  return error instanceof GrpcCallError && error.code === status.UNIMPLEMENTED;
}

function partsOf(cause: unknown): { code: number; details: string } {
  if (typeof cause !== 'object' || cause === null) return { code: status.UNKNOWN, details: String(cause) };
  const code = 'code' in cause && typeof cause.code === 'number' ? cause.code : status.UNKNOWN;
  if ('details' in cause && typeof cause.details === 'string') return { code, details: cause.details };
  return { code, details: cause instanceof Error ? cause.message : '' };
}

function faultOf(code: number, details: string, socketPath: string): RuntimeFault {
  if (code === status.UNAVAILABLE) {
    if (/EACCES|EPERM/.test(details) || isForbidden(socketPath)) return 'permission';
    if (/protocol error|HTTP2|parse error/i.test(details)) return 'protocol';
  }
  if (code !== status.UNAVAILABLE && OWN_FINDINGS.some((finding) => details.startsWith(finding)))
    return 'protocol';
  return FAULTS.get(code) ?? 'refused';
}

/** Whether the socket is there and may not be used: the text of a failed connection does not always say so. */
function isForbidden(socketPath: string): boolean {
  try {
    accessSync(socketPath, constants.W_OK);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
  }
}

function textOfFault(fault: RuntimeFault, details: string): string {
  const text = details.length > DETAILS_LENGTH_MAX ? `${details.slice(0, DETAILS_LENGTH_MAX)}...` : details;
  // The library tells how long each part took: another text every time.
  if (fault === 'timeout') return 'no answer in time';
  if (fault === 'permission') return `no permission to use the socket (${text})`;
  return text === '' ? 'failed without a reason' : text;
}
