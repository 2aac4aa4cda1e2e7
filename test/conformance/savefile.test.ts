/** Every capture that has reference output, read and rewritten. Skipped where the captures are absent. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { convertCapture } from '../../server/capture/savefile/convert-capture.ts';
import { FLAG_STATE_ONLY } from '../../server/capture/savefile/savefile-engine.ts';
import { capturePath, goldenNames, hasGolden, readGolden } from '../helpers/golden.ts';
import { readCaptureFile, withTempDir } from '../helpers/scap-contents.ts';

const skip = hasGolden() ? false : 'no captures at ../shared';

describe('savefile engine against the reference', { skip }, () => {
  for (const name of hasGolden() ? goldenNames() : []) {
    it(`${name}: the same events with the same numbers and times`, async () => {
      const { events, error } = await readCaptureFile(capturePath(name));
      assert.equal(error, undefined);
      const shown = events.filter((event) => (event.flags & FLAG_STATE_ONLY) === 0);
      let i = 0;
      for (const golden of readGolden(name)) {
        const event = shown[i++];
        assert.ok(event !== undefined, `event ${String(golden['evt.num'])} is missing`);
        assert.equal(event.num, golden['evt.num']);
        assert.equal(event.tsNs, BigInt(golden['evt.rawtime'] as number));
        // Calls without a type of their own are named by their number.
        if (event.name !== 'syscall') assert.equal(event.name, golden['evt.type'], `event ${event.num}`);
      }
      assert.equal(shown.length, i);
    });

    it(`${name}: rewritten, it reads the same`, async () => {
      await withTempDir(async (dir) => {
        const before = await readCaptureFile(capturePath(name));
        for (const compress of [false, true]) {
          const target = join(dir, `${compress}.scap`);
          const { damage } = await convertCapture(capturePath(name), target, { compress });
          assert.equal(damage, undefined);
          const after = await readCaptureFile(target);
          assert.equal(after.error, undefined);
          assert.deepEqual(after.state, before.state);
          assert.deepEqual(after.events, before.events);
          assert.deepEqual([after.counters.absorbedEvents, after.counters.unknownEvents], [0, 0]);
        }
      });
    });
  }
});
