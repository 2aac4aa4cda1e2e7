/** From a subscription as asked for to one that can run: filters, projection, encoder, and what the client is told of them. */
import type { CaptureEngine as CaptureEngineMessage } from '../../proto/gen/strata/v1/node.ts';
import { StrataError } from '../event/strata-error.ts';
import { ByteWriter } from '../fields/byte-writer.ts';
import { type BoundField, bindField } from '../fields/field-reference.ts';
import { compileJsonRow } from '../fields/json-row.ts';
import { compileTemplate, TEMPLATE_PRESETS } from '../fields/template.ts';
import {
  type CompiledFilter,
  compileTogether,
  type FilterError,
  FilterLimitError,
} from '../filter/filter.ts';
import { BatchEncoder } from './batch-encoder.ts';
import type { FeedFilter, FeedRequest, FeedStarted, Projection } from './event-feed.ts';
import { fieldSchema } from './field-schema.ts';
import type { QueryContext } from './query/query-context.ts';
import { captureEngineOf, nodeIdentityOf } from './query/query-context.ts';
import { binaryOf, utf8Of } from './query/text.ts';
import { compileMember, filterFault } from './request-fault.ts';
import type { ActiveFilter } from './subscription.ts';

const LINE_END = 10;

export interface CompiledSubscription {
  readonly filters: readonly ActiveFilter[];
  readonly encoder: BatchEncoder;
  /** Fields that the output reads, as written. */
  readonly fields: readonly string[];
  /** Fields of the schema; undefined for text, which has none. */
  readonly schemaFields: readonly BoundField[] | undefined;
  readonly started: FeedStarted;
}

/** Throws StrataError INVALID_ARGUMENT naming the member of the request, the position in it, and what is close. */
export function compileSubscription(request: FeedRequest, context: QueryContext): CompiledSubscription {
  const filters = compileFilters(request.filters);
  const { encoder, fields, read } = compileProjection(request.projection);
  const { engine } = context.inspector;
  const captureEngine: CaptureEngineMessage = captureEngineOf(engine);
  return {
    filters,
    encoder,
    fields: read.map((field) => field.name),
    schemaFields: fields.length === 0 ? undefined : fields,
    started: {
      schema: fields.map((field) => fieldSchema({ name: utf8Of(field.name), row: field.row })),
      node: nodeIdentityOf(context),
      captureEngine,
      captureName: context.captureName,
      captureBytes: engine.totalBytes,
      firstEventNumber: undefined,
    },
  };
}

/** Throws StrataError for `filters[i].condition`, or for `filters` when they are too much together. */
export function compileFilters(rows: readonly FeedFilter[]): readonly ActiveFilter[] {
  try {
    const compiled = compileTogether(
      rows.map((row) => row.condition),
      refuseCondition,
    );
    return rows.map((row, i) => ({ row, compiled: compiled[i] as CompiledFilter }));
  } catch (error) {
    if (!(error instanceof FilterLimitError)) throw error;
    throw new StrataError(
      { code: 'RESOURCE_EXHAUSTED', message: error.message, reason: 'FILTER_LIMIT', field: 'filters' },
      { cause: error },
    );
  }
}

function refuseCondition(index: number, error: FilterError): never {
  throw filterFault(`filters[${index}].condition`, error);
}

interface CompiledProjection {
  readonly encoder: BatchEncoder;
  /** Fields of the schema; none for text. */
  readonly fields: readonly BoundField[];
  /** Fields that are read. */
  readonly read: readonly BoundField[];
}

function compileProjection(projection: Projection): CompiledProjection {
  switch (projection.kind) {
    case 'typed': {
      const fields = bindFields(projection.fields);
      return { encoder: BatchEncoder.typed(fields), fields, read: fields };
    }
    case 'json': {
      const fields = bindFields(projection.fields);
      const writeRow = compileJsonRow(fields);
      const encoder = BatchEncoder.lines(new ByteWriter(), (event, out) => {
        writeRow(event, out);
        out.byte(LINE_END);
      });
      return { encoder, fields, read: fields };
    }
    case 'text':
      return compileText(binaryOf(projection.template));
    case 'preset':
      return compileText(TEMPLATE_PRESETS[projection.preset]);
  }
}

function compileText(text: string): CompiledProjection {
  const template = compileMember('output_format', () => compileTemplate(text));
  const encoder = BatchEncoder.lines(new ByteWriter(), (event, out) => {
    if (template.write(event, out)) out.byte(LINE_END);
  });
  return { encoder, fields: [], read: template.fields };
}

function bindFields(names: readonly string[]): BoundField[] {
  return names.map((name, i) => compileMember(`fields[${i}]`, () => bindField(binaryOf(name))));
}
