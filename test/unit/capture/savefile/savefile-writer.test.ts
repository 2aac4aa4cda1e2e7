import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { SavefileWriter } from '../../../../server/capture/savefile/savefile-writer.ts';
import { EventRecord } from '../../../../server/event/event-record.ts';
import { recordBytes, ScapBuilder } from '../../../helpers/scap-builder.ts';
import { readCaptureFile, withTempDir } from '../../../helpers/scap-contents.ts';
import { fdRow, groupRow, interfaceRow, machineRow, threadRow, userRow } from '../../../helpers/scap-rows.ts';

const CLOSE = 'PPME_SYSCALL_CLOSE_X';

/** A record at an odd place of a larger buffer. */
function recordOf(bytes: Buffer, flags = 0, cpu = 0): EventRecord {
  const record = new EventRecord();
  record.attach(Buffer.concat([Buffer.alloc(5), bytes]));
  record.load(5, cpu, flags);
  return record;
}

const MACHINE = machineRow();
const INTERFACES = [interfaceRow(), interfaceRow({ family: 6, linkSpeed: undefined })];
const FDS = [
  fdRow({ name: '/etc/hosts', dev: 3 }),
  fdRow({ fd: 4, type: 8, name: '/run/x', unixPeer: 1n << 63n }),
];

async function writeSample(path: string, compress: boolean): Promise<void> {
  const writer = await SavefileWriter.open(path, { compress });
  writer.writeMachine(MACHINE);
  writer.writeInterfaces(INTERFACES);
  writer.writeUsers([userRow()], [groupRow()]);
  writer.writeThreads([threadRow(), threadRow({ tid: 101, sid: -1 })]);
  writer.writeFds(100, FDS);
  writer.writeEvent(recordOf(recordBytes(CLOSE, [0, 3], { tid: -1 }), 0, 7));
  writer.writeEvent(recordOf(recordBytes(CLOSE, [0, 4]), 5));
  writer.writeEvent(recordOf(recordBytes('PPME_CONTAINER_JSON_2_E', ['x'.repeat(100_000)])));
  writer.writeEvent(recordOf(recordBytes('PPME_CONTAINER_JSON_2_E', ['x'.repeat(100_000)]), 1));
  assert.equal(writer.events, 4);
  await writer.close();
}

describe('savefile writer', () => {
  it('writes byte for byte what the format page says', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, 'x.scap');
      await writeSample(path, false);
      const json = ['x'.repeat(100_000)];
      const expected = new ScapBuilder()
        .machine()
        .interfaces(INTERFACES)
        .users([userRow()], [groupRow()])
        .threads([threadRow(), threadRow({ tid: 101, sid: -1 })])
        .fds(100, FDS)
        .record(recordBytes(CLOSE, [0, 3], { tid: -1 }), { cpu: 7 })
        .record(recordBytes(CLOSE, [0, 4]), { flags: 1 })
        .record(recordBytes('PPME_CONTAINER_JSON_2_E', json), { isLarge: true })
        .record(recordBytes('PPME_CONTAINER_JSON_2_E', json), { isLarge: true, flags: 1 })
        .bytes();
      assert.ok((await readFile(path)).equals(expected));
      await writeSample(path, true);
      assert.ok(gunzipSync(await readFile(path)).equals(expected));
    });
  });

  it('writes no empty list', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, 'x.scap');
      const writer = await SavefileWriter.open(path, { compress: false });
      writer.writeInterfaces([]);
      writer.writeUsers([], []);
      writer.writeThreads([]);
      writer.writeEvent(recordOf(recordBytes(CLOSE, [0, 3])));
      await writer.close();
      const expected = new ScapBuilder().record(recordBytes(CLOSE, [0, 3])).bytes();
      assert.ok((await readFile(path)).equals(expected));
    });
  });

  it('cuts texts that no reader would take', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, 'x.scap');
      const long = 'x'.repeat(70_000);
      const writer = await SavefileWriter.open(path, { compress: false });
      writer.writeMachine(machineRow({ hostname: long }));
      writer.writeInterfaces([interfaceRow({ name: long })]);
      writer.writeUsers([userRow({ name: long, homedir: long })], [groupRow({ name: long })]);
      writer.writeThreads([threadRow({ comm: long, args: long, env: long, cgroups: long, root: long })]);
      writer.writeFds(100, [fdRow({ name: long })]);
      writer.writeEvent(recordOf(recordBytes(CLOSE, [0, 3])));
      await writer.close();
      const { state, error } = await readCaptureFile(path);
      assert.equal(error, undefined);
      assert.equal(state.threads[0]?.comm.length, 1023);
      assert.equal(state.fds[0]?.entries[0]?.name.length, 1023);
      assert.equal(state.users[0]?.name.length, 255);
      assert.equal(state.machines[0]?.hostname.length, 128);
    });
  });

  it('tells when to wait, and loses nothing when many events are written', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, 'x.scap');
      const writer = await SavefileWriter.open(path, { compress: true });
      let waits = 0;
      for (let i = 0; i < 50_000; i++) {
        if (!writer.writeEvent(recordOf(recordBytes(CLOSE, [0, i])))) {
          waits++;
          await writer.drain();
        }
      }
      await writer.close();
      assert.ok(waits > 1);
      const { events, error } = await readCaptureFile(path);
      assert.equal(error, undefined);
      assert.equal(events.length, 50_000);
      assert.equal(events[49_999]?.params[1]?.readUInt32LE(0), 49_999);
    });
  });

  it('rejects when the file cannot be created, or not be written to its end', async () => {
    await assert.rejects(SavefileWriter.open('/nonexistent/x.scap', { compress: false }), /ENOENT/);
    const writer = await SavefileWriter.open('/dev/full', { compress: false });
    for (let i = 0; i < 10_000; i++) writer.writeEvent(recordOf(recordBytes(CLOSE, [0, i])));
    await assert.rejects(writer.drain(), /ENOSPC/);
    await assert.rejects(writer.close(), /ENOSPC/);
  });

  it('rejects on close when only the end could not be written', async () => {
    for (const compress of [false, true]) {
      const writer = await SavefileWriter.open('/dev/full', { compress });
      await assert.rejects(writer.close(), /ENOSPC/, String(compress));
    }
  });

  it('replaces what was in the file', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, 'x.scap');
      await writeFile(path, 'x'.repeat(10_000));
      await writeSample(path, true);
      assert.equal((await readCaptureFile(path)).events.length, 4);
    });
  });
});
