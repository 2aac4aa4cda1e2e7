/** Turns a function of the request into a gRPC method. */
import type { handleBidiStreamingCall, handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import { unimplemented } from '../event/strata-error.ts';
import { type ErrorLog, toServiceError } from './status.ts';

/** A unary method: what `answer` throws or rejects with becomes the status. */
export function unary<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
  log: ErrorLog,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve(call.request)
      .then(answer)
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error, log)),
      );
  };
}

/** A method of the contract that this version does not have. `message` says which and why. */
export function unaryUnimplemented<Request, Response>(
  message: string,
  log: ErrorLog,
): handleUnaryCall<Request, Response> {
  return unary(() => {
    throw unimplemented(message);
  }, log);
}

/** The same for methods that stream answers. */
export function streamUnimplemented<Request, Response>(
  message: string,
  log: ErrorLog,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    call.emit('error', toServiceError(unimplemented(message), log));
  };
}

/** The same for methods that stream both ways. */
export function duplexUnimplemented<Request, Response>(
  message: string,
  log: ErrorLog,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    call.emit('error', toServiceError(unimplemented(message), log));
  };
}
