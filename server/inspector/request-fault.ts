/** What fields and conditions of a request have wrong, as errors that name their place in it. */
import { StrataError } from '../event/strata-error.ts';
import { FieldError } from '../fields/field.ts';
import type { FilterError } from '../filter/filter-error.ts';

/** Runs `compile` and gives a FieldError its place in the request. Throws StrataError. */
export function compileMember<T>(member: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new StrataError(
      {
        code: 'INVALID_ARGUMENT',
        message: error.message,
        reason: error.isUnknown ? 'UNKNOWN_FIELD' : 'INVALID_FIELD',
        field: member,
        position: error.position,
        suggestions: error.suggestions,
      },
      { cause: error },
    );
  }
}

/** The error of a condition at its place in the request. */
export function filterFault(member: string, error: FilterError): StrataError {
  return new StrataError(
    {
      code: 'INVALID_ARGUMENT',
      message: error.message,
      reason: error.isUnknownField ? 'UNKNOWN_FIELD' : 'INVALID_FILTER',
      field: member,
      position: error.position.offset,
      suggestions: error.suggestions,
    },
    { cause: error },
  );
}
