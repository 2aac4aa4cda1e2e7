/** One connection to a runtime, from its beginning until it breaks, and what was told while a list was under way. */
export class RuntimeSession {
  /** Rejects when it breaks. */
  readonly broken: Promise<never>;
  private readonly ending: AbortController;
  private readonly reject: (error: unknown) => void;
  private readonly outer: AbortSignal;
  private readonly onOuterAbort: () => void;
  private isListing: boolean;
  private readonly alive: Set<string>;
  private readonly ended: Set<string>;

  constructor(outer: AbortSignal) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.broken = promise;
    this.reject = reject;
    // Whoever waits for it sees it; nobody may be waiting yet.
    promise.catch(() => {});
    this.ending = new AbortController();
    this.isListing = false;
    this.alive = new Set();
    this.ended = new Set();
    this.outer = outer;
    this.onOuterAbort = () => this.break(outer.reason);
    outer.addEventListener('abort', this.onOuterAbort, { once: true });
    if (outer.aborted) this.onOuterAbort();
  }

  /** Aborts when it has ended. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  break(error: unknown): void {
    this.reject(error);
    this.end();
  }

  end(): void {
    this.outer.removeEventListener('abort', this.onOuterAbort);
    this.ending.abort();
  }

  beginList(): void {
    this.endList();
    this.isListing = true;
  }

  endList(): void {
    this.isListing = false;
    this.alive.clear();
    this.ended.clear();
  }

  onAlive(fullId: string): void {
    if (!this.isListing) return;
    this.alive.add(fullId);
    this.ended.delete(fullId);
  }

  onEnded(fullId: string): void {
    if (!this.isListing) return;
    this.ended.add(fullId);
    this.alive.delete(fullId);
  }

  /** Told since the list was asked for. */
  isAlive(fullId: string): boolean {
    return this.alive.has(fullId);
  }

  hasEnded(fullId: string): boolean {
    return this.ended.has(fullId);
  }
}
