/** Aligned columns without borders, for terminals and for `awk` alike. */
import Table from 'cli-table3';
import type { Colors } from 'picocolors/types.js';
import { printable } from './error-report.ts';

/** Columns of a table of `Row`s, in order. */
export interface TableColumn<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right' | undefined;
  readonly value: (row: Row) => string;
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/** The rows below a line of titles; every line ends in a newline. Control characters in values are made visible. */
export function formatTable<Row>(
  columns: readonly TableColumn<Row>[],
  rows: Iterable<Row>,
  colors: Pick<Colors, 'bold'>,
): string {
  const table = new Table({
    head: columns.map((column) => colors.bold(column.title)),
    chars: NO_BORDERS,
    colAligns: columns.map((column) => column.align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(columns.map((column) => printable(column.value(row))));
  return `${table.toString().replace(/ +$/gm, '')}\n`;
}

/** `name  value` lines, names aligned; every line ends in a newline. */
export function formatPairs(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${printable(value)}\n`).join('');
}
