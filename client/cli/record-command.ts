/** The command that `record` runs: started once the recording runs, its exit code passed on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { usageError } from './cli-error.ts';

/** Exit code of a shell for a command that is not there, and for one that cannot be run. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_RUNNABLE = 126;
/** Waits for a line, then becomes the command: its pid is known before it runs. */
const GATE = 'read -r _ <&3; exec 3<&-; exec "$@"';

export class RecordedCommand {
  /** Resolves with the exit code once the command has ended: its own, or 128 and the signal's number. */
  readonly ended: Promise<number>;
  private readonly words: readonly string[];
  private readonly stdout: 'inherit' | number;
  private readonly settle: (code: number) => void;
  private child: ChildProcess | undefined;

  /** `stdout`: an fd for its standard output instead of the one of this process. */
  constructor(words: readonly string[], stdout: 'inherit' | number) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.settle = resolve;
    this.words = words;
    this.stdout = stdout;
    this.child = undefined;
  }

  /** Starts a process that will become the command; returns its pid. */
  async prepare(): Promise<number> {
    const child = this.spawn('/bin/sh', ['-c', GATE, 'sh', ...this.words], ['pipe']);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return child.pid as number;
  }

  /** Runs the command. */
  run(): void {
    if (this.child === undefined) {
      const [file = '', ...args] = this.words;
      this.spawn(file, args, []);
      return;
    }
    const gate = this.child.stdio[3];
    if (gate !== null && gate !== undefined && 'end' in gate) gate.end('\n');
  }

  /** Asks it to end, if it runs. */
  terminate(): void {
    if (this.child?.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
  }

  private spawn(file: string, args: readonly string[], more: readonly 'pipe'[]): ChildProcess {
    const child = spawn(file, args, { stdio: ['inherit', this.stdout, 'inherit', ...more] });
    this.child = child;
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(
        `strata: ${file}: ${error.code === 'ENOENT' ? 'command not found' : error.message}\n`,
      );
      this.settle(error.code === 'ENOENT' ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE);
    });
    child.once('exit', (code, signal) => {
      this.settle(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
    return child;
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
