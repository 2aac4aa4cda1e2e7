/** RecordingService: opens recordings, stops them by id, and ends them with the server. */
import { randomBytes } from 'node:crypto';
import type { handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import {
  RecordingServiceService,
  type RecordRequest,
  type StopRecordingRequest,
  type StopRecordingResponse,
} from '../../proto/gen/strata/v1/recording_service.ts';
import { notFound } from '../event/strata-error.ts';
import type { Inspectors, ReplayHandle } from '../inspector/event-feed.ts';
import { CallSink, passBytes } from './call-sink.ts';
import { planRecording } from './record-request.ts';
import { RecordStream } from './record-stream.ts';
import { type ErrorLog, toServiceError } from './status.ts';
import type { StreamLimits } from './stream-request.ts';
import type { Subscriptions } from './subscriptions.ts';
import { unary } from './unary.ts';

export interface RecordHandlerDeps {
  readonly inspectors: Inspectors;
  readonly subscriptions: Subscriptions;
  readonly limits: StreamLimits;
  readonly log: ErrorLog;
}

/** The generated definition, with responses passed through as bytes. */
export const recordingServiceDefinition = {
  ...RecordingServiceService,
  record: { ...RecordingServiceService.record, responseSerialize: passBytes },
};

type RecordCall = ServerWritableStream<RecordRequest, Uint8Array>;

export class RecordHandlers {
  private readonly deps: RecordHandlerDeps;
  private readonly open: Map<string, RecordStream>;
  private isStopping: boolean;

  constructor(deps: RecordHandlerDeps) {
    this.deps = deps;
    this.open = new Map();
    this.isStopping = false;
  }

  get methods(): {
    readonly record: handleServerStreamingCall<RecordRequest, Uint8Array>;
    readonly stopRecording: handleUnaryCall<StopRecordingRequest, StopRecordingResponse>;
  } {
    const { log } = this.deps;
    return {
      record: (call) => {
        // A failed start ends the stream; there is nobody else to tell.
        this.record(call).catch((error: unknown) => {
          call.emit('error', toServiceError(error, log));
        });
      },
      stopRecording: unary((request) => this.stopRecording(request), log),
    };
  }

  /** Ends all recordings in good order. */
  stop(): void {
    this.isStopping = true;
    for (const stream of this.open.values()) stream.stop();
  }

  private stopRecording({ recordingId }: StopRecordingRequest): StopRecordingResponse {
    const stream = this.open.get(recordingId);
    if (stream === undefined) throw notFound('unknown recording: it never was, or it has ended');
    stream.stop();
    return {};
  }

  private async record(call: RecordCall): Promise<void> {
    const { inspectors, subscriptions, limits } = this.deps;
    const plan = planRecording(call.request, inspectors.isCaptureFile, limits.backlogBytesMax);
    subscriptions.admit();
    let replay: ReplayHandle | undefined;
    let isOver = false;
    const leave = (): void => {
      if (isOver) return;
      isOver = true;
      subscriptions.leave();
      replay?.close().catch((error: unknown) => {
        this.deps.log.error({ err: error }, 'a replay could not be closed');
      });
    };
    try {
      replay = plan.start === 'beginning' ? await subscriptions.openReplay() : undefined;
      const id = randomBytes(16).toString('hex');
      const stream = new RecordStream(new CallSink(call, this.deps.log), plan.isCompressed, () => {
        this.open.delete(id);
        leave();
      });
      call.on('cancelled', () => stream.onCancelled());
      const feed = await (replay ?? inspectors.node).record(plan.recording, stream);
      if (stream.isDone || call.cancelled) {
        feed.cancel();
        leave();
        return;
      }
      this.open.set(id, stream);
      stream.start(feed, id);
      if (this.isStopping) stream.stop();
    } catch (error) {
      leave();
      throw error;
    }
  }
}
