/**
 * Podman's own API (libpod; the one compatible with Docker's does not tell pods), of the node or of a user: each user who runs
 * containers without root has a socket of their own, which knows only their containers.
 *
 * Podman has no daemon that sees all: events are what every `podman` command has written to a journal or a file, read back by the
 * service. They come some 50 ms before to 300 ms after the first process, and not at all when `events_logger` is `none` or differs
 * between command and service. So events are a help, not to be relied on: who needs to know a container has to ask when its first
 * thread is seen, and list from time to time to see what is gone. Answers wait for a lock that a start holds (some 100 ms), and the
 * first ones may come before the pid is known. A service that systemd starts by its socket stays while somebody watches.
 */
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { isFullId } from './docker-container.ts';
import { HttpConnection, type HttpConnectionOptions } from './http-connection.ts';
import { HttpImageCache } from './http-image-cache.ts';
import { listedContainersOf } from './http-list.ts';
import { askNeighbours } from './http-neighbours.ts';
import { podmanContainerOf, podmanListedOf, podmanNeighboursOf } from './podman-container.ts';
import { onPodmanEvent, podmanEventsPath } from './podman-events.ts';
import {
  type RuntimeClient,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvents,
} from './runtime-client.ts';

export type PodmanClientOptions = HttpConnectionOptions;

/** Served by all versions since. */
const API = '/v4.0.0/libpod';

/** Those with a first process, or that may have one soon. Older versions refuse words they do not know, such as `stopping`. */
const LISTED_STATES = ['created', 'initialized', 'running', 'paused'];

const GONE = /\bno such container\b/;

export class PodmanClient implements RuntimeClient {
  readonly kind = 'podman';
  readonly socketPath: string;
  private readonly connection: HttpConnection;
  private readonly images: HttpImageCache;

  constructor(options: PodmanClientOptions) {
    this.socketPath = options.socketPath;
    this.connection = new HttpConnection(options);
    this.images = new HttpImageCache(this.connection, (id) => `${API}/images/${encodeURIComponent(id)}/json`);
  }

  async connect(signal: AbortSignal): Promise<string> {
    const answer = await this.connection.getQuickly(`${API}/version`, signal);
    if (answer === undefined) throw this.error('refused', 'what answers here is not Podman');
    const version = textOf(objectOf(answer)?.['Version']);
    if (version === '') throw this.error('protocol', 'the answer names no version');
    return `Podman ${version}`;
  }

  async list(signal: AbortSignal): Promise<readonly RuntimeContainer[]> {
    const filters = encodeURIComponent(JSON.stringify({ status: LISTED_STATES }));
    const answer = await this.connection.getList(`${API}/containers/json?filters=${filters}`, signal);
    return listedContainersOf(this.socketPath, answer, (value) =>
      podmanListedOf(value, (imageId) => this.images.find(imageId)),
    );
  }

  async inspect(fullId: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    const answer = await this.ask(fullId, signal);
    if (answer === undefined) return undefined;
    const neighbours = await askNeighbours(
      podmanNeighboursOf(answer),
      (id) => this.ask(id, signal),
      (id) => this.images.get(id, signal),
    );
    return podmanContainerOf(answer, neighbours);
  }

  async watch(events: RuntimeEvents, onReady: () => void, signal: AbortSignal): Promise<void> {
    const onEvent = (event: JsonObject): void => this.onLine(event, events);
    await this.connection.watch(`${API}${podmanEventsPath()}`, onReady, onEvent, signal);
  }

  close(): void {
    this.connection.close();
  }

  private onLine(event: JsonObject, events: RuntimeEvents): void {
    // What goes wrong after the answer has begun comes as one more line.
    if (event['Action'] === undefined && typeof event['response'] === 'number') {
      throw this.error('refused', `events: ${textOf(event['message']).slice(0, 200)}`);
    }
    onPodmanEvent(event, events);
  }

  /** The inspection; undefined when there is no such container. */
  private async ask(fullId: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    // Names are answered as well: what is no id is not asked for.
    if (!isFullId(fullId)) return undefined;
    const answer = await this.connection
      .get(`${API}/containers/${fullId}/json`, signal)
      .catch((error: unknown) => noneWhenGone(error));
    if (answer === undefined) return undefined;
    const object = objectOf(answer);
    if (object?.['Id'] !== fullId) throw this.error('protocol', `the answer is not about ${fullId}`);
    return object;
  }

  private error(fault: 'protocol' | 'refused', text: string): RuntimeError {
    return new RuntimeError(fault, `Podman on ${this.socketPath}: ${text}`);
  }
}

/** A container that is removed meanwhile is answered with an error of the server. */
function noneWhenGone(error: unknown): undefined {
  if (error instanceof RuntimeError && error.fault === 'refused' && GONE.test(error.message))
    return undefined;
  throw error;
}
