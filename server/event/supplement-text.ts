/**
 * Rows of a supplement as text: a JSON array, one byte per character as all text, of `["thread", tid, members]`,
 * `["fd", tid, fd, members]`, `["fd-order", tid, fds, buckets]`, `["reaper", pid, isReaper]`, `["dead", tid]`,
 * `["enter", tid, record]`, `["live"]`. 64-bit integers are `{"n": digits}`, bytes `{"b": text}`.
 */
import type { SupplementMembers, SupplementRow, SupplementValue } from './snapshot.ts';

/** Name of the async event that carries such rows: a change of the state that no event of the source told. */
export const STATE_CHANGE_EVENT = 'strata.state';

const DIGITS = /^-?\d{1,20}$/;

/** One row. */
export function supplementText(row: SupplementRow): string {
  return JSON.stringify(cellsOf(row));
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

/**
 * The rows of a text. Rows and values of kinds that a newer version may have are left out. Throws SyntaxError when it is no JSON
 * array. The record of an `enter` row is not checked.
 */
export function parseSupplement(text: string): SupplementRow[] {
  const cells: unknown = JSON.parse(text);
  if (!Array.isArray(cells)) throw new SyntaxError('expected an array of rows');
  const rows: SupplementRow[] = [];
  for (const row of cells) {
    const parsed = Array.isArray(row) ? rowOf(row) : undefined;
    if (parsed !== undefined) rows.push(parsed);
  }
  return rows;
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
      return typeof third === 'string' ? { kind, tid: id, record: Buffer.from(third, 'latin1') } : undefined;
    }
    default:
      return undefined;
  }
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
