/**
 * Feeds damaged captures to the reader. Whatever the bytes: no error but CaptureError, its offset within the data, no record
 * that reaches beyond its bytes, no event that the framing does not hold whole and none of those left out silently, an end
 * within a bounded number of steps, in bounded memory. What could be read can also be rewritten, and the rewritten file is
 * sound.
 *
 * Runs by itself too: `node test/fuzz/savefile.ts [--iterations N] [--seed N]`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CaptureError, NEXT_END, NEXT_EVENT } from '../../server/capture/capture-engine.ts';
import { convertCapture } from '../../server/capture/savefile/convert-capture.ts';
import { SavefileEngine } from '../../server/capture/savefile/savefile-engine.ts';
import { EventRecord } from '../../server/event/event-record.ts';
import { PPM_EVENT_MAX } from '../../server/event/event-types.ts';
import { CollectedState } from '../helpers/scap-contents.ts';
import { mutatedCapture } from './savefile-mutations.ts';
import { countWholeEvents } from './savefile-oracle.ts';
import { SeededRandom } from './savefile-random.ts';
import { savefileCorpus, savefileSeeds } from './savefile-seeds.ts';
import { Watchdog } from './watchdog.ts';

export interface FuzzOptions {
  readonly iterations: number;
  readonly seed: number;
  /** Where the summary goes; console.log unless given. */
  readonly log?: ((line: string) => void) | undefined;
}

export interface SavefileFuzzSummary {
  readonly files: number;
  readonly events: number;
  /** Files that were read to their end. */
  readonly sound: number;
  readonly damaged: number;
  /** Files rewritten and read again. */
  readonly rewritten: number;
}

const LIMITS = { blockBytesMax: 1_048_576 };
/** A block is at least 12 bytes, so a file cannot ask for more steps than this many per byte. */
const STEPS_PER_BYTE = 1;
const STEPS_MIN = 1_000;
/** What a gzip stream of a file this size can grow to, in blocks. */
const GZIP_STEPS = 6_000_000;
const FILE_MS_MAX = 10_000;
const MEMORY_BYTES_MAX = 400_000_000;
const REWRITE_EVERY = 16;

interface Reading {
  events: number;
  error: CaptureError | undefined;
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

function checkRecord(record: EventRecord, previousNum: number): void {
  const end = record.offset + record.length;
  check(end <= record.bytes.length, `record ends at ${end} of ${record.bytes.length}`);
  check(record.type < PPM_EVENT_MAX, `event type ${record.type}`);
  check(
    record.num === previousNum || record.num === previousNum + 1,
    `number ${record.num} after ${previousNum}`,
  );
  for (let i = 0; i < record.paramCount; i++) {
    const at = record.paramOffsets[i] as number;
    const length = record.paramLengths[i] as number;
    check(at >= record.offset && at + length <= end, `parameter ${i} outside of its record`);
  }
}

/** Counts into `reading` what is read to the end. */
async function readEvents(engine: SavefileEngine, stepsMax: number, reading: Reading): Promise<void> {
  const record = new EventRecord();
  let num = 0;
  for (let step = 0; step < stepsMax; step++) {
    const result = engine.next(record);
    if (result === NEXT_END) return;
    if (result !== NEXT_EVENT) {
      await engine.fill();
      continue;
    }
    checkRecord(record, num);
    num = record.num;
    reading.events++;
  }
  throw new Error(`no end after ${stepsMax} steps`);
}

async function read(path: string, bytes: Buffer): Promise<Reading> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const engine = new SavefileEngine({ path, limits: LIMITS });
  const reading: Reading = { events: 0, error: undefined };
  try {
    await engine.open(new CollectedState());
    await readEvents(engine, isGzip ? GZIP_STEPS : STEPS_MIN + bytes.length * STEPS_PER_BYTE, reading);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    check(error.offset >= 0, `offset ${error.offset}`);
    check(isGzip || error.offset <= bytes.length + 4, `offset ${error.offset} of ${bytes.length} bytes`);
    reading.error = error;
  } finally {
    await engine.close();
  }
  if (!isGzip) checkCount(engine, reading, countWholeEvents(bytes));
  return reading;
}

