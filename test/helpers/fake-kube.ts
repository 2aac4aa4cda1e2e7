/**
 * A fake API server: lists in pages, watches with history, selectors, metadata-only answers, tokens; over HTTP, or TLS with HTTP/2
 * as the real one has it. Every request is written down with what it cost. Faults are what tests make them.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAKE_KINDS, type FakeKind, type FakeObject, kindOf } from './fake-kube-objects.ts';
import { type FakeChange, FakeKubeStore } from './fake-kube-store.ts';

type Request = IncomingMessage | Http2ServerRequest;
/** Those of HTTP/2 have what is used here. */
type Response = ServerResponse;

/** One request, and what went out for it until now. */
export interface FakeKubeRequest {
  /** The token's user; '' when nobody checks. */
  readonly client: string;
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly verb: 'list' | 'get' | 'watch';
  /** '' : in all namespaces. */
  readonly namespace: string;
  readonly plural: string;
  /** Objects that the server had to look at, and those that went out. */
  objectsRead: number;
  objectsSent: number;
  bytesSent: number;
}

export interface FakeKubeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The message of a Status object, or the text itself. */
  readonly message?: string | undefined;
  readonly text?: string | undefined;
}

/** What becomes of a request; undefined: as it should. */
export type FakeKubeFault = (request: FakeKubeRequest) => FakeKubeAnswer | 'hang' | 'break' | undefined;

/** Lists of clusters that are made when they are asked for. */
export type FakeKubeLists = (
  plural: string,
  namespace: string,
  fieldSelector: string,
) => Iterable<FakeObject> | undefined;

export interface FakeKubeOptions {
  readonly isTls?: boolean;
  readonly lists?: FakeKubeLists;
  /** End watches, with a bookmark before, when `timeoutSeconds` says so; in real time. */
  readonly honoursTimeouts?: boolean;
}

interface OpenWatch {
  readonly request: FakeKubeRequest;
  readonly response: Response;
  send(type: string, object: unknown): void;
  sendText(text: string): void;
  end(): void;
}

interface Place {
  readonly kind: FakeKind;
  readonly root: string;
  readonly namespace: string;
  readonly name: string;
}

