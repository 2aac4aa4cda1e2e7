/**
 * Benchmarks by name: `npm run -s bench -- --case NAME [--quick] [--capture FILE] [--events N] [--runs N]`.
 *
 * Whole commands are timed in turn (ours, theirs, ours, theirs ...) on the same file in the same run, and what counts
 * are the ratios of processor time: absolute times of a shared machine say little. Nothing is asserted.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { liveRefusal } from '../live/helpers/live-permission.ts';
import { CASES } from './cases.ts';
import { CONTAINER_CASES } from './containers/container-cases.ts';
import { makeLargeCapture } from './large-capture.ts';
import { LIVE_CASES } from './live/live-cases.ts';
import { measure, median, type Usage } from './measure.ts';

const { values } = parseArgs({
  options: {
    case: { type: 'string', default: 'replay' },
    quick: { type: 'boolean', default: false },
    capture: { type: 'string' },
    events: { type: 'string' },
    runs: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

function usageLine(name: string, events: number, usages: readonly Usage[]): string {
  const cpu = median(usages.map((usage) => usage.cpuS));
  const wall = median(usages.map((usage) => usage.wallS));
  const rss = median(usages.map((usage) => usage.maxRssKb));
  const rate = (events / cpu / 1e6).toFixed(3);
  return `${name.padEnd(34)} ${rate.padStart(8)} M blocks/CPU s  cpu ${cpu.toFixed(2)} s  wall ${wall.toFixed(2)} s  rss ${Math.round(rss / 1024)} MB`;
}

async function main(): Promise<void> {
  if (values.list) {
    for (const entry of [...CASES, ...LIVE_CASES, ...CONTAINER_CASES])
      console.log(`${entry.name.padEnd(16)} ${entry.description}`);
    return;
  }
  const live = [...LIVE_CASES, ...CONTAINER_CASES].find((candidate) => candidate.name === values.case);
  if (live !== undefined) {
    const refusal = liveRefusal();
    if (refusal !== undefined) console.log(`skipped: ${refusal}`);
    else
      await live.run({
        isQuick: values.quick,
        runs: values.runs === undefined ? undefined : Number(values.runs),
      });
    return;
  }
  const entry = CASES.find((candidate) => candidate.name === values.case);
  if (entry === undefined) {
    console.error(`no case '${values.case}'; --list shows them`);
    process.exitCode = 2;
    return;
  }
  const wanted = Number(values.events ?? (values.quick ? 500_000 : 1_000_000));
  const runs = Number(values.runs ?? (values.quick ? 3 : 5));
  for (const source of values.capture === undefined ? entry.captures() : [values.capture]) {
    if (!existsSync(source)) {
      console.log(`skipped: no capture ${source}`);
      continue;
    }
    const large = makeLargeCapture(source, wanted);
    console.log(
      `${entry.name}: ${large.events} event blocks, ${(large.bytes / 1e6).toFixed(0)} MB, ${runs} runs`,
    );
    const results = new Map<string, Usage[]>();
    for (let run = 0; run <= runs; run++) {
      for (const command of entry.commands(large.path)) {
        const usage = measure(command.argv);
        // The first round warms caches.
        if (usage === undefined || run === 0) continue;
        results.set(command.name, [...(results.get(command.name) ?? []), usage]);
      }
    }
    for (const [name, usages] of results) console.log(usageLine(name, large.events, usages));
    const [ours, ...peers] = [...results];
    for (const [name, usages] of peers) {
      const ratios = usages.map((usage, i) => usage.cpuS / ((ours as [string, Usage[]])[1][i] as Usage).cpuS);
      console.log(
        `ratio to ${name}: ${median(ratios).toFixed(2)} (events per processor second, higher is better)`,
      );
    }
  }
}

await main();
