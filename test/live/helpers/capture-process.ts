/**
 * `capture-process.ts OPTIONS`: live capture alone, in a process of its own, which is not captured itself. Options are one JSON
 * object (`CaptureRequest`). Prints a line when it captures; ends when standard input ends, after having read what there is;
 * prints `CaptureSummary` as its last line.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import {
  NEXT_END,
  NEXT_EVENT,
  NEXT_NEED_MORE,
  type NextResult,
} from '../../../server/capture/capture-engine.ts';
import { EbpfEngine } from '../../../server/capture/ebpf/ebpf-engine.ts';
import { EventRecord } from '../../../server/event/event-record.ts';
import { EVENT_TABLE } from '../../../server/event/event-table.ts';
import { type CaptureRequest, type CaptureSummary, LIVE_DEFAULTS } from './capture-request.ts';
import { IGNORING_SINK } from './ignoring-sink.ts';

/** Before the records of a file: length and cpu. */
const PREFIX_BYTES = 8;
const CHUNK_BYTES = 1 << 20;
const TURN_EVENTS = 16_384;
/** How long nothing must come before what was generated counts as read. */
const QUIET_MS = 200;

async function main(): Promise<void> {
  const request = JSON.parse(process.argv[2] as string) as CaptureRequest;
  const engine = new EbpfEngine({ ...LIVE_DEFAULTS, ...request.options });
  await engine.open(IGNORING_SINK);
  if (request.interest !== undefined) engine.setInterest(interestOf(request.interest));
  const out = request.outPath === undefined ? undefined : new RecordFile(request.outPath);
  let isStopping = false;
  let isPaused = request.isPaused ?? false;
  let lastAt = performance.now();
  process.stdin.on('data', () => {
    isPaused = false;
  });
  process.stdin.on('end', () => {
    isStopping = true;
    lastAt = performance.now();
    isPaused = false;
  });
  process.stdout.write('ready\n');
  const record = new EventRecord();
  let delivered = 0;
  const cpuBefore = process.cpuUsage();
  while (!isStopping || performance.now() - lastAt < QUIET_MS) {
    if (isPaused) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      continue;
    }
    let result: NextResult = NEXT_EVENT;
    // A turn ends after a while: standard input must be heard.
    for (let turn = 0; turn < TURN_EVENTS && result === NEXT_EVENT; turn++) {
      result = engine.next(record);
      if (result !== NEXT_EVENT) break;
      delivered++;
      out?.add(record);
      lastAt = performance.now();
    }
    if (result === NEXT_END) break;
    if (isStopping) engine.setInterest(new Uint8Array(EVENT_TABLE.length));
    if (result === NEXT_NEED_MORE) await engine.fill();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  const cpu = process.cpuUsage(cpuBefore);
  // Brings the counters up to date, too.
  const status = engine.status();
  const summary: CaptureSummary = {
    delivered,
    eventsLost: engine.counters.eventsLost,
    cpuS: (cpu.user + cpu.system) / 1e6,
    status: { ...status, snapshotEndNs: String(status.snapshotEndNs) },
  };
  await engine.close();
  out?.close();
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  process.stdin.destroy();
}

/** `all`: every outcome and payload of every type; else names of events. */
function interestOf(wanted: 'all' | readonly string[]): Uint8Array {
  const types = new Uint8Array(EVENT_TABLE.length);
  for (const row of EVENT_TABLE) {
    if (wanted === 'all' || wanted.includes(row.name)) types[row.id] = 7;
  }
  return types;
}

/** Collects records and writes many at a time: a call for each would be too slow. */
class RecordFile {
  private readonly fd: number;
  private readonly chunk: Buffer;
  private used: number;

  constructor(path: string) {
    this.fd = openSync(path, 'w');
    this.chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    this.used = 0;
  }

  add(record: EventRecord): void {
    if (this.used + PREFIX_BYTES + record.length > CHUNK_BYTES) this.flush();
    this.chunk.writeUInt32LE(record.length, this.used);
    this.chunk.writeUInt32LE(record.cpu, this.used + 4);
    record.bytes.copy(this.chunk, this.used + PREFIX_BYTES, record.offset, record.offset + record.length);
    this.used += PREFIX_BYTES + record.length;
  }

  close(): void {
    this.flush();
    closeSync(this.fd);
  }

  private flush(): void {
    writeSync(this.fd, this.chunk, 0, this.used);
    this.used = 0;
  }
}

await main();
