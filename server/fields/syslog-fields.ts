/** Rows of the `syslog` class. */
import type { FieldRow } from './field.ts';

export const SYSLOG_FIELDS: readonly FieldRow[] = [];
