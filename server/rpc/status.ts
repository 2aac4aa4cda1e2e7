/** From errors to gRPC statuses, with `google.rpc` details in the trailer that gRPC reserves for them. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';
import { type Fault, StrataError } from '../event/strata-error.ts';

/** Who defines the reasons in `ErrorInfo`. */
const ERROR_DOMAIN = 'strata';
const DETAILS_KEY = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc';
/** Trailers are headers: long texts are cut well below the 8 KiB that many clients take. */
const TEXT_LENGTH_MAX = 1024;

/** Where errors that must not be shown to clients go. */
export interface ErrorLog {
  error(details: { readonly err: unknown }, message: string): void;
}

/** The status a client gets. Errors other than StrataError are defects: logged, and hidden behind INTERNAL. */
export function toServiceError(error: unknown, log: ErrorLog): ServiceError {
  if (error instanceof StrataError) return faultToServiceError(error.fault);
  log.error({ err: error }, 'request failed');
  return faultToServiceError({
    code: 'INTERNAL',
    message: 'internal error; the server has logged its cause',
  });
}

function faultToServiceError(fault: Fault): ServiceError {
  const code = status[fault.code];
  const message = cut(fault.message);
  const details = faultDetails(fault);
  const metadata = new Metadata();
  if (details.length > 0) {
    metadata.set(DETAILS_KEY, Buffer.from(Status.encode({ code, message, details }).finish()));
  }
  return Object.assign(new Error(message), { code, details: message, metadata });
}

function faultDetails(fault: Fault): { readonly typeUrl: string; readonly value: Buffer }[] {
  const details = [];
  if (fault.reason !== undefined) {
    const value = ErrorInfo.encode({
      reason: fault.reason,
      domain: ERROR_DOMAIN,
      metadata: faultMetadata(fault),
    });
    details.push({ typeUrl: `${TYPE_PREFIX}.ErrorInfo`, value: Buffer.from(value.finish()) });
  }
  if (fault.field !== undefined) {
    const violation = { field: fault.field, description: cut(fault.message) };
    const value = BadRequest.encode({ fieldViolations: [violation] });
    details.push({ typeUrl: `${TYPE_PREFIX}.BadRequest`, value: Buffer.from(value.finish()) });
  }
  return details;
}

function faultMetadata(fault: Fault): Record<string, string> {
  const metadata: Record<string, string> = {};
  if (fault.field !== undefined) metadata['field'] = fault.field;
  if (fault.position !== undefined) metadata['position'] = String(fault.position);
  if (fault.suggestions !== undefined && fault.suggestions.length > 0) {
    metadata['suggestions'] = fault.suggestions.join(',');
  }
  return metadata;
}

function cut(text: string): string {
  return text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX - 1)}…`;
}
