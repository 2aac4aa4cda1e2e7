/** Progress of a long replay on a terminal: share of the file, events per second, time left. */
import { type Format, Presets, SingleBar } from 'cli-progress/cli-progress.js';

/** Replays that are over sooner show no bar. */
const SHOW_AFTER_MS = 1_000;

export interface ProgressOptions {
  readonly stream: NodeJS.WriteStream;
  /** Show from the first moment, and as lines when the stream is not a terminal. */
  readonly isForced: boolean;
  /** Size of the capture file; undefined when there is no end to measure against. */
  readonly totalBytes: number | undefined;
  readonly nowMs: () => number;
}

/** A bar that appears once a replay turns out to be long. */
export class ProgressBar {
  readonly #options: ProgressOptions;
  readonly #startMs: number;
  #bar: SingleBar | undefined;
  #bytesRead = 0;
  #events = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startMs = options.nowMs();
    if (options.isForced) this.#show();
  }

  /** Events received in all. */
  addEvents(count: number): void {
    this.#events += count;
    this.#draw();
  }

  /** Bytes of the capture file read so far. */
  setBytesRead(bytesRead: number): void {
    this.#bytesRead = bytesRead;
    this.#draw();
  }

  /** Removes the bar. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #draw(): void {
    if (this.#bar === undefined) {
      if (this.#options.nowMs() - this.#startMs < SHOW_AFTER_MS) return;
      this.#show();
    }
    this.#bar?.update(this.#bytesRead, this.#payload());
  }

  #show(): void {
    const { totalBytes, stream, isForced } = this.#options;
    if (totalBytes === undefined || totalBytes === 0) return;
    this.#bar = new SingleBar(
      {
        stream,
        format: progressFormat,
        clearOnComplete: true,
        hideCursor: true,
        etaBuffer: 40,
        noTTYOutput: isForced,
        fps: 5,
      },
      Presets.shades_classic,
    );
    this.#bar.start(totalBytes, this.#bytesRead, this.#payload());
  }

  #payload(): ProgressPayload {
    const seconds = (this.#options.nowMs() - this.#startMs) / 1000;
    return { events: this.#events, eventsPerSecond: seconds > 0 ? this.#events / seconds : 0 };
  }
}

interface ProgressPayload {
  readonly events: number;
  readonly eventsPerSecond: number;
}

const progressFormat: Format<ProgressPayload> = (options, params, payload) => {
  const size = options.barsize ?? 40;
  const full = Math.round(params.progress * size);
  const bar =
    (options.barCompleteString ?? '').slice(0, full) +
    (options.barIncompleteString ?? '').slice(0, size - full);
  const percent = Math.floor(params.progress * 100);
  const rate = formatCount(payload.eventsPerSecond);
  return ` ${bar} ${percent}% | ${formatCount(payload.events)} events | ${rate} events/s | ${formatEta(params.eta)}`;
};

/** `1234567` -> `1,234,567`; fractions are rounded. */
export function formatCount(value: number | bigint): string {
  const digits = typeof value === 'bigint' ? value.toString() : String(Math.round(value));
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Time left, from the bar's estimate in seconds. */
export function formatEta(seconds: number | string): string {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return 'ETA -';
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `ETA ${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `ETA ${minutes}m${String(whole % 60).padStart(2, '0')}s`;
  return `ETA ${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}
