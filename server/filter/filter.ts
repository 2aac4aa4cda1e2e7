/** The condition language: what a subscriber wants to see, compiled to a function of the event. */
import { PPM_EVENT_MAX } from '../event/event-types.ts';
import { findField } from '../fields/catalogue.ts';
import { parseFieldReference } from '../fields/field-reference.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { FilterAst } from './ast.ts';
import type { CompiledNode } from './comparison.ts';
import { EvaluationScope, type FilterCatalogue, type FilterWarning } from './compile-context.ts';
import { AstCompiler, type CompiledAst, compileAst } from './compiler.ts';
import { CAN_BE_FALSE, CAN_BE_TRUE } from './event-outcomes.ts';
import { FilterError, FilterLimitError } from './filter-error.ts';
import { formatFilter } from './format-filter.ts';
import { type FilterLimits, parseFilterText } from './parser.ts';
import { expandedSize } from './regex.ts';
import { visitNodes } from './visit.ts';

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
  /** What it is made of, for `FilterSet`; undefined for what was not compiled from a tree. */
  readonly root?: FilterRoot | undefined;
}

export interface FilterRoot {
  readonly node: CompiledNode;
  readonly scope: EvaluationScope;
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
  if (isEmpty(condition)) return MATCH_ALL;
  const ast = typeof condition === 'string' ? parseFilterText(condition) : condition;
  const scope = new EvaluationScope();
  return toFilter(ast, compileAst(ast, catalogue, scope), scope);
}

/** What filters that are compiled together may come to, so that compiling them holds nobody up for long. */
export interface FilterSetLimits {
  /** Bytes of all conditions. */
  readonly textBytesMax: number;
  /** Elements (characters, classes; repetitions written out) of all different regular expressions. */
  readonly regexElementsMax: number;
}

export const DEFAULT_FILTER_SET_LIMITS: FilterSetLimits = {
  textBytesMax: 2 * 1024 * 1024,
  regexElementsMax: 100_000,
};

/**
 * Compiles conditions for a `FilterSet`: fields, transformed values and sub-expressions that several of them have are
 * read and evaluated once per event. `onError` is told which condition does not compile. Throws FilterLimitError.
 */
export function compileTogether(
  conditions: readonly string[],
  onError: (index: number, error: FilterError) => never,
  limits: FilterSetLimits = DEFAULT_FILTER_SET_LIMITS,
  catalogue: FilterCatalogue = ALL_FIELDS,
): readonly CompiledFilter[] {
  const textBytes = conditions.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (textBytes > limits.textBytesMax) {
    throw new FilterLimitError(
      `the conditions have ${textBytes} bytes together, of at most ${limits.textBytesMax}`,
    );
  }
  const scope = new EvaluationScope();
  const compiler = new AstCompiler(catalogue, scope);
  const asts = eachOr(conditions, onError, (text) => (isEmpty(text) ? undefined : parseFilterText(text)));
  checkRegexes(asts, limits);
  for (const ast of asts) if (ast !== undefined) compiler.announce(ast);
  return eachOr(asts, onError, (ast) =>
    ast === undefined ? MATCH_ALL : toFilter(ast, compiler.compile(ast), scope),
  );
}

/** Of what filters are made of, regular expressions take by far the longest to compile. */
function checkRegexes(asts: readonly (FilterAst | undefined)[], { regexElementsMax }: FilterSetLimits): void {
  const patterns = new Set<string>();
  for (const ast of asts) {
    if (ast === undefined) continue;
    visitNodes(ast, (node) => {
      if (node.kind !== 'compare' || node.operator !== 'regex') return;
      const values = node.right.kind === 'list' ? node.right.values : [node.right];
      for (const value of values) if (value.kind === 'value') patterns.add(value.text);
    });
  }
  const elements = [...patterns].reduce((sum, pattern) => sum + expandedSize(pattern), 0);
  if (elements <= regexElementsMax) return;
  throw new FilterLimitError(
    `the ${patterns.size} regular expressions of the conditions have ${elements} elements together, of at most ${regexElementsMax}`,
  );
}

function eachOr<From, To>(
  items: readonly From[],
  onError: (index: number, error: FilterError) => never,
  change: (item: From) => To,
): To[] {
  return items.map((item, index) => {
    try {
      return change(item);
    } catch (error) {
      if (error instanceof FilterError) return onError(index, error);
      throw error;
    }
  });
}

function isEmpty(condition: string | FilterAst): boolean {
  return typeof condition === 'string' && condition.trim() === '';
}

function toFilter(ast: FilterAst, compiled: CompiledAst, scope: EvaluationScope): CompiledFilter {
  const { test, outcomes, warnings, fields } = compiled;
  const known = { text: formatFilter(ast), fields, warnings, root: { node: compiled, scope } };
  if (outcomes === undefined) {
    const eventTypes = new Uint8Array(PPM_EVENT_MAX).fill(1);
    const matches = (event: InspectedEvent) => {
      scope.generation++;
      return test(event);
    };
    return { ...known, matches, eventTypes };
  }
  const eventTypes = outcomes.map((bits) => bits & CAN_BE_TRUE);
  const matches = (event: InspectedEvent) => {
    const bits = outcomes[event.record.type];
    if (bits === CAN_BE_FALSE) return false;
    if (bits === CAN_BE_TRUE) return true;
    scope.generation++;
    return test(event);
  };
  return { ...known, matches, eventTypes };
}

export { FilterError, FilterLimitError } from './filter-error.ts';
export { formatFilter } from './format-filter.ts';
export { DEFAULT_FILTER_LIMITS, type FilterLimits } from './parser.ts';
export type { FilterAst, FilterCatalogue, FilterWarning };
