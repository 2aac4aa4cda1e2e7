/** Standard output for large amounts of ready-made bytes: backpressure, and a reader that goes away. */
import { constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** The reader has closed the output, as `head` does: not a failure. */
export class OutputClosedError extends Error {
  override name = 'OutputClosedError';
}

/** Writes to one stream. After a failure nothing more can be written. */
export class OutputWriter {
  readonly #stream: Writable;
  readonly #isOwn: boolean;
  readonly #waiting: Set<() => void> = new Set();
  #failure: Error | undefined;
  #onFailure: (() => void) | undefined;

  /** `isOwn` says that the stream is this writer's to end. */
  constructor(stream: Writable, isOwn = false) {
    this.#stream = stream;
    this.#isOwn = isOwn;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const isClosed = error.code === 'EPIPE' || error.code === 'ECONNRESET';
      this.fail(isClosed ? new OutputClosedError('output closed', { cause: error }) : error);
    });
    stream.on('drain', () => this.#wake());
  }

  /** Why nothing can be written any more; undefined while all is well. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Called once when the output fails, so that whoever waits for input learns that nobody reads. */
  set onFailure(callback: () => void) {
    this.#onFailure = callback;
    if (this.#failure !== undefined) callback();
  }

  /** Gives up: whoever waits for room, or writes later, gets `error`. What is buffered may be lost. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#wake();
    this.#onFailure?.();
  }

  /**
   * Hands `data` on; returns undefined when there is room for more, else a promise to wait for. Rejects with the failure,
   * which is an OutputClosedError when the reader is gone.
   */
  write(data: Uint8Array | string): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#stream.write(data) ? undefined : this.#wait();
  }

  /** Waits until everything has been taken over by the system. Ends the writer. */
  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const wait = this.#wait();
    if (this.#isOwn) this.#stream.end(() => this.#wake());
    else this.#stream.write('', () => this.#wake());
    await wait;
  }

  /** Resolves at the next `#wake`, or rejects when that is because of a failure. */
  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(() => {
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      });
    });
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const settle of waiting) settle();
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
