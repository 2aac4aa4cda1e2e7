/** Time and chance, passed in so that tests need neither. */

export interface KubeClock {
  /** Milliseconds that only grow. */
  nowMs(): number;
  /** Resolves after the delay, or at once when `signal` aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  /** 0 <= x < 1. */
  random(): number;
}

export const SYSTEM_KUBE_CLOCK: KubeClock = {
  nowMs: () => performance.now(),
  pause: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, delayMs);
      signal.addEventListener('abort', end, { once: true });
    }),
  random: Math.random,
};
