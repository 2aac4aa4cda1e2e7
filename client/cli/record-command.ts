/**
 * The command that `record` runs: started once the recording runs, its exit code passed on. Its process is there before: it has
 * the privileges this one started with, which live capture gives up, and its pid is known to the filter.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CliError, usageError } from './cli-error.ts';

/** Waits for a line, then becomes the command; without one it ends. */
const GATE = 'read -r _ <&3 || exit 0; exec 3<&-; exec "$@"';

export class RecordedCommand {
  readonly pid: number;
  /** Resolves with the exit code once the command has ended: its own, or 128 and the signal's number. */
  readonly ended: Promise<number>;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, pid: number) {
    this.pid = pid;
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
  }

  /**
   * Starts the process that will become the command. `stdout`: an fd for its standard output instead of the one of this process.
   * Rejects with a CliError when there is no process to be had.
   */
  static async prepare(words: readonly string[], stdout: 'inherit' | number): Promise<RecordedCommand> {
    const child = spawn('/bin/sh', ['-c', GATE, 'sh', ...words], {
      stdio: ['inherit', stdout, 'inherit', 'pipe'],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new CliError(`/bin/sh: ${error.message}`)));
    });
    return new RecordedCommand(child, child.pid as number);
  }

  /** Runs the command. */
  run(): void {
    const gate = this.child.stdio[3];
    if (gate === null || gate === undefined || !('end' in gate)) return;
    // Whoever has ended by itself does not read any more.
    gate.on('error', () => undefined);
    gate.end('\n');
  }

  /** Asks it to end, if it runs. */
  terminate(): void {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
  }
}

/** The words after `--` on a command line; undefined when there is none. Throws a CliError when nothing follows. */
export function commandAfterDashes(argv: readonly string[]): readonly string[] | undefined {
  const at = argv.indexOf('--');
  if (at < 0) return undefined;
  const words = argv.slice(at + 1);
  if (words.length === 0) throw usageError('expected a command after --');
  return words;
}