function checkCount(engine: SavefileEngine, { events, error }: Reading, whole: number): void {
  const taken = events + engine.counters.absorbedEvents + engine.counters.unknownEvents;
  check(taken <= whole, `${taken} events taken, ${whole} are whole`);
  check(error !== undefined || taken === whole, `${taken} events taken of ${whole}, and no error`);
}

/** Rewrites the file; what came out must be sound and hold the same. */
async function rewrite(path: string, target: string): Promise<boolean> {
  let events: number;
  try {
    ({ events } = await convertCapture(path, target, { compress: false, limits: LIMITS }));
  } catch (error) {
    if (error instanceof CaptureError) return false;
    throw error;
  }
  const engine = new SavefileEngine({ path: target });
  try {
    await engine.open(new CollectedState());
    const again: Reading = { events: 0, error: undefined };
    await readEvents(engine, STEPS_MIN + events * 3, again);
    check(again.events === events, `${events} events written, ${again.events} read`);
  } catch (error) {
    // A capture, or its last section, without any event is not sound; its rewriting is not either.
    const isEmpty = error instanceof CaptureError && error.message.startsWith('no events');
    if (!isEmpty) throw error;
  } finally {
    await engine.close();
  }
  return true;
}

/** Throws at the first broken promise, saying the iteration; the file is kept beside the corpus's temporary directory. */
export async function runSavefileFuzz(options: FuzzOptions): Promise<SavefileFuzzSummary> {
  const log = options.log ?? ((line: string) => console.log(line));
  const directory = mkdtempSync(join(tmpdir(), 'strata-fuzz-'));
  const path = join(directory, 'capture.scap');
  const target = join(directory, 'rewritten.scap');
  const seeds = savefileSeeds();
  const corpus = savefileCorpus();
  const counts = { files: 0, events: 0, sound: 0, damaged: 0, rewritten: 0 };
  const watchdog = new Watchdog(`savefile fuzz, seed ${options.seed}`, FILE_MS_MAX * 2);
  const startedMs = performance.now();
  log(`savefile: seed ${options.seed}, ${seeds.length} seeds, ${corpus.length} files of the corpus`);
  for (let i = -corpus.length; i < options.iterations; i++) {
    // Each file has randomness of its own: any one of them can be made again without those before it.
    const random = new SeededRandom(options.seed + Math.imul(i, 0x9e3779b1));
    const bytes = corpus[i + corpus.length] ?? mutatedCapture(seeds, random);
    writeFileSync(path, bytes);
    watchdog.step(i);
    const fileMs = performance.now();
    try {
      const { events, error } = await read(path, bytes);
      counts.files++;
      counts.events += events;
      if (error === undefined) counts.sound++;
      else counts.damaged++;
      if (i % REWRITE_EVERY === 0 && (await rewrite(path, target))) counts.rewritten++;
      check(performance.now() - fileMs < FILE_MS_MAX, `took longer than ${FILE_MS_MAX} ms`);
      if (i % 256 === 0) checkMemory();
    } catch (error) {
      const kept = join(tmpdir(), `strata-fuzz-${options.seed}-${i}.scap`);
      writeFileSync(kept, bytes);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.stop();
      throw new Error(`savefile fuzz: seed ${options.seed}, iteration ${i}, file kept as ${kept}`, {
        cause: error,
      });
    }
  }
  rmSync(directory, { recursive: true, force: true });
  await watchdog.stop();
  const seconds = (performance.now() - startedMs) / 1000;
  const rate = Math.round(counts.files / seconds);
  log(`savefile: ${JSON.stringify(counts)} in ${seconds.toFixed(1)} s, ${rate} files/s`);
  return counts;
}

function checkMemory(): void {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  const used = arrayBuffers + heapUsed;
  check(used < MEMORY_BYTES_MAX, `${used} bytes in use`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      iterations: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
    },
  });
  await runSavefileFuzz({ iterations: Number(values.iterations), seed: Number(values.seed) });
}
