/** A server of this command's own, in this process, reached over a Unix socket that nobody else can open. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../server/config/config.ts';

export interface PrivateServer {
  /** Where it listens, as the client library takes it. */
  readonly address: string;
  /** Stops the server and removes its socket's directory. */
  close(): Promise<void>;
}

/**
 * Starts a server with `options`; it listens before the promise resolves. Rejects with the server's own error when it
 * cannot start, for instance on a file that is no capture.
 */
export async function startPrivateServer(options: Partial<Config>): Promise<PrivateServer> {
  // Loaded only when needed: --help and commands on a running server do not pay for the server's code.
  const [{ createApp }, { configWith }, { createLogger }] = await Promise.all([
    import('../../server/app.ts'),
    import('../../server/config/config.ts'),
    import('../../server/admin/log.ts'),
  ]);
  // mkdtemp makes the directory with mode 0700: nobody else can open the socket in it.
  const directory = mkdtempSync(join(tmpdir(), 'strata-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  // For ends that skip `close`, such as a second Ctrl-C.
  process.once('exit', remove);
  const address = `unix:${join(directory, 'strata.sock')}`;
  const level = process.env['STRATA_LOG_LEVEL'] ?? 'silent';
  const app = createApp(
    configWith({ ...options, listen: [address], 'socket-mode': '0600' }),
    createLogger(level),
  );
  const close = async (): Promise<void> => {
    try {
      await app.stop();
    } finally {
      remove();
      process.off('exit', remove);
    }
  };
  try {
    await app.start();
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
  return { address, close };
}
