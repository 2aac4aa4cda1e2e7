/** `strata record-convert IN OUT`: a capture file in today's format. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { checkCaptureFile } from '../capture-file.ts';
import { CliError } from '../cli-error.ts';
import { type CliContext, note } from '../context.ts';
import { describeFileError } from '../file-error.ts';
import { formatCount, ProgressBar } from '../progress-bar.ts';

interface ConvertOptions {
  /** undefined: as the input is. */
  readonly compress?: boolean | undefined;
}

export function addRecordConvertCommand(program: Command, context: CliContext): void {
  program
    .command('record-convert')
    .summary("rewrite a capture file in today's format")
    .description(
      "Rewrites a capture file in today's format: all state, and events with one record per call. OUT is replaced when all is written; it may be IN.",
    )
    .argument('<IN>', 'capture file to read')
    .argument('<OUT>', 'capture file to write')
    .option('--compress', 'write gzip (default: as IN is)')
    .option('--no-compress', 'write plain')
    .action(async (inPath: string, outPath: string, options: ConvertOptions) => {
      checkCaptureFile(inPath);
      await convert(context, inPath, outPath, options.compress ?? isGzip(inPath));
    });
}

async function convert(
  context: CliContext,
  inPath: string,
  outPath: string,
  compress: boolean,
): Promise<void> {
  const { convertCapture } = await import('../../../server/capture/savefile/convert-capture.ts');
  const progress = new ProgressBar({
    stream: process.stderr,
    isForced: false,
    totalBytes: context.notes.isTty ? statSync(inPath).size : undefined,
    nowMs: () => context.nowMs(),
  });
  try {
    const summary = await convertCapture(inPath, outPath, {
      compress,
      onProgress: (bytesRead) => {
        progress.setBytesRead(bytesRead);
        // Throwing is how the conversion is stopped: it removes what it has written.
        context.signal.throwIfAborted();
      },
    });
    const parts = [`${formatCount(summary.events)} events`];
    if (summary.absorbedEvents > 0) {
      parts.push(`${formatCount(summary.absorbedEvents)} enter records went into their exits`);
    }
    if (summary.unknownEvents > 0)
      parts.push(`${formatCount(summary.unknownEvents)} of unknown type left out`);
    note(context, `wrote ${outPath}: ${parts.join(', ')}`);
    if (summary.damage !== undefined) {
      throw new CliError(`${inPath}: ${summary.damage.message}; ${outPath} holds what comes before`);
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    // The input could be read a moment ago: what the system refuses now is the output.
    const path = (error as NodeJS.ErrnoException).code === undefined ? inPath : outPath;
    throw new CliError(`${path}: ${describeFileError(error)}`, undefined, { cause: error });
  } finally {
    progress.stop();
  }
}

function isGzip(path: string): boolean {
  const magic = Buffer.alloc(2);
  const fd = openSync(path, 'r');
  try {
    return readSync(fd, magic, 0, 2, 0) === 2 && magic.readUInt16BE(0) === 0x1f8b;
  } finally {
    closeSync(fd);
  }
}
