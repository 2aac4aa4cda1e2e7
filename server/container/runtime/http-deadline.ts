/** An abort signal for one call: fires with its caller's signal, or when its time is over. */
import { RuntimeError } from './runtime-client.ts';

/** `AbortSignal.any` would do, but leaves an entry with the long-lived signal of the caller until the garbage is collected. */
export class HttpDeadline {
  readonly signal: AbortSignal;
  private readonly controller: AbortController;
  private readonly outer: AbortSignal;
  private readonly timer: NodeJS.Timeout;
  private readonly onOuterAbort: () => void;

  constructor(asked: string, timeoutMs: number, outer: AbortSignal) {
    this.controller = new AbortController();
    this.signal = this.controller.signal;
    this.outer = outer;
    this.onOuterAbort = () => this.fail(`${asked}: given up by who asked`);
    this.timer = setTimeout(() => this.fail(`${asked}: no answer within ${timeoutMs} ms`), timeoutMs);
    if (outer.aborted) this.onOuterAbort();
    else outer.addEventListener('abort', this.onOuterAbort, { once: true });
  }

  /** Why it fired; undefined as long as it has not. */
  get error(): RuntimeError | undefined {
    return this.signal.aborted ? (this.signal.reason as RuntimeError) : undefined;
  }

  /** The time is no longer limited, the caller's signal still counts. */
  stopTimer(): void {
    clearTimeout(this.timer);
  }

  clear(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.onOuterAbort);
  }

  private fail(message: string): void {
    this.controller.abort(new RuntimeError('timeout', message));
  }
}
