import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { SavefileEngine } from '../../../server/capture/savefile/savefile-engine.ts';
import { compileFilter } from '../../../server/filter/filter.ts';
import { Inspector } from '../../../server/inspector/inspector.ts';
import { Recording } from '../../../server/inspector/recording.ts';
import type { RecordingEnd, RecordingRequest } from '../../../server/inspector/recording-feed.ts';
import { OsState } from '../../../server/state/os-state.ts';
import {
  CollectedRecording,
  compareRecording,
  RECORD_ALL,
  recordFrom,
  runEvents,
  TestLoop,
} from '../../helpers/recording-fixture.ts';
import { replay } from '../../helpers/replay.ts';
import { ScapBuilder } from '../../helpers/scap-builder.ts';
import { readCaptureFile, withTempDir } from '../../helpers/scap-contents.ts';
import { fdRow, threadRow } from '../../helpers/scap-rows.ts';

const BUNDLED = join(import.meta.dirname, '../../../server/capture/bundled/quick-start.scap');

/** Reads of 100 bytes on a file, a microsecond apart, by a process that state and lists know. */
function readsCapture(count: number): Buffer {
  const builder = new ScapBuilder()
    .machine()
    .threads([threadRow()])
    .fds(100, [fdRow({ fd: 3, name: '/etc/hosts' })]);
  for (let i = 0; i < count; i++) {
    builder.event('PPME_SYSCALL_READ_X', [100, Buffer.alloc(100, 0x61), 3, 100], { tid: 100 });
  }
  return builder.bytes();
}

/** A recording that a test drives, over a capture written into `dir`. */
async function start(
  dir: string,
  bytes: Buffer,
  request: Partial<RecordingRequest>,
  isFile = true,
): Promise<{ inspector: Inspector; recording: Recording; recorded: CollectedRecording; loop: TestLoop }> {
  const path = join(dir, 'source.scap');
  await writeFile(path, bytes);
  const engine = new SavefileEngine({ path });
  engines.push(engine);
  const inspector = new Inspector(new OsState(), engine, { eventsMax: 0, bytesMax: 0 });
  await inspector.open();
  const recorded = new CollectedRecording();
  const loop = new TestLoop(inspector, isFile);
  const full = { ...RECORD_ALL, ...request };
  const recording = new Recording(full, compileFilter(full.condition), inspector.state, recorded, loop);
  recording.begin();
  inspector.addReader(recording);
  return { inspector, recording, recorded, loop };
}

async function contents(dir: string, bytes: Buffer) {
  const path = join(dir, 'recorded.scap');
  await writeFile(path, bytes);
  return readCaptureFile(path);
}

const engines: SavefileEngine[] = [];

