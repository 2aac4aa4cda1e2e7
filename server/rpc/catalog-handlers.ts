/** CatalogService: what this server knows, answered from its tables without asking an inspector. */
import {
  type CatalogServiceServer,
  type EventType,
  type Field,
  FieldArgument,
  type FilterError,
  type ListFieldsRequest,
} from '../../proto/gen/strata/v1/catalog_service.ts';
import { EF_OLD_VERSION, EF_UNUSED, EVENT_TABLE, type EventInfo } from '../event/event-table.ts';
import { nearestNames } from '../event/nearest-names.ts';
import { StrataError } from '../event/strata-error.ts';
import type { ArgumentForm, FieldRow } from '../fields/field.ts';
import { FIELD_TYPE_NUMBERS } from '../inspector/field-schema.ts';
import type { Methods } from './state-handlers.ts';
import type { ErrorLog } from './status.ts';
import { checkSource } from './stream-request.ts';
import { unary, unaryUnimplemented } from './unary.ts';

/** Result of compiling a condition; `error` excludes the others. */
export interface FilterCheck {
  readonly error: FilterError | undefined;
  /** Field references of the condition. */
  readonly fields: readonly string[];
  /** 1 at the index of every event type it can match; undefined when there is an error. */
  readonly eventTypes: Uint8Array | undefined;
}

/** What the handlers need of the field catalogue and the filter compiler. */
export interface Catalog {
  readonly fields: readonly FieldRow[];
  /** Never throws for what a client wrote. */
  checkFilter(condition: string): FilterCheck;
}

const ARGUMENTS: Readonly<Record<ArgumentForm, FieldArgument>> = {
  none: FieldArgument.UNSPECIFIED,
  'index optional': FieldArgument.INDEX_OPTIONAL,
  'key optional': FieldArgument.KEY_OPTIONAL,
  'index|key optional': FieldArgument.INDEX_OR_KEY_OPTIONAL,
  'index required': FieldArgument.INDEX_REQUIRED,
  'key required': FieldArgument.KEY_REQUIRED,
  'index|key required': FieldArgument.INDEX_OR_KEY_REQUIRED,
};

export function catalogHandlers(catalog: Catalog, log: ErrorLog): Methods<CatalogServiceServer> {
  return {
    listFields: unary((request) => ({ fields: listFields(catalog.fields, request) }), log),
    listEventTypes: unary(({ includeOld }) => ({ eventTypes: listEventTypes(includeOld) }), log),
    validateFilter: unary((request) => {
      checkSource(request.source);
      const { error, fields, eventTypes } = catalog.checkFilter(request.condition);
      return { error, fields, eventTypes: eventTypes === undefined ? [] : eventTypeNames(eventTypes) };
    }, log),
    listPlugins: unaryUnimplemented('this version has no plugins', log),
  };
}

function listFields(rows: readonly FieldRow[], request: ListFieldsRequest): Field[] {
  checkSource(request.source);
  const wanted = request.fieldClass;
  const shown = rows.filter((row) => row.hidden !== true && (wanted === '' || row.fieldClass === wanted));
  if (shown.length === 0) {
    const classes = [...new Set(rows.map((row) => row.fieldClass))];
    throw new StrataError({
      code: 'NOT_FOUND',
      message: `unknown field class "${wanted}"`,
      reason: 'UNKNOWN_FIELD_CLASS',
      field: 'field_class',
      suggestions: nearestNames(wanted, classes),
    });
  }
  return shown.map((row) => ({
    name: row.name,
    fieldClass: row.fieldClass,
    type: FIELD_TYPE_NUMBERS[row.type],
    argument: ARGUMENTS[row.argument],
    isList: row.isList,
    description: row.description,
    isFilterOnly: row.filterOnly === true,
    isPrintOnly: row.printOnly === true,
    isDeprecated: row.deprecated === true,
    unavailableReason: row.unavailable,
  }));
}

function isOld(info: EventInfo): boolean {
  return (info.flags & EF_OLD_VERSION) !== 0;
}

function listEventTypes(includeOld: boolean): EventType[] {
  return EVENT_TABLE.filter((info) => (info.flags & EF_UNUSED) === 0 && (includeOld || !isOld(info))).map(
    (info) => ({
      id: info.id,
      name: info.name,
      code: info.code,
      isExit: !info.isEnter,
      category: info.category,
      isOld: isOld(info),
      params: info.params.map(({ name, type }) => ({ name, type })),
    }),
  );
}

/** Distinct names, in the order of the table; none when every type can match. */
function eventTypeNames(eventTypes: Uint8Array): string[] {
  if (EVENT_TABLE.every((info) => eventTypes[info.id] === 1)) return [];
  return [...new Set(EVENT_TABLE.filter((info) => eventTypes[info.id] === 1).map((info) => info.name))];
}
