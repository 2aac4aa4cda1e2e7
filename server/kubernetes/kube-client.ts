/** JSON from the API server: objects, pages of lists, watches. Answers are bounded in bytes and time; nothing here retries. */
import { type Dispatcher, request } from 'undici';
import { type JsonObject, listOf, objectOf } from '../container/container-json.ts';
import type { Authorization, KubeAccess } from './kube-access.ts';
import { KubeError, kubeErrorOf, statusError } from './kube-error.ts';
import { KubeLines } from './kube-lines.ts';

export interface KubeClientLimits {
  /** Of one answer, or one event of a watch, in bytes; more is KubeError `protocol`. */
  readonly answerBytesMax: number;
  /** Longest wait for an answer, its last byte included; for a watch until it has begun. */
  readonly callTimeoutMs: number;
}

/** Totals since the start; only grow. */
export interface KubeCounters {
  requests: number;
  lists: number;
  gets: number;
  watches: number;
  watchEvents: number;
  bytesRead: number;
  failures: number;
}

export interface KubeQuery {
  /** Such as `/api/v1/pods`. */
  readonly path: string;
  readonly params?: Readonly<Record<string, string | undefined>> | undefined;
  /** Only names, labels, annotations and owners of the objects are wanted. */
  readonly isMetadataOnly?: boolean | undefined;
}

export interface KubePage {
  readonly items: readonly JsonObject[];
  readonly resourceVersion: string;
  /** Names the next page; '' when this is the last. */
  readonly continueToken: string;
}

/** One event of a watch: ADDED, MODIFIED, DELETED, BOOKMARK. ERROR never gets here. */
export interface KubeWatchEvent {
  readonly type: string;
  readonly object: JsonObject;
}

/** Of an answer that says no. */
const REFUSAL_BYTES_MAX = 64 * 1024;
const JSON_TYPE = 'application/json';

export class KubeClient {
  readonly counters: KubeCounters;
  private readonly access: KubeAccess;
  private readonly limits: KubeClientLimits;

  constructor(access: KubeAccess, limits: KubeClientLimits) {
    this.access = access;
    this.limits = limits;
    this.counters = { requests: 0, lists: 0, gets: 0, watches: 0, watchEvents: 0, bytesRead: 0, failures: 0 };
  }

  /** One object. Rejects with KubeError, `not-found` when there is none. */
  async get(query: KubeQuery, signal: AbortSignal): Promise<JsonObject> {
    this.counters.gets++;
    return this.fetch(query, 'PartialObjectMetadata', signal);
  }

  /** One page of a list. Rejects with KubeError. */
  async list(query: KubeQuery, signal: AbortSignal): Promise<KubePage> {
    this.counters.lists++;
    const answer = await this.fetch(query, 'PartialObjectMetadataList', signal);
    const metadata = objectOf(answer['metadata']) ?? {};
    return {
      items: listOf(answer['items'])
        .map(objectOf)
        .filter((item) => item !== undefined),
      resourceVersion: rawText(metadata['resourceVersion']),
      continueToken: rawText(metadata['continue']),
    };
  }

  /**
   * Events from a resourceVersion on; `onBegun` when the server has said yes. Resolves when the server ends the watch, as it does from time to time, or `signal` aborts;
   * rejects with KubeError when the connection breaks, nothing comes for `idleMs`, or the server reports an error inside.
   */
  async watch(
    query: KubeQuery,
    idleMs: number,
    onEvent: (event: KubeWatchEvent) => void,
    signal: AbortSignal,
    onBegun: () => void = () => undefined,
  ): Promise<void> {
    this.counters.watches++;
    const asked = askedFor('WATCH', query);
    const params = { ...query.params, watch: 'true' };
    const call = new CallDeadline(asked, signal);
    try {
      call.within(this.limits.callTimeoutMs);
      const response = await this.send(asked, { ...query, params }, 'PartialObjectMetadata', call.signal);
      call.within(idleMs);
      onBegun();
      const lines = new KubeLines(asked, this.limits.answerBytesMax);
      for await (const chunk of response.body) {
        call.within(idleMs);
        this.counters.bytesRead += (chunk as Buffer).length;
        for (const line of lines.push(chunk as Buffer)) onEvent(this.eventOf(asked, line));
      }
      lines.end();
    } catch (cause) {
      if (signal.aborted) return;
      throw this.failed(asked, call, cause);
    } finally {
      call.clear();
    }
  }

  private eventOf(asked: string, line: JsonObject): KubeWatchEvent {
    this.counters.watchEvents++;
    const type = rawText(line['type']);
    const object = objectOf(line['object']) ?? {};
    if (type !== 'ERROR') return { type, object };
    const status = typeof object['code'] === 'number' ? object['code'] : 500;
    throw statusError(asked, status, rawText(object['message']), undefined, Date.now());
  }

