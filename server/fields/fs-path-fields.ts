/** Rows of the `fs.path` class. */
import type { FieldRow } from './field.ts';

export const FS_PATH_FIELDS: readonly FieldRow[] = [];
