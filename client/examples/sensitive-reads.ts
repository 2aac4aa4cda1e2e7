/**
 * Who opened what nobody should? Two named filters on one stream, and for each match a question in the middle of the rule:
 * fields that were not part of the stream, as of that very event.
 *
 *   node client/examples/sensitive-reads.ts [ADDRESS]
 */
import { StrataClient } from '../strata-client.ts';

const client = new StrataClient(process.argv[2] ?? 'unix:/run/strata/strata.sock');

const stream = client.streamEvents(
  {
    filters: [
      { name: 'password hashes', condition: 'evt.type in (open, openat) and fd.name = /etc/shadow' },
      { name: 'home of root', condition: 'evt.type in (open, openat) and fs.path.name startswith /root' },
    ],
    fields: ['evt.num', 'evt.res', 'proc.name', 'user.name'],
  },
  { onGap: (gap) => console.error(`lost ${gap.lostCount} events`) },
);

for await (const event of stream) {
  const { rows } = await client.extractFields({
    fields: ['proc.cmdline', 'proc.pcmdline'],
    targets: [{ key: { $case: 'eventNumber', value: BigInt(String(event.get('evt.num'))) } }],
    // The server replays its capture for this stream alone; its state is not that of other streams.
    scope: { subscriptionId: stream.started?.subscriptionId ?? '' },
  });
  const [command, parent] = (rows[0]?.values ?? []).map(({ kind }) =>
    kind?.$case === 'bytesValue' ? kind.value.toString() : '<NA>',
  );
  const { 'user.name': user, 'evt.res': result } = event.toObject();
  console.log(`${event.matchedFilters.join()}: ${user} ran "${command}" from "${parent}": ${result}`);
}
client.close();
