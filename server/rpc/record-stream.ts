/**
 * Delivers one recording to one client: chunks in order, compressed if asked for, in messages that any client takes. What
 * waits is bounded by the recording's credit, which is given back as the client takes its bytes.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { EndReason } from '../../proto/gen/strata/v1/event_service.ts';
import { type RecordProgress, RecordResponse } from '../../proto/gen/strata/v1/recording_service.ts';
import type {
  RecordingChunk,
  RecordingEnd,
  RecordingEndReason,
  RecordingFeed,
  RecordingListener,
  RecordingProgress,
} from '../inspector/recording-feed.ts';
import type { ResponseSink } from '../stream/subscriber.ts';

const compress = promisify(gzip);

/** Largest piece of a file in one message. */
const PIECE_BYTES = 1_048_576;
/** Bytes handed to the transport and not flushed yet. */
const WINDOW_BYTES = 2_097_152;

type Message = NonNullable<RecordResponse['message']>;

const END_REASONS: Readonly<Record<RecordingEndReason, EndReason>> = {
  'capture-end': EndReason.CAPTURE_END,
  'capture-error': EndReason.CAPTURE_ERROR,
  'events-max': EndReason.EVENTS_MAX,
  'bytes-max': EndReason.BYTES_MAX,
  'duration-max': EndReason.DURATION_MAX,
  stopped: EndReason.STOPPED,
  shutdown: EndReason.SHUTDOWN,
};

export class RecordStream implements RecordingListener {
  private readonly sink: ResponseSink;
  private readonly isCompressed: boolean;
  private readonly onClosed: () => void;
  private readonly chunks: RecordingChunk[];
  private feed: RecordingFeed | undefined;
  private ending: RecordingEnd | Error | undefined;
  private file: number;
  private bytesInFlight: number;
  private isPumping: boolean;
  private isClosed: boolean;
  /** Resolves the pump's wait for room, or for the end of the stream. */
  private wakeUp: (() => void) | undefined;

  /** `onClosed` is called once, when nothing more will be sent. */
  constructor(sink: ResponseSink, isCompressed: boolean, onClosed: () => void) {
    this.sink = sink;
    this.isCompressed = isCompressed;
    this.onClosed = onClosed;
    this.chunks = [];
    this.feed = undefined;
    this.ending = undefined;
    this.file = 0;
    this.bytesInFlight = 0;
    this.isPumping = false;
    this.isClosed = false;
    this.wakeUp = undefined;
  }

  get isDone(): boolean {
    return this.isClosed;
  }

  /** Takes over the feed and sends the first message; what the feed has brought already follows. */
  start(feed: RecordingFeed, recordingId: string): void {
    this.feed = feed;
    const { node, captureEngine, captureName, captureBytes } = feed.started;
    this.send({
      $case: 'started',
      value: { recordingId, node, captureEngine, captureName, captureBytes: optionalBig(captureBytes) },
    });
    this.pump();
  }

  onChunk(chunk: RecordingChunk): void {
    if (this.isClosed) return;
    this.chunks.push(chunk);
    this.pump();
  }

  onEnd(end: RecordingEnd): void {
    this.ending ??= end;
    this.pump();
  }

  onFault(error: Error): void {
    this.ending ??= error;
    this.pump();
  }

  /** Ends the recording in good order. */
  stop(): void {
    if (!this.isClosed) this.feed?.stop();
  }

  /** The client is gone. */
  onCancelled(): void {
    if (this.isClosed) return;
    this.feed?.cancel();
    this.close();
  }

  private pump(): void {
    if (this.feed === undefined || this.isPumping || this.isClosed) return;
    this.isPumping = true;
    this.drain().then(
      () => {
        this.isPumping = false;
        // What came while the last wait was settled.
        if (!this.isClosed && (this.chunks.length > 0 || this.ending !== undefined)) this.pump();
      },
      (error: unknown) => {
        this.isPumping = false;
        if (this.isClosed) return;
        this.feed?.cancel();
        this.close();
        this.sink.fail(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  private async drain(): Promise<void> {
    for (let chunk = this.chunks.shift(); chunk !== undefined; chunk = this.chunks.shift()) {
      if (chunk.file !== this.file) {
        this.file = chunk.file;
        this.send({ $case: 'file', value: { fileNumber: BigInt(chunk.file) } });
      }
      // Each chunk is a gzip member of its own: a file that is cut short can be read up to there.
      const bytes = this.isCompressed ? await compress(chunk.bytes) : chunk.bytes;
      for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
        await this.room();
        if (this.isClosed) return;
        this.send({ $case: 'chunk', value: toBuffer(bytes.subarray(at, at + PIECE_BYTES)) });
      }
      this.feed?.ack(chunk.bytes.byteLength);
      this.send({ $case: 'progress', value: progressMessage(chunk.progress) });
    }
    if (this.ending === undefined || this.isClosed) return;
    const { ending } = this;
    this.close();
    if (ending instanceof Error) {
      this.sink.fail(ending);
      return;
    }
    this.sendEnd(ending);
    this.sink.end();
  }

  private sendEnd(end: RecordingEnd): void {
    const { progress } = end;
    this.write({ $case: 'progress', value: progressMessage(progress) });
    const captureError =
      end.reason === 'capture-error'
        ? { message: end.errorMessage ?? '', byteOffset: optionalBig(end.errorOffset) }
        : undefined;
    this.write({
      $case: 'ended',
      value: {
        reason: END_REASONS[end.reason],
        seenCount: BigInt(end.seenCount),
        matchedCount: BigInt(progress.eventCount + progress.backlogLostCount),
        sentCount: BigInt(progress.eventCount),
        lostCount: BigInt(progress.backlogLostCount),
        captureError,
        lastEventNumber: optionalBig(progress.lastNum),
        captureBytesRead: optionalBig(progress.captureBytesRead),
        lostCompletionCount: 0n,
      },
    });
  }

  /** Resolves when the transport takes more, or when the stream is over. */
  private async room(): Promise<void> {
    while (this.bytesInFlight >= WINDOW_BYTES && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.wakeUp = resolve;
      });
    }
  }

  private send(message: Message): void {
    if (!this.isClosed) this.write(message);
  }

  private write(message: Message): void {
    const bytes = RecordResponse.encode({ message }).finish();
    this.bytesInFlight += bytes.byteLength;
    this.sink.write(bytes, () => {
      this.bytesInFlight -= bytes.byteLength;
      this.wake();
    });
  }

  private wake(): void {
    this.wakeUp?.();
    this.wakeUp = undefined;
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.chunks.length = 0;
    this.wake();
    this.onClosed();
  }
}

function progressMessage(progress: RecordingProgress): RecordProgress {
  return {
    eventCount: BigInt(progress.eventCount),
    byteCount: BigInt(progress.byteCount),
    lostCount: BigInt(progress.lostCount),
    stateOnlyCount: BigInt(progress.stateOnlyCount),
    backlogLostCount: BigInt(progress.backlogLostCount),
    backlogLostStateCount: BigInt(progress.backlogLostStateCount),
    firstEventNumber: optionalBig(progress.firstNum),
    lastEventNumber: optionalBig(progress.lastNum),
    firstTimestampNs: progress.firstTsNs,
    lastTimestampNs: progress.lastTsNs,
    captureBytesRead: optionalBig(progress.captureBytesRead),
    fileCount: BigInt(progress.fileCount),
    threadCount: BigInt(progress.threadCount),
  };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function optionalBig(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}
