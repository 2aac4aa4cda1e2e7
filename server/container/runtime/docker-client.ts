/**
 * Docker's API. An inspection waits until a start that is under way is over (100 to 300 ms), unless it was asked for before the
 * start: so it is sent as soon as `create` is told. `peek` never waits.
 */
import { type JsonObject, listOf, objectOf, textOf } from '../container-json.ts';
import { dockerContainerOf, dockerListedOf, dockerNeighboursOf, isFullId } from './docker-container.ts';
import { DockerEvents, dockerEventsPath } from './docker-events.ts';
import type { ImageFacts } from './docker-image.ts';
import { HttpConnection, type HttpConnectionOptions } from './http-connection.ts';
import { HttpImageCache } from './http-image-cache.ts';
import { listedContainersOf } from './http-list.ts';
import { askNeighbours } from './http-neighbours.ts';
import {
  type RuntimeClient,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvents,
} from './runtime-client.ts';

export interface DockerClientOptions extends HttpConnectionOptions {
  /** Epoch ms; the daemon's clock is the node's. */
  readonly now?: (() => number) | undefined;
}

/** Those with a first process, or that may have one soon. */
const LISTED_STATES = ['created', 'running', 'paused', 'restarting'];

export class DockerClient implements RuntimeClient {
  readonly kind = 'docker';
  readonly socketPath: string;
  private readonly connection: HttpConnection;
  private readonly images: HttpImageCache;
  private readonly now: () => number;

  constructor(options: DockerClientOptions) {
    this.socketPath = options.socketPath;
    this.connection = new HttpConnection(options);
    this.images = new HttpImageCache(this.connection, (id) => `/images/${encodeURIComponent(id)}/json`);
    this.now = options.now ?? Date.now;
  }

  async connect(signal: AbortSignal): Promise<string> {
    const answer = objectOf(await this.connection.getQuickly('/version', signal));
    const version = textOf(answer?.['Version']);
    if (answer === undefined || version === '') throw this.error('protocol', 'the answer names no version');
    const components = listOf(answer['Components']).map((value) => textOf(objectOf(value)?.['Name']));
    if (components.includes('Podman Engine')) {
      throw this.error('refused', 'Podman answers here: name this socket with --podman-socket');
    }
    return `Docker ${version}`;
  }

  async list(signal: AbortSignal): Promise<readonly RuntimeContainer[]> {
    const answer = await this.connection.getList(listPath({ status: LISTED_STATES }), signal);
    return listedContainersOf(this.socketPath, answer, (value) => this.listedOf(value));
  }

  async inspect(fullId: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    const answer = await this.ask(fullId, signal);
    if (answer === undefined) return undefined;
    const neighbours = await askNeighbours(
      dockerNeighboursOf(answer),
      (id) => this.ask(id, signal),
      (id) => this.images.get(id, signal),
    );
    return dockerContainerOf(answer, neighbours);
  }

  readonly peek = async (fullId: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> => {
    if (!isFullId(fullId)) return undefined;
    const answer = await this.connection.getQuickly(listPath({ id: [fullId] }), signal);
    const [container] = await listedContainersOf(this.socketPath, answer, (value) => this.listedOf(value));
    return container?.row.fullId === fullId ? container : undefined;
  };

  async watch(events: RuntimeEvents, onReady: () => void, signal: AbortSignal): Promise<void> {
    const handler = new DockerEvents(events, () => this.images.clear());
    // Images may have changed while nobody listened.
    this.images.clear();
    const onEvent = (event: JsonObject): void => handler.on(event);
    await this.connection.watch(dockerEventsPath(this.now()), onReady, onEvent, signal);
  }

  close(): void {
    this.connection.close();
  }

  /** The inspection; undefined when there is no such container. */
  private async ask(fullId: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    // Names are answered as well: what is no id is not asked for.
    if (!isFullId(fullId)) return undefined;
    const answer = await this.connection.get(`/containers/${fullId}/json`, signal);
    if (answer === undefined) return undefined;
    const object = objectOf(answer);
    if (object?.['Id'] !== fullId) throw this.error('protocol', `the answer is not about ${fullId}`);
    return object;
  }

  private listedOf(value: unknown): RuntimeContainer | undefined {
    return dockerListedOf(value, (imageId): ImageFacts | undefined => this.images.find(imageId));
  }

  private error(fault: 'protocol' | 'refused', text: string): RuntimeError {
    return new RuntimeError(fault, `Docker on ${this.socketPath}: ${text}`);
  }
}

function listPath(filters: Readonly<Record<string, readonly string[]>>): string {
  return `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`;
}
