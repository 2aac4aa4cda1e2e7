/** Waits for what comes by itself, without a guess at how long it takes. */
import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 5;
const PATIENCE_MS = 30_000;

/** The first value that is neither undefined nor false. Fails after a time that only a defect takes, saying what was waited for. */
export async function eventually<Value>(
  what: string | (() => string),
  look: () => Value | Promise<Value>,
  patienceMs: number = PATIENCE_MS,
): Promise<NonNullable<Value>> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<Value>;
    if (performance.now() > endMs)
      throw new Error(`${typeof what === 'string' ? what : what()}: not within ${patienceMs} ms`);
    await sleep(STEP_MS);
  }
}
