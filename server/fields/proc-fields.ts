/** The proc class, in the order it is listed. */
import type { FieldRow } from './field.ts';
import { PROC_COMMAND_FIELDS } from './proc-command-fields.ts';
import { PROC_EXE_FILE_FIELDS, PROC_EXE_FLAG_FIELDS, PROC_TIME_FIELDS } from './proc-exe-fields.ts';
import { PROC_ID_FIELDS, PROC_LEADER_FIELDS } from './proc-id-fields.ts';
import { PROC_RESOURCE_FIELDS, PROC_STREAM_FIELDS } from './proc-resource-fields.ts';

export const PROC_FIELDS: readonly FieldRow[] = [
  ...PROC_COMMAND_FIELDS,
  ...PROC_ID_FIELDS,
  ...PROC_TIME_FIELDS,
  ...PROC_EXE_FLAG_FIELDS,
  ...PROC_LEADER_FIELDS,
  ...PROC_EXE_FILE_FIELDS,
  ...PROC_RESOURCE_FIELDS,
  ...PROC_STREAM_FIELDS,
];
