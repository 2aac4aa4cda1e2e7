/** Time from a system call (the stamp the kernel side put on it) to the client that has decoded its event. */
import { type LiveServer, withLiveServer } from '../../live/helpers/live-server.ts';
import { LoadProcess } from '../../live/helpers/load-process.ts';
import type { LiveBenchOptions } from './live-cases.ts';

const RATE = 20_000;
const MARKER_INTERVAL_MS = 5;

export async function benchLatency({ isQuick }: LiveBenchOptions): Promise<void> {
  const seconds = isQuick ? 3 : 10;
  await withLiveServer(async (server) => {
    for (const latencyMsMax of [1, 100]) {
      const marker = await LoadProcess.start('marker.py', MARKER_INTERVAL_MS, seconds * 150);
      report(`idle, batches of ${latencyMsMax} ms`, await watch(server, marker, latencyMsMax));
    }
    for (const latencyMsMax of [1, 100]) {
      const load = await LoadProcess.start('steady.py', RATE, seconds);
      report(`${RATE}/s, batches of ${latencyMsMax} ms`, await watch(server, load, latencyMsMax));
    }
  });
}

/** Nanoseconds of every event of the load. */
async function watch(server: LiveServer, load: LoadProcess, latencyMsMax: number): Promise<number[]> {
  const clock = wallClock();
  const stream = server.client.streamEvents({
    filters: [{ name: '', condition: `proc.pid = ${load.pid} and evt.type in (openat, close)` }],
    fields: ['evt.rawtime', 'evt.type', 'fd.num', 'proc.name'],
    batchLimits: { latencyMsMax },
    start: { $case: 'live', value: {} },
  });
  const delays: number[] = [];
  let onStarted: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    onStarted = resolve;
  });
  const reading = (async () => {
    for await (const { message } of stream.messages()) {
      if (message?.$case === 'started') onStarted();
      if (message?.$case !== 'batch') continue;
      const now = clock();
      const times = message.value.columns[0]?.unsignedValues ?? [];
      for (const time of times) delays.push(Number(now - BigInt(time)));
    }
  })();
  await started;
  await load.run();
  await new Promise((resolve) => setTimeout(resolve, 500));
  stream.cancel();
  await reading;
  return delays;
}

/** Nanoseconds since the epoch, finer than a millisecond: found by waiting for the millisecond to turn. */
function wallClock(): () => bigint {
  let best: bigint | undefined;
  for (let i = 0; i < 20; i++) {
    const start = Date.now();
    while (Date.now() === start);
    const offset = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
    // Being interrupted between the two makes the offset small, never large.
    if (best === undefined || offset > best) best = offset;
  }
  const offset = best as bigint;
  return () => process.hrtime.bigint() + offset;
}

function report(name: string, delays: number[]): void {
  delays.sort((a, b) => a - b);
  const at = (share: number): string =>
    `${((delays[Math.floor(share * (delays.length - 1))] ?? Number.NaN) / 1e6).toFixed(2)} ms`;
  console.log(
    `${name.padEnd(32)} p50 ${at(0.5)}  p95 ${at(0.95)}  p99 ${at(0.99)}  max ${at(1)}  (${delays.length} events)`,
  );
}
