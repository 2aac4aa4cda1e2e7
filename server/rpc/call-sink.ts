/** The client's end of a stream over grpc-js. Messages are encoded already: the method's serializer hands bytes through. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ResponseSink } from '../stream/subscriber.ts';
import { type ErrorLog, toServiceError } from './status.ts';

export class CallSink<Request> implements ResponseSink {
  private readonly call: ServerWritableStream<Request, Uint8Array>;
  private readonly log: ErrorLog;

  constructor(call: ServerWritableStream<Request, Uint8Array>, log: ErrorLog) {
    this.call = call;
    this.log = log;
  }

  write(bytes: Uint8Array, onFlushed: () => void): boolean {
    // After a cancellation the callback never comes; the subscriber is closed by then.
    return this.call.write(bytes, onFlushed);
  }

  end(): void {
    this.call.end();
  }

  fail(error: Error): void {
    // grpc-js takes the status from this event and ends the stream behind what was written.
    this.call.emit('error', toServiceError(error, this.log));
  }
}

/** Serializer of messages that are bytes already. */
export function passBytes(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
