/** How soon a server answers on a node with many processes. */
import { startLiveServer } from '../../live/helpers/live-server.ts';
import { LoadProcess } from '../../live/helpers/load-process.ts';
import { median } from '../measure.ts';
import type { LiveBenchOptions } from './live-cases.ts';

const PROCESSES = 2000;

export async function benchReady({ isQuick, runs }: LiveBenchOptions): Promise<void> {
  const crowd = await LoadProcess.start('crowd.py', PROCESSES);
  try {
    const times: number[] = [];
    let threads = 0n;
    for (let run = 0; run < (runs ?? (isQuick ? 3 : 5)); run++) {
      const server = await startLiveServer();
      times.push(server.readyMs);
      const { tables } = await server.client.getStatus();
      threads = tables.find(({ name }) => name === 'threads')?.rowCount ?? 0n;
      await server.stop();
    }
    console.log(
      `ready after ${median(times).toFixed(0)} ms (${times.map((time) => time.toFixed(0)).join(', ')}), ${threads} threads`,
    );
  } finally {
    await crowd.stop();
  }
}
