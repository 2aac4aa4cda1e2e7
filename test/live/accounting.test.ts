/** At any load: built in the kernel = delivered + counted as lost, exactly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineCapture } from './helpers/engine-capture.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { LoadProcess } from './helpers/load-process.ts';

for (const { name, isPaused, ringBytes } of [
  { name: 'nobody reads', isPaused: true, ringBytes: 65_536 },
  { name: 'the reader is too slow', isPaused: false, ringBytes: 4096 },
  { name: 'there is room', isPaused: false, ringBytes: 64 * 1024 * 1024 },
]) {
  test(`generated = delivered + lost when ${name}`, liveOrSkip('python3'), async () => {
    const capture = await EngineCapture.start({ interest: 'all', isPaused, options: { ringBytes } });
    const load = await LoadProcess.start('flood.py', 4, 20_000);
    await load.run();
    capture.resume();
    const { summary } = await capture.end();
    const { status, delivered, eventsLost } = summary;
    const byCause = status.lostByCause.reduce((sum, { count }) => sum + count, 0);
    const byType = status.lostByType.reduce((sum, { count }) => sum + count, 0);
    const lost = (cause: string): number => status.lostByCause.find((row) => row.name === cause)?.count ?? 0;
    // What was given up before it was built, or never seen, is lost too, but was not generated.
    assert.equal(
      status.generated,
      delivered + lost('ring-full') + lost('malformed'),
      'generated = delivered + lost',
    );
    assert.equal(byCause, eventsLost, 'sum over causes');
    assert.ok(byType <= eventsLost, 'sum over types');
    assert.equal(status.failed, 0, 'records given up');
    if (isPaused) assert.ok(eventsLost > 50_000, `${eventsLost} lost`);
  });
}
