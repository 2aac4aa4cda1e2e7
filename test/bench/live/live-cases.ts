/** Benchmarks of live capture: each prints lines of a table. They need what live tests need. */
import { benchIdle, benchSteady } from './cpu.ts';
import { benchLatency } from './latency.ts';
import { benchReady } from './ready.ts';
import { benchSlowdown } from './slowdown.ts';

export interface LiveBenchOptions {
  readonly isQuick: boolean;
  readonly runs: number | undefined;
}

export interface LiveCase {
  readonly name: string;
  readonly description: string;
  readonly run: (options: LiveBenchOptions) => Promise<void>;
}

const PARTS: readonly LiveCase[] = [
  {
    name: 'live-slowdown',
    description: 'dd bs=1 without a probe, with process events, with what the state needs, with everything',
    run: benchSlowdown,
  },
  {
    name: 'live-latency',
    description: 'from the system call to the gRPC client: idle, and at 20,000 events a second',
    run: benchLatency,
  },
  {
    name: 'live-ready',
    description: 'from the start to the first answer, with 2,000 processes',
    run: benchReady,
  },
  { name: 'live-idle', description: 'processor time of a server that nobody asks anything', run: benchIdle },
  {
    name: 'live-steady',
    description: 'processor time at 20,000 events a second for a subscription on 10 fields',
    run: benchSteady,
  },
];

export const LIVE_CASES: readonly LiveCase[] = [
  ...PARTS,
  {
    name: 'live',
    description: 'all benchmarks of live capture in one run',
    run: async (options) => {
      for (const part of PARTS) {
        console.log(`\n${part.name}: ${part.description}`);
        await part.run(options);
      }
    },
  },
];
