/**
 * Ends the process when the work under watch makes no progress: an endless loop on the main thread cannot be noticed from
 * within. The watching runs on a thread of its own.
 */
import { Worker } from 'node:worker_threads';

/** Text, as the worker must run without loading anything. It sees the counter and a text to print. */
const WATCH = `
const { workerData } = require('node:worker_threads');
const counter = new Int32Array(workerData.counter);
let seen = -1;
setInterval(() => {
  const now = Atomics.load(counter, 0);
  if (now === seen) {
    require('node:fs').writeSync(2, workerData.what + ': no progress in ' + workerData.periodMs + ' ms at step ' + now + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }
  seen = now;
}, workerData.periodMs);
`;

export class Watchdog {
  private readonly counter: Int32Array;
  private readonly worker: Worker;

  /** `what` names the work; a step may take up to `periodMs` milliseconds. */
  constructor(what: string, periodMs: number) {
    const shared = new SharedArrayBuffer(4);
    this.counter = new Int32Array(shared);
    this.worker = new Worker(WATCH, { eval: true, workerData: { counter: shared, what, periodMs } });
    this.worker.unref();
  }

  step(number: number): void {
    Atomics.store(this.counter, 0, number);
  }

  async stop(): Promise<void> {
    await this.worker.terminate();
  }
}
