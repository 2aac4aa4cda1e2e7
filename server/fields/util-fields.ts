/** Rows of the `util` class. */
import type { FieldRow } from './field.ts';

export const UTIL_FIELDS: readonly FieldRow[] = [];
