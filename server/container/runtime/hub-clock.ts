/** Time for the hub of runtimes, passed in so that tests need none. */
import { setImmediate as immediate } from 'node:timers/promises';
import { RuntimeError } from './runtime-client.ts';

export interface HubClock {
  /** Milliseconds that only grow. */
  nowMs(): number;
  /** Calls back once, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
  /** Resolves when everything else that waited has had its turn. */
  turn(): Promise<void>;
}

export const SYSTEM_CLOCK: HubClock = {
  nowMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  turn: async () => {
    await immediate();
  },
};

/** Resolves after the delay, or at once when `signal` aborts. */
export function pause(clock: HubClock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal.addEventListener('abort', end, { once: true });
  });
}

/**
 * What `work` comes to. When it takes longer, or `signal` aborts, its own signal aborts and this rejects without waiting for it
 * (RuntimeError `timeout` or `unreachable`), whatever it does then.
 */
export function bounded<Value>(
  clock: HubClock,
  what: string,
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new RuntimeError('unreachable', `${what}: given up`));
    const inner = new AbortController();
    const end = () => {
      cancel();
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: RuntimeError) => {
      end();
      inner.abort();
      reject(error);
    };
    const onAbort = () => fail(new RuntimeError('unreachable', `${what}: given up`));
    const cancel = clock.after(limitMs, () =>
      fail(new RuntimeError('timeout', `${what}: no answer within ${limitMs} ms`)),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    work(inner.signal).then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}
