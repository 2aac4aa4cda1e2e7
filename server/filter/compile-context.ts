/** What the parts of the compiler share while one condition is compiled. */
import type { FieldArgument, FieldError, FieldRow } from '../fields/field.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { AnyNode, SourcePosition } from './ast.ts';
import { FilterError, LiteralError } from './filter-error.ts';
import type { NodeIds } from './node-ids.ts';
import type { Operand } from './operand.ts';

/** Where the fields of conditions come from. */
export interface FilterCatalogue {
  /** Resolves a field as it is written, its argument included. Throws FieldError. */
  parseFieldReference(text: string): {
    readonly row: FieldRow;
    readonly argument: FieldArgument | undefined;
  };
  /** The row of a name without an argument. */
  findField(name: string): FieldRow | undefined;
}

/** A remark about a condition that compiles but may not mean what its author thinks. */
export interface FilterWarning {
  readonly message: string;
  readonly position: SourcePosition;
}

/**
 * The event being matched, as far as remembered values are concerned: everything remembered under another generation is
 * stale. Conditions that share a scope share what they read of an event.
 */
export class EvaluationScope {
  generation: number;

  constructor() {
    this.generation = 0;
  }
}

export interface CompileContext {
  readonly catalogue: FilterCatalogue;
  readonly scope: EvaluationScope;
  readonly ids: NodeIds;
  /** Operands already compiled, by node id. */
  readonly operands: Map<number, Operand>;
  readonly warnings: FilterWarning[];
  /** Fields read, as written. */
  readonly fields: Set<string>;
}

/** A function of the event that is called at most once per generation. */
export function remembered<Value>(
  scope: EvaluationScope,
  compute: (event: InspectedEvent) => Value,
): (event: InspectedEvent) => Value {
  let generation = -1;
  let value: Value;
  return (event) => {
    if (generation !== scope.generation) {
      value = compute(event);
      generation = scope.generation;
    }
    return value;
  };
}

/** Places a fault in a literal or a field reference within the condition. */
export function located(error: unknown, node: AnyNode): unknown {
  if (error instanceof LiteralError) return new FilterError(error.message, node.position);
  if (isFieldError(error)) {
    const { offset, line, column } = node.position;
    const position = { offset: offset + error.position, line, column: column + error.position };
    const { suggestions, isUnknown } = error;
    return new FilterError(error.message, position, { suggestions, isUnknownField: isUnknown });
  }
  return error;
}

function isFieldError(error: unknown): error is FieldError {
  return error instanceof Error && error.name === 'FieldError';
}
