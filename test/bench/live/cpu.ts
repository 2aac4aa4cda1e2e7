/** Processor time of the whole server process, as a share of one core. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LiveServer, withLiveServer } from '../../live/helpers/live-server.ts';
import { LoadProcess } from '../../live/helpers/load-process.ts';
import type { LiveBenchOptions } from './live-cases.ts';

const TICKS_PER_S = 100;
const SETTLE_MS = 2000;
const RATE = 20_000;
const FIELDS = [
  ...['evt.num', 'evt.rawtime', 'evt.type', 'evt.rawres', 'fd.num'],
  ...['fd.name', 'proc.name', 'proc.pid', 'proc.exepath', 'user.name'],
];

export async function benchIdle({ isQuick }: LiveBenchOptions): Promise<void> {
  const seconds = isQuick ? 5 : 20;
  await withLiveServer(
    async (server) => {
      await sleep(SETTLE_MS);
      console.log(
        `nothing happens (all else suppressed): ${await shareOf(server, () => sleep(seconds * 1000))}`,
      );
    },
    ['--suppress-cgroup', '/'],
  );
  await withLiveServer(async (server) => {
    await sleep(SETTLE_MS);
    console.log(`nobody subscribed: ${await shareOf(server, () => sleep(seconds * 1000))}`);
    const stream = subscribe(server, 'evt.type = openat and fd.name = /no/such/file');
    await sleep(SETTLE_MS);
    console.log(`one subscription that never matches: ${await shareOf(server, () => sleep(seconds * 1000))}`);
    await stream.end();
  });
}

export async function benchSteady({ isQuick }: LiveBenchOptions): Promise<void> {
  await withLiveServer(async (server) => {
    const load = await LoadProcess.start('steady.py', RATE, isQuick ? 5 : 20);
    const stream = subscribe(server, `proc.pid = ${load.pid} and evt.type in (openat, close)`);
    await sleep(SETTLE_MS);
    const share = await shareOf(server, () => load.run());
    await sleep(SETTLE_MS / 4);
    const { events, gaps } = await stream.end();
    console.log(`${RATE} events/s: ${share}; ${events} delivered, ${gaps} gaps`);
  });
}

function subscribe(
  server: LiveServer,
  condition: string,
): { end: () => Promise<{ events: number; gaps: number }> } {
  let events = 0;
  let gaps = 0;
  const stream = server.client.streamEvents(
    { filters: [{ name: '', condition }], fields: FIELDS, start: { $case: 'live', value: {} } },
    { onGap: () => gaps++ },
  );
  const reading = (async () => {
    for await (const batch of stream.batches()) events += batch.count;
  })();
  return {
    end: async () => {
      stream.cancel();
      await reading;
      return { events, gaps };
    },
  };
}

async function shareOf(server: LiveServer, work: () => Promise<unknown>): Promise<string> {
  const eventsBefore = await eventCount(server);
  const before = cpuSeconds(server.pid);
  const started = performance.now();
  await work();
  const wall = (performance.now() - started) / 1000;
  const cpu = cpuSeconds(server.pid) - before;
  const rate = Number((await eventCount(server)) - eventsBefore) / wall;
  return `${((100 * cpu) / wall).toFixed(1)} % of a core (${cpu.toFixed(2)} s in ${wall.toFixed(1)} s, ${rate.toFixed(0)} events/s read)`;
}

async function eventCount(server: LiveServer): Promise<bigint> {
  return (await server.client.getStatus()).sources[0]?.eventCount ?? 0n;
}

/** Since the process started. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}
