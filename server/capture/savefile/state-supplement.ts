/**
 * The block that holds what the lists of a state cannot say. Its body is a version and a JSON array of rows, one byte per
 * character as all text: `["thread", tid, members]`, `["fd", tid, fd, members]`, `["fd-order", tid, fds, buckets]`,
 * `["reaper", pid, isReaper]`, `["dead", tid]`, `["enter", tid, record]`, `["live"]`. 64-bit integers are `{"n": digits}`, bytes `{"b": text}`.
 */
import { EVENT_HEADER_BYTES } from '../../event/event-record.ts';
import { PPM_EVENT_MAX } from '../../event/event-types.ts';
import type {
  SnapshotSink,
  SupplementMembers,
  SupplementRow,
  SupplementValue,
} from '../../event/snapshot.ts';
import type { BlockEncoder } from './block-encoder.ts';
import type { BlockReader } from './block-reader.ts';
import { STATE_SUPPLEMENT } from './block-types.ts';
import { checkRecord } from './record-check.ts';

const VERSION = 1;
/** A block is ended and another begun beyond this, so that readers with a limit take any state. */
const BLOCK_BYTES_MAX = 4_194_304;
const DIGITS = /^-?\d{1,20}$/;

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
    const text = JSON.stringify(cellsOf(row));
    texts.push(text);
    length += text.length;
    if (length > BLOCK_BYTES_MAX) write();
  }
  write();
}

function cellsOf(row: SupplementRow): readonly unknown[] {
  switch (row.kind) {
    case 'thread':
      return [row.kind, row.tid, plainMembers(row.members)];
    case 'fd':
      return [row.kind, row.tid, row.fd, plainMembers(row.members)];
    case 'fd-order':
      return [row.kind, row.tid, row.fds, row.bucketCount];
    case 'reaper':
      return [row.kind, row.pid, row.isReaper];
    case 'dead':
      return [row.kind, row.tid];
    case 'enter':
      return [row.kind, row.tid, row.record.latin1Slice()];
    case 'live':
      return [row.kind];
  }
}

function plainMembers(members: SupplementMembers): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      if (typeof value === 'bigint') return [name, { n: value.toString() }];
      if (Buffer.isBuffer(value)) return [name, { b: value.latin1Slice() }];
      return [name, value];
    }),
  );
}

/** Passes the block's rows to the sink. Rows and values of kinds that a newer version may have are left out. */
export function readSupplement(from: BlockReader, sink: SnapshotSink): void {
  const start = from.at;
  const version = from.u16('version');
  if (version !== VERSION) return;
  const length = from.u32('length');
  const text = from.raw(length, 'rows');
  let cells: unknown;
  try {
    cells = JSON.parse(text);
  } catch (error) {
    from.fail(`rows that are no JSON: ${(error as Error).message}`, start);
  }
  if (!Array.isArray(cells)) from.fail('expected an array of rows', start);
  const rows: SupplementRow[] = [];
  for (const row of cells) {
    const parsed = Array.isArray(row) ? rowOf(row) : undefined;
    if (parsed !== undefined) rows.push(parsed);
  }
  sink.onSupplement?.(rows);
}

function rowOf(cells: readonly unknown[]): SupplementRow | undefined {
  const [kind, id, third, fourth] = cells;
  if (kind === 'live') return { kind };
  if (!isNumber(id)) return undefined;
  switch (kind) {
    case 'thread':
      return { kind, tid: id, members: membersOf(third) };
    case 'fd':
      return isNumber(third) ? { kind, tid: id, fd: third, members: membersOf(fourth) } : undefined;
    case 'fd-order':
      return isNumber(fourth) && Array.isArray(third) && third.every(isNumber)
        ? { kind, tid: id, fds: third, bucketCount: fourth }
        : undefined;
    case 'reaper':
      return { kind, pid: id, isReaper: third === true };
    case 'dead':
      return { kind, tid: id };
    case 'enter': {
      const record = typeof third === 'string' ? Buffer.from(third, 'latin1') : undefined;
      return record !== undefined && isRecord(record) ? { kind, tid: id, record } : undefined;
    }
    default:
      return undefined;
  }
}

function isRecord(bytes: Buffer): boolean {
  if (bytes.length < EVENT_HEADER_BYTES || bytes.readUInt16LE(20) >= PPM_EVENT_MAX) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return checkRecord(view, 0, bytes.length) === undefined;
}

function membersOf(value: unknown): SupplementMembers {
  const members = new Map<string, SupplementValue>();
  if (typeof value !== 'object' || value === null) return {};
  for (const [name, cell] of Object.entries(value)) {
    const member = cellValue(cell);
    if (member !== undefined) members.set(name, member);
  }
  return Object.fromEntries(members);
}

function cellValue(cell: unknown): SupplementValue | undefined {
  if (isNumber(cell) || typeof cell === 'string' || typeof cell === 'boolean') return cell;
  if (Array.isArray(cell)) {
    if (cell.every((item) => typeof item === 'string')) return cell;
    return cell.every(isPair) ? cell : undefined;
  }
  if (typeof cell !== 'object' || cell === null) return undefined;
  const { n, b } = cell as { readonly n?: unknown; readonly b?: unknown };
  if (typeof n === 'string' && DIGITS.test(n)) return BigInt(n);
  return typeof b === 'string' ? Buffer.from(b, 'latin1') : undefined;
}

function isPair(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'string');
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
