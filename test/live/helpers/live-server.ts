/** The whole server on live capture, as a process of its own, and a client of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StrataClient } from '../../../client/strata-client.ts';

const SERVER = fileURLToPath(new URL('../../../server/main.ts', import.meta.url));
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

export interface LiveServer {
  readonly pid: number;
  readonly client: StrataClient;
  readonly socketPath: string;
  /** Time from the start of the process to the first answer. */
  readonly readyMs: number;
  /** What it logged so far. */
  log(): string;
  /** Kills without a chance to clean up. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Rejects, with the server's log, when it ends before it serves. */
export async function startLiveServer(args: readonly string[] = []): Promise<LiveServer> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-live-'));
  const socketPath = join(folder, 'live.sock');
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [SERVER, '--capture-engine', 'ebpf', '--listen', `unix:${socketPath}`, '--log-level', 'info', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const text: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => text.push(chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const client = new StrataClient(`unix:${socketPath}`);
  const clean = async (): Promise<void> => {
    client.close();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([
      serving(client, text),
      ended.then(() => Promise.reject(new Error('the server ended'))),
    ]);
  } catch (error) {
    child.kill('SIGKILL');
    await clean();
    throw new Error(`the live server did not start:\n${text.join('')}`, { cause: error });
  }
  return {
    pid: child.pid as number,
    client,
    socketPath,
    readyMs: performance.now() - started,
    log: () => text.join(''),
    kill: async () => {
      child.kill('SIGKILL');
      await clean();
    },
    stop: async () => {
      await endOf(child, ended);
      await clean();
    },
  };
}

/** The socket appears when the state is complete; until then a connection is refused. */
async function serving(client: StrataClient, text: readonly string[]): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!text.join('').includes('"serving"')) {
    if (Date.now() > deadline) throw new Error('no sign of life');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await client.waitForReady(READY_TIMEOUT_MS);
}

async function endOf(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

/** Runs `body` against a server of its own. */
export async function withLiveServer(
  body: (server: LiveServer) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const server = await startLiveServer(args);
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}
