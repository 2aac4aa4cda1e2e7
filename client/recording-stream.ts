/** A recording as the client sees it: the messages of the server, in order. One stream is iterated once. */
import type { RecordResponse } from '../proto/gen/strata/v1/recording_service.ts';
import { toClientError } from './client-error.ts';

export class RecordingStream implements AsyncIterable<RecordResponse> {
  private readonly source: AsyncIterable<RecordResponse> & { cancel(): void };
  private isIterated: boolean;
  private isCancelled: boolean;

  constructor(source: AsyncIterable<RecordResponse> & { cancel(): void }) {
    this.source = source;
    this.isIterated = false;
    this.isCancelled = false;
  }

  /** Gives up; the iteration ends without an error. What was under way is lost: `stopRecording` keeps it. */
  cancel(): void {
    this.isCancelled = true;
    this.source.cancel();
  }

  /** Rejects with StrataClientError. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RecordResponse, void, undefined> {
    if (this.isIterated) throw new TypeError('a stream can be iterated once');
    this.isIterated = true;
    let isComplete = false;
    try {
      for await (const response of this.source) {
        isComplete = response.message?.$case === 'ended';
        yield response;
      }
    } catch (error) {
      if (!this.isCancelled) throw toClientError(error);
    } finally {
      // Left early by the consumer: the server need not go on.
      if (!isComplete) this.source.cancel();
    }
  }
}