describe('recording', () => {
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.close();
  });

  it('from the middle of a capture: all fields of all events are as they were', async () => {
    await withTempDir(async (dir) => {
      for (const skip of [0, 1000, 2500]) {
        const { events, differing } = await compareRecording(BUNDLED, skip, RECORD_ALL, dir);
        assert.ok(events > 500);
        // Both count from the first event of a capture.
        assert.deepEqual(
          differing.filter((field) => field !== 'evt.num' && !field.startsWith('evt.reltime')),
          [],
        );
      }
    });
  });

  it('under a filter: what matches has the values it had, the rest is state only or left out', async () => {
    await withTempDir(async (dir) => {
      const request = { ...RECORD_ALL, condition: 'evt.type = openat and fd.name startswith /etc' };
      const { events, differing, end } = await compareRecording(BUNDLED, 1000, request, dir);
      assert.ok(events > 10);
      assert.equal(end.progress.eventCount, events);
      assert.ok(end.progress.stateOnlyCount > 100);
      assert.ok(end.seenCount > end.progress.stateOnlyCount + end.progress.eventCount);
      // What came just before an event may have been left out.
      const relative = /^evt\.(num|reltime|deltatime)/;
      assert.deepEqual(
        differing.filter((field) => !relative.test(field)),
        [],
      );
    });
  });

  it('ends after the events, bytes or time asked for', async () => {
    await withTempDir(async (dir) => {
      const source = readsCapture(1000);
      const cases: [Partial<RecordingRequest>, string, number][] = [
        [{ eventsMax: 7 }, 'events-max', 7],
        [{ durationMsMax: 0.01 }, 'duration-max', 10],
      ];
      for (const [request, reason, count] of cases) {
        const { inspector, recorded } = await start(dir, source, request);
        await runEvents(inspector, 1000);
        assert.equal(recorded.end?.reason, reason);
        assert.equal((await contents(dir, recorded.file())).events.length, count);
      }
      const { inspector, recorded } = await start(dir, source, { bytesMax: 20_000 });
      await runEvents(inspector, 1000);
      assert.equal(recorded.end?.reason, 'bytes-max');
      assert.ok(recorded.file().length <= 20_000 && recorded.file().length > 19_700);
      assert.equal(recorded.end.progress.byteCount, recorded.file().length);
    });
  });

  it('starts another file with the state of the moment, and loses nothing between two', async () => {
    await withTempDir(async (dir) => {
      const rows: string[] = [];
      const { recorded } = await recordFrom(BUNDLED, 500, { ...RECORD_ALL, rotateBytes: 60_000 }, (event) => {
        rows.push(`${event.record.timestampNs()} ${event.thread?.comm} ${event.fd?.name}`);
      });
      const files = recorded.end?.progress.fileCount ?? 0;
      assert.ok(files >= 3);
      const replayed: string[] = [];
      for (let file = 0; file < files; file++) {
        const path = join(dir, `${file}.scap`);
        await writeFile(path, recorded.file(file));
        await replay(path, (event) => {
          replayed.push(`${event.record.timestampNs()} ${event.thread?.comm} ${event.fd?.name}`);
        });
      }
      assert.deepEqual(replayed, rows);
    });
  });

  it('without credit leaves out whole events, says where, and counts those that change state', async () => {
    await withTempDir(async (dir) => {
      const builder = new ScapBuilder().machine().threads([threadRow()]);
      for (let i = 0; i < 4000; i++) builder.event('PPME_SYSCALL_CLOSE_X', [0, i], { tid: 100 });
      const request = { holdsSource: false, creditBytes: 100 };
      const { inspector, recording, recorded, loop } = await start(dir, builder.bytes(), request, false);
      await runEvents(inspector, 10);
      // A chunk is on its way, and nobody has taken it.
      recording.tick();
      assert.equal(recorded.chunks.length, 1, 'ten events wait for more');
      loop.ms = 1000;
      recording.tick();
      await runEvents(inspector, 50);
      recording.ack(1_000_000);
      await runEvents(inspector, 100);
      recording.end({ reason: 'shutdown' });
      const { eventCount, backlogLostCount, backlogLostStateCount } = recorded.end?.progress ?? assert.fail();
      assert.deepEqual([eventCount, backlogLostCount, backlogLostStateCount], [110, 50, 50]);
      const { events } = await contents(dir, recorded.file());
      const names = events.map((event) => event.name);
      assert.equal(names.length, 112);
      assert.deepEqual([names.indexOf('drop'), names.lastIndexOf('drop')], [10, 11]);
    });
  });

  it('keeps only the first bytes of the data where that is asked for', async () => {
    await withTempDir(async (dir) => {
      const { inspector, recorded, recording } = await start(dir, readsCapture(3), { snaplenBytes: 10 });
      await runEvents(inspector, 3);
      recording.end({ reason: 'capture-end' });
      await writeFile(join(dir, 'cut.scap'), recorded.file());
      const seen: string[] = [];
      await replay(join(dir, 'cut.scap'), ({ record }) => {
        seen.push(`${record.number(0)} ${record.binary(1)} ${record.number(2)} ${record.number(3)}`);
      });
      assert.deepEqual(seen, Array(3).fill('100 aaaaaaaaaa 3 100'));
    });
  });

  it('of a live source: stops when nothing older can come any more', async () => {
    await withTempDir(async (dir) => {
      const { inspector, recording, recorded, loop } = await start(dir, readsCapture(20), {}, false);
      await runEvents(inspector, 5);
      recording.stop(2_000_000_000_000_000_000n);
      for (let i = 0; i < 3; i++) {
        loop.ms += 20;
        recording.tick();
      }
      assert.equal(recorded.end, undefined, 'quiet for three ticks after the first look');
      recording.tick();
      const end = recorded.end as RecordingEnd | undefined;
      assert.equal(end?.reason, 'stopped');
      assert.equal(end.progress.eventCount, 5);
    });
  });

  it('of a live source: ends by the clock, and passes on what has waited long enough', async () => {
    await withTempDir(async (dir) => {
      const { inspector, recording, recorded, loop } = await start(
        dir,
        readsCapture(20),
        { durationMsMax: 1000 },
        false,
      );
      await runEvents(inspector, 5);
      assert.equal(recorded.chunks.length, 1);
      loop.ms = 150;
      recording.tick();
      assert.equal(recorded.chunks.length, 2);
      loop.ms = 1000;
      recording.tick();
      assert.equal(recorded.end?.reason, 'duration-max');
    });
  });

  it('a recording without events can be read all the same', async () => {
    await withTempDir(async (dir) => {
      const { recording, recorded } = await start(dir, readsCapture(1), { condition: 'evt.type = fork' });
      recording.end({ reason: 'shutdown' });
      const { events, error } = await contents(dir, recorded.file());
      assert.equal(error, undefined);
      assert.deepEqual(
        events.map((event) => event.flags & 1),
        [1],
      );
    });
  });

  it('writes the same bytes for a state that was read from a recording', async () => {
    await withTempDir(async (dir) => {
      const first = await recordFrom(BUNDLED, 1500, RECORD_ALL, () => undefined);
      const path = join(dir, 'first.scap');
      await writeFile(path, first.recorded.file());
      const second = await start(dir, await readFile(path), {});
      const [chunk] = second.recorded.chunks;
      const [original] = first.recorded.chunks;
      assert.ok(chunk !== undefined && original !== undefined);
      assert.equal(Buffer.compare(chunk.bytes, original.bytes), 0);
    });
  });
});
