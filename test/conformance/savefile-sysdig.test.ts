/**
 * Rewritten captures, read by sysdig 0.29.3. It is older than today's schema, which limits what it can be asked:
 *
 * - It skips event types from 336 on, which it does not know, and gives them no number.
 * - It does not show procinfo events, and it does not show what is marked as state only.
 * - Its `evt.type` crashes on calls without an event type of their own (type 1) whose number it does not know; it does so on
 *   the recordings themselves. Names are compared on copies without such events.
 *
 * Everything else must be there, under the same name. It takes the fd of an event from enter events, so that `fd.*` and
 * `evt.latency` of records without them are not its to tell.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { NEXT_END, NEXT_EVENT } from '../../server/capture/capture-engine.ts';
import { convertCapture } from '../../server/capture/savefile/convert-capture.ts';
import { FLAG_STATE_ONLY, SavefileEngine } from '../../server/capture/savefile/savefile-engine.ts';
import { SavefileWriter } from '../../server/capture/savefile/savefile-writer.ts';
import { SnapshotWriter } from '../../server/capture/savefile/snapshot-writer.ts';
import { EventRecord } from '../../server/event/event-record.ts';
import { PPME_GENERIC_X, PPME_PROCINFO_E } from '../../server/event/event-types.ts';
import { capturePath, goldenNames, hasGolden } from '../helpers/golden.ts';
import { eventInfo, ScapBuilder } from '../helpers/scap-builder.ts';
import { readCaptureFile, withTempDir } from '../helpers/scap-contents.ts';
import { fdRow, groupRow, interfaceRow, oldThreadRow, userRow } from '../helpers/scap-rows.ts';

const run = promisify(execFile);

/** The first event type that sysdig 0.29.3 does not know. */
const UNKNOWN_FROM = 336;

async function whySkipped(): Promise<string | false> {
  try {
    const { stdout } = await run('sysdig', ['--version']);
    return stdout.includes('0.29.3') ? false : `sysdig 0.29.3 expected, found ${stdout.trim()}`;
  } catch {
    return 'SYSDIG IS NOT INSTALLED: rewritten captures were not read by it';
  }
}

/** Lines of a template over every event, sorted: sysdig keeps file order, and so would we. */
async function sysdig(path: string, template: string): Promise<string[]> {
  const { stdout } = await run('sysdig', ['-r', path, '-p', template], {
    encoding: 'latin1',
    maxBuffer: 1 << 30,
  });
  return stdout.split('\n').filter((line) => line !== '');
}

/** What sysdig shall print for a capture: `time tid name direction`. */
async function expectedLines(path: string): Promise<string[]> {
  const { events, error } = await readCaptureFile(path);
  assert.equal(error, undefined);
  return events
    .filter((event) => {
      const { id } = eventInfo(event.code);
      return (event.flags & FLAG_STATE_ONLY) === 0 && id < UNKNOWN_FROM && id !== PPME_PROCINFO_E;
    })
    .map((event) => `${event.tsNs} ${event.tid} ${event.name} ${eventInfo(event.code).isEnter ? '>' : '<'}`);
}

function withoutNames(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/ \S+ (.)$/, ' $1'));
}

/** A rewritten copy without calls that have no event type of their own. */
async function copyWithoutGeneric(source: string, target: string): Promise<void> {
  const engine = new SavefileEngine({ path: source });
  const writer = await SavefileWriter.open(target, { compress: true });
  const state = new SnapshotWriter(writer);
  await engine.open(state);
  state.flush();
  const record = new EventRecord();
  for (let result = engine.next(record); result !== NEXT_END; result = engine.next(record)) {
    if (result !== NEXT_EVENT) await engine.fill();
    else if (record.type !== PPME_GENERIC_X && !writer.writeEvent(record)) await writer.drain();
  }
  await writer.close();
  await engine.close();
}

const skip = await whySkipped();
if (skip !== false) console.log(`savefile-sysdig: skipped: ${skip}`);

describe('rewritten captures read by sysdig', { skip }, () => {
  for (const name of hasGolden() ? goldenNames() : []) {
    it(`${name}: every event it knows is there, under its name`, async () => {
      await withTempDir(async (dir) => {
        const rewritten = join(dir, 'rewritten.scap');
        await convertCapture(capturePath(name), rewritten, { compress: false });
        const times = await sysdig(rewritten, '%evt.rawtime %thread.tid %evt.dir');
        assert.deepEqual(times, withoutNames(await expectedLines(rewritten)));
        const named = join(dir, 'named.scap');
        await copyWithoutGeneric(capturePath(name), named);
        assert.deepEqual(
          await sysdig(named, '%evt.rawtime %thread.tid %evt.type %evt.dir'),
          await expectedLines(named),
        );
      });
    });
  }

  it('a capture with v1 lists only, whose rewriting by sysdig itself cannot be read back', async () => {
    await withTempDir(async (dir) => {
      const old = join(dir, 'old.scap');
      const v1 = { version: 1, tid: 100 } as const;
      const file = new ScapBuilder()
        .machine()
        .interfaces([interfaceRow({ name: 'lo' }), interfaceRow(), interfaceRow({ family: 6 })], 1)
        .users([userRow()], [groupRow()], 1)
        .threads([oldThreadRow({ cwd: '/tmp/' })], 1)
        .fds(100, [fdRow({ type: 1, name: '/etc/hosts' })], 1)
        .event('PPME_SYSCALL_READ_E', [3, 100], v1)
        .event('PPME_SYSCALL_READ_X', [2, Buffer.from('hi')], v1)
        .event('PPME_SYSCALL_CHDIR_X', [0, '/'], v1);
      await writeFile(old, file.bytes());
      const rewritten = join(dir, 'rewritten.scap');
      await convertCapture(old, rewritten, { compress: true });
      assert.deepEqual(await sysdig(rewritten, '%evt.num %evt.type %proc.name %user.name %evt.args'), [
        '1 read cat ada res=2 data=hi ',
        '2 chdir cat ada res=0 path=/ ',
      ]);
      const bySysdig = join(dir, 'by-sysdig.scap');
      await run('sysdig', ['-r', old, '-w', bySysdig]);
      await assert.rejects(sysdig(bySysdig, '%evt.num'));
    });
  });
});
