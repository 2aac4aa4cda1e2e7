/**
 * Parts of long lists, in key order. A page token names the last key shown, so that pages stay right while rows come and
 * go: what is new behind that key is shown, what was shown is not shown again.
 */
import type { PageRequest, PageResponse } from '../../../proto/gen/strata/v1/state.ts';
import { invalidArgument } from '../../event/strata-error.ts';

const PAGE_SIZE_DEFAULT = 1000;
const PAGE_SIZE_MAX = 10_000;

/** What a list is ordered by: the text first, then the number. Lists that need only one leave the other constant. */
export interface ListOrder<Row> {
  text(row: Row): string;
  number(row: Row): number;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly page: PageResponse;
}

interface Position {
  readonly text: string;
  readonly number: number;
}

/** Throws StrataError INVALID_ARGUMENT for a malformed token. */
export function pageOf<Row>(
  rows: Iterable<Row>,
  order: ListOrder<Row>,
  request: PageRequest | undefined,
): Page<Row> {
  const size = Math.min(request?.pageSize || PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const after = parseToken(request?.pageToken ?? '');
  const first = new FirstRows(order, size);
  let total = 0;
  for (const row of rows) {
    total++;
    if (after === undefined || isAfter(row, order, after)) first.add(row);
  }
  const page = first.finish();
  const last = page.at(-1);
  const nextPageToken =
    last === undefined || !first.hasMore
      ? ''
      : formatToken({ text: order.text(last), number: order.number(last) });
  return { rows: page, page: { nextPageToken, totalCount: BigInt(total) } };
}

/** The first `size` rows in order, of any number given: most of a long list is turned away by one comparison. */
class FirstRows<Row> {
  hasMore: boolean;
  private readonly order: ListOrder<Row>;
  private readonly size: number;
  private rows: Row[];
  /** Rows at or behind this one are not among the first. */
  private limit: Position | undefined;

  constructor(order: ListOrder<Row>, size: number) {
    this.hasMore = false;
    this.order = order;
    this.size = size;
    this.rows = [];
    this.limit = undefined;
  }

  add(row: Row): void {
    if (this.limit !== undefined && isAfter(row, this.order, this.limit)) {
      this.hasMore = true;
      return;
    }
    this.rows.push(row);
    if (this.rows.length >= 2 * this.size) this.cut();
  }

  finish(): readonly Row[] {
    this.cut();
    return this.rows;
  }

  private cut(): void {
    const { order, size } = this;
    this.rows.sort((a, b) => compareText(order.text(a), order.text(b)) || order.number(a) - order.number(b));
    if (this.rows.length < size) return;
    if (this.rows.length > size) this.hasMore = true;
    this.rows.length = size;
    const last = this.rows[size - 1] as Row;
    this.limit = { text: order.text(last), number: order.number(last) };
  }
}

function isAfter<Row>(row: Row, order: ListOrder<Row>, position: Position): boolean {
  return (compareText(order.text(row), position.text) || order.number(row) - position.number) > 0;
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function formatToken(position: Position): string {
  return Buffer.from(`${position.number}:${position.text}`, 'latin1').toString('base64url');
}

function parseToken(token: string): Position | undefined {
  if (token === '') return undefined;
  const text = Buffer.from(token, 'base64url').latin1Slice();
  const match = /^(-?\d{1,16}):(.*)$/s.exec(text);
  const position = { number: Number(match?.[1]), text: match?.[2] ?? '' };
  if (match === null || formatToken(position) !== token) {
    throw invalidArgument('page.page_token', 'the page token is none that a list has given');
  }
  return position;
}
