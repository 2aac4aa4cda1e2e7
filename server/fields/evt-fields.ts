/** Rows of the `evt` class. */
import type { FieldRow } from './field.ts';

export const EVT_FIELDS: readonly FieldRow[] = [];
