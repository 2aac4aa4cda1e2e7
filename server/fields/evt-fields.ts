/** Rows of the `evt` class, in the order they are listed. */
import { EVT_ARG_FIELDS, EVT_RESULT_FIELDS } from './evt-arg-fields.ts';
import { EVT_CATEGORY_FIELD } from './evt-category-field.ts';
import { EVT_COUNT_FIELDS, EVT_FAILED_FIELD } from './evt-count-fields.ts';
import { EVT_INFRA_FIELDS } from './evt-infra-fields.ts';
import { EVT_BUFLEN_FIELDS, EVT_IO_FIELDS } from './evt-io-fields.ts';
import { EVT_CREATE_FIELDS, EVT_OPEN_FIELDS } from './evt-open-fields.ts';
import { EVT_ABSPATH_FIELD, EVT_AROUND_FIELD } from './evt-path-fields.ts';
import { EVT_GENERIC_FIELDS, EVT_NUMBER_FIELD, EVT_TYPE_FIELDS } from './evt-source-fields.ts';
import { EVT_LATENCY_FIELDS, EVT_TIME_FIELDS } from './evt-time-fields.ts';
import type { FieldRow } from './field.ts';

export const EVT_FIELDS: readonly FieldRow[] = [
  EVT_NUMBER_FIELD,
  ...EVT_TIME_FIELDS,
  ...EVT_GENERIC_FIELDS,
  ...EVT_LATENCY_FIELDS,
  ...EVT_TYPE_FIELDS,
  EVT_CATEGORY_FIELD,
  ...EVT_ARG_FIELDS,
  ...EVT_RESULT_FIELDS,
  EVT_FAILED_FIELD,
  ...EVT_IO_FIELDS,
  ...EVT_COUNT_FIELDS,
  EVT_AROUND_FIELD,
  EVT_ABSPATH_FIELD,
  ...EVT_BUFLEN_FIELDS,
  ...EVT_OPEN_FIELDS,
  ...EVT_INFRA_FIELDS,
  ...EVT_CREATE_FIELDS,
];
