/** Records a replay from the middle, without threads or servers, beside the field values its events had. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SavefileEngine } from '../../server/capture/savefile/savefile-engine.ts';
import { EVENT_TABLE } from '../../server/event/event-table.ts';
import { ByteWriter } from '../../server/fields/byte-writer.ts';
import { FIELD_ROWS } from '../../server/fields/catalogue.ts';
import { bindField } from '../../server/fields/field-reference.ts';
import { compileJsonRow } from '../../server/fields/json-row.ts';
import { compileFilter } from '../../server/filter/filter.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import { Recording, type RecordingLoop } from '../../server/inspector/recording.ts';
import type {
  RecordingChunk,
  RecordingEnd,
  RecordingListener,
  RecordingRequest,
} from '../../server/inspector/recording-feed.ts';
import type { InspectedEvent } from '../../server/state/inspected-event.ts';
import { OsState } from '../../server/state/os-state.ts';
import { scanCells } from '../conformance/cells.ts';
import { replay } from './replay.ts';

export const RECORD_ALL: RecordingRequest = {
  source: 'syscall',
  condition: '',
  snaplenBytes: Number.POSITIVE_INFINITY,
  eventsMax: Number.POSITIVE_INFINITY,
  bytesMax: Number.POSITIVE_INFINITY,
  durationMsMax: Number.POSITIVE_INFINITY,
  rotateBytes: Number.POSITIVE_INFINITY,
  rotateDurationMs: Number.POSITIVE_INFINITY,
  creditBytes: Number.POSITIVE_INFINITY,
  holdsSource: true,
  latencyMs: 100,
};

/** Keeps what a recording says; files are put together from its chunks. */
export class CollectedRecording implements RecordingListener {
  readonly chunks: RecordingChunk[] = [];
  end: RecordingEnd | undefined;

  onChunk(chunk: RecordingChunk): void {
    this.chunks.push(chunk);
  }

  onEnd(end: RecordingEnd): void {
    this.end = end;
  }

  onFault(error: Error): void {
    throw error;
  }

  file(number = 0): Buffer {
    return Buffer.concat(this.chunks.filter(({ file }) => file === number).map(({ bytes }) => bytes));
  }
}

/** The loop a recording stands in, with a clock that a test moves. */
export class TestLoop implements RecordingLoop {
  readonly inspector: Inspector;
  /** Whether times are taken from the events, as for capture files. */
  readonly isFile: boolean;
  ms: number;

  constructor(inspector: Inspector, isFile = true) {
    this.inspector = inspector;
    this.isFile = isFile;
    this.ms = 0;
  }

  get record() {
    return this.inspector.event.record;
  }

  get eventsShown(): number {
    return this.inspector.counters.eventsShown;
  }

  get lastNum(): number | undefined {
    return this.inspector.event.record.num;
  }

  get lastTsNs(): bigint | undefined {
    return this.inspector.event.record.timestampNs();
  }

  get captureBytesRead(): number | undefined {
    return this.isFile ? this.inspector.engine.counters.bytesRead : undefined;
  }

  nowMs(): number {
    return this.ms;
  }
}

/** Every field of the catalogue, those with arguments with some of them. */
export function everyField(): string[] {
  const names: string[] = [];
  for (const { name, argument } of FIELD_ROWS) {
    if (!argument.endsWith('required')) names.push(name);
    if (argument.startsWith('index')) names.push(...[1, 2, 5].map((index) => `${name}[${index}]`));
  }
  const params = new Set(EVENT_TABLE.flatMap((info) => info.params.map((param) => param.name)));
  for (const param of params) names.push(`evt.rawarg.${param}`);
  names.push('evt.arg[0]', 'evt.arg[1]', 'proc.env[PATH]', 'evt.abspath[src]', 'evt.abspath[dst]');
  return names.filter((name) => isField(name));
}

function isField(name: string): boolean {
  try {
    bindField(name);
    return true;
  } catch {
    return false;
  }
}

/** Renders all of `fields` of an event as one JSON object. */
export function rowWriter(fields: readonly string[]): (event: InspectedEvent) => string {
  const writeRow = compileJsonRow(fields.map(bindField));
  const writer = new ByteWriter();
  return (event) => {
    writer.reset();
    writeRow(event, writer);
    return writer.view().toString('latin1');
  };
}

export interface RecordedReplay {
  readonly inspector: Inspector;
  readonly recorded: CollectedRecording;
}

/**
 * Replays `path`; after `skip` records a recording starts. `onEvent` is shown the events from there on that match the condition.
 */
export async function recordFrom(
  path: string,
  skip: number,
  request: RecordingRequest,
  onEvent: (event: InspectedEvent) => void,
): Promise<RecordedReplay> {
  const engine = new SavefileEngine({ path });
  const inspector = new Inspector(new OsState(), engine, { eventsMax: 0, bytesMax: 0 });
  const recorded = new CollectedRecording();
  const filter = compileFilter(request.condition);
  try {
    await inspector.open();
    await runEvents(inspector, skip);
    const recording = new Recording(request, filter, inspector.state, recorded, new TestLoop(inspector));
    inspector.addReader({
      eventTypes: recording.eventTypes,
      isHolding: false,
      onEvent: (event) => {
        if (!recording.isEnded && filter.matches(event)) onEvent(event);
      },
    });
    recording.begin();
    inspector.addReader(recording);
    await runEvents(inspector, Number.POSITIVE_INFINITY);
    recording.end({ reason: 'capture-end' });
  } finally {
    await engine.close();
  }
  return { inspector, recorded };
}

export interface RecordingComparison {
  /** Events recorded and shown. */
  readonly events: number;
  /** Fields whose values differ in the replay of the recording. */
  readonly differing: readonly string[];
  /** The first differences, as text. */
  readonly examples: readonly string[];
  readonly end: RecordingEnd;
}

const EXAMPLES_MAX = 20;

/** Records as `recordFrom` does, replays the recording and compares every field of every event. `dir` takes the file. */
export async function compareRecording(
  path: string,
  skip: number,
  request: RecordingRequest,
  dir: string,
): Promise<RecordingComparison> {
  const fields = everyField();
  const writeLive = rowWriter(fields);
  const rows: string[] = [];
  const { recorded } = await recordFrom(path, skip, request, (event) => rows.push(writeLive(event)));
  if (recorded.end === undefined) throw new Error('the recording has not ended');
  const file = join(dir, 'compared.scap');
  writeFileSync(file, recorded.file());
  const writeAgain = rowWriter(fields);
  const differing = new Set<string>();
  const examples: string[] = [];
  let at = 0;
  await replay(file, (event) => {
    const line = writeAgain(event);
    const row = rows[at++] ?? '{}';
    if (row === line) return;
    const live = scanCells(row);
    const again = scanCells(line);
    for (const field of new Set([...live.keys(), ...again.keys()])) {
      if (live.get(field) === again.get(field)) continue;
      differing.add(field);
      if (examples.length < EXAMPLES_MAX) {
        examples.push(`event ${at} ${field}: ${live.get(field)} then ${again.get(field)}`);
      }
    }
  });
  if (at !== rows.length) differing.add(`${rows.length} events, then ${at}`);
  return { events: rows.length, differing: [...differing], examples, end: recorded.end };
}

/** Takes up to `count` records. */
export async function runEvents(inspector: Inspector, count: number): Promise<void> {
  const wanted = inspector.counters.eventsRead + count;
  while (inspector.counters.eventsRead < wanted) {
    const result = inspector.run(Math.min(4096, wanted - inspector.counters.eventsRead));
    if (result === 'ended') return;
    if (result === 'need-input') await inspector.fill();
  }
}
