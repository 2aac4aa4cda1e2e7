/**
 * How much slower a program of nothing but system calls gets. The variants take turns in every round, so that the machine is
 * the same for all; what counts is the ratio to the run without a probe in the same round. The ratio of dd's processor time is what
 * the probe itself costs; that of the wall clock holds the competition for cores, too, when the machine is busy.
 */
import { loadavg } from 'node:os';
import { EngineCapture } from '../../live/helpers/engine-capture.ts';
import { startLiveServer } from '../../live/helpers/live-server.ts';
import { measure, median, type Usage } from '../measure.ts';
import type { LiveBenchOptions } from './live-cases.ts';

/** Peers on a machine of the same kind; docs/decisions/20261123-live-baseline.md. */
const PROCESS_EVENTS = ['execve', 'execveat', 'clone', 'clone3', 'fork', 'vfork', 'procexit'];

interface Variant {
  readonly name: string;
  readonly peer: string;
  /** Attaches; resolves to what detaches, and tells the processor time spent if it knows. */
  readonly attach: () => Promise<() => Promise<string>>;
}

const VARIANTS: readonly Variant[] = [
  { name: 'no probe', peer: '', attach: async () => async () => '' },
  {
    name: 'process events only',
    peer: '1.54',
    attach: async () => {
      const capture = await EngineCapture.start({ interest: PROCESS_EVENTS });
      return async () => {
        await capture.end();
        return '';
      };
    },
  },
  { name: 'what the state needs', peer: '1.69', attach: () => attachServer(undefined) },
  // True of no event, and of no use for leaving out event types.
  { name: 'everything', peer: '3.68', attach: () => attachServer('proc.name = "no such name"') },
];

async function attachServer(condition: string | undefined): Promise<() => Promise<string>> {
  const server = await startLiveServer();
  const stream =
    condition === undefined
      ? undefined
      : server.client.streamEvents({
          filters: [{ name: '', condition }],
          fields: ['evt.num'],
          start: { $case: 'live', value: {} },
        });
  const messages = stream?.messages();
  await messages?.next();
  return async () => {
    const { counters } = await server.client.getCounters();
    const lost = counters.find(({ name }) => name === 'capture_events_lost')?.value ?? 0n;
    const events = counters.find(({ name }) => name === 'events_read')?.value;
    stream?.cancel();
    await server.stop();
    return `${events === undefined ? '' : `${events} events, `}${lost} lost`;
  };
}

export async function benchSlowdown({ isQuick, runs }: LiveBenchOptions): Promise<void> {
  const argv = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', `count=${isQuick ? 500_000 : 2_000_000}`];
  const loadBefore = loadavg()[0]?.toFixed(1);
  const rounds = runs ?? (isQuick ? 3 : 5);
  const usages = new Map<string, Usage[]>(VARIANTS.map(({ name }) => [name, []]));
  const notes = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, attach } of VARIANTS) {
      const detach = await attach();
      const usage = measure(argv);
      notes.set(name, await detach());
      if (usage !== undefined) usages.get(name)?.push(usage);
    }
  }
  const base = usages.get('no probe') as Usage[];
  const ratio = (times: readonly Usage[], of: (usage: Usage) => number): string =>
    median(times.map((time, i) => of(time) / of(base[i] as Usage))).toFixed(2);
  console.log(`${argv.join(' ')}, ${rounds} rounds; load of the machine before: ${loadBefore}`);
  for (const { name, peer } of VARIANTS) {
    const times = usages.get(name) as Usage[];
    const told = notes.get(name) ?? '';
    console.log(
      `${name.padEnd(24)} ${median(times.map(({ wallS }) => wallS)).toFixed(2)} s  x ${ratio(times, ({ wallS }) => wallS)}` +
        `  processor time x ${ratio(times, ({ cpuS }) => cpuS)}` +
        `${peer === '' ? '' : `  (peer x ${peer})`}${told === '' ? '' : `  last round: ${told}`}`,
    );
  }
}
