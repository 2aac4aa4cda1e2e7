/** Nothing is lost at 20,000 events a second; and under overload every event is delivered or counted as lost, exactly. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { GapCause } from '../../proto/gen/strata/v1/event_service.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { type LiveServer, withLiveServer } from './helpers/live-server.ts';
import { LoadProcess } from './helpers/load-process.ts';

/** Seconds of steady load; as long as the product promises. */
const SECONDS = Number(process.env['STRATA_LIVE_LOSS_SECONDS'] ?? 60);
const RATE = 20_000;
const DRAIN_MS = 10_000;
const SETTLE_MS = 1500;
const FIELDS = [
  ...['evt.num', 'evt.rawtime', 'evt.type', 'evt.rawres', 'fd.num'],
  ...['fd.name', 'proc.name', 'proc.pid', 'proc.exepath', 'user.name'],
];

test(`no event is lost in ${SECONDS} s of ${RATE} events a second`, liveOrSkip('python3'), async () => {
  await withLiveServer(async (server) => {
    const load = await LoadProcess.start('steady.py', RATE, SECONDS);
    const watch = watchEvents(server, `proc.pid = ${load.pid} and evt.type in (openat, close)`);
    await watch.started;
    const calls = await load.run();
    // Python itself opens and closes a few files at its end.
    const got = await watch.end((count) => count >= calls);
    assert.deepEqual(watch.gaps, [], 'gaps');
    assert.ok(got >= calls && got < calls + 1000, `${got} events of ${calls} calls`);
    assert.equal(await lostByCapture(server), 0n, 'counted as lost');
  });
});

test('gaps add up to what the capture counts as lost', liveOrSkip('python3'), async () => {
  await withLiveServer(
    async (server) => {
      const beforeStart = await lostByCapture(server);
      // Asks for what dd does, and matches nothing: whatever is missing is missing in the capture.
      const watch = watchEvents(server, 'evt.type in (read, write) and fd.num = 98765');
      await watch.started;
      const afterStart = await lostByCapture(server);
      await Promise.all([copyBytes(), copyBytes()]);
      const beforeEnd = await lostByCapture(server);
      await watch.end(() => false, SETTLE_MS);
      const afterEnd = await lostByCapture(server);
      const told = watch.gaps
        .filter(({ cause }) => cause === GapCause.CAPTURE_LOSS)
        .reduce((sum, { lostCount }) => sum + lostCount, 0n);
      // The subscription began and ended between two readings of the counter each; on a quiet machine they are the same.
      const [least, most] = [beforeEnd - afterStart, afterEnd - beforeStart];
      assert.ok(least > 100_000n, `the rings were to overflow, ${least} were lost`);
      assert.ok(least <= told && told <= most, `gaps tell of ${told}, lost were ${least} to ${most}`);
    },
    ['--ring-bytes', '4096'],
  );
});

/** Far more system calls than a ring of a page holds. */
async function copyBytes(): Promise<void> {
  const child = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=300000'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
}

async function lostByCapture(server: LiveServer): Promise<bigint> {
  const { counters } = await server.client.getCounters();
  const row = counters.find(({ name }) => name === 'capture_events_lost');
  if (row === undefined)
    throw new Error(`no counter capture_events_lost among ${counters.map(({ name }) => name)}`);
  return row.value;
}

interface Watch {
  readonly started: Promise<void>;
  readonly gaps: { cause: GapCause; lostCount: bigint }[];
  /** Reads on until `isEnough` or for a while, then gives up the stream. Resolves to the events seen. */
  end(isEnough: (count: number) => boolean, drainMs?: number): Promise<number>;
}

function watchEvents(server: LiveServer, condition: string): Watch {
  const gaps: Watch['gaps'] = [];
  let onStarted: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    onStarted = resolve;
  });
  const stream = server.client.streamEvents(
    { filters: [{ name: '', condition }], fields: FIELDS, start: { $case: 'live', value: {} } },
    { onStarted, onGap: ({ cause, lostCount }) => gaps.push({ cause, lostCount }) },
  );
  let count = 0;
  const reading = (async () => {
    for await (const batch of stream.batches()) count += batch.count;
  })();
  return {
    started,
    gaps,
    end: async (isEnough, drainMs = DRAIN_MS) => {
      const deadline = Date.now() + drainMs;
      while (!isEnough(count) && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 50));
      stream.cancel();
      await reading;
      return count;
    },
  };
}
