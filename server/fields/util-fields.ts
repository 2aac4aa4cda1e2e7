/** Rows of the `util` class. */
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';

export const UTIL_FIELDS: readonly FieldRow[] = [
  rowsOf('util')('util.cnt', 'uint64', 'ID', 'counter that grows by one each evaluation', () => undefined, {
    hidden: true,
    bind: () => {
      let count = 0;
      return () => ++count;
    },
  }),
];
