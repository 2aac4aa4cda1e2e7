/**
 * Containers that come and go by the hundred, in a process of its own: the test runner follows every promise, which would take ten
 * times as long. Prints what is left behind as JSON.
 */
import { ScriptedHub } from './scripted-hub.ts';
import { scriptedContainer } from './scripted-runtime.ts';

const ROUND = 100;

async function churn(count: number): Promise<Record<string, number>> {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  const containerd = bed.runtime('containerd');
  docker.peek = (fullId) => docker.peekInto(fullId);
  await bed.start('docker', 'containerd');
  const timersBefore = bed.clock.timerCount;
  let sizeMax = 0;
  for (let round = 0; round < count / ROUND; round++) {
    const ids = Array.from({ length: ROUND }, (_, i) => `c${round * ROUND + i}`);
    for (const id of ids) {
      docker.create(scriptedContainer(id));
      containerd.create(scriptedContainer(id, {}, { namespace: 'moby' }));
      if (round % 3 === 0) bed.want(id, 'docker');
      docker.start(id);
    }
    await turn();
    sizeMax = Math.max(sizeMax, bed.hub.size);
    for (const id of ids) {
      docker.end(id);
      containerd.end(id);
    }
    if (round % 2 === 0) await turn();
    for (const id of ids) bed.forget(id);
    for (const { asked } of bed.runtimes.values()) asked.length = 0;
    bed.updates.length = 0;
  }
  await bed.clock.advance(10_000);
  const left = {
    known: bed.known.size,
    rows: bed.status('docker').containerCount + bed.status('containerd').containerCount,
    size: bed.hub.size,
    sizeMax,
    timers: bed.clock.timerCount - timersBefore,
    prefetched: bed.hub.counters.prefetched,
  };
  await bed.hub.stop();
  return left;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

process.stdout.write(JSON.stringify(await churn(Number(process.argv[2]))));
