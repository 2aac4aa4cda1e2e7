/**
 * Follows one list of objects: reads it page by page, then watches it from where the list was read, for as long as that goes. Reads it
 * anew only when the server no longer knows the place (410). Ends of watches are not failures: servers end them as they like.
 */
import { type JsonObject, objectOf } from '../container/container-json.ts';
import { KubeBackoff } from './kube-backoff.ts';
import { type KubeClient, type KubeWatchEvent, rawText } from './kube-client.ts';
import type { KubeClock } from './kube-clock.ts';
import { KubeError, type KubeFault, kubeErrorOf } from './kube-error.ts';

export interface ReflectorOptions {
  /** For status: `pods`, `services of shop`. */
  readonly name: string;
  readonly path: string;
  readonly fieldSelector?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly isMetadataOnly?: boolean | undefined;
  /** Objects of a page; 0: all at once, from the server's own memory, for short lists that the server has indexed. */
  readonly pageSize: number;
  /** Wait between two pages. */
  readonly pageWaitMs: number;
  /** The server is asked to end a watch after this long, and up to half as long again: it sends a bookmark before. */
  readonly watchMs: number;
  /** Longest wait between two tries. Of a thousand nodes with a hundred lists each, not all must come back within a minute. */
  readonly retryMsMax: number;
}

export interface ReflectorListener {
  /** The object is there, or has changed. */
  onObject(object: JsonObject): void;
  /** It is not there (any more). */
  onDeleted(object: JsonObject): void;
  /** A list has been read in whole: what it did not hold does not exist. Keys are those of `objectKey`. */
  onListed(keys: ReadonlySet<string>): void;
  onStatusChanged(): void;
}

export type ReflectorState =
  | 'starting'
  | 'listing'
  | 'watching'
  | 'failing'
  | 'forbidden'
  | 'absent'
  | 'stopped';

export interface ReflectorCounters {
  lists: number;
  /** Lists after the first one: each is a full read that should not have been needed. */
  relists: number;
  watches: number;
  bookmarks: number;
  failures: number;
  throttled: number;
}

const RETRY_MS_FIRST = 500;
/** A connection that is silent for longer than its watch may last is dead. */
const IDLE_GRACE_MS = 30_000;
/** A watch that ends sooner than this counts as a failure: a server that ends each at once must not be asked all the time. */
const SHORT_WATCH_MS = 1000;

export class Reflector {
  readonly options: ReflectorOptions;
  readonly counters: ReflectorCounters;
  private readonly client: KubeClient;
  private readonly listener: ReflectorListener;
  private readonly clock: KubeClock;
  private readonly backoff: KubeBackoff;
  private readonly abort: AbortController;
  private currentState: ReflectorState;
  private currentError: string;
  private resourceVersion: string;
  /** A list need not be newer than this: the server can then answer from its own memory. '' when it cannot. */
  private seenVersion: string;
  private hasListed: boolean;
  private lastFault: KubeFault | undefined;
  private running: Promise<void> | undefined;

  constructor(options: ReflectorOptions, client: KubeClient, listener: ReflectorListener, clock: KubeClock) {
    this.options = options;
    this.client = client;
    this.listener = listener;
    this.clock = clock;
    this.backoff = new KubeBackoff(clock, { firstMs: RETRY_MS_FIRST, maxMs: options.retryMsMax });
    this.abort = new AbortController();
    this.counters = { lists: 0, relists: 0, watches: 0, bookmarks: 0, failures: 0, throttled: 0 };
    this.currentState = 'starting';
    this.currentError = '';
    this.resourceVersion = '';
    this.seenVersion = '0';
    this.hasListed = false;
    this.lastFault = undefined;
    this.running = undefined;
  }

  get state(): ReflectorState {
    return this.currentState;
  }

  /** Why it is not watching; '' when all is well. */
  get error(): string {
    return this.currentError;
  }

  /** Whether the list has been read in whole once. */
  get isListed(): boolean {
    return this.hasListed;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Ends what is under way; no call of the listener comes after it resolved. */
  async stop(): Promise<void> {
    this.abort.abort();
    await this.running;
    this.currentState = 'stopped';
  }

  private async run(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      try {
        if (this.resourceVersion === '') await this.list(signal);
        await this.watch(signal);
      } catch (cause) {
        if (signal.aborted) return;
        await this.clock.pause(this.afterFailure(kubeErrorOf(this.options.name, cause)), signal);
      }
    }
  }

