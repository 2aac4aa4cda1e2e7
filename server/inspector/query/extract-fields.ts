/** Values of any fields of retained events, threads, containers and pods. */
import type {
  ExtractedRow,
  ExtractFieldsRequest,
  ExtractFieldsResponse,
  ExtractTarget,
} from '../../../proto/gen/strata/v1/extraction_service.ts';
import type { FieldValue } from '../../../proto/gen/strata/v1/value.ts';
import { invalidArgument } from '../../event/strata-error.ts';
import type { InspectedEvent } from '../../state/inspected-event.ts';
import { fieldValueMessage } from '../field-schema.ts';
import type { BoundFields } from './bound-fields.ts';
import { containerEvent, podEvent, threadEvent } from './eventless.ts';
import { answerItem, newestLast } from './item-error.ts';
import type { QueryContext } from './query-context.ts';
import { scratchOf } from './query-scratch.ts';
import { mustRestore } from './scope.ts';

/** Classes that need no event: of a thread, of a container, of a pod. */
const THREAD_CLASSES: ReadonlySet<string> = new Set([
  'proc',
  'thread',
  'user',
  'group',
  'container',
  'k8s',
  'k8smeta',
]);
const CONTAINER_CLASSES: ReadonlySet<string> = new Set(['container', 'k8s', 'k8smeta']);
const POD_CLASSES: ReadonlySet<string> = new Set(['k8s', 'k8smeta']);

const ABSENT: FieldValue = fieldValueMessage('string', undefined);

/**
 * Throws StrataError INVALID_ARGUMENT for fields that do not compile and targets without a key; a target that is not found
 * has its error in its row. Whoever passes the call on has limited their number.
 */
export function extractFields(request: ExtractFieldsRequest, context: QueryContext): ExtractFieldsResponse {
  const { fields: names, targets } = request;
  const bound = scratchOf(context.inspector).boundFields.get(names);
  const rows = new Array<ExtractedRow>(targets.length);
  for (const i of newestLast(targets, eventNumberOf)) {
    const extract = () => extractRow(targets[i] as ExtractTarget, i, bound, request, context);
    rows[i] = answerItem(extract, (error): ExtractedRow => ({ values: [], error }));
  }
  return { schema: bound.schema, rows };
}

function eventNumberOf({ key }: ExtractTarget): bigint | undefined {
  return key?.$case === 'eventNumber' ? key.value : undefined;
}

function extractRow(
  { key }: ExtractTarget,
  index: number,
  bound: BoundFields,
  { scope }: ExtractFieldsRequest,
  { inspector }: QueryContext,
): ExtractedRow {
  switch (key?.$case) {
    case 'eventNumber':
      return valuesOf(bound, mustRestore(key.value, undefined, inspector), undefined);
    case 'tid':
      return valuesOf(bound, threadEvent(key.value, scope, inspector), THREAD_CLASSES);
    case 'containerId':
      return valuesOf(bound, containerEvent(key.value, scope, inspector), CONTAINER_CLASSES);
    case 'podUid':
      return valuesOf(bound, podEvent(key.value, scope, inspector), POD_CLASSES);
    case undefined:
      throw invalidArgument(`targets[${index}]`, 'a target needs a key');
  }
}

/** Fields of other classes than `classes` are absent; undefined allows all. */
function valuesOf(
  { fields }: BoundFields,
  event: InspectedEvent,
  classes: ReadonlySet<string> | undefined,
): ExtractedRow {
  const values = fields.map(({ row, extract }) =>
    classes === undefined || classes.has(row.fieldClass)
      ? fieldValueMessage(row.type, extract(event))
      : ABSENT,
  );
  return { values, error: undefined };
}
