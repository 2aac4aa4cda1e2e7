import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CaptureError, NEXT_EVENT, NEXT_NEED_MORE } from '../../../../server/capture/capture-engine.ts';
import { SavefileEngine } from '../../../../server/capture/savefile/savefile-engine.ts';
import { EventRecord } from '../../../../server/event/event-record.ts';
import { recordBytes, ScapBuilder } from '../../../helpers/scap-builder.ts';
import { ScapBytes } from '../../../helpers/scap-bytes.ts';
import {
  CollectedState,
  readCaptureBytes,
  readCaptureFile,
  withTempDir,
} from '../../../helpers/scap-contents.ts';
import { threadRow } from '../../../helpers/scap-rows.ts';

const CLOSE = 'PPME_SYSCALL_CLOSE_X';

function closes(count: number, builder: ScapBuilder = new ScapBuilder()): ScapBuilder {
  for (let i = 0; i < count; i++) builder.event(CLOSE, [0, i]);
  return builder;
}

describe('savefile engine', () => {
  it('reads every kind of event block', async () => {
    const json = Buffer.alloc(100_000, 'x');
    const builder = new ScapBuilder()
      .event(CLOSE, [0, 1], { cpu: 3, tid: -1 })
      .event(CLOSE, [0, 2], { flags: 1 })
      .event(CLOSE, [0, 3], { version: 1 })
      .event(CLOSE, [0, 4], { version: 1, flags: 5 })
      .event('PPME_CONTAINER_JSON_2_E', [json], { isLarge: true })
      .event('PPME_ASYNCEVENT_E', [1, 'n', json], { isLarge: true, flags: 1 })
      .record(recordBytes(CLOSE, [0, 5], { version: 1 }), { version: 1 });
    const { events, error } = await readCaptureBytes(builder.bytes());
    assert.equal(error, undefined);
    assert.deepEqual(
      events.map((event) => [event.num, event.code, event.flags]),
      [
        [1, CLOSE, 0],
        [2, CLOSE, 1],
        [3, CLOSE, 0],
        [4, CLOSE, 5],
        [5, 'PPME_CONTAINER_JSON_2_E', 0],
        [6, 'PPME_ASYNCEVENT_E', 1],
        [7, CLOSE, 0],
      ],
    );
    assert.equal(events[0]?.cpu, 3);
    assert.equal(events[0]?.tid, -1);
    assert.deepEqual(events[2]?.params, [Buffer.alloc(8), Buffer.from([3, 0, 0, 0, 0, 0, 0, 0])]);
    assert.deepEqual(events[4]?.params, [json]);
  });

  it('reads a v1 event block under its old id', async () => {
    const body = new ScapBytes()
      .u16(0)
      .raw(recordBytes(CLOSE, [0, 5], { version: 1 }))
      .bytes();
    const { events, error } = await readCaptureBytes(new ScapBuilder().block(0x8010abcd, body).bytes());
    assert.equal(error, undefined);
    assert.equal(events.length, 1);
  });

  it('forgives the old writer three bytes too many in notification and infrastructure records', async () => {
    for (const code of ['PPME_NOTIFICATION_E', 'PPME_INFRASTRUCTURE_EVENT_E']) {
      const right = recordBytes(code, ['a', 'b'], { version: 1 });
      const wrong = recordBytes(code, ['a', 'b'], { version: 1, length: right.length + 3 });
      const { events, error } = await readCaptureBytes(
        new ScapBuilder().record(wrong, { version: 1 }).bytes(),
      );
      assert.equal(error, undefined, code);
      assert.equal(events[0]?.params.length, 2, code);
    }
  });

  it('skips and counts event types it does not know, without taking a number', async () => {
    const unknown = recordBytes(CLOSE, [0, 9]);
    unknown.writeUInt16LE(9999, 20);
    const file = closes(1).record(unknown).event(CLOSE, [0, 1]).bytes();
    const { events, counters } = await readCaptureBytes(file);
    assert.deepEqual(
      events.map((event) => event.num),
      [1, 2],
    );
    assert.equal(counters.unknownEvents, 1);
  });

  it('reads records with more and with fewer parameters than the table', async () => {
    const file = new ScapBuilder()
      .event('PPME_SYSCALL_GETCWD_X', [0, '/x', 5, 6])
      .event('PPME_SYSCALL_GETCWD_X', [0])
      .bytes();
    const { events } = await readCaptureBytes(file);
    assert.deepEqual(
      events.map((event) => event.params.length),
      [2, 1],
    );
  });

  it('marks the initial state held as events, and numbers it', async () => {
    const group = [7, 'g', ''] as const;
    const file = new ScapBuilder()
      .event('PPME_USER_ADDED_E', [1, 1, 'a', '/', '/bin/sh', ''])
      .event('PPME_GROUP_ADDED_E', group)
      .event(CLOSE, [0, 3])
      .event('PPME_GROUP_ADDED_E', group)
      .bytes();
    const { events } = await readCaptureBytes(file);
    assert.deepEqual(
      events.map((event) => [event.num, event.flags]),
      [
        [1, 1],
        [2, 1],
        [3, 0],
        [4, 0],
      ],
    );
  });

  it('passes the enter records that carry what user space may change, hidden', async () => {
    const file = new ScapBuilder()
      .event('PPME_SYSCALL_OPENAT_2_E', [-100, '/etc/passwd', 1, 0])
      .event('PPME_SYSCALL_OPENAT_2_X', [3, -100, '/etc/passwd', 1, 0, 0, 0])
      .bytes();
    const { events } = await readCaptureBytes(file);
    assert.deepEqual(
      events.map((event) => [event.num, event.flags]),
      [
        [1, 1],
        [2, 0],
      ],
    );
  });

  it('reads gzip, concatenated sections and concatenated gzip members alike', async () => {
    const one = closes(2, new ScapBuilder().machine().threads([threadRow()])).bytes();
    const two = new ScapBuilder()
      .machine({ hostname: 'other' })
      .event('PPME_GROUP_ADDED_E', [7, 'g', ''])
      .event(CLOSE, [0, 7])
      .bytes();
    const variants = {
      plain: Buffer.concat([one, two]),
      gzip: gzipSync(Buffer.concat([one, two])),
      members: Buffer.concat([gzipSync(one), gzipSync(two)]),
    };
    for (const [name, bytes] of Object.entries(variants)) {
      const { state, events, error } = await readCaptureBytes(bytes);
      assert.equal(error, undefined, name);
      assert.deepEqual(
        state.machines.map((machine) => machine.hostname),
        ['node-1', 'other'],
        name,
      );
      assert.deepEqual([state.sectionsStarted, state.sectionsReady], [1, 1], name);
      // The initial state of a later section takes no numbers.
      assert.deepEqual(
        events.map((event) => [event.num, event.flags]),
        [
          [1, 0],
          [2, 0],
          [2, 1],
          [3, 0],
        ],
        name,
      );
    }
  });

  it('does not pair an enter record with an exit of the next section', async () => {
    const one = new ScapBuilder().event('PPME_SYSCALL_READ_E', [9, 10]).event(CLOSE, [0, 1]);
    const two = new ScapBuilder().event('PPME_SYSCALL_READ_X', [0, null]);
    const { events } = await readCaptureBytes(Buffer.concat([one.bytes(), two.bytes()]));
    assert.deepEqual(events[1]?.params[2], Buffer.alloc(8));
  });

  it('delivers the state of a file without events, then says that there are none', async () => {
    const { state, error } = await readCaptureBytes(new ScapBuilder().machine().bytes());
    assert.equal(state.machines.length, 1);
    assert.match(error?.message ?? '', /no events in the capture/);
    assert.equal(error?.offset, new ScapBuilder().machine().bytes().length);
  });

  it('streams a file larger than its window from a pipe', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, 'fifo');
      execFileSync('mkfifo', [path]);
      const file = closes(20_000, new ScapBuilder().machine()).bytes();
      const { writeFile } = await import('node:fs/promises');
      const [contents] = await Promise.all([readCaptureFile(path), writeFile(path, file)]);
      assert.equal(contents.error, undefined);
      assert.equal(contents.events.length, 20_000);
      assert.equal(contents.counters.bytesRead, file.length);
    });
  });

  it('asks for more between chunks and goes on where it stopped', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, 'x.scap');
      const { writeFile } = await import('node:fs/promises');
      await writeFile(path, closes(30_000).bytes());
      const engine = new SavefileEngine({ path });
      await engine.open(new CollectedState());
      const record = new EventRecord();
      let events = 0;
      let fills = 0;
      for (let result = engine.next(record); result <= NEXT_NEED_MORE; result = engine.next(record)) {
        if (result === NEXT_EVENT) assert.equal(record.num, ++events);
        else {
          fills++;
          await engine.fill();
        }
      }
      assert.equal(events, 30_000);
      assert.ok(fills > 2);
      await engine.close();
    });
  });

  it('says which file cannot be opened', async () => {
    const engine = new SavefileEngine({ path: '/nonexistent/x.scap' });
    await assert.rejects(engine.open(new CollectedState()), (error: Error) => {
      assert.ok(error instanceof CaptureError);
      return error.message.includes('/nonexistent/x.scap');
    });
  });
});
