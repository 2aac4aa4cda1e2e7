/** The whole server on a capture, on a Unix socket of its own, and a client of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StrataClient } from '../../client/strata-client.ts';
import { createLogger } from '../../server/admin/log.ts';
import { BUNDLED_CAPTURE, createApp } from '../../server/app.ts';
import { type Config, configWith } from '../../server/config/config.ts';

export interface AppFixture {
  readonly client: StrataClient;
  readonly socketPath: string;
  close(): Promise<void>;
}

/** Serves the bundled capture unless `options` name another. */
export async function startAppFixture(options: Partial<Config> = {}): Promise<AppFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-app-'));
  const socketPath = join(folder, 'app.sock');
  const config = configWith({ capture: BUNDLED_CAPTURE, ...options, listen: [`unix:${socketPath}`] });
  const app = createApp(config, createLogger('silent'));
  await app.start();
  const client = new StrataClient(`unix:${socketPath}`);
  return {
    client,
    socketPath,
    close: async () => {
      client.close();
      await app.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs `body` against a server of its own. */
export async function withApp(
  body: (fixture: AppFixture) => Promise<void>,
  options: Partial<Config> = {},
): Promise<void> {
  const fixture = await startAppFixture(options);
  try {
    await body(fixture);
  } finally {
    await fixture.close();
  }
}
