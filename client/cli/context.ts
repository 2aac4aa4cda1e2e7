/** What a command works with: where it writes, how it is told to stop. Passed in, so that tests need no process. */
import pc from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { type OutputWriter, openStandardOutput } from './output-writer.ts';

/** A stream of lines for people: notes and errors. */
export interface NoteStream {
  write(text: string): void;
  readonly isTty: boolean;
}

/** Everything a command may use of the process. */
export interface CliContext {
  readonly environment: NodeJS.ProcessEnv;
  /** Results. Opened when first used: `--help` must not touch it. */
  output(): OutputWriter;
  readonly isOutputTty: boolean;
  /** For results; off unless they go to a terminal. */
  readonly colors: Colors;
  readonly notes: NoteStream;
  /** For notes; off unless they go to a terminal. */
  readonly noteColors: Colors;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  nowMs(): number;
}

/** The context of the running process. */
export function processContext(signal: AbortSignal): CliContext {
  let output: OutputWriter | undefined;
  const isOutputTty = process.stdout.isTTY === true;
  return {
    environment: process.env,
    output: () => {
      output ??= openStandardOutput();
      return output;
    },
    isOutputTty,
    colors: pc.createColors(wantsColors(isOutputTty, process.env)),
    notes: {
      write: (text) => void process.stderr.write(text),
      isTty: process.stderr.isTTY === true,
    },
    noteColors: pc.createColors(wantsColors(process.stderr.isTTY === true, process.env)),
    signal,
    nowMs: () => performance.now(),
  };
}

/** Colours are for terminals that can show them and people who have not refused them (https://no-color.org). */
export function wantsColors(isTty: boolean, environment: NodeJS.ProcessEnv): boolean {
  const refusal = environment['NO_COLOR'];
  return isTty && (refusal === undefined || refusal === '') && environment['TERM'] !== 'dumb';
}

/** A line on standard error that is no error. */
export function note(context: CliContext, text: string): void {
  context.notes.write(`${context.noteColors.dim(`strata: ${text}`)}\n`);
}
