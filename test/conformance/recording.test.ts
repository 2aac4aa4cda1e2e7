/**
 * Recordings of replays, started in the middle of each capture: replayed, every field of every event must have the value it had,
 * and sysdig 0.29.3 must read them. Differences there may be, by the nature of a recording:
 *
 * - `evt.num` and `evt.reltime*` count from the first event of a capture.
 * - Under a filter, `evt.deltatime*` also: the event before may have been left out.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PPME_PROCINFO_E } from '../../server/event/event-types.ts';
import { capturePath, goldenNames, hasGolden } from '../helpers/golden.ts';
import { compareRecording, RECORD_ALL, recordFrom } from '../helpers/recording-fixture.ts';
import { withTempDir } from '../helpers/scap-contents.ts';

const run = promisify(execFile);

const COUNTED = /^evt\.(num|reltime)/;
const COUNTED_UNDER_FILTER = /^evt\.(num|reltime|deltatime)/;
/** The first event type that sysdig 0.29.3 does not know. */
const UNKNOWN_FROM = 336;
const STARTS = [200, 1200];
const FILTERS = [
  'evt.type in (execve, connect, openat, open)',
  'proc.aname[1] = bash',
  'fd.type in (ipv4, unix)',
];

async function whyNoSysdig(): Promise<string | false> {
  try {
    const { stdout } = await run('sysdig', ['--version']);
    return stdout.includes('0.29.3') ? false : `sysdig 0.29.3 expected, found ${stdout.trim()}`;
  } catch {
    return 'SYSDIG IS NOT INSTALLED: recordings were not read by it';
  }
}

if (!hasGolden()) console.log('recording: skipped: THE CAPTURES ARE NOT THERE');
const noSysdig = await whyNoSysdig();
if (noSysdig !== false) console.log(`recording: skipped in part: ${noSysdig}`);

describe('recordings of replays', { skip: !hasGolden() }, () => {
  for (const name of hasGolden() ? goldenNames() : []) {
    it(`${name}: all values are as they were, wherever the recording starts`, async () => {
      await withTempDir(async (dir) => {
        for (const skip of STARTS) {
          const { differing, examples } = await compareRecording(capturePath(name), skip, RECORD_ALL, dir);
          assert.deepEqual(
            differing.filter((field) => !COUNTED.test(field)),
            [],
            examples.join('\n'),
          );
        }
      });
    });

    it(`${name}: under filters, too`, async () => {
      await withTempDir(async (dir) => {
        for (const condition of FILTERS) {
          const request = { ...RECORD_ALL, condition };
          const { differing, examples } = await compareRecording(capturePath(name), 200, request, dir);
          assert.deepEqual(
            differing.filter((field) => !COUNTED_UNDER_FILTER.test(field)),
            [],
            `${condition}\n${examples.join('\n')}`,
          );
        }
      });
    });

    it(`${name}: sysdig reads every event it knows`, { skip: noSysdig !== false }, async () => {
      await withTempDir(async (dir) => {
        const expected: string[] = [];
        const { recorded } = await recordFrom(capturePath(name), 200, RECORD_ALL, ({ record }) => {
          const { type, tid, info } = record;
          // It does not show procinfo events. Names are not asked for: it crashes on calls it has none for.
          if (type >= UNKNOWN_FROM || type === PPME_PROCINFO_E) return;
          expected.push(`${record.timestampNs()} ${tid} ${info.isEnter ? '>' : '<'}`);
        });
        const path = join(dir, 'recorded.scap');
        await writeFile(path, recorded.file());
        const template = '%evt.rawtime %thread.tid %evt.dir';
        const { stdout } = await run('sysdig', ['-r', path, '-p', template], { maxBuffer: 1 << 28 });
        assert.deepEqual(
          stdout.split('\n').filter((line) => line !== ''),
          expected,
        );
      });
    });
  }
});