  /** How long to wait. */
  private afterFailure(error: KubeError): number {
    this.counters.failures++;
    if (error.fault === 'throttled') this.counters.throttled++;
    this.forgetVersion(error);
    // A server that is back and has no history is there: what it was waited for does not count.
    if (error.fault === 'gone' && this.lastFault !== 'gone') this.backoff.reset();
    this.lastFault = error.fault;
    if (error.fault === 'forbidden') this.setState('forbidden', error.message);
    else if (error.fault === 'not-found') this.setState('absent', error.message);
    else this.setState('failing', error.message);
    return this.backoff.next(error);
  }

  /** A server that was restarted knows no history, only what there is: every list is read anew then, but not from its database. */
  private forgetVersion({ fault }: KubeError): void {
    const isListing = this.resourceVersion === '';
    // The version is unknown to it, or it waits for one that never comes.
    if (isListing && (fault === 'gone' || fault === 'server' || fault === 'timeout')) this.seenVersion = '';
    if (fault !== 'gone' || isListing) return;
    this.seenVersion = this.resourceVersion;
    this.resourceVersion = '';
  }

  private async list(signal: AbortSignal): Promise<void> {
    const { options, counters } = this;
    if (this.currentError === '') this.setState('listing', '');
    counters.lists++;
    if (this.hasListed) counters.relists++;
    const keys = new Set<string>();
    let continueToken = '';
    for (;;) {
      const page = await this.client.list(
        {
          path: options.path,
          isMetadataOnly: options.isMetadataOnly,
          params: {
            fieldSelector: options.fieldSelector,
            labelSelector: options.labelSelector,
            ...(options.pageSize === 0
              ? { resourceVersion: this.seenVersion || undefined }
              : { limit: String(options.pageSize), continue: continueToken || undefined }),
          },
        },
        signal,
      );
      if (signal.aborted) return;
      for (const item of page.items) {
        keys.add(objectKey(item));
        this.listener.onObject(item);
      }
      if (page.continueToken === '') {
        if (page.resourceVersion === '')
          throw new KubeError('protocol', `${options.name}: a list without a version`);
        this.resourceVersion = page.resourceVersion;
        break;
      }
      continueToken = page.continueToken;
      await this.clock.pause(options.pageWaitMs, signal);
    }
    this.hasListed = true;
    this.listener.onListed(keys);
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const { options, clock } = this;
    const watchMs = Math.round(options.watchMs * (1 + clock.random() / 2));
    const started = clock.nowMs();
    this.counters.watches++;
    await this.client.watch(
      {
        path: options.path,
        isMetadataOnly: options.isMetadataOnly,
        params: {
          fieldSelector: options.fieldSelector,
          labelSelector: options.labelSelector,
          resourceVersion: this.resourceVersion,
          allowWatchBookmarks: 'true',
          timeoutSeconds: String(Math.ceil(watchMs / 1000)),
        },
      },
      watchMs + IDLE_GRACE_MS,
      (event) => {
        // A server that sends events is well, unless it ends each watch after the first ones.
        if (clock.nowMs() - started >= SHORT_WATCH_MS) this.backoff.reset();
        this.onEvent(event);
      },
      signal,
      () => this.setState('watching', ''),
    );
    if (signal.aborted) return;
    if (clock.nowMs() - started < SHORT_WATCH_MS) {
      throw new KubeError('server', `${options.name}: the server ends watches at once`);
    }
    this.lastFault = undefined;
    this.backoff.reset();
  }

  private onEvent({ type, object }: KubeWatchEvent): void {
    const version = rawText(objectOf(object['metadata'])?.['resourceVersion']);
    if (version !== '') this.resourceVersion = version;
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        this.listener.onObject(object);
        return;
      case 'DELETED':
        this.listener.onDeleted(object);
        return;
      case 'BOOKMARK':
        this.counters.bookmarks++;
        return;
      default:
    }
  }

  private setState(state: ReflectorState, error: string): void {
    if (state === this.currentState && error === this.currentError) return;
    this.currentState = state;
    this.currentError = error;
    this.listener.onStatusChanged();
  }
}

/** An object's uid; its namespace and name when it has none. */
export function objectKey(object: JsonObject): string {
  const metadata = objectOf(object['metadata']) ?? {};
  return rawText(metadata['uid']) || `${rawText(metadata['namespace'])}/${rawText(metadata['name'])}`;
}
