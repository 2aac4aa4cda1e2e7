/**
 * Where the API server is and how to be let in: from flags, a kubeconfig, or the pod's service account. Authentication itself
 * (files, exec plugins, OIDC, proxies) is the Kubernetes client's; it is loaded only when there is something to load, as that
 * takes most of a second.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { KubeError } from './kube-error.ts';

export interface KubeAccessOptions {
  /** `http(s)://[user:password@]host[:port]`; undefined: kubeconfig or the service account says. */
  readonly apiUrl: string | undefined;
  /** File with a token, or `cert:key[:ca]` files; undefined: none. */
  readonly apiCert: string | undefined;
  /** undefined: KUBECONFIG, the pod's service account, or ~/.kube/config, whichever is there first. */
  readonly kubeconfig: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a pod finds its account's files; for tests. */
  readonly serviceAccountPath?: string | undefined;
}

/** What a request needs to be let in. */
export interface Authorization {
  /** Without a slash at the end. */
  readonly serverUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Connections with the right certificates and proxies; undefined: the default ones. */
  readonly dispatcher: Dispatcher | undefined;
}

type Connection = Omit<Authorization, 'headers'>;

type Load = (config: KubeConfig) => void;

const SERVICE_ACCOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Files may have been replaced: tokens live an hour, certificates longer. Those of tokens are read every minute anyway. */
const RELOAD_MS = 5 * 60_000;

export class KubeAccess {
  /** Where the configuration is from, for status and logs. No secrets. */
  readonly origin: string;
  private readonly load: Load;
  private readonly nowMs: () => number;
  private config: KubeConfig | undefined;
  private connection: Promise<Connection> | undefined;
  private dispatcher: Dispatcher | undefined;
  private loadedAtMs: number;
  private readonly retired: Set<Dispatcher>;

  private constructor(origin: string, load: Load, nowMs: () => number) {
    this.origin = origin;
    this.load = load;
    this.nowMs = nowMs;
    this.config = undefined;
    this.connection = undefined;
    this.dispatcher = undefined;
    this.loadedAtMs = Number.NEGATIVE_INFINITY;
    this.retired = new Set();
  }

  /** undefined when nothing says where an API server would be. Throws KubeError `protocol` for flags that cannot be understood. */
  static find(
    options: KubeAccessOptions,
    nowMs: () => number = () => performance.now(),
  ): KubeAccess | undefined {
    const { apiUrl, kubeconfig, env } = options;
    if (apiUrl !== undefined)
      return new KubeAccess(`--k8s-api ${withoutPassword(apiUrl)}`, flagsLoader(options), nowMs);
    const file = kubeconfig ?? (env['KUBECONFIG'] || undefined);
    if (file !== undefined)
      return new KubeAccess(`kubeconfig ${file}`, (config) => config.loadFromFile(file), nowMs);
    if (env['KUBERNETES_SERVICE_HOST'] !== undefined) {
      return new KubeAccess('service account of the pod', serviceAccountLoader(options), nowMs);
    }
    const own = join(env['HOME'] ?? homedir(), '.kube', 'config');
    if (!existsSync(own)) return undefined;
    return new KubeAccess(`kubeconfig ${own}`, (config) => config.loadFromFile(own), nowMs);
  }

  /** Rejects with KubeError `unauthorized` when the configuration or its files cannot be read. */
  async authorize(): Promise<Authorization> {
    if (this.nowMs() - this.loadedAtMs >= RELOAD_MS) this.reload();
    try {
      const headers = await this.headers();
      this.connection ??= this.connect();
      // Last, so that nothing retires the connection before it is used.
      return { ...(await this.connection), headers };
    } catch (cause) {
      this.reload();
      throw cause instanceof KubeError ? cause : unreadable(this.origin, cause);
    }
  }

  /** Forgets tokens and certificates: the next request reads them anew. For those that were refused. */
  reload(): void {
    this.config = undefined;
    this.connection = undefined;
    this.loadedAtMs = this.nowMs();
    if (this.dispatcher !== undefined) this.retire(this.dispatcher);
    this.dispatcher = undefined;
  }

  async close(): Promise<void> {
    this.reload();
    await Promise.all([...this.retired].map((dispatcher) => dispatcher.destroy().catch(() => undefined)));
  }

