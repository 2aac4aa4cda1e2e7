/** Rows of the `fdlist` class. */
import type { FieldRow } from './field.ts';

export const FDLIST_FIELDS: readonly FieldRow[] = [];
