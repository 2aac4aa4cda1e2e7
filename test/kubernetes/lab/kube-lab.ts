/**
 * A real API server with etcd, on loopback and private folders, without controllers or kubelets: objects are what tests put there. Needs
 * Debian's etcd-server and openssl, and the kube-apiserver that scripts/build-kube-apiserver.sh makes of Debian's source package.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';

const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 10_000;

/** Where the binary is, when it is there. */
export const APISERVER_PATH: string =
  process.env['STRATA_KUBE_APISERVER'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'strata', 'kubernetes', 'kube-apiserver');

/** Why the lab cannot be started here; false when it can: the `skip` of tests. */
export function kubeLabSkip(): string | false {
  if (!existsSync(APISERVER_PATH)) {
    return `SKIPPED: no kube-apiserver at ${APISERVER_PATH}; scripts/build-kube-apiserver.sh builds it`;
  }
  return existsSync('/usr/bin/etcd') ? false : 'SKIPPED: no etcd; apt-get install etcd-server';
}

export interface KubeAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** May do everything. */
const ADMIN = { name: 'lab-admin', groups: 'system:masters' };

export class KubeLab {
  readonly folder: string;
  readonly adminToken: string;
  private readonly tokens: Map<string, { user: string; groups: string }>;
  private etcd: ChildProcess | undefined;
  private server: ChildProcess | undefined;
  private etcdPort: number;
  private port: number;
  private agent: Agent | undefined;

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'strata-kube-'));
    this.adminToken = randomUUID();
    this.tokens = new Map([[this.adminToken, { user: ADMIN.name, groups: ADMIN.groups }]]);
    this.etcd = undefined;
    this.server = undefined;
    this.etcdPort = 0;
    this.port = 0;
    this.agent = undefined;
  }

  /** `users`: token by user name, without any permission until a role is bound. */
  static async start(users: Readonly<Record<string, string>> = {}): Promise<KubeLab> {
    const lab = new KubeLab();
    try {
      for (const [user, token] of Object.entries(users)) lab.tokens.set(token, { user, groups: '' });
      await lab.startEtcd();
      lab.writeFiles();
      lab.port = await freePort();
      await lab.startServer();
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** The server's certificate, which it has signed itself. */
  get caPath(): string {
    return join(this.folder, 'certs', 'apiserver.crt');
  }

  get serverPid(): number {
    return this.server?.pid ?? 0;
  }

  /** A file with this token, as `-K` takes it; the CA is in a kubeconfig beside it. */
  kubeconfigFor(token: string, name = 'kubeconfig'): string {
    const path = join(this.folder, name);
    const text = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'lab', cluster: { server: this.url, 'certificate-authority': this.caPath } }],
      users: [{ name: 'user', user: { token } }],
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'user' } }],
      'current-context': 'lab',
    };
    writeFileSync(path, JSON.stringify(text), { mode: 0o600 });
    return path;
  }

  /** As the administrator. `body` is sent as JSON, with a merge patch for PATCH. */
  async call(method: string, path: string, body?: unknown): Promise<KubeAnswer> {
    const response = await request(`${this.url}${path}`, {
      method: method as 'GET',
      headers: {
        authorization: `Bearer ${this.adminToken}`,
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(this.agent === undefined ? {} : { dispatcher: this.agent }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: parse(text) };
  }

  /** As `call`; throws what the server says when it says no. */
  async must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Ends the API server without a word and starts it again on the same port. */
  async restartServer(pauseMs = 0): Promise<void> {
    await end(this.server, 'SIGKILL');
    await sleep(pauseMs);
    await this.startServer();
  }

  async killServer(): Promise<void> {
    await end(this.server, 'SIGKILL');
  }

  async startServer(): Promise<void> {
    this.server = spawn(APISERVER_PATH, this.serverFlags(), { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = collect(this.server);
    for (const until = Date.now() + READY_MS_MAX; ; ) {
      if (this.server.exitCode !== null) throw new Error(`kube-apiserver ended:\n${log().slice(-4000)}`);
      if (await this.isReady()) return;
      if (Date.now() > until) throw new Error(`kube-apiserver is not ready:\n${log().slice(-4000)}`);
      await sleep(200);
    }
  }

  /** Forgets the past: watches from before are answered 410 once the server has no memory of its own either. */
  async compact(): Promise<void> {
    const base = `http://127.0.0.1:${this.etcdPort}/v3/kv`;
    const range = await request(`${base}/range`, { method: 'POST', body: JSON.stringify({ key: 'AA==' }) });
    const { header } = (await range.body.json()) as { header: { revision: string } };
    const body = JSON.stringify({ revision: header.revision, physical: true });
    const answer = await request(`${base}/compaction`, { method: 'POST', body });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`compaction: ${answer.statusCode}`);
  }

  async stop(): Promise<void> {
    await this.agent?.close().catch(() => undefined);
    await end(this.server, 'SIGTERM');
    await end(this.etcd, 'SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async isReady(): Promise<boolean> {
    try {
      if (!existsSync(this.caPath)) return false;
      this.agent ??= new Agent({ connect: { ca: readFileSync(this.caPath) } });
      const answer = await this.call('GET', '/api/v1/namespaces/default');
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  private async startEtcd(): Promise<void> {
    this.etcdPort = await freePort();
    const peer = `http://127.0.0.1:${await freePort()}`;
    const client = `http://127.0.0.1:${this.etcdPort}`;
    const flags = [
      ['--data-dir', join(this.folder, 'etcd')],
      ['--listen-client-urls', client],
      ['--advertise-client-urls', client],
      ['--listen-peer-urls', peer],
      ['--initial-advertise-peer-urls', peer],
      ['--initial-cluster', `default=${peer}`],
    ].flat();
    this.etcd = spawn('/usr/bin/etcd', [...flags, '--unsafe-no-fsync'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = collect(this.etcd);
    for (const until = Date.now() + READY_MS_MAX; ; ) {
      try {
        const answer = await request(`${client}/health`);
        await answer.body.dump();
        if (answer.statusCode === 200) return;
      } catch {
        // Not yet.
      }
      if (Date.now() > until || this.etcd.exitCode !== null)
        throw new Error(`etcd does not start:\n${log()}`);
      await sleep(100);
    }
  }

  private writeFiles(): void {
    mkdirSync(join(this.folder, 'certs'));
    const key = join(this.folder, 'service-account.key');
    execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' });
    const rows = [...this.tokens].map(([token, { user, groups }]) => `${token},${user},${user},"${groups}"`);
    writeFileSync(join(this.folder, 'tokens.csv'), `${rows.join('\n')}\n`, { mode: 0o600 });
  }

  private serverFlags(): string[] {
    const key = join(this.folder, 'service-account.key');
    return [
      `--etcd-servers=http://127.0.0.1:${this.etcdPort}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${this.port}`,
      '--insecure-port=0',
      `--cert-dir=${join(this.folder, 'certs')}`,
      `--token-auth-file=${join(this.folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://lab.invalid',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      // Nobody makes service accounts for namespaces here.
      '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
      '--allow-privileged=true',
      '--v=0',
    ];
  }
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-100_000);
    });
  }
  return () => text;
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await gone;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}
