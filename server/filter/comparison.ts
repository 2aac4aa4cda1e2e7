/** Checks and compiles `operand operator value`. */
import type { DynamicValue, FieldType, FieldValue, Scalar } from '../fields/field.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { AnyNode, CompareNode, OperandNode, ValueNode } from './ast.ts';
import {
  compileMemberTest,
  compilePathTest,
  compileScalarTest,
  type ScalarTest,
  type SingleOperator,
} from './comparator.ts';
import { type CompileContext, located } from './compile-context.ts';
import { type Outcomes, outcomesOfComparison } from './event-outcomes.ts';
import { compileFieldComparison } from './field-comparison.ts';
import { FilterError, type LiteralError } from './filter-error.ts';
import { checkLiteral } from './literal-warnings.ts';
import { compileOperand, type Operand } from './operand.ts';
import { isComparable, operatorsFor } from './operators.ts';

export type EventTest = (event: InspectedEvent) => boolean;

/** A compiled expression. */
export interface CompiledNode {
  readonly test: EventTest;
  readonly outcomes: Outcomes;
}

/** Throws FilterError. */
export function compileComparison(node: CompareNode, context: CompileContext): CompiledNode {
  const left = compileOperand(node.left, context);
  const { operator, right } = node;
  if (!isComparable(operator, left.type, left.isList)) {
    const type = left.isList ? `a list of ${left.type}` : `type ${left.type}`;
    throw new FilterError(
      `operator '${operator}' does not fit '${left.label}', which has ${type}`,
      node.position,
      {
        expected: operatorsFor(left.type, left.isList),
      },
    );
  }
  if (right.kind !== 'value' && right.kind !== 'list') return withField(node, left, right, context);
  const values = right.kind === 'list' ? right.values : [right];
  for (const value of values) checkLiteral(left, operator, value, context);
  const matches = left.type === 'dynamic' ? dynamicTest(node, values) : typedTest(node, left.type, values);
  const test = applied(left, matches, node);
  if (!left.isPlainField || left.row === undefined) return { test, outcomes: undefined };
  const outcomes = outcomesOfComparison(left.row, left.argument, matches, values);
  return { test: outcomes === undefined ? test : byType(outcomes, test), outcomes };
}

function withField(
  node: CompareNode,
  left: Operand,
  right: OperandNode,
  context: CompileContext,
): CompiledNode {
  const test = compileFieldComparison(node, left, compileOperand(right, context), right);
  return { test, outcomes: undefined };
}

/** Looks up what the event's type decides, and runs the test for the rest. */
function byType(outcomes: Uint8Array, test: EventTest): EventTest {
  return (event) => {
    const bits = outcomes[event.record.type];
    return bits === 3 ? test(event) : bits === 1;
  };
}

/** The test of one value of a known type. Throws FilterError at the literal that does not fit. */
function typedTest(node: CompareNode, type: FieldType, values: readonly ValueNode[]): ScalarTest {
  const { operator, modifier } = node;
  const texts = values.map((value) => value.text);
  const fail = (index: number, error: LiteralError): never => {
    throw located(error, values[index] as AnyNode);
  };
  if (operator === 'in' || operator === 'intersects') return compileMemberTest(type, texts, fail);
  if (operator === 'pmatch') return compilePathTest(texts);
  // What is one of several literals needs one look-up, not one comparison each.
  if (operator === '=' && modifier === 'anyof') return compileMemberTest(type, texts, fail);
  const tests = values.map((value) => {
    try {
      return compileScalarTest(operator as SingleOperator, type, value.text);
    } catch (error) {
      throw located(error, value);
    }
  });
  return combined(node, tests);
}

/** No literal at all matches nothing, whatever the modifier. */
function combined(node: CompareNode, tests: readonly ScalarTest[]): ScalarTest {
  const [only] = tests;
  if (only === undefined) return () => false;
  if (tests.length === 1) return only;
  switch (node.modifier) {
    case 'allof':
      return (value) => tests.every((test) => test(value));
    case 'oneof':
      return (value) => {
        let count = 0;
        for (const test of tests) if (test(value) && ++count > 1) return false;
        return count === 1;
      };
    default:
      return (value) => tests.some((test) => test(value));
  }
}

/**
 * A value whose type shows only with the event: the test is compiled for each type when it first comes. Literals that do
 * not fit a type compare false with its values.
 */
function dynamicTest(node: CompareNode, values: readonly ValueNode[]): ScalarTest {
  const tests = new Map<FieldType, ScalarTest>();
  return (value) => {
    const { type, value: scalar } = value as unknown as DynamicValue;
    let test = tests.get(type);
    if (test === undefined) {
      test = typedTestOrNever(node, type, values);
      tests.set(type, test);
    }
    return test(scalar);
  };
}

function typedTestOrNever(node: CompareNode, type: FieldType, values: readonly ValueNode[]): ScalarTest {
  if (!isComparable(node.operator, type, false)) return () => false;
  try {
    return typedTest(node, type, values);
  } catch (error) {
    if (error instanceof FilterError) return () => false;
    throw error;
  }
}

/** Reads the operand and tests its value or values; an absent one compares false, also with `!=`. */
function applied(left: Operand, matches: ScalarTest, node: CompareNode): EventTest {
  const { read } = left;
  if (left.isList) {
    const isIn = node.operator === 'in';
    return (event) => {
      const items = read(event) as readonly Scalar[] | undefined;
      if (items === undefined) return false;
      return isIn ? items.every(matches) : items.some(matches);
    };
  }
  if (left.type === 'dynamic') {
    return (event) => {
      const value = read(event);
      return value !== undefined && matches(value as unknown as Scalar);
    };
  }
  // `fd.ip != x` means that neither end is x; with ancestors it means that one of them is not.
  const needsAll = node.operator === '!=' && left.row?.filterOnly === true;
  return (event) => {
    const value: FieldValue = read(event);
    if (value === undefined) return false;
    if (typeof value !== 'object') return matches(value);
    const items = value as readonly Scalar[];
    return needsAll ? items.length > 0 && items.every(matches) : items.some(matches);
  };
}
