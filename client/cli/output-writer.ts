/** Standard output for large amounts of ready-made bytes: backpressure, and a reader that goes away. */
import { constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** The reader has closed the output, as `head` does: not a failure. */
export class OutputClosedError extends Error {
  override name = 'OutputClosedError';
}

/** Writes to one stream. After `OutputClosedError` nothing more can be written. */
export class OutputWriter {
  readonly #stream: Writable;
  readonly #isOwn: boolean;
  #failure: Error | undefined;
  #onFailure: ((error: Error) => void)[] = [];

  /** `isOwn` says that the stream is this writer's to end. */
  constructor(stream: Writable, isOwn = false) {
    this.#stream = stream;
    this.#isOwn = isOwn;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const isClosed = error.code === 'EPIPE' || error.code === 'ECONNRESET';
      this.#failure ??= isClosed ? new OutputClosedError('output closed', { cause: error }) : error;
      for (const callback of this.#onFailure.splice(0)) callback(this.#failure);
    });
  }

  /** Why nothing can be written any more; undefined while all is well. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Calls back once when the output fails, so that whoever waits for input learns that nobody reads. */
  onFailure(callback: (error: Error) => void): void {
    if (this.#failure !== undefined) callback(this.#failure);
    else this.#onFailure.push(callback);
  }

  /**
   * Hands `data` on; returns undefined when there is room for more, else a promise to wait for. Rejects with
   * OutputClosedError when the reader is gone.
   */
  write(data: Uint8Array | string): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#stream.write(data)) return undefined;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#stream.off('drain', settle);
        this.#stream.off('error', settle);
        // The constructor's listener ran first: #failure tells which of the two it was.
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
      this.#stream.once('drain', settle);
      this.#stream.once('error', settle);
    });
  }

  /** Waits until everything has been taken over by the system. */
  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => {
        if (error === undefined || error === null) resolve();
        else reject(this.#failure ?? error);
      };
      if (this.#isOwn) this.#stream.end(() => done(this.#failure));
      else this.#stream.write('', done);
    });
  }
}

/**
 * The process's standard output.
 *
 * Node writes to pipes synchronously, so a reader that stalls would also stop the signal handlers and the server in this
 * process. Opening the pipe again gives a description of our own that may be non-blocking without changing the one that is
 * shared with other processes. Files and terminals stay with process.stdout.
 */
export function openStandardOutput(): OutputWriter {
  try {
    if (process.platform === 'linux' && fstatSync(1).isFIFO()) {
      const fd = openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK);
      return new OutputWriter(new Socket({ fd, readable: false, writable: true }), true);
    }
  } catch {
    // Not ours to open (another user's pipe) or no /proc: the plain stream does the job.
  }
  return new OutputWriter(process.stdout);
}
