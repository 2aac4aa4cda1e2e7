/** `node test/bench/filter-stream.ts CAPTURE CONDITION...`: a server and a client that asks for one filter per condition. */
import { writeSync } from 'node:fs';
import { startAppFixture } from '../helpers/app-fixture.ts';

const [capture = '', ...conditions] = process.argv.slice(2);
const { client, close } = await startAppFixture({ capture });
const filters = conditions.map((condition, i) => ({ name: `rule-${i}`, condition }));
let matched = 0;
for await (const batch of client.streamEvents({ filters, fields: ['evt.num'] }).batches())
  matched += batch.count;
await close();
writeSync(1, `${matched}\n`);
