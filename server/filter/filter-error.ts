/** What is wrong with a condition, and where. */
import type { SourcePosition } from './ast.ts';

export interface FilterErrorHints {
  /** What could stand at the position instead. */
  readonly expected?: readonly string[] | undefined;
  /** Names close to an unknown one, best first. */
  readonly suggestions?: readonly string[] | undefined;
  /** No field has the name at the position. */
  readonly isUnknownField?: boolean | undefined;
}

export class FilterError extends Error {
  readonly position: SourcePosition;
  readonly expected: readonly string[];
  readonly suggestions: readonly string[];
  readonly isUnknownField: boolean;
  /** The message without its place. */
  readonly reason: string;

  constructor(reason: string, position: SourcePosition, hints: FilterErrorHints = {}) {
    super(`${reason} (line ${position.line}, column ${position.column})`);
    this.name = 'FilterError';
    this.reason = reason;
    this.position = position;
    this.expected = hints.expected ?? [];
    this.suggestions = hints.suggestions ?? [];
    this.isUnknownField = hints.isUnknownField ?? false;
  }
}

/** Filters that are too much together; none of them is at fault alone. */
export class FilterLimitError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FilterLimitError';
  }
}

/** A literal that does not fit the type it is compared with; the compiler adds the position. */
export class LiteralError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LiteralError';
  }
}
