import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { StrataClient } from '../../client/strata-client.ts';
import { type Ended, EndReason } from '../../proto/gen/strata/v1/event_service.ts';
import type { RecordProgress, RecordRequest } from '../../proto/gen/strata/v1/recording_service.ts';
import { BUNDLED_CAPTURE } from '../../server/app.ts';
import { withApp } from '../helpers/app-fixture.ts';
import { replay } from '../helpers/replay.ts';
import { readCaptureFile, withTempDir } from '../helpers/scap-contents.ts';

interface Recorded {
  readonly files: readonly Buffer[];
  readonly progress: RecordProgress;
  readonly ended: Ended;
}

/** Records to the end; `onStarted` gets the recording's id. */
async function record(
  client: StrataClient,
  request: Partial<RecordRequest>,
  onStarted: (id: string) => void = () => undefined,
): Promise<Recorded> {
  const files: Buffer[][] = [[]];
  let progress: RecordProgress | undefined;
  let ended: Ended | undefined;
  for await (const { message } of client.record(request)) {
    switch (message?.$case) {
      case 'started':
        onStarted(message.value.recordingId);
        break;
      case 'file':
        assert.equal(message.value.fileNumber, BigInt(files.length));
        files.push([]);
        break;
      case 'chunk':
        files.at(-1)?.push(message.value);
        break;
      case 'progress':
        progress = message.value;
        break;
      case 'ended':
        ended = message.value;
    }
  }
  assert.ok(progress !== undefined && ended !== undefined);
  return { files: files.map((chunks) => Buffer.concat(chunks)), progress, ended };
}

async function eventTimes(dir: string, bytes: Buffer): Promise<bigint[]> {
  const path = join(dir, 'recorded.scap');
  await writeFile(path, bytes);
  const times: bigint[] = [];
  await replay(path, ({ record: { tsHi, tsLo } }) => times.push((BigInt(tsHi) << 32n) | BigInt(tsLo)));
  return times;
}

describe('RecordingService', () => {
  it('streams a capture file with every event, and a summary of it', async () => {
    await withApp(async ({ client }) => {
      await withTempDir(async (dir) => {
        const { files, progress, ended } = await record(client, {});
        const [file] = files;
        assert.ok(file !== undefined);
        const times = await eventTimes(dir, file);
        const original: bigint[] = [];
        await replay(BUNDLED_CAPTURE, ({ record }) => original.push(record.timestampNs()));
        assert.deepEqual(times, original);
        assert.equal(progress.eventCount, BigInt(times.length));
        assert.equal(progress.byteCount, BigInt(file.length));
        assert.equal(progress.firstTimestampNs, times[0]);
        assert.equal(progress.lastTimestampNs, times.at(-1));
        assert.equal(progress.backlogLostCount, 0n);
        assert.equal(ended.reason, EndReason.CAPTURE_END);
      });
    });
  });

  it('compresses, each piece by itself', async () => {
    await withApp(async ({ client }) => {
      const [plain, small] = await Promise.all([record(client, {}), record(client, { isCompressed: true })]);
      const [file = Buffer.alloc(0)] = small.files;
      assert.ok(file.length * 3 < (plain.files[0]?.length ?? 0));
      assert.deepEqual(gunzipSync(file), plain.files[0]);
      assert.equal(small.progress.byteCount, plain.progress.byteCount);
    });
  });

  it('rotates: every file can be read by itself, and no event is missing', async () => {
    await withApp(async ({ client }) => {
      await withTempDir(async (dir) => {
        const { files, progress } = await record(client, { rotateBytes: 60_000n, isCompressed: true });
        assert.ok(files.length >= 3);
        assert.equal(progress.fileCount, BigInt(files.length));
        let count = 0;
        for (const file of files) count += (await eventTimes(dir, file)).length;
        assert.equal(BigInt(count), progress.eventCount);
      });
    });
  });

  it('ends where it is told to', async () => {
    await withApp(async ({ client }) => {
      const five = await record(client, { eventsMax: 5n, condition: 'evt.type = openat' });
      assert.deepEqual([five.ended.reason, five.progress.eventCount], [EndReason.EVENTS_MAX, 5n]);
      const small = await record(client, { bytesMax: 100_000n });
      assert.equal(small.ended.reason, EndReason.BYTES_MAX);
      assert.ok((small.files[0]?.length ?? 0) <= 100_000);
      const short = await record(client, { durationMsMax: 1n });
      assert.equal(short.ended.reason, EndReason.DURATION_MAX);
    });
  });

  it('stops when asked, and what it has recorded is whole', async () => {
    await withApp(
      async ({ client }) => {
        await withTempDir(async (dir) => {
          const { files, ended } = await record(client, { start: { $case: 'live', value: {} } }, (id) => {
            setTimeout(() => client.stopRecording(id), 300);
          });
          assert.equal(ended.reason, EndReason.STOPPED);
          const path = join(dir, 'x.scap');
          await writeFile(path, files[0] ?? Buffer.alloc(0));
          assert.equal((await readCaptureFile(path)).error, undefined);
          await assert.rejects(client.stopRecording('nosuch'), { code: 'NOT_FOUND' });
        });
      },
      { 'capture-speed': 0.05, 'capture-wait-subscribers': 1 },
    );
  });

  it('ends in good order when the server does', async () => {
    let done: Promise<Recorded> | undefined;
    await withApp(
      async ({ client }) => {
        const started = Promise.withResolvers<void>();
        done = record(client, { start: { $case: 'live', value: {} } }, () => started.resolve());
        await started.promise;
        client.close = () => undefined;
      },
      { 'capture-speed': 0.01, 'capture-wait-subscribers': 1 },
    );
    assert.equal((await done)?.ended.reason, EndReason.STOPPED);
  });

  it('refuses what cannot be recorded, with the member that is wrong', async () => {
    await withApp(async ({ client }) => {
      const cases: [Partial<RecordRequest>, string, string][] = [
        [{ condition: 'evt.typ = open' }, 'INVALID_ARGUMENT', 'condition'],
        [{ eventsMax: 0n }, 'INVALID_ARGUMENT', 'events_max'],
        [{ rotateBytes: 10n }, 'INVALID_ARGUMENT', 'rotate_bytes'],
        [{ hasNoPayload: true, snaplenBytes: 5 }, 'INVALID_ARGUMENT', 'snaplen_bytes'],
        [{ source: 'k8s_audit' }, 'NOT_FOUND', 'source'],
      ];
      for (const [request, code, field] of cases) {
        await assert.rejects(record(client, request), { code, field });
      }
      // None of them holds a place.
      assert.equal((await record(client, { eventsMax: 1n })).progress.eventCount, 1n);
    });
  });
});
