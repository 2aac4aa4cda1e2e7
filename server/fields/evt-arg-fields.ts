/** `evt.arg*` and `evt.res*`: the parameters of the event, as text and in their own types. */
import { PPME_GENERIC_X } from '../event/event-types.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ByteWriter } from './byte-writer.ts';
import { hasResult } from './evt-result.ts';
import { type Extractor, type FieldArgument, FieldError, type FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { bytesText } from './params/bytes-text.ts';
import { findParamIndexes, mustParamIndexes } from './params/param-index.ts';
import { argumentsText, argumentText, writeArguments } from './params/param-text.ts';
import { rawParam } from './params/raw-param.ts';

const row = rowsOf('evt');

/** Generic events have parameters for internal use only. */
function allArguments(event: InspectedEvent): string {
  return event.record.type === PPME_GENERIC_X ? '' : argumentsText(event);
}

/** The same, without a string on the way. */
function writeAllArguments(event: InspectedEvent, out: ByteWriter): boolean {
  if (event.record.type !== PPME_GENERIC_X) writeArguments(event, out);
  return true;
}

const DIRECT = { bindWrite: () => writeAllArguments };

function bindArgument(argument: FieldArgument | undefined): Extractor {
  if (argument === undefined) throw new FieldError('evt.arg needs a name or a position', 0);
  const { index, text } = argument;
  if (index !== undefined) {
    if (index < 0) throw new FieldError('positions of arguments start at 0', 0);
    return (event) => argumentText(event, index);
  }
  const indexes = mustParamIndexes(text);
  return (event) => {
    const at = indexes[event.record.type] as number;
    return at < 0 ? undefined : argumentText(event, at);
  };
}

function bindRawArgument(argument: FieldArgument | undefined): Extractor {
  if (argument === undefined) throw new FieldError('evt.rawarg needs a name', 0);
  const indexes = mustParamIndexes(argument.text);
  return (event) => {
    const at = indexes[event.record.type] as number;
    return at < 0 ? undefined : rawParam(event.record, at);
  };
}

const DATA_INDEXES = findParamIndexes('data') as Int8Array;

/** The payload's bytes as they are. */
function payload({ record }: InspectedEvent): string | undefined {
  const at = DATA_INDEXES[record.type] as number;
  return at < 0 || record.isEmpty(at) ? undefined : record.binary(at);
}

/** The payload as readers see it. */
function payloadText({ record }: InspectedEvent): string | undefined {
  const at = DATA_INDEXES[record.type] as number;
  return at < 0 || record.isEmpty(at) ? undefined : bytesText(record.binary(at));
}

/** `SUCCESS`, or the errno name: a failed call's result always renders as one. */
function result(event: InspectedEvent): string | undefined {
  const { record } = event;
  if (!hasResult(record)) return undefined;
  return record.number(0) >= 0 ? 'SUCCESS' : argumentText(event, 0);
}

export const EVT_ARG_FIELDS: readonly FieldRow[] = [
  row('evt.args', 'string', 'NA', 'all arguments rendered in one string', allArguments, DIRECT),
  row('evt.arg', 'string', 'NA', 'one argument rendered as text, by name or position', () => undefined, {
    argument: 'index|key required',
    bind: bindArgument,
  }),
  row('evt.rawarg', 'dynamic', 'NA', 'one argument in its native type, by name', () => undefined, {
    argument: 'key required',
    noRhs: true,
    noTransformer: true,
    bind: bindRawArgument,
  }),
  row('evt.info', 'string', 'NA', 'same text as evt.args', allArguments, DIRECT),
  row('evt.buffer', 'bytes', 'NA', 'payload bytes of an I/O event', payload, {
    bindJson: () => payloadText,
    bindText: () => payloadText,
  }),
];

export const EVT_RESULT_FIELDS: readonly FieldRow[] = [
  row('evt.res', 'string', 'DEC', 'SUCCESS or the errno name', result),
  row('evt.rawres', 'int64', 'DEC', 'numeric return value', ({ record }) =>
    hasResult(record) ? record.signed(0) : undefined,
  ),
];
