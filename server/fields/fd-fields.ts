/** Rows of the `fd` class. */
import type { FieldRow } from './field.ts';

export const FD_FIELDS: readonly FieldRow[] = [];
