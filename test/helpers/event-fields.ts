/** Fields of built events: rows found by name and bound as a field reference would bind them. */
import { EVT_FIELDS } from '../../server/fields/evt-fields.ts';
import { FD_FIELDS } from '../../server/fields/fd-fields.ts';
import { FDLIST_FIELDS } from '../../server/fields/fdlist-fields.ts';
import type { Extractor, FieldArgument, FieldRow } from '../../server/fields/field.ts';
import { FS_PATH_FIELDS } from '../../server/fields/fs-path-fields.ts';
import { SYSLOG_FIELDS } from '../../server/fields/syslog-fields.ts';
import { UTIL_FIELDS } from '../../server/fields/util-fields.ts';

/** All rows of the classes that describe events and fds. */
export const EVENT_ROWS: readonly FieldRow[] = [
  ...EVT_FIELDS,
  ...FD_FIELDS,
  ...FDLIST_FIELDS,
  ...FS_PATH_FIELDS,
  ...UTIL_FIELDS,
  ...SYSLOG_FIELDS,
];

const rows = new Map(EVENT_ROWS.map((row) => [row.name, row]));

/** Splits `name[argument]` and `name.argument`. */
export function findRow(reference: string): readonly [FieldRow, FieldArgument | undefined] | undefined {
  const exact = rows.get(reference);
  if (exact !== undefined) return [exact, undefined];
  const bracket = reference.indexOf('[');
  if (bracket > 0) {
    const row = rows.get(reference.slice(0, bracket));
    return row === undefined ? undefined : [row, toArgument(reference.slice(bracket + 1, -1))];
  }
  for (let dot = reference.lastIndexOf('.'); dot > 0; dot = reference.lastIndexOf('.', dot - 1)) {
    const row = rows.get(reference.slice(0, dot));
    if (row !== undefined) return [row, toArgument(reference.slice(dot + 1))];
  }
  return undefined;
}

function toArgument(text: string): FieldArgument {
  return { text, index: /^\d{1,15}$/.test(text) ? Number(text) : undefined };
}

/** The typed value's extractor, or the one for JSON where the field has its own. */
export function bindField(reference: string, form: 'value' | 'json' | 'text' = 'value'): Extractor {
  const found = findRow(reference);
  if (found === undefined) throw new Error(`no field ${reference}`);
  const [row, argument] = found;
  if (form === 'json' && row.bindJson !== undefined) return row.bindJson(argument);
  if (form === 'text' && row.bindText !== undefined) return row.bindText(argument);
  return row.bind(argument);
}
