/** Filters change while events flow: every event is judged by exactly the old or the new ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withApp } from '../helpers/app-fixture.ts';

const CHANGES = 12;
/** Half of the events each, and one that none of them has. */
const SETS = [
  { even: 'evt.num >= 0 and evt.num < 100000000', odd: 'evt.num exists' },
  { low: 'evt.num <= 1000000000', high: 'evt.type exists or evt.num > 0' },
] as const;

test('no event is lost or seen twice while filters are added and removed', () =>
  withApp(async ({ client }) => {
    const named = (turn: number) =>
      Object.entries(SETS[turn % 2] as Record<string, string>).map(([name, condition]) => ({
        name: `${name}-${turn}`,
        condition,
      }));
    const stream = client.streamEvents({
      // Wide events, so that the replay waits for the client.
      fields: ['evt.num', ...Array.from({ length: 40 }, () => 'proc.env')],
      filters: named(0),
      batchLimits: { eventsMax: 16 },
      backlogBytesMax: 65_536n,
    });
    let turn = 0;
    let seen = 0;
    let last = 0;
    const turnsSeen = new Set<number>();
    for await (const event of stream) {
      const num = Number(event.get('evt.num'));
      assert.ok(num > last, `event ${num} after ${last}`);
      last = num;
      const turns = new Set(event.matchedFilters.map((name) => Number(name.split('-')[1])));
      assert.deepEqual(
        [event.matchedFilters.length, turns.size],
        [2, 1],
        `event ${num}: ${event.matchedFilters}`,
      );
      for (const each of turns) turnsSeen.add(each);
      seen++;
      if (seen % 40 === 0 && turn < CHANGES) {
        const removed = named(turn).map(({ name }) => name);
        turn++;
        await client.updateSubscription({
          subscriptionId: stream.started?.subscriptionId ?? '',
          addFilters: named(turn),
          removeFilterNames: removed,
        });
      }
    }
    assert.equal(seen, Number(stream.ended?.seenCount));
    assert.ok(turnsSeen.size > 2, `only the filters of turns ${[...turnsSeen]} were seen`);
  }));
