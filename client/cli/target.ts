/** Which server a command talks to. */
import { connect } from 'node:net';
import { CliError } from './cli-error.ts';

/** Where a server listens unless told otherwise. */
export const DEFAULT_TARGET = 'unix:/run/strata/strata.sock';
/** Environment name of the target. */
export const TARGET_ENVIRONMENT_NAME = 'STRATA_TARGET';

/** The address the user asked for, by option or environment; undefined when neither is given. */
export function askedTarget(option: string | undefined, environment: NodeJS.ProcessEnv): string | undefined {
  const asked = option ?? environment[TARGET_ENVIRONMENT_NAME];
  return asked === undefined || asked === '' ? undefined : asked;
}

/**
 * Whether somebody listens on a Unix socket. False for a missing socket and for one whose server is gone; rejects with a
 * CliError when there is one that this user may not open.
 */
export async function isListening(target: string): Promise<boolean> {
  const path = target.replace(/^unix:(\/\/)?/, '');
  try {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', reject);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') {
      throw new CliError(`a server listens on ${target}, but this user may not open its socket`);
    }
    return false;
  }
}