  private async fetch(query: KubeQuery, shape: string, signal: AbortSignal): Promise<JsonObject> {
    const asked = askedFor('GET', query);
    const call = new CallDeadline(asked, signal);
    call.within(this.limits.callTimeoutMs);
    try {
      const response = await this.send(asked, query, shape, call.signal);
      const bytes = await readBytes(response, this.limits.answerBytesMax);
      if (bytes === undefined) {
        throw new KubeError('protocol', `${asked}: more than ${this.limits.answerBytesMax} bytes`);
      }
      this.counters.bytesRead += bytes.length;
      return parseAnswer(asked, bytes);
    } catch (cause) {
      throw this.failed(asked, call, cause);
    } finally {
      call.clear();
    }
  }

  private failed(asked: string, call: CallDeadline, cause: unknown): KubeError {
    this.counters.failures++;
    const error = call.error ?? kubeErrorOf(asked, cause);
    // The next request reads tokens and certificates anew.
    if (error.fault === 'unauthorized' || error.fault === 'tls') this.access.reload();
    return error;
  }

  /** The answer when it says yes. */
  private async send(
    asked: string,
    query: KubeQuery,
    shape: string,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    this.counters.requests++;
    const authorization = await unlessAborted(this.access.authorize(), signal);
    const response = await request(urlOf(authorization, query), {
      method: 'GET',
      headers: { ...authorization.headers, accept: acceptOf(query, shape), 'user-agent': 'strata' },
      ...(authorization.dispatcher === undefined ? {} : { dispatcher: authorization.dispatcher }),
      signal,
      // Deadlines of our own hold: those of the transport start anew with every byte.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const { statusCode } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    const bytes = await readBytes(response, REFUSAL_BYTES_MAX);
    const retryAfter = response.headers['retry-after'];
    throw statusError(
      asked,
      statusCode,
      messageOf(bytes?.toString('utf8') ?? ''),
      typeof retryAfter === 'string' ? retryAfter : undefined,
      Date.now(),
    );
  }
}

/** The caller's signal, and a time that can be set anew. */
class CallDeadline {
  readonly signal: AbortSignal;
  private readonly asked: string;
  private readonly controller: AbortController;
  private readonly outer: AbortSignal;
  private readonly onOuterAbort: () => void;
  private timer: NodeJS.Timeout | undefined;

  constructor(asked: string, outer: AbortSignal) {
    this.asked = asked;
    this.controller = new AbortController();
    this.signal = this.controller.signal;
    this.outer = outer;
    this.timer = undefined;
    this.onOuterAbort = () => this.fail('given up by who asked');
    if (outer.aborted) this.onOuterAbort();
    else outer.addEventListener('abort', this.onOuterAbort, { once: true });
  }

  get error(): KubeError | undefined {
    return this.signal.aborted ? (this.signal.reason as KubeError) : undefined;
  }

  within(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fail(`nothing for ${ms} ms`), ms);
  }

  clear(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.onOuterAbort);
  }

  private fail(text: string): void {
    this.controller.abort(new KubeError('timeout', `${this.asked}: ${text}`));
  }
}

/** Programs that give tokens may hang: the call is over when its time is. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** Text as it came, not as a binary string: for versions and tokens that go back to the server. */
export function rawText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function askedFor(verb: string, query: KubeQuery): string {
  const selector = query.params?.['fieldSelector'] ?? '';
  return `${verb} ${query.path}${selector === '' ? '' : ` (${selector})`}`;
}

function acceptOf(query: KubeQuery, shape: string): string {
  if (query.isMetadataOnly !== true) return JSON_TYPE;
  // A server that does not know the form sends whole objects.
  return `${JSON_TYPE};as=${shape};g=meta.k8s.io;v=v1, ${JSON_TYPE}`;
}

function urlOf({ serverUrl }: Authorization, { path, params = {} }: KubeQuery): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) search.set(name, value);
  }
  const text = search.toString();
  return `${serverUrl}${path}${text === '' ? '' : `?${text}`}`;
}

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

function parseAnswer(asked: string, bytes: Buffer): JsonObject {
  let answer: JsonObject | undefined;
  try {
    answer = objectOf(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new KubeError('protocol', `${asked}: the answer is no JSON`, { cause });
  }
  if (answer === undefined) throw new KubeError('protocol', `${asked}: the answer is no object`);
  return answer;
}

/** A refusal is a Status object that says why. */
function messageOf(text: string): string {
  try {
    const message = objectOf(JSON.parse(text))?.['message'];
    return typeof message === 'string' ? message : text;
  } catch {
    return text;
  }
}
