/** The block that holds what the lists of a state cannot say: a version, a length, and rows as text. */
import { EVENT_HEADER_BYTES } from '../../event/event-record.ts';
import { PPM_EVENT_MAX } from '../../event/event-types.ts';
import type { SnapshotSink, SupplementRow } from '../../event/snapshot.ts';
import { parseSupplement, supplementText } from '../../event/supplement-text.ts';
import type { BlockEncoder } from './block-encoder.ts';
import type { BlockReader } from './block-reader.ts';
import { STATE_SUPPLEMENT } from './block-types.ts';
import { checkRecord } from './record-check.ts';

const VERSION = 1;
/** A block is ended and another begun beyond this, so that readers with a limit take any state. */
const BLOCK_BYTES_MAX = 4_194_304;
export function encodeSupplement(to: BlockEncoder, rows: Iterable<SupplementRow>): void {
  let texts: string[] = [];
  let length = 0;
  const write = (): void => {
    if (texts.length === 0) return;
    to.begin(STATE_SUPPLEMENT);
    to.u16(VERSION);
    const text = `[${texts.join(',')}]`;
    to.u32(text.length);
    to.raw(text);
    to.end();
    texts = [];
    length = 0;
  };
  for (const row of rows) {
    const text = supplementText(row);
    texts.push(text);
    length += text.length;
    if (length > BLOCK_BYTES_MAX) write();
  }
  write();
}

/** Passes the block's rows to the sink. */
export function readSupplement(from: BlockReader, sink: SnapshotSink): void {
  const start = from.at;
  const version = from.u16('version');
  // A newer one says the same in another way; the lists are there all the same.
  if (version !== VERSION) return;
  const length = from.u32('length');
  const text = from.raw(length, 'rows');
  let rows: SupplementRow[];
  try {
    rows = parseSupplement(text);
  } catch (error) {
    from.fail(`rows that are no JSON: ${(error as Error).message}`, start);
  }
  sink.onSupplement?.(rows.filter((row) => row.kind !== 'enter' || isRecord(row.record)));
}

function isRecord(bytes: Buffer): boolean {
  if (bytes.length < EVENT_HEADER_BYTES || bytes.readUInt16LE(20) >= PPM_EVENT_MAX) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return checkRecord(view, 0, bytes.length) === undefined;
}
