/** What fake Docker and fake Podman share: an HTTP server on a Unix socket, routes, event streams, and what may go wrong with them. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { spoilMembers } from './fake-answers.ts';
import { FakeSocket } from './fake-socket.ts';

/**
 * What is wrong with an answer. `hang`: none comes; `hang-body`: it stops half way; `drip`: a byte at a time, for ever; `garbage`:
 * no JSON; `wrong-types`: JSON of the right shape with values of other types; `wrong-shape`: JSON of another shape; `truncated`: the
 * connection ends half way; `reset`: it ends before; `refused`: status 500; `huge`: it does not end; `redirect`: to another host.
 */
export const HTTP_FAULTS = [
  'hang',
  'hang-body',
  'drip',
  'garbage',
  'wrong-types',
  'wrong-shape',
  'truncated',
  'reset',
  'refused',
  'huge',
  'redirect',
] as const;

export type HttpFault = (typeof HTTP_FAULTS)[number];

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const DRIP_MS = 20;
/** Bytes after which a `huge` answer gives up being read on. */
const HUGE_BYTES = 2 * 1024 * 1024 * 1024;
const HUGE_CHUNK = Buffer.alloc(64 * 1024, 0x20);

export abstract class FakeHttpRuntime {
  readonly socket: FakeSocket;
  /** Waits before an answer, by the name of its route. */
  readonly latenciesMs: Map<string, number>;
  /** What is wrong now, by the name of its route; '' stands for all. */
  readonly faults: Map<string, HttpFault>;
  /** Requests by the name of their route. */
  readonly requests: Map<string, number>;
  /** Paths asked for, newest last; the last thousand. */
  readonly paths: string[];
  /** Bytes of `huge` answers taken by the other side. */
  hugeBytes: number;
  private readonly server: Server;
  private readonly watchers: Set<ServerResponse>;
  private readonly timers: Set<NodeJS.Timeout>;

  constructor(path: string) {
    this.latenciesMs = new Map();
    this.faults = new Map();
    this.requests = new Map();
    this.paths = [];
    this.hugeBytes = 0;
    this.watchers = new Set();
    this.timers = new Set();
    this.server = createServer((request, response) => this.onRequest(request, response));
    this.server.keepAliveTimeout = 0;
    this.server.requestTimeout = 0;
    this.socket = new FakeSocket(path, (socket) => this.server.emit('connection', socket));
  }

  /** Name of the route of a path, and what it answers; `events` is a stream. */
  protected abstract routeOf(path: string): string;
  protected abstract answer(route: string, path: string, query: URLSearchParams): Answer;
  protected abstract headers(): Readonly<Record<string, string>>;

  get watcherCount(): number {
    return this.watchers.size;
  }

  requestCount(route: string): number {
    return this.requests.get(route) ?? 0;
  }

  async listen(): Promise<void> {
    await this.socket.listen();
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.watchers.clear();
    await this.socket.vanish();
    this.server.closeAllConnections();
  }

  /** An event for everybody who watches; text and bytes go out as they are. */
  push(event: object | string | Uint8Array): void {
    const bytes =
      typeof event === 'string' || event instanceof Uint8Array ? event : `${JSON.stringify(event)}\n`;
    for (const watcher of this.watchers) watcher.write(bytes);
  }

  /** Ends the event streams in good order. */
  endStreams(): void {
    for (const watcher of this.watchers) watcher.end();
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://fake');
    // As clients of either runtime may ask for a version of the API.
    const path = url.pathname.replace(/^\/v\d+(\.\d+)*(?=\/)/, '');
    const route = this.routeOf(path);
    this.requests.set(route, this.requestCount(route) + 1);
    this.paths.push(`${request.url}`);
    if (this.paths.length > 1000) this.paths.shift();
    response.on('error', () => undefined);
    this.after(this.latencyOf(route, path), () => this.respond(route, path, url.searchParams, response));
  }

  protected latencyOf(route: string, _path: string): number {
    return this.latenciesMs.get(route) ?? 0;
  }

  private after(delayMs: number, work: () => void): void {
    if (delayMs === 0) {
      work();
      return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, delayMs);
    this.timers.add(timer);
  }

  private respond(route: string, path: string, query: URLSearchParams, response: ServerResponse): void {
    const fault = this.faults.get(route) ?? this.faults.get('');
    if (route === 'events' && fault === undefined) {
      this.stream(response);
      return;
    }
    const { status, body } = this.answer(route, path, query);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
    if (fault === undefined) {
      const bytes = Buffer.from(text, 'utf8');
      response.writeHead(status, { ...this.headers(), 'Content-Type': type, 'Content-Length': bytes.length });
      response.end(bytes);
      return;
    }
    this.fail(fault, body, text, response);
  }

  /** The head goes out at once, as that of the real ones. */
  private stream(response: ServerResponse): void {
    this.watchers.add(response);
    response.on('close', () => this.watchers.delete(response));
    response.writeHead(200, { ...this.headers(), 'Content-Type': 'application/json' });
    response.flushHeaders();
  }

  private fail(fault: HttpFault, body: unknown, text: string, response: ServerResponse): void {
    const json = { ...this.headers(), 'Content-Type': 'application/json' };
    const half = text.slice(0, Math.ceil(text.length / 2));
    switch (fault) {
      case 'hang':
        return;
      case 'hang-body':
        response.writeHead(200, json);
        response.write(half);
        return;
      case 'drip':
        response.writeHead(200, json);
        this.drip(text, 0, response);
        return;
      case 'garbage':
        response.writeHead(200, json);
        response.end(
          Buffer.concat([Buffer.from('{"Id":"x",'), Buffer.from([0, 0xff, 0xfe, 0x0a, 0x5d, 0x7d])]),
        );
        return;
      case 'wrong-types':
        response.writeHead(200, json);
        response.end(JSON.stringify(spoilMembers(body)));
        return;
      case 'wrong-shape':
        response.writeHead(200, json);
        response.end(JSON.stringify(Array.isArray(body) ? { a: body } : [[null, 5, body]]));
        return;
      case 'truncated':
        response.writeHead(200, { ...json, 'Content-Length': Buffer.byteLength(text) });
        response.write(half, () => response.destroy());
        return;
      case 'reset':
        response.destroy();
        return;
      case 'refused':
        response.writeHead(500, json);
        response.end('{"message":"something went wrong"}\n');
        return;
      case 'huge':
        response.writeHead(200, json);
        this.flood(response);
        return;
      case 'redirect':
        response.writeHead(301, { ...json, Location: 'http://127.0.0.1:1/elsewhere' });
        response.end();
        return;
    }
  }

  private drip(text: string, at: number, response: ServerResponse): void {
    if (response.destroyed) return;
    response.write(text[at] ?? ' ');
    this.after(DRIP_MS, () => this.drip(text, at + 1, response));
  }

  private flood(response: ServerResponse): void {
    while (!response.destroyed && this.hugeBytes < HUGE_BYTES) {
      this.hugeBytes += HUGE_CHUNK.length;
      if (response.write(HUGE_CHUNK)) continue;
      response.once('drain', () => this.flood(response));
      return;
    }
  }
}
