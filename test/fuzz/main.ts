/** Runs the fuzzers: `npm run -s fuzz -- [--target NAME] [--iterations N] [--seed N]`. The seed is printed. */
import { parseArgs } from 'node:util';
import { runChurn } from './churn.ts';
import { runContainerFuzz } from './container.ts';
import { runFilterFuzz } from './filter.ts';
import { runProcfsFuzz } from './procfs.ts';
import { runRuntimesFuzz } from './runtimes.ts';
import { runSavefileFuzz } from './savefile.ts';

const TARGETS = {
  savefile: runSavefileFuzz,
  filter: runFilterFuzz,
  procfs: runProcfsFuzz,
  container: runContainerFuzz,
  runtimes: runRuntimesFuzz,
  churn: runChurn,
};

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    iterations: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
  },
});

for (const [name, run] of Object.entries(TARGETS)) {
  if (values.target !== undefined && values.target !== name) continue;
  console.log(`fuzz ${name}: ${values.iterations} iterations, seed ${values.seed}`);
  await run({ iterations: Number(values.iterations), seed: Number(values.seed) });
}
