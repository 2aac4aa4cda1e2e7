/** JSON over HTTP on a Unix socket: how Docker and Podman are asked. Answers are bounded in bytes and time. */
import { type Dispatcher, Pool } from 'undici';
import { type JsonObject, objectOf } from '../container-json.ts';
import { HttpDeadline } from './http-deadline.ts';
import { runtimeErrorOf, shortText } from './http-fault.ts';
import { HttpLines } from './http-lines.ts';
import { RuntimeError } from './runtime-client.ts';

export interface HttpConnectionOptions {
  readonly socketPath: string;
  /** Longest wait for one answer, its last byte included. */
  readonly callTimeoutMs: number;
  /** A longer answer is an error: `protocol`. */
  readonly answerBytesMax?: number | undefined;
  /** The same for lists. */
  readonly listBytesMax?: number | undefined;
  /** Of a stream of lines; a longer line is an error: `protocol`. */
  readonly lineBytesMax?: number | undefined;
}

/** An inspection takes some 10 KB, most of all labels. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** A list of 2,000 containers with a dozen labels each takes 4 MB. */
const LIST_BYTES_MAX = 64 * 1024 * 1024;
const LINE_BYTES_MAX = 1024 * 1024;
/** Of an answer that says no. */
const REFUSAL_BYTES_MAX = 64 * 1024;
/** Calls at a time; more wait, and their time runs meanwhile. */
const CALLS_MAX = 16;
/** Quick calls have connections of their own, so that they never wait behind slow ones. */
const QUICK_CALLS_MAX = 4;
const STREAMS_MAX = 2;

/** Calls that wait for a connection or an answer. */
const PENDING_MAX = 4096;

export class HttpConnection {
  private readonly socketPath: string;
  private readonly callTimeoutMs: number;
  private readonly answerBytesMax: number;
  private readonly listBytesMax: number;
  private readonly lineBytesMax: number;
  private readonly calls: Pool;
  private readonly quickCalls: Pool;
  private readonly streams: Pool;
  private pendingCount: number;

  constructor(options: HttpConnectionOptions) {
    this.socketPath = options.socketPath;
    this.callTimeoutMs = options.callTimeoutMs;
    this.answerBytesMax = options.answerBytesMax ?? ANSWER_BYTES_MAX;
    this.listBytesMax = options.listBytesMax ?? LIST_BYTES_MAX;
    this.lineBytesMax = options.lineBytesMax ?? LINE_BYTES_MAX;
    this.calls = poolOf(options, CALLS_MAX);
    this.quickCalls = poolOf(options, QUICK_CALLS_MAX);
    this.streams = poolOf(options, STREAMS_MAX);
    this.pendingCount = 0;
  }

  /** The JSON value at a path; undefined when there is none (404). */
  get(path: string, signal: AbortSignal): Promise<unknown> {
    return this.fetch(this.calls, path, this.answerBytesMax, signal);
  }

  /** As `get`, for what runtimes answer at once whatever else they do. */
  getQuickly(path: string, signal: AbortSignal): Promise<unknown> {
    return this.fetch(this.quickCalls, path, this.answerBytesMax, signal);
  }

  /** As `get`, for what grows with the number of containers. */
  getList(path: string, signal: AbortSignal): Promise<unknown> {
    return this.fetch(this.calls, path, this.listBytesMax, signal);
  }

  /**
   * Objects of an endless answer, one a line. Resolves when the signal aborts; rejects when the answer ends, or holds what is no
   * object. `onReady` is called when the answer has begun.
   */
  async watch(
    path: string,
    onReady: () => void,
    onObject: (object: JsonObject) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return;
    const asked = this.askedFor(path);
    const deadline = new HttpDeadline(asked, this.callTimeoutMs, signal);
    try {
      const response = await this.streams.request({ path, method: 'GET', signal: deadline.signal });
      if (!isSuccess(response)) throw await refusalOf(asked, response);
      deadline.stopTimer();
      onReady();
      const lines = new HttpLines(asked, this.lineBytesMax);
      for await (const chunk of response.body) {
        for (const object of lines.push(chunk as Buffer)) onObject(object);
      }
      throw new RuntimeError('unreachable', `${asked}: the runtime has ended the stream`);
    } catch (cause) {
      if (signal.aborted) return;
      throw deadline.error ?? runtimeErrorOf(asked, cause);
    } finally {
      deadline.clear();
    }
  }

  /** What is under way fails; so does what is asked after. */
  close(): void {
    const error = new RuntimeError('unreachable', `${this.socketPath}: closed`);
    for (const pool of [this.calls, this.quickCalls, this.streams]) {
      pool.destroy(error).catch(() => undefined);
    }
  }

  private async fetch(pool: Pool, path: string, bytesMax: number, signal: AbortSignal): Promise<unknown> {
    const asked = this.askedFor(path);
    if (this.pendingCount >= PENDING_MAX) {
      throw new RuntimeError('refused', `${asked}: ${PENDING_MAX} calls wait already`);
    }
    this.pendingCount++;
    const deadline = new HttpDeadline(asked, this.callTimeoutMs, signal);
    try {
      const response = await pool.request({ path, method: 'GET', signal: deadline.signal });
      if (response.statusCode === 404) {
        await readBytes(response, REFUSAL_BYTES_MAX);
        return undefined;
      }
      if (!isSuccess(response)) throw await refusalOf(asked, response);
      const bytes = await readBytes(response, bytesMax);
      if (bytes === undefined) {
        throw new RuntimeError('protocol', `${asked}: more than ${bytesMax} bytes`);
      }
      return parseAnswer(asked, bytes);
    } catch (cause) {
      throw deadline.error ?? runtimeErrorOf(asked, cause);
    } finally {
      deadline.clear();
      this.pendingCount--;
    }
  }

  private askedFor(path: string): string {
    return `GET ${path.split('?', 1)[0]} on ${this.socketPath}`;
  }
}

/** Time is limited by deadlines of our own: those of undici start anew with every byte. */
function poolOf(options: HttpConnectionOptions, connections: number): Pool {
  return new Pool('http://localhost', {
    socketPath: options.socketPath,
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: options.callTimeoutMs },
  });
}

function isSuccess(response: Dispatcher.ResponseData): boolean {
  return response.statusCode >= 200 && response.statusCode < 300;
}

/** The body; undefined when it is longer. */
async function readBytes(response: Dispatcher.ResponseData, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of response.body) {
    byteCount += (chunk as Buffer).length;
    // Leaving the loop destroys the body, and with it the connection.
    if (byteCount > bytesMax) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, byteCount);
}

function parseAnswer(asked: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new RuntimeError('protocol', `${asked}: the answer is no JSON`, { cause });
  }
}

async function refusalOf(asked: string, response: Dispatcher.ResponseData): Promise<RuntimeError> {
  const bytes = await readBytes(response, REFUSAL_BYTES_MAX);
  return new RuntimeError(
    'refused',
    `${asked}: status ${response.statusCode} ${reasonOf(bytes?.toString('utf8') ?? '')}`.trimEnd(),
  );
}

/** Runtimes say why in `message`. */
function reasonOf(text: string): string {
  try {
    const message = objectOf(JSON.parse(text))?.['message'];
    return shortText(typeof message === 'string' ? message : text);
  } catch {
    return shortText(text);
  }
}
