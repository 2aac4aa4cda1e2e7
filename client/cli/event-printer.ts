/** Writes the messages of an event stream: lines to the output, what happened to them as notes. */
import {
  type Completion,
  type Ended,
  EndReason,
  type Gap,
  GapCause,
  type Started,
  type StreamEventsResponse,
} from '../../proto/gen/strata/v1/event_service.ts';
import type { FieldSchema } from '../../proto/gen/strata/v1/value.ts';
import { CliError } from './cli-error.ts';
import { completionLines } from './completion-lines.ts';
import type { OutputWriter } from './output-writer.ts';
import { formatCount, ProgressBar } from './progress-bar.ts';

export interface EventPrinterOptions {
  readonly output: OutputWriter;
  /** Writes one line for people. */
  readonly note: (text: string) => void;
  /** Stream for a progress bar; undefined for none. */
  readonly progressStream: NodeJS.WriteStream | undefined;
  readonly isProgressForced: boolean;
  /** Whether what becomes known of events later is printed: a line of JSON per event. */
  readonly hasCompletions: boolean;
  /** Whether to tell at the end what was read and how fast. */
  readonly hasSummary: boolean;
  readonly nowMs: () => number;
}

const GAP_CAUSES: ReadonlyMap<number, string> = new Map<number, string>([
  [GapCause.BACKLOG_FULL, 'this client read too slowly'],
  [GapCause.CAPTURE_LOSS, 'the capture lost them before they could be filtered'],
  [GapCause.RESUME_EXPIRED, 'they passed while the client was away'],
  [GapCause.EVENT_TOO_LARGE, 'larger than a message may be'],
]);

/** Prints one stream. */
export class EventPrinter {
  readonly #options: EventPrinterOptions;
  readonly #startMs: number;
  #progress: ProgressBar | undefined;
  #printedCount = 0;
  #lostCount = 0n;
  #lostCompletionCount = 0n;
  #schema: readonly FieldSchema[] = [];

  constructor(options: EventPrinterOptions) {
    this.#options = options;
    this.#startMs = options.nowMs();
  }

  /**
   * Prints until the stream ends; returns what the server says at its end, or undefined when the stream was cut short.
   * Rejects with OutputClosedError when the reader of the output is gone, and with the errors of the stream.
   */
  async print(stream: AsyncIterable<StreamEventsResponse>): Promise<Ended | undefined> {
    let ended: Ended | undefined;
    try {
      for await (const { message } of stream) {
        if (message === undefined) continue;
        switch (message.$case) {
          case 'batch': {
            this.#printedCount += message.value.count;
            const wait = this.#options.output.write(message.value.rendered);
            if (wait !== undefined) await wait;
            this.#progress?.addEvents(message.value.count);
            break;
          }
          case 'started':
            this.#onStarted(message.value);
            break;
          case 'heartbeat':
            if (message.value.captureBytesRead !== undefined) {
              this.#progress?.setBytesRead(Number(message.value.captureBytesRead));
            }
            break;
          case 'completion':
            await this.#onCompletion(message.value);
            break;
          case 'gap':
            this.#onGap(message.value);
            break;
          case 'ended':
            ended = message.value;
            this.#lostCompletionCount = ended.lostCompletionCount;
            break;
          default:
        }
      }
    } finally {
      this.#progress?.stop();
    }
    await this.#options.output.flush();
    if (ended?.reason === EndReason.SHUTDOWN) this.#options.note('the server has shut down');
    if (this.#options.hasSummary) this.#summarize(ended);
    return ended;
  }

  async #onCompletion(completion: Completion): Promise<void> {
    if (!this.#options.hasCompletions) return;
    const wait = this.#options.output.write(completionLines(completion, this.#schema));
    if (wait !== undefined) await wait;
  }

  #onStarted(started: Started): void {
    this.#schema = started.schema;
    const { progressStream, isProgressForced, nowMs } = this.#options;
    if (progressStream === undefined || this.#progress !== undefined) return;
    const totalBytes = started.captureBytes === undefined ? undefined : Number(started.captureBytes);
    this.#progress = new ProgressBar({
      stream: progressStream,
      isForced: isProgressForced,
      totalBytes,
      nowMs,
    });
  }

  #onGap(gap: Gap): void {
    this.#lostCount += gap.lostCount;
    this.#options.note(formatGap(gap));
  }

  #summarize(ended: Ended | undefined): void {
    const seconds = (this.#options.nowMs() - this.#startMs) / 1000;
    const seen = ended === undefined ? undefined : Number(ended.seenCount);
    const parts = [`${formatCount(this.#printedCount)} events printed`];
    if (seen !== undefined) parts.push(`${formatCount(seen)} read`);
    if (this.#lostCount > 0n) parts.push(`${formatCount(this.#lostCount)} lost`);
    if (this.#lostCompletionCount > 0n)
      parts.push(`${formatCount(this.#lostCompletionCount)} completions lost`);
    const rate = (seen ?? this.#printedCount) / Math.max(seconds, 1e-3);
    this.#options.note(`${parts.join(', ')} in ${seconds.toFixed(2)} s (${formatCount(rate)} events/s)`);
  }
}

/** `lost 12 events (this client read too slowly), numbers 100 to 150`. */
export function formatGap(gap: Gap): string {
  const noun = gap.lostCount === 1n ? 'event' : 'events';
  const cause = GAP_CAUSES.get(gap.cause);
  const first = gap.firstEventNumber;
  const last = gap.lastEventNumber;
  const range =
    first === undefined
      ? ''
      : last === undefined || last === first
        ? `, number ${first}`
        : `, numbers ${first} to ${last}`;
  return `lost ${formatCount(gap.lostCount)} ${noun}${cause === undefined ? '' : ` (${cause})`}${range}`;
}

/** Throws a CliError when the stream ended because the capture is damaged. `what` names the capture. */
export function checkEnd(ended: Ended | undefined, what: string): void {
  if (ended?.reason !== EndReason.CAPTURE_ERROR) return;
  const { message, byteOffset } = ended.captureError ?? { message: 'damaged', byteOffset: undefined };
  const place =
    byteOffset === undefined || message.includes(`byte ${byteOffset}`) ? '' : ` (at byte ${byteOffset})`;
  const last =
    ended.lastEventNumber === undefined
      ? 'no event came before it'
      : `the last event is ${ended.lastEventNumber}`;
  throw new CliError(`${what}: ${message}${place}; ${last}`);
}
