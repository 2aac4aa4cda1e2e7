/** Many containers that live for a moment, each with a mark that only its own first program carries. */
import type { ContainerDriver } from '../lab/container-driver.ts';

export interface ShortLived {
  readonly id: string;
  readonly name: string;
  /** Argument of its first program. */
  readonly mark: string;
  readonly label: string;
}

export interface ShortLivedOptions {
  readonly driver: ContainerDriver;
  readonly count: number;
  readonly concurrency: number;
  /** Told apart from other loads of the same test by this. */
  readonly prefix: string;
  /** Called when one could not be started, or not be removed; default: the load fails. */
  readonly onFailure?: (error: Error) => void;
}

/** Lives between these. */
const LIFE_MS_MIN = 50;
const LIFE_MS_MAX = 500;
export const LABEL = 'strata.test';
/** Some work, so that there are events of several programs and files. */
const SCRIPT = 'cat /etc/passwd >/dev/null; ls / >/dev/null; usleep "$2"; echo done >/tmp/out; true';

/** Resolves when all have ended and are gone. */
export async function runShortLived(options: ShortLivedOptions): Promise<ShortLived[]> {
  const { driver, count, concurrency, prefix, onFailure } = options;
  const ran: ShortLived[] = [];
  const removals: Promise<Error | undefined>[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      // Spread evenly, and the same each time.
      const lifeMs = LIFE_MS_MIN + ((index * 37) % 100) * ((LIFE_MS_MAX - LIFE_MS_MIN) / 100);
      const name = `${prefix}-${driver.kind}-${index}`;
      const mark = `mark-${name}`;
      const label = `value of ${index}`;
      const command = ['/bin/sh', '-c', SCRIPT, mark, mark, String(lifeMs * 1000)];
      try {
        const id = await driver.start({ name, command, labels: { [LABEL]: label }, isRemovedAtEnd: true });
        ran.push({ id, name, mark, label });
        // Awaited below; until then a failure must not end the process, which takes the lab down.
        removals.push(
          later(lifeMs)
            .then(() => driver.remove(id))
            .then(() => undefined)
            .catch((error: Error) => error),
        );
      } catch (error) {
        if (onFailure === undefined) throw error;
        onFailure(error as Error);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  for (const failure of await Promise.all(removals)) {
    if (failure === undefined) continue;
    if (onFailure === undefined) throw failure;
    onFailure(failure);
  }
  return ran;
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
