/** Time that passes only when it is waited for: every pause is over at once, and the clock is as much later. */
import { setImmediate as turn } from 'node:timers/promises';
import type { KubeClock } from '../../server/kubernetes/kube-clock.ts';

export class ManualKubeClock implements KubeClock {
  readonly pauses: number[] = [];
  /** The next values of `random`; 0.5 after them. */
  readonly chances: number[] = [];
  /** Pauses of this length and longer end only with `advance`. */
  holdMs = Number.POSITIVE_INFINITY;
  private now = 0;
  private readonly waiting = new Set<{ untilMs: number; end: () => void }>();

  nowMs(): number {
    return this.now;
  }

  random(): number {
    return this.chances.shift() ?? 0.5;
  }

  async pause(delayMs: number, signal: AbortSignal): Promise<void> {
    this.pauses.push(delayMs);
    if (delayMs < this.holdMs) {
      this.now += delayMs;
      await turn();
      return;
    }
    await new Promise<void>((resolve) => {
      const entry = { untilMs: this.now + delayMs, end: resolve };
      this.waiting.add(entry);
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
  }

  advance(ms: number): void {
    this.now += ms;
    for (const entry of [...this.waiting]) {
      if (entry.untilMs > this.now) continue;
      this.waiting.delete(entry);
      entry.end();
    }
  }
}