export class FakeKube {
  readonly store = new FakeKubeStore();
  readonly requests: FakeKubeRequest[] = [];
  readonly watches = new Set<OpenWatch>();
  /** User by token; empty: nobody checks. */
  readonly tokens = new Map<string, string>();
  readonly absentKinds = new Set<string>();
  readonly forbiddenKinds = new Set<string>();
  fault: FakeKubeFault = () => undefined;
  connections = 0;
  readonly caPath: string;
  private readonly options: FakeKubeOptions;
  private readonly folder: string | undefined;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(options: FakeKubeOptions) {
    this.options = options;
    this.folder = options.isTls === true ? mkdtempSync(join(tmpdir(), 'strata-fake-kube-')) : undefined;
    this.caPath = this.folder === undefined ? '' : makeCertificate(this.folder);
    const onRequest = (request: Request, response: Response | Http2ServerResponse) =>
      this.onRequest(request, response as Response);
    this.server =
      this.folder === undefined
        ? createServer(onRequest)
        : createSecureServer(
            {
              allowHTTP1: true,
              cert: readFileSync(this.caPath),
              key: readFileSync(join(this.folder, 'server.key')),
            },
            onRequest,
          );
    this.server.on('connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  static async start(options: FakeKubeOptions = {}): Promise<FakeKube> {
    const fake = new FakeKube(options);
    await fake.listen(0);
    return fake;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.folder === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Creates or replaces. */
  put(object: FakeObject): FakeObject {
    return this.store.set(rootOf(kindOf(object.kind)), object);
  }

  remove(object: FakeObject): void {
    if (!this.store.delete(rootOf(kindOf(object.kind)), object)) throw new Error('nothing to remove');
  }

  values(kind: string): FakeObject[] {
    return [...this.store.values(rootOf(kindOf(kind)))];
  }

  /** All watches end, as servers end them: without an error. */
  endWatches(isBookmarked = false): void {
    for (const watch of [...this.watches]) {
      if (isBookmarked) this.bookmark(watch);
      watch.end();
    }
  }

  bookmark(watch: OpenWatch): void {
    const { kind, apiVersion } = FAKE_KINDS.find(({ plural }) => plural === watch.request.plural) as FakeKind;
    watch.send('BOOKMARK', { kind, apiVersion, metadata: { resourceVersion: String(this.store.version) } });
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cut();
    await closed;
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  /** Requests for lists over all namespaces that no selector narrows. */
  clusterWideLists(): FakeKubeRequest[] {
    return this.requests.filter(
      ({ verb, namespace, params }) =>
        verb !== 'get' && namespace === '' && (params.get('fieldSelector') ?? '') === '',
    );
  }

  private listen(port: number): Promise<void> {
    return new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
  }

  private onRequest(raw: Request, response: Response): void {
    const url = new URL(raw.url ?? '/', 'http://fake');
    const place = placeOf(url.pathname);
    const token = /^Bearer (.*)$/.exec(String(raw.headers.authorization ?? ''))?.[1] ?? '';
    const isWatch = url.searchParams.get('watch') === 'true';
    const request: FakeKubeRequest = {
      client: this.tokens.get(token) ?? '',
      path: url.pathname,
      params: url.searchParams,
      headers: raw.headers as FakeKubeRequest['headers'],
      verb: isWatch ? 'watch' : place?.name === '' ? 'list' : 'get',
      namespace: place?.namespace ?? '',
      plural: place?.kind.plural ?? '',
      objectsRead: 0,
      objectsSent: 0,
      bytesSent: 0,
    };
    this.requests.push(request);
    const fault = this.fault(request);
    if (fault === 'hang') return;
    if (fault === 'break') {
      raw.socket.destroy();
      return;
    }
    const refusal = fault ?? this.refusalOf(request, token, place);
    if (refusal !== undefined || place === undefined) refuse(response, refusal ?? { status: 404 });
    else if (isWatch) this.watch(request, response, place);
    else this.list(request, response, place);
  }

  private refusalOf(request: FakeKubeRequest, token: string, place: Place | undefined) {
    if (this.tokens.size > 0 && !this.tokens.has(token)) return { status: 401, message: 'Unauthorized' };
    if (place === undefined || this.absentKinds.has(place.kind.kind)) {
      return { status: 404, text: '404 page not found\n' };
    }
    if (!this.forbiddenKinds.has(place.kind.kind)) return undefined;
    return { status: 403, message: `${request.plural} is forbidden: User "${request.client}" cannot list` };
  }

  private list(request: FakeKubeRequest, response: Response, place: Place): void {
    const { params } = request;
    const selector = params.get('fieldSelector') ?? '';
    const all = this.matching(request, place, selector);
    if (place.name !== '') {
      const found = all.find(({ metadata }) => metadata['name'] === place.name);
      if (found === undefined) refuse(response, { status: 404, message: `"${place.name}" not found` });
      else this.answer(request, response, shaped(request, found), 1);
      return;
    }
    const limit = Number(params.get('limit') ?? '0') || all.length;
    const [version = this.store.version, start = 0] = (params.get('continue') ?? '')
      .split('/')
      .filter(Boolean)
      .map(Number);
    if (version < this.store.oldest) {
      refuse(response, { status: 410, message: 'The provided continue parameter is too old' });
      return;
    }
    const items = all.slice(start, start + limit);
    const rest = all.length - start - items.length;
    this.answer(
      request,
      response,
      {
        kind: `${place.kind.kind}List`,
        apiVersion: place.kind.apiVersion,
        metadata: {
          resourceVersion: String(version),
          ...(rest > 0 ? { continue: `${version}/${start + items.length}`, remainingItemCount: rest } : {}),
        },
        items: items.map((item) => shaped(request, item)),
      },
      items.length,
    );
  }

  private matching(request: FakeKubeRequest, place: Place, selector: string): FakeObject[] {
    const made = this.options.lists?.(place.kind.plural, place.namespace, selector);
    const found: FakeObject[] = [];
    for (const object of made ?? this.store.values(place.root)) {
      request.objectsRead++;
      if (isIn(object, place.namespace) && isSelected(object, selector)) found.push(object);
    }
    return found;
  }

  private answer(request: FakeKubeRequest, response: Response, body: unknown, count: number): void {
    const text = JSON.stringify(body);
    request.objectsSent += count;
    request.bytesSent += Buffer.byteLength(text);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(text);
  }

  private watch(request: FakeKubeRequest, response: Response, place: Place): void {
    const { params } = request;
    const selector = params.get('fieldSelector') ?? '';
    response.writeHead(200, { 'content-type': 'application/json' });
    const sendText = (text: string): void => {
      request.bytesSent += Buffer.byteLength(text);
      response.write(text);
    };
    const send = (type: string, object: unknown): void => sendText(`${JSON.stringify({ type, object })}\n`);
    const tell = (change: FakeChange): void => {
      const isWanted = (object: FakeObject | undefined) =>
        object !== undefined && isIn(object, place.namespace) && isSelected(object, selector);
      if (change.root !== place.root) return;
      const { before, after } = change;
      if (!isWanted(before) && !isWanted(after)) return;
      request.objectsSent++;
      // One that matches no more is deleted for who watches.
      const type = isWanted(after) ? (isWanted(before) ? 'MODIFIED' : 'ADDED') : 'DELETED';
      const object = { ...((after ?? before) as FakeObject) };
      object.metadata = { ...object.metadata, resourceVersion: String(change.version) };
      send(type, shaped(request, object));
    };
    const since = Number(params.get('resourceVersion') ?? '0');
    if (since < this.store.oldest) {
      send('ERROR', {
        kind: 'Status',
        status: 'Failure',
        reason: 'Expired',
        code: 410,
        message: `too old resource version: ${since}`,
      });
      response.end();
      return;
    }
    response.flushHeaders();
    for (const change of this.store.history) if (change.version > since) tell(change);
    const off = this.store.onChange(tell);
    let timer: NodeJS.Timeout | undefined;
    const forget = (): void => {
      off();
      clearTimeout(timer);
      this.watches.delete(watch);
    };
    const end = (): void => {
      forget();
      response.end();
    };
    const watch: OpenWatch = { request, response, send, sendText, end };
    this.watches.add(watch);
    response.on('close', forget);
    const seconds = Number(params.get('timeoutSeconds') ?? '0');
    if (this.options.honoursTimeouts === true && seconds > 0) {
      timer = setTimeout(() => {
        this.bookmark(watch);
        end();
      }, seconds * 1000);
    }
  }
}

function rootOf({ apiVersion, plural }: FakeKind): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}/${plural}` : `/api/${apiVersion}/${plural}`;
}

/** `/ROOT[/namespaces/NAMESPACE]/PLURAL[/NAME]`. */
function placeOf(path: string): Place | undefined {
  const match = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/.exec(
    path,
  );
  const [, root, namespace = '', plural, name = ''] = match ?? [];
  // The object of a namespace, or what is in it, begin alike.
  if (plural === undefined) return undefined;
  const kind = FAKE_KINDS.find((row) => rootOf(row) === `${root}/${plural}`);
  return kind === undefined
    ? undefined
    : { kind, root: rootOf(kind), namespace: decodeURIComponent(namespace), name: decodeURIComponent(name) };
}

function isIn({ metadata }: FakeObject, namespace: string): boolean {
  return namespace === '' || metadata['namespace'] === namespace;
}

function isSelected(object: FakeObject, selector: string): boolean {
  if (selector === '') return true;
  const end = selector.indexOf('=');
  const path = selector.slice(0, end);
  const value = selector.slice(end + 1).replace(/\\(.)/g, '$1');
  if (path === 'metadata.name') return object.metadata['name'] === value;
  if (path === 'spec.nodeName') {
    return ((object['spec'] as Record<string, unknown> | undefined)?.['nodeName'] ?? '') === value;
  }
  throw new Error(`no selector ${path}`);
}

/** Metadata alone, for those who ask for it. */
function shaped({ headers }: FakeKubeRequest, object: FakeObject): FakeObject {
  if (!String(headers['accept']).includes('as=PartialObjectMetadata')) return object;
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

function refuse(response: Response, { status, headers = {}, message = 'no', text }: FakeKubeAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: status };
  response.end(text ?? JSON.stringify(body));
}

/** Signed by itself, for 127.0.0.1. */
function makeCertificate(folder: string): string {
  const [key, cert] = [join(folder, 'server.key'), join(folder, 'ca.crt')];
  const flags = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=fake-kube';
  execFileSync(
    'openssl',
    ['req', ...flags.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  );
  return cert;
}
