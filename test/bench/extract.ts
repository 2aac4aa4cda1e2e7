/**
 * Extraction of 10 fields of retained events, without the thread and gRPC around it: what one question costs the loop.
 * `node test/bench/extract.ts [CAPTURE]`
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SavefileEngine } from '../../server/capture/savefile/savefile-engine.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import { answerQuery } from '../../server/inspector/query/answer-query.ts';
import type { QueryContext } from '../../server/inspector/query/query-context.ts';
import { OsState } from '../../server/state/os-state.ts';

const CAPTURE = fileURLToPath(new URL('../../../shared/captures/live-shell.scap', import.meta.url));
/** The server's defaults. */
const RETENTION = { eventsMax: 8192, bytesMax: 16_777_216 };
const FIELDS = [
  'evt.num',
  'evt.type',
  'evt.rawtime',
  'proc.name',
  'proc.cmdline',
  'proc.exepath',
  'proc.aname[2]',
  'fd.name',
  'user.name',
  'container.id',
];
const MEASURE_MS = 500;

async function replayed(path: string): Promise<QueryContext> {
  const engine = new SavefileEngine({ path });
  const inspector = new Inspector(new OsState(), engine, RETENTION);
  await inspector.open();
  for (let result = inspector.run(4096); result !== 'ended'; result = inspector.run(4096)) {
    if (result === 'need-input') await inspector.fill();
  }
  await engine.close();
  return { inspector, nodeName: '', captureName: '', subscriptionCount: () => 0 };
}

/** Event numbers from a seeded generator (xorshift), so that runs compare. */
function randomNumbers(oldest: number, newest: number): () => number {
  let seed = 0x9e3779b9;
  return () => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return oldest + ((seed >>> 0) % (newest - oldest + 1));
  };
}

function measure(name: string, context: QueryContext, batch: number, next: () => number): void {
  const ask = (): void => {
    const targets = Array.from({ length: batch }, () => ({
      key: { $case: 'eventNumber', value: BigInt(next()) } as const,
    }));
    answerQuery('extractFields', { fields: FIELDS, targets, scope: undefined }, context);
  };
  for (let i = 0; i < 200; i++) ask();
  const latenciesMs: number[] = [];
  const end = performance.now() + MEASURE_MS;
  for (let now = performance.now(); now < end; ) {
    ask();
    const after = performance.now();
    latenciesMs.push(after - now);
    now = after;
  }
  latenciesMs.sort((a, b) => a - b);
  const totalMs = latenciesMs.reduce((sum, ms) => sum + ms, 0);
  const perSecond = Math.round((latenciesMs.length * batch * 1000) / totalMs);
  const at = (share: number): string =>
    ((latenciesMs[Math.floor((latenciesMs.length - 1) * share)] as number) * 1000).toFixed(0);
  console.log(
    `${name.padEnd(34)} ${String(perSecond).padStart(8)} extracts/s   per request: median ${at(0.5)} us, p99 ${at(0.99)} us`,
  );
}

const path = process.argv[2] ?? CAPTURE;
if (existsSync(path)) {
  const context = await replayed(path);
  const { retained, state } = context.inspector;
  const oldest = retained.oldestNumber ?? 0;
  const newest = retained.newestNumber ?? 0;
  console.log(
    `${retained.count} events retained, ${state.undo.entryCount} changes remembered, ${FIELDS.length} fields`,
  );
  measure('newest event', context, 1, () => newest);
  measure('oldest event, again and again', context, 1, () => oldest);
  measure('any event, one per request', context, 1, randomNumbers(oldest, newest));
  measure('any event, 100 per request', context, 100, randomNumbers(oldest, newest));
  measure('any event, 1,000 per request', context, 1000, randomNumbers(oldest, newest));
} else {
  console.log(`no capture ${path}: name one`);
}
