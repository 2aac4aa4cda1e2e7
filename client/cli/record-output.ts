/** Where a recording goes: one file, a row of files of which the last are kept, or standard output. */
import { existsSync, unlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { extname } from 'node:path';
import { BlockScanner } from './block-scanner.ts';
import { CliError, usageError } from './cli-error.ts';
import { describeFileError } from './file-error.ts';
import type { OutputWriter } from './output-writer.ts';

export interface RecordOutput {
  /** For messages. */
  readonly name: string;
  /** Rejects with a CliError, or with an OutputClosedError when the reader of standard output is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** The bytes that follow belong to the next file. */
  nextFile(): Promise<void>;
  /** Rejects with a CliError when not everything could be written. */
  close(): Promise<void>;
}

/** Standard output; files cannot be told apart there. */
export class StdoutOutput implements RecordOutput {
  readonly name = 'standard output';
  private readonly writer: OutputWriter;

  constructor(writer: OutputWriter) {
    this.writer = writer;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.writer.write(bytes);
  }

  async nextFile(): Promise<void> {
    throw usageError('several files cannot go to standard output');
  }

  async close(): Promise<void> {
    await this.writer.flush();
  }
}

export interface RecordFilesOptions {
  readonly path: string;
  /** Replace what is there. */
  readonly isForced: boolean;
  readonly isCompressed: boolean;
  /** Whether files are numbered. */
  readonly isRotating: boolean;
  /** Files kept; Infinity for all. */
  readonly filesMax: number;
}

/** Digits of a file's number: files sort by name as they were written. */
const NUMBER_DIGITS = 5;

/** Path of a numbered file: `trace.scap` -> `trace-00001.scap`. */
export function numberedPath(path: string, number: number): string {
  const extension = extname(path);
  const stem = extension === '' ? path : path.slice(0, -extension.length);
  return `${stem}-${String(number).padStart(NUMBER_DIGITS, '0')}${extension}`;
}

/** Files on disk. A file that cannot be written further is cut after its last whole block, so that it can be read up to there. */
export class RecordFiles implements RecordOutput {
  private readonly options: RecordFilesOptions;
  private readonly kept: string[];
  private number: number;
  private path: string;
  private handle: FileHandle | undefined;
  private bytesWritten: number;
  /** Whether the file was not there before. */
  private isNew: boolean;
  private scanner: BlockScanner;

  private constructor(options: RecordFilesOptions) {
    this.options = options;
    this.kept = [];
    this.number = 1;
    this.path = '';
    this.handle = undefined;
    this.bytesWritten = 0;
    this.isNew = true;
    this.scanner = new BlockScanner();
  }

  /** Creates the first file. Rejects with a CliError when it exists, unless forced, or cannot be created. */
  static async create(options: RecordFilesOptions): Promise<RecordFiles> {
    const files = new RecordFiles(options);
    await files.open();
    return files;
  }

  get name(): string {
    const { path, isRotating } = this.options;
    if (!isRotating) return path;
    const [first = this.path] = this.kept;
    return first === this.path ? first : `${first} to ${this.path}`;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { handle } = this;
    if (handle === undefined) throw new Error('the recording is closed');
    try {
      // Not before there is something to write: what goes wrong until then costs nothing.
      if (this.bytesWritten === 0) await handle.truncate(0);
      let at = 0;
      while (at < bytes.byteLength) {
        const { bytesWritten } = await handle.write(bytes, at);
        this.bytesWritten += bytesWritten;
        if (!this.options.isCompressed) this.scanner.add(bytes.subarray(at, at + bytesWritten));
        at += bytesWritten;
      }
    } catch (error) {
      throw await this.failed(error);
    }
  }

  async nextFile(): Promise<void> {
    await this.close();
    this.number++;
    await this.open();
    while (this.kept.length > this.options.filesMax) {
      const oldest = this.kept.shift();
      if (oldest !== undefined && existsSync(oldest)) unlinkSync(oldest);
    }
  }

  async close(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    try {
      await handle?.close();
    } catch (error) {
      throw this.error(error);
    }
  }

  /** Removes a file that nothing was written to. */
  async discardEmpty(): Promise<void> {
    await this.close();
    if (this.bytesWritten === 0 && this.number === 1 && this.isNew) unlinkSync(this.path);
  }

  private async open(): Promise<void> {
    const { path, isForced, isRotating } = this.options;
    this.path = isRotating ? numberedPath(path, this.number) : path;
    this.bytesWritten = 0;
    this.scanner = new BlockScanner();
    this.isNew = !existsSync(this.path);
    try {
      this.handle = await open(this.path, isForced ? 'a' : 'wx');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        throw usageError(`${this.path} exists: --force replaces it`);
      }
      throw this.error(error);
    }
    this.kept.push(this.path);
  }

  private async failed(error: unknown): Promise<CliError> {
    const { handle, scanner } = this;
    this.handle = undefined;
    const at = this.bytesWritten;
    const readable = this.options.isCompressed ? at : scanner.wholeBytes;
    if (!this.options.isCompressed) await handle?.truncate(readable).catch(() => undefined);
    await handle?.close().catch(() => undefined);
    return new CliError(
      `${this.path}: ${describeFileError(error)} (at byte ${at}; the file can be read up to byte ${readable})`,
      undefined,
      { cause: error },
    );
  }

  private error(error: unknown): CliError {
    return new CliError(`${this.path}: ${describeFileError(error)}`, undefined, { cause: error });
  }
}
