/** How long to wait before the API server is asked again. Spread by chance, so that a thousand clients do not come back at once. */
import type { KubeClock } from './kube-clock.ts';
import type { KubeError, KubeFault } from './kube-error.ts';

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** What does not change by asking often: permissions, kinds that the server does not have. */
const SLOW_FAULTS: ReadonlySet<KubeFault> = new Set(['forbidden', 'not-found', 'protocol']);
const SLOW_MS = 60_000;

export class KubeBackoff {
  private readonly clock: KubeClock;
  private readonly limits: BackoffLimits;
  private failures: number;

  constructor(clock: KubeClock, limits: BackoffLimits) {
    this.clock = clock;
    this.limits = limits;
    this.failures = 0;
  }

  /** All is well again. */
  reset(): void {
    this.failures = 0;
  }

  /**
   * Milliseconds to wait after another failure: anything between half of the growing bound and the bound. A server that
   * names a time is given that time and up to half as much again.
   */
  next(error: KubeError): number {
    const random = () => this.clock.random();
    const bound = Math.min(this.limits.maxMs, this.limits.firstMs * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 30);
    if (error.retryAfterMs !== undefined) return error.retryAfterMs * (1 + random() / 2) + random() * bound;
    const longest = SLOW_FAULTS.has(error.fault) ? Math.max(bound, SLOW_MS) : bound;
    return longest * (0.5 + random() / 2);
  }
}
