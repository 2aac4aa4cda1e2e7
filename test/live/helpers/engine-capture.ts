/** Live capture without a server, in a process of its own: what it delivers, and what it counts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EventRecord } from '../../../server/event/event-record.ts';
import { ObservedEvent } from '../workload/observed-event.ts';
import type { CaptureRequest, CaptureSummary } from './capture-request.ts';

const SCRIPT = fileURLToPath(new URL('./capture-process.ts', import.meta.url));

export class EngineCapture {
  readonly pid: number;
  /** From the start of the process until it captured. */
  readonly readyMs: number;
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly folder: string;
  private readonly path: string;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, folder: string, readyMs: number) {
    this.child = child;
    this.pid = child.pid as number;
    this.lines = lines;
    this.folder = folder;
    this.path = join(folder, 'records');
    this.readyMs = readyMs;
  }

  static async start(request: CaptureRequest & { readonly keepsRecords?: boolean }): Promise<EngineCapture> {
    const { keepsRecords, ...rest } = request;
    const folder = mkdtempSync(join(tmpdir(), 'strata-capture-'));
    const outPath = keepsRecords === true ? join(folder, 'records') : undefined;
    const started = performance.now();
    const child = spawn(process.execPath, [SCRIPT, JSON.stringify({ ...rest, outPath })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('no output');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    if (value !== 'ready') {
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`the capture did not start: ${value}`);
    }
    return new EngineCapture(child, lines, folder, performance.now() - started);
  }

  /** Lets a paused capture read. */
  resume(): void {
    this.child.stdin?.write('\n');
  }

  /** Reads what is left, then ends. `tids`: whose events to hand out. */
  async end(
    tids: ReadonlySet<number> = new Set(),
  ): Promise<{ summary: CaptureSummary; events: Map<number, ObservedEvent[]> }> {
    this.child.stdin?.end();
    try {
      const { value } = await this.lines.next();
      const summary = JSON.parse(String(value)) as CaptureSummary;
      return { summary, events: tids.size === 0 ? new Map() : this.readRecords(tids) };
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** Kills without a chance to clean up. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private readRecords(tids: ReadonlySet<number>): Map<number, ObservedEvent[]> {
    const bytes = readFileSync(this.path);
    const record = new EventRecord();
    record.attach(bytes);
    const events = new Map<number, ObservedEvent[]>();
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32LE(at);
      record.load(at + 8, bytes.readUInt32LE(at + 4), 0);
      at += 8 + length;
      if (!tids.has(record.tid)) continue;
      const list = events.get(record.tid) ?? [];
      list.push(new ObservedEvent(record));
      events.set(record.tid, list);
    }
    return events;
  }
}
