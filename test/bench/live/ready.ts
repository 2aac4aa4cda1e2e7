/** How soon a server answers on a node with many processes. */
import { startLiveServer } from '../../live/helpers/live-server.ts';
import { LoadProcess } from '../../live/helpers/load-process.ts';
import { median } from '../measure.ts';
import { cpuSeconds } from './cpu.ts';
import type { LiveBenchOptions } from './live-cases.ts';

const PROCESSES = 2000;

export async function benchReady({ isQuick, runs }: LiveBenchOptions): Promise<void> {
  const crowd = await LoadProcess.start('crowd.py', PROCESSES);
  try {
    const times: number[] = [];
    const cpu: number[] = [];
    const details: string[] = [];
    for (let run = 0; run < (runs ?? (isQuick ? 3 : 5)); run++) {
      const server = await startLiveServer();
      times.push(server.readyMs);
      cpu.push(cpuSeconds(server.pid));
      const { live } = (await server.client.getStatus()).sources[0] ?? {};
      details.push(
        `${live?.snapshotThreadCount} threads by ${live?.snapshotSource} in ${live?.snapshotDurationMs} ms`,
      );
      await server.stop();
    }
    console.log(
      `ready after ${median(times).toFixed(0)} ms (${times.map((time) => time.toFixed(0)).join(', ')}); processor time ${median(cpu).toFixed(2)} s; ${details.at(-1)}`,
    );
  } finally {
    await crowd.stop();
  }
}
