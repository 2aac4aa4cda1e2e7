/** Commands of the lab: text out, and an error that says what was run and what it said. */
import { execFile } from 'node:child_process';

const TIMEOUT_MS = 120_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** What it wrote, without the last newline. Rejects with its standard error when it fails. */
export function runCommand(
  command: readonly [string, ...string[]],
  options: { readonly env?: NodeJS.ProcessEnv | undefined; readonly timeoutMs?: number } = {},
): Promise<string> {
  const [file, ...args] = command;
  return new Promise((resolve, reject) => {
    execFile(
      file,
      args,
      {
        env: { ...process.env, ...options.env },
        timeout: options.timeoutMs ?? TIMEOUT_MS,
        maxBuffer: OUTPUT_BYTES_MAX,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout.trimEnd());
        else reject(new Error(`${command.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }));
      },
    );
  });
}
