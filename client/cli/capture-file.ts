/** Capture files named on the command line, and the one that comes with the project. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CliError } from './cli-error.ts';
import { describeFileError } from './file-error.ts';

/** The small capture of the quick start. */
export const BUNDLED_CAPTURE = fileURLToPath(
  new URL('../../server/capture/bundled/quick-start.scap', import.meta.url),
);

/** The word that means it, wherever a capture file can be named. */
export const BUNDLED_CAPTURE_NAME = 'quick-start';

/** The file that a user's word for a capture stands for; a file of that name comes first. */
export function capturePath(word: string): string {
  return word === BUNDLED_CAPTURE_NAME && !existsSync(word) ? BUNDLED_CAPTURE : word;
}

/** Throws a CliError when `path` cannot be read as a file; whether it is a capture shows when it is opened. */
export function checkCaptureFile(path: string): void {
  try {
    if (statSync(path).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new CliError(`${path}: ${describeFileError(error)}`);
  }
}
