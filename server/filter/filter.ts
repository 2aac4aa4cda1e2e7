/** The condition language: what a subscriber wants to see, compiled to a function of the event. */
import { PPM_EVENT_MAX } from '../event/event-types.ts';
import { findField } from '../fields/catalogue.ts';
import { parseFieldReference } from '../fields/field-reference.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { FilterAst } from './ast.ts';
import { EvaluationScope, type FilterCatalogue, type FilterWarning } from './compile-context.ts';
import { compileAst } from './compiler.ts';
import { CAN_BE_FALSE, CAN_BE_TRUE } from './event-outcomes.ts';
import { formatFilter } from './format-filter.ts';
import { type FilterLimits, parseFilterText } from './parser.ts';

export interface CompiledFilter {
  /** Whether the condition holds for the event in the loop. */
  matches(event: InspectedEvent): boolean;
  /** One byte per event type: 1 when an event of the type can match. Events of other types may be skipped unread. */
  readonly eventTypes: Uint8Array;
  /** The condition in its canonical form. */
  readonly text: string;
  /** The fields it reads, as written. */
  readonly fields: readonly string[];
  readonly warnings: readonly FilterWarning[];
}

const ALL_FIELDS: FilterCatalogue = { parseFieldReference, findField };

const MATCH_ALL: CompiledFilter = {
  matches: () => true,
  eventTypes: new Uint8Array(PPM_EVENT_MAX).fill(1),
  text: '',
  fields: [],
  warnings: [],
};

/** Parses a condition. Throws FilterError. */
export function parseFilter(text: string, limits?: FilterLimits): FilterAst {
  return parseFilterText(text, limits);
}

/**
 * Compiles a condition, given as text or as a tree; an empty text matches every event. Throws FilterError with the
 * position of the fault.
 */
export function compileFilter(
  condition: string | FilterAst,
  catalogue: FilterCatalogue = ALL_FIELDS,
): CompiledFilter {
  if (typeof condition === 'string' && condition.trim() === '') return MATCH_ALL;
  const ast = typeof condition === 'string' ? parseFilterText(condition) : condition;
  const scope = new EvaluationScope();
  const { test, outcomes, warnings, fields } = compileAst(ast, catalogue, scope);
  const text = formatFilter(ast);
  if (outcomes === undefined) {
    const eventTypes = new Uint8Array(PPM_EVENT_MAX).fill(1);
    const matches = (event: InspectedEvent) => {
      scope.generation++;
      return test(event);
    };
    return { matches, eventTypes, text, fields, warnings };
  }
  const eventTypes = outcomes.map((bits) => bits & CAN_BE_TRUE);
  const matches = (event: InspectedEvent) => {
    const bits = outcomes[event.record.type];
    if (bits === CAN_BE_FALSE) return false;
    if (bits === CAN_BE_TRUE) return true;
    scope.generation++;
    return test(event);
  };
  return { matches, eventTypes, text, fields, warnings };
}

/** One byte per event type: 1 when an event of the type can match the condition. Throws FilterError. */
export function eventTypesOf(condition: string | FilterAst, catalogue?: FilterCatalogue): Uint8Array {
  return compileFilter(condition, catalogue).eventTypes;
}

export { FilterError } from './filter-error.ts';
export { formatFilter } from './format-filter.ts';
export { DEFAULT_FILTER_LIMITS, type FilterLimits } from './parser.ts';
export type { FilterAst, FilterCatalogue, FilterWarning };
