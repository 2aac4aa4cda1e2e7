/** Compiles a condition for `ValidateFilter`: what it would read and match, or what is wrong with it and where. */
import { compileFilter } from '../filter/filter.ts';
import { FilterError } from '../filter/filter-error.ts';
import type { FilterCheck } from './catalog-handlers.ts';

/** Never throws for what a client wrote. */
export function checkFilter(condition: string): FilterCheck {
  try {
    const compiled = compileFilter(condition);
    return { error: undefined, fields: compiled.fields, eventTypes: compiled.eventTypes };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const { offset, line, column } = error.position;
    return {
      error: {
        message: error.reason,
        position: offset,
        line,
        column,
        suggestions: error.suggestions,
        expected: error.expected,
      },
      fields: [],
      eventTypes: undefined,
    };
  }
}
