/** A process of its own for `churnContainers`, whose heap nobody else's bookkeeping is in: `CONTAINERS WARM_UP`, prints the report as JSON. */
import { churnContainers } from './container-churn.ts';

const [containers, warmUp] = process.argv.slice(2).map(Number);
const report = await churnContainers(containers ?? 0, warmUp ?? 0);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