  private async connect(): Promise<Connection> {
    const config = await this.loaded();
    const isCurrent = (): boolean => config === this.config;
    const serverUrl = config.getCurrentCluster()?.server;
    if (serverUrl === undefined || !/^https?:\/\//.test(serverUrl)) {
      throw new KubeError('protocol', `${this.origin}: names no API server`);
    }
    const dispatcher = await dispatcherOf(config, serverUrl);
    if (isCurrent()) this.dispatcher = dispatcher;
    else if (dispatcher !== undefined) this.retire(dispatcher);
    return { serverUrl: serverUrl.replace(/\/+$/, ''), dispatcher };
  }

  private async loaded(): Promise<KubeConfig> {
    if (this.config === undefined) {
      const client = await import('@kubernetes/client-node');
      const config = new client.KubeConfig();
      this.load(config);
      this.config = config;
    }
    return this.config;
  }

  /** Tokens in files and those of exec plugins change without notice. */
  private async headers(): Promise<Readonly<Record<string, string>>> {
    const config = await this.loaded();
    const options: { headers?: Record<string, string>; auth?: string } = {};
    await config.applyToHTTPSOptions(options as never);
    const basic: Record<string, string> =
      options.auth === undefined
        ? {}
        : { Authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` };
    const headers = Object.entries({ ...basic, ...options.headers });
    // Token files end in a newline more often than not.
    return Object.fromEntries(headers.map(([name, value]) => [name, value.trim()]));
  }

  /** Watches that are under way go on; their connections close when they end. */
  private retire(dispatcher: Dispatcher): void {
    this.retired.add(dispatcher);
    dispatcher.close().then(
      () => this.retired.delete(dispatcher),
      () => this.retired.delete(dispatcher),
    );
  }
}

async function dispatcherOf(config: KubeConfig, serverUrl: string): Promise<Dispatcher | undefined> {
  const { RequestContext, HttpMethod } = await import('@kubernetes/client-node');
  const context = new RequestContext(serverUrl, HttpMethod.GET);
  await config.applySecurityAuthentication(context);
  return context.getDispatcher() as Dispatcher | undefined;
}

function unreadable(origin: string, cause: unknown): KubeError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new KubeError('unauthorized', `${origin}: ${text}`, { cause });
}

/** Throws KubeError for what cannot be a server or a file list. */
function flagsLoader({ apiUrl, apiCert }: KubeAccessOptions): Load {
  const url = parseUrl(apiUrl ?? '');
  const files = certFilesOf(apiCert);
  const user = {
    name: 'flags',
    ...(url.username === ''
      ? {}
      : { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }),
    ...(files.cert === undefined || files.key === undefined
      ? {}
      : { certFile: files.cert, keyFile: files.key }),
    ...(files.token === undefined
      ? {}
      : { authProvider: { name: 'tokenFile', config: { tokenFile: files.token } } }),
  };
  const cluster = {
    name: 'flags',
    server: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    // There is nothing to verify without TLS, and the client wants that said.
    skipTLSVerify: url.protocol === 'http:',
    ...(files.ca === undefined ? {} : { caFile: files.ca }),
  };
  return (config) => config.loadFromClusterAndUser(cluster, user);
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new KubeError(
      'protocol',
      `--k8s-api: expected http(s)://[USER:PASSWORD@]HOST[:PORT], got '${withoutPassword(text)}'`,
    );
  }
  return url;
}

interface CertFiles {
  readonly token?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
}

/** One file is a token; two or three are certificate, key and the server's CA. */
function certFilesOf(text: string | undefined): CertFiles {
  if (text === undefined) return {};
  const parts = text.split(':');
  if (parts.some((part) => part === '') || parts.length > 3) {
    throw new KubeError('protocol', `--k8s-api-cert: expected a token file, or CERT:KEY[:CA], got '${text}'`);
  }
  const [first, key, ca] = parts;
  return key === undefined ? { token: first } : { cert: first, key, ca };
}

function serviceAccountLoader({ env, serviceAccountPath = SERVICE_ACCOUNT_PATH }: KubeAccessOptions): Load {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  const cluster = {
    name: 'in-cluster',
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    skipTLSVerify: false,
    caFile: join(serviceAccountPath, 'ca.crt'),
  };
  const user = {
    name: 'service-account',
    authProvider: { name: 'tokenFile', config: { tokenFile: join(serviceAccountPath, 'token') } },
  };
  return (config) => config.loadFromClusterAndUser(cluster, user);
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
