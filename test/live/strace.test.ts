/** The workload under strace and captured at the same time: every call strace saw is among our events, with equal values. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { EngineCapture } from './helpers/engine-capture.ts';
import { readKnownDifferences, unexplained } from './helpers/known-differences.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { runWorkload } from './helpers/run-workload.ts';
import { compareWithStrace, type Difference } from './workload/oracle.ts';
import { parseStraceLog } from './workload/strace-log.ts';

/** Steps to run, for looking into one: `STRATA_LIVE_STEPS=signals,keys`. */
const STEPS = process.env['STRATA_LIVE_STEPS']?.split(',');
/** Folder where the log of strace is kept, for looking into a difference. */
const KEEP = process.env['STRATA_LIVE_KEEP'];
const SHOWN = 60;
/** Room for whatever else runs on the machine: a lost event would look like a difference. */
const RING_BYTES = 64 * 1024 * 1024;

test(
  'what strace saw of the workload is among the events, in order and with equal values',
  liveOrSkip('strace', 'python3', 'git', 'curl', 'ssh-keygen', 'useradd', 'unshare'),
  async () => {
    const capture = await EngineCapture.start({
      interest: 'all',
      keepsRecords: true,
      options: { ringBytes: RING_BYTES },
    });
    const run = await runWorkload({ isTraced: true, steps: STEPS }).catch(async (error: unknown) => {
      await capture.kill();
      throw error;
    });
    const threads = parseStraceLog(run.straceText);
    const { summary, events } = await capture.end(new Set(threads.keys()));
    if (KEEP !== undefined) {
      mkdirSync(KEEP, { recursive: true });
      writeFileSync(`${KEEP}/strace`, run.straceText, 'latin1');
    }
    assert.equal(summary.eventsLost, 0, 'events lost while the workload ran');
    const report = compareWithStrace(threads, events);
    const known = readKnownDifferences();
    const rest = unexplained(report.differences, known);
    process.stdout.write(
      `${report.calls} calls of ${report.threads} threads, ${report.params} values compared, ` +
        `${report.differences.length - rest.length} known differences, ${rest.length} others\n`,
    );
    for (const row of known) {
      if (row.uses === 0 && STEPS === undefined) process.stdout.write(`not seen any more: ${row.key}\n`);
    }
    assert.ok(report.calls > (STEPS === undefined ? 5000 : 0), 'a whole workload was compared');
    assert.equal(rest.length, 0, summaryOf(rest));
  },
);

function summaryOf(rest: readonly Difference[]): string {
  const counts = new Map<string, number>();
  for (const { key } of rest) counts.set(key, (counts.get(key) ?? 0) + 1);
  const totals = [...counts].map(([key, count]) => `  ${count} x ${key}`);
  const examples = [...counts.keys()].flatMap((key) =>
    rest.filter((difference) => difference.key === key).slice(0, 2),
  );
  return [
    `${rest.length} differences:`,
    ...totals,
    ...examples.slice(0, SHOWN).map(({ key, detail }) => `${key}: ${detail.slice(0, 600)}`),
  ].join('\n');
}
