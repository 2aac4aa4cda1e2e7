/** Capture files named on the command line, and the one that comes with the project. */
import { accessSync, constants, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CliError } from './cli-error.ts';
import { describeFileError } from './file-error.ts';

/** The small capture of the quick start. */
export const BUNDLED_CAPTURE = fileURLToPath(
  new URL('../../server/capture/bundled/quick-start.scap', import.meta.url),
);

/** Throws a CliError when `path` cannot be read as a file; whether it is a capture shows when it is opened. */
export function checkCaptureFile(path: string): void {
  try {
    if (statSync(path).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new CliError(`${path}: ${describeFileError(error)}`);
  }
}
