/** A daemon of the lab: a process with a log and a socket, ended with its owner. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

export interface DaemonSpec {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly socketPath: string;
  readonly logPath: string;
  readonly env?: NodeJS.ProcessEnv;
}

export class Daemon {
  readonly spec: DaemonSpec;
  private child: ChildProcess | undefined;
  private ended: Promise<void>;

  constructor(spec: DaemonSpec) {
    this.spec = spec;
    this.child = undefined;
    this.ended = Promise.resolve();
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves when it accepts connections. Rejects with the end of its log. */
  async start(): Promise<void> {
    const { command, logPath, env } = this.spec;
    const log = openSync(logPath, 'a');
    // Ends with this process, however that ends: nothing is left behind by a killed test.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...command], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
      detached: true,
    });
    closeSync(log);
    this.child = child;
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    child.once('exit', () => {
      if (this.child === child) this.child = undefined;
      ended.resolve();
    });
    child.once('error', () => ended.resolve());
    const endMs = Date.now() + READY_TIMEOUT_MS;
    while (!(await accepts(this.spec.socketPath))) {
      if (this.child !== child || Date.now() > endMs) {
        await this.stop();
        throw new Error(`${this.spec.name} did not start:\n${this.logTail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Asks it to end, insists after a while; does nothing when it has ended. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Ends it without a chance to clean up. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  logTail(): string {
    return readFileSync(this.spec.logPath, 'utf8').slice(-3000);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child === undefined) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
