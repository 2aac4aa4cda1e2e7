/** `--target`: the server a command talks to. */
import { Option } from 'commander';
import { DEFAULT_TARGET, TARGET_ENVIRONMENT_NAME } from '../target.ts';

export interface TargetOptions {
  readonly target?: string | undefined;
}

export function targetOption(): Option {
  return new Option(
    '-t, --target <ADDRESS>',
    `server to use: unix:PATH or HOST:PORT (environment: ${TARGET_ENVIRONMENT_NAME}; default: ${DEFAULT_TARGET} when a server listens there)`,
  );
}
