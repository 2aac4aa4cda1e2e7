import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { convertCapture } from '../../../../server/capture/savefile/convert-capture.ts';
import { ScapBuilder } from '../../../helpers/scap-builder.ts';
import { type CaptureContents, readCaptureFile, withTempDir } from '../../../helpers/scap-contents.ts';
import { fdRow, groupRow, interfaceRow, oldThreadRow, userRow } from '../../../helpers/scap-rows.ts';

/** A capture as the first writers made it: every block in its first version, enter and exit events. */
function oldCapture(): ScapBuilder {
  const v1 = { version: 1 } as const;
  return new ScapBuilder()
    .machine()
    .interfaces([interfaceRow(), interfaceRow({ linkSpeed: undefined }), interfaceRow({ family: 6 })], 1)
    .users([userRow()], [groupRow()], 1)
    .threads([oldThreadRow()], 1)
    .fds(100, [fdRow({ type: 1, name: '/etc/hosts' })], 1)
    .event('PPME_CONTAINER_E', ['ab', 0, 'name', 'image'], v1)
    .event('PPME_SYSCALL_READ_E', [3, 100], v1)
    .event('PPME_SYSCALL_READ_X', [2, Buffer.from('hi')], v1)
    .event('PPME_SYSCALL_OPEN_E', ['/x', 1, 0], v1)
    .event('PPME_SYSCALL_OPEN_X', [4, '/x', 1, 0], { ...v1, flags: 1, cpu: 3 })
    .event('PPME_SYSCALL_CLONE_11_X', [0, 'sh', null, 5, 5, 1, '/', 1024, 0, 0, 0], v1)
    .event('PPME_PROCEXIT_E', [], v1);
}

/** What must not change when a capture is rewritten. */
function essence(contents: CaptureContents) {
  const { state, events, error } = contents;
  return { state, events, error: error?.message };
}

describe('convertCapture', () => {
  it('keeps every row and event of an old capture, v1 interface list included', async () => {
    await withTempDir(async (dir) => {
      const source = join(dir, 'old.scap');
      const target = join(dir, 'new.scap');
      await writeFile(source, oldCapture().gzip());
      const summary = await convertCapture(source, target, { compress: false });
      assert.deepEqual([summary.events, summary.absorbedEvents, summary.damage], [6, 1, undefined]);
      const before = await readCaptureFile(source);
      const after = await readCaptureFile(target);
      assert.equal(before.error, undefined);
      assert.deepEqual(essence(after), essence(before));
      assert.equal(after.counters.absorbedEvents, 0);
    });
  });

  it('changes nothing in a capture it has written', async () => {
    await withTempDir(async (dir) => {
      const paths = ['a', 'b', 'c'].map((name) => join(dir, name)) as [string, string, string];
      await writeFile(paths[0], oldCapture().bytes());
      await convertCapture(paths[0], paths[1], { compress: false });
      await convertCapture(paths[1], paths[2], { compress: false });
      assert.ok((await readFile(paths[1])).equals(await readFile(paths[2])));
    });
  });

  it('keeps sections apart', async () => {
    await withTempDir(async (dir) => {
      const source = join(dir, 'two.scap');
      const target = join(dir, 'new.scap');
      await writeFile(source, Buffer.concat([oldCapture().bytes(), oldCapture().bytes()]));
      await convertCapture(source, target, { compress: true });
      const after = await readCaptureFile(target);
      assert.equal(after.state.sectionsStarted, 1);
      assert.deepEqual(essence(after), essence(await readCaptureFile(source)));
    });
  });

  it('rewrites a file in place', async () => {
    await withTempDir(async (dir) => {
      const path = join(dir, 'x.scap');
      await writeFile(path, oldCapture().bytes());
      const before = await readCaptureFile(path);
      await convertCapture(path, path, { compress: true });
      assert.deepEqual(essence(await readCaptureFile(path)), essence(before));
      assert.deepEqual(await readdir(dir), ['x.scap']);
    });
  });

  it('saves everything before the damage, and says what it was', async () => {
    await withTempDir(async (dir) => {
      const source = join(dir, 'cut.scap');
      const target = join(dir, 'new.scap');
      const bytes = oldCapture().bytes();
      await writeFile(source, bytes.subarray(0, bytes.length - 10));
      const { damage, events } = await convertCapture(source, target, { compress: false });
      assert.match(damage?.message ?? '', /ends inside an event block/);
      assert.equal(events, 5);
      const after = await readCaptureFile(target);
      assert.equal(after.error, undefined);
      assert.equal(after.events.length, 5);
    });
  });

  it('leaves nothing behind when the input is no capture', async () => {
    await withTempDir(async (dir) => {
      const source = join(dir, 'text');
      await writeFile(source, 'this is no capture file');
      await assert.rejects(
        convertCapture(source, join(dir, 'new.scap'), { compress: false }),
        /not a capture file/,
      );
      assert.deepEqual(await readdir(dir), ['text']);
    });
  });

  it('reports progress', async () => {
    await withTempDir(async (dir) => {
      const source = join(dir, 'x.scap');
      const builder = new ScapBuilder();
      for (let i = 0; i < 20_000; i++) builder.event('PPME_SYSCALL_CLOSE_X', [0, i]);
      const bytes = builder.bytes();
      await writeFile(source, bytes);
      const seen: number[] = [];
      await convertCapture(source, join(dir, 'new'), {
        compress: false,
        onProgress: (read, total) => {
          assert.equal(total, bytes.length);
          seen.push(read);
        },
      });
      assert.ok(seen.length > 2);
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      );
    });
  });
});
