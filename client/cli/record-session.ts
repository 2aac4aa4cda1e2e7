/** One recording from its request to its summary: bytes to the output, the command beside it, the end for whatever reason. */
import { type Ended, EndReason } from '../../proto/gen/strata/v1/event_service.ts';
import type { RecordProgress, RecordRequest } from '../../proto/gen/strata/v1/recording_service.ts';
import type { RecordingStream } from '../recording-stream.ts';
import { CliError, ExitCodeError } from './cli-error.ts';
import { type CliContext, note } from './context.ts';
import { explainError } from './explain-error.ts';
import { formatCount } from './progress-bar.ts';
import type { RecordedCommand } from './record-command.ts';
import type { RecordOutput } from './record-output.ts';
import { formatBytes, formatElapsed } from './record-units.ts';
import type { ServerConnection } from './server-connection.ts';

export interface RecordSessionOptions {
  readonly request: RecordRequest;
  readonly output: RecordOutput;
  readonly command: RecordedCommand | undefined;
  /** Show a line that moves. */
  readonly showsProgress: boolean;
}

const PROGRESS_INTERVAL_MS = 200;
const CLEAR_LINE = '\r\x1b[K';

export class RecordSession {
  private readonly context: CliContext;
  private readonly connection: ServerConnection;
  private readonly options: RecordSessionOptions;
  private readonly stream: RecordingStream;
  private readonly startMs: number;
  private recordingId: string;
  private isStopWanted: boolean;
  private progress: RecordProgress | undefined;
  private ended: Ended | undefined;
  private shownAtMs: number;

  constructor(context: CliContext, connection: ServerConnection, options: RecordSessionOptions) {
    this.context = context;
    this.connection = connection;
    this.options = options;
    this.stream = connection.client.record(options.request);
    this.startMs = context.nowMs();
    this.recordingId = '';
    this.isStopWanted = false;
    this.progress = undefined;
    this.ended = undefined;
    this.shownAtMs = 0;
  }

  /**
   * Resolves when the recording is complete and closed. Rejects with a CliError for what went wrong, after all that could be
   * written was; with an ExitCodeError when the command failed.
   */
  async run(): Promise<void> {
    const { context, options, connection } = this;
    const { command, output } = options;
    const interrupt = (): void => {
      command?.terminate();
      this.stop();
    };
    context.signal.addEventListener('abort', interrupt);
    try {
      if (context.signal.aborted) return;
      await this.receive();
    } catch (error) {
      command?.terminate();
      throw explainError(error, connection.name, new Map([['condition', options.request.condition]]));
    } finally {
      context.signal.removeEventListener('abort', interrupt);
      this.clearProgress();
      await output.close();
    }
    this.summarize();
    if (command === undefined) return;
    const code = await command.ended;
    if (code !== 0) throw new ExitCodeError(code);
  }

  private async receive(): Promise<void> {
    const { output } = this.options;
    for await (const { message } of this.stream) {
      switch (message?.$case) {
        case 'started':
          this.onStarted(message.value.recordingId);
          break;
        case 'chunk':
          await output.write(message.value);
          break;
        case 'file':
          await output.nextFile();
          break;
        case 'progress':
          this.progress = message.value;
          this.showProgress();
          break;
        case 'ended':
          this.ended = message.value;
          break;
        case undefined:
        // A kind of message that a newer server sends: nothing this client must act on.
      }
    }
    if (this.ended === undefined && !this.isStopWanted) {
      throw new CliError(`${this.connection.name}: the recording was cut`);
    }
  }

  private onStarted(recordingId: string): void {
    this.recordingId = recordingId;
    const { command } = this.options;
    if (this.isStopWanted) {
      this.stop();
      return;
    }
    if (command === undefined) return;
    command.run();
    command.ended.then(
      () => this.stop(),
      () => this.stop(),
    );
  }

  /** Ends the recording in good order, as soon as it has begun. */
  private stop(): void {
    this.isStopWanted = true;
    if (this.recordingId === '') return;
    this.connection.client.stopRecording(this.recordingId).catch(() => {
      // Ended by itself in the meantime, or the server is gone: the stream tells.
    });
  }

  private showProgress(): void {
    const { context, progress } = this;
    if (!this.options.showsProgress || progress === undefined) return;
    const now = context.nowMs();
    if (now - this.shownAtMs < PROGRESS_INTERVAL_MS) return;
    this.shownAtMs = now;
    const lost = progress.lostCount + progress.backlogLostCount;
    const parts = [
      formatElapsed(now - this.startMs),
      `${formatCount(progress.eventCount)} events`,
      formatBytes(Number(progress.byteCount)),
      ...(lost > 0n ? [`${formatCount(lost)} lost`] : []),
    ];
    context.notes.write(`${CLEAR_LINE}${parts.join(' | ')}`);
  }

  private clearProgress(): void {
    if (this.shownAtMs > 0) this.context.notes.write(CLEAR_LINE);
  }

  private summarize(): void {
    const { context, progress, ended, options } = this;
    if (progress === undefined) return;
    const parts = [`${formatCount(progress.eventCount)} events`];
    if (progress.stateOnlyCount > 0n) parts.push(`${formatCount(progress.stateOnlyCount)} of state only`);
    parts.push(formatBytes(Number(progress.byteCount)));
    if (progress.fileCount > 1n) parts.push(`${formatCount(progress.fileCount)} files`);
    note(context, `wrote ${options.output.name}: ${parts.join(', ')}`);
    for (const line of lossLines(progress)) note(context, line);
    if (ended?.reason === EndReason.CAPTURE_ERROR) {
      throw new CliError(
        `${this.connection.name}: ${ended.captureError?.message ?? 'the capture failed'}; ${options.output.name} holds what comes before`,
      );
    }
    if (ended?.reason === EndReason.SHUTDOWN)
      throw new CliError(`${this.connection.name}: the server has shut down`);
  }
}

/** What is missing in the recording, by cause. */
function lossLines(progress: RecordProgress): string[] {
  const lines: string[] = [];
  if (progress.lostCount > 0n) {
    lines.push(
      `lost: ${formatCount(progress.lostCount)} events by the capture; the state of the recording may be incomplete`,
    );
  }
  if (progress.backlogLostCount > 0n) {
    const state = progress.backlogLostStateCount;
    lines.push(
      `lost: ${formatCount(progress.backlogLostCount)} events because the output was too slow` +
        (state > 0n
          ? `, ${formatCount(state)} of which change state: the state of the recording may be incomplete`
          : ''),
    );
  }
  return lines;
}
