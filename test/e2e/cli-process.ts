/** The `strata` command as a child process, with a temporary directory of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { constants, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CLI_PATH: string = fileURLToPath(new URL('../../client/cli/main.ts', import.meta.url));
export const QUICK_START: string = fileURLToPath(
  new URL('../../server/capture/bundled/quick-start.scap', import.meta.url),
);

export interface CliResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs commands; `remove` at the end. */
export class CliRunner {
  /** TMPDIR of the commands: private servers put their sockets here. */
  readonly directory: string;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'strata-e2e-'));
  }

  /** What the commands have left behind. */
  leftovers(): string[] {
    return readdirSync(this.directory).filter((name) => name.startsWith('strata-'));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** `stdoutFd` instead of a pipe that `finish` reads. */
  start(
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    stdoutFd: number | 'pipe' = 'pipe',
  ): ChildProcess {
    return spawn(process.execPath, [CLI_PATH, ...args], {
      stdio: ['ignore', stdoutFd, 'pipe'],
      env: { ...process.env, TMPDIR: this.directory, NO_COLOR: '', ...environment },
    });
  }

  async run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CliResult> {
    return finish(this.start(args, environment));
  }

  /** Runs a line of shell in which `$STRATA` is the command. */
  async shell(line: string, environment: NodeJS.ProcessEnv = {}): Promise<CliResult> {
    const child = spawn('/bin/bash', ['-c', line], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TMPDIR: this.directory,
        STRATA: `${process.execPath} ${CLI_PATH}`,
        CAPTURE: QUICK_START,
        ...environment,
      },
    });
    return finish(child);
  }
}

/** Collects the output and waits for the end. */
export async function finish(child: ChildProcess): Promise<CliResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

/** A pipe of the system's own; Node's are sockets, which a command writes to in another way. */
export interface SystemPipe {
  readonly readFd: number;
  readonly writeFd: number;
  /** Takes one byte out; false when there is none. */
  hasBytes(): boolean;
}

export function openPipe(path: string): SystemPipe {
  execFileSync('mkfifo', [path]);
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  const hasBytes = (): boolean => {
    try {
      return readSync(readFd, Buffer.alloc(1)) === 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      throw error;
    }
  };
  return { readFd, writeFd, hasBytes };
}
