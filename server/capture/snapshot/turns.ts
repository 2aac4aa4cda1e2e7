/** Cuts long synchronous work into turns, so that the thread's other work goes on in between. */

const TURN_MS = 8;

export class Turns {
  private startedMs: number;

  constructor() {
    this.startedMs = performance.now();
  }

  get isOver(): boolean {
    return performance.now() - this.startedMs >= TURN_MS;
  }

  /** Resolves when everything else that waited has had its turn. */
  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.startedMs = performance.now();
  }
}
