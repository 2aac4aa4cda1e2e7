/** The end of a private server's own pass over its capture: only then is its state complete. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SourceState } from '../../proto/gen/strata/v1/node_service.ts';
import type { StrataClient } from '../strata-client.ts';

/** First wait between two looks; doubled each time up to the last. */
const POLL_FIRST_MS = 2;
const POLL_LAST_MS = 100;

/**
 * Resolves when the pass is over, with the text of the damage that ended it early, if any. Rejects with an AbortError when
 * `signal` is aborted, and with the client's errors.
 */
export async function waitForPass(client: StrataClient, signal: AbortSignal): Promise<string | undefined> {
  for (let waitMs = POLL_FIRST_MS; ; waitMs = Math.min(waitMs * 2, POLL_LAST_MS)) {
    const [source] = (await client.getStatus()).sources;
    if (source?.state === SourceState.ENDED) return undefined;
    // Live state is complete when its server answers.
    if (source?.live !== undefined) return undefined;
    if (source?.state === SourceState.FAILED) return source.error;
    await sleep(waitMs, undefined, { signal });
  }
}
