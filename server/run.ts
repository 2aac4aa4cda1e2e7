/** The server's command line: options -> app -> run. */
import { createLogger } from './admin/log.ts';
import { createApp } from './app.ts';
import { ConfigError, parseConfig } from './config/config.ts';

async function main(): Promise<number> {
  const parsed = parseConfig(process.argv.slice(2), process.env);
  if (parsed.kind === 'print') {
    process.stdout.write(parsed.text);
    return 0;
  }
  const logger = createLogger(parsed.config['log-level']);
  const app = createApp(parsed.config, logger);
  await app.start();
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  logger.info('shutting down');
  await app.stop();
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`strata: ${text}\n`);
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  },
);
