/** A load generator: started, told when to go, asked what it did. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const PYTHON = '/usr/bin/python3';

export class LoadProcess {
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly ended: Promise<void>;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.pid = child.pid as number;
    if (child.stdout === null) throw new Error('no output');
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /** Starts `test/live/load/NAME` and waits until it is ready. */
  static async start(name: string, ...args: readonly (string | number)[]): Promise<LoadProcess> {
    const script = fileURLToPath(new URL(`../load/${name}`, import.meta.url));
    const child = spawn(PYTHON, ['-B', script, ...args.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const load = new LoadProcess(child);
    const { value } = await load.lines.next();
    if (value !== 'ready') throw new Error(`${name} is not ready: ${value}`);
    return load;
  }

  /** Lets it go, waits for its end; resolves to the number it prints. */
  async run(): Promise<number> {
    this.child.stdin?.write('go\n');
    const { value } = await this.lines.next();
    await this.ended;
    return Number(value);
  }

  /** Ends a load that runs until its input ends. */
  async stop(): Promise<void> {
    this.child.stdin?.end();
    await this.ended;
  }
}
