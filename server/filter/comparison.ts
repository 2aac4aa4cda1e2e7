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
import { FilterError } from './filter-error.ts';
import { checkLiteral } from './literal-warnings.ts';
import { compileOperand, type Operand } from './operand.ts';
import { isComparable, operatorsFor } from './operators.ts';
import { asRowMeans, type LiteralComparison } from './row-meaning.ts';

export type EventTest = (event: InspectedEvent) => boolean;

/** A compiled expression. */
export interface CompiledNode {
  readonly test: EventTest;
  readonly outcomes: Outcomes;
  readonly shape: NodeShape;
}

/** How an expression is put together, for those who put it together anew for one event type. */
export type NodeShape =
  | { readonly kind: 'and' | 'or'; readonly children: readonly CompiledNode[] }
  | { readonly kind: 'not'; readonly child: CompiledNode }
  /** One check; its test does not ask what the event's type decides. */
  | { readonly kind: 'check'; readonly test: EventTest };

/** Throws FilterError. */
export function compileComparison(node: CompareNode, context: CompileContext): CompiledNode {
  const left = compileOperand(node.left, context);
  const { operator, right } = node;
  if (!isComparable(operator, left.type, left.isList)) {
    const type = left.isList ? `a list of ${left.type}` : `type ${left.type}`;
    throw new FilterError(
      `operator '${operator}' does not fit '${left.label}', which has ${type}`,
      node.operatorPosition,
      {
        expected: operatorsFor(left.type, left.isList),
      },
    );
  }
  if (right.kind !== 'value' && right.kind !== 'list') return withField(node, left, right, context);
  const values = right.kind === 'list' ? right.values : [right];
  for (const value of values) checkLiteral(left, operator, value, context);
  const comparison = asRowMeans({ ...node, values }, left.isPlainField ? left.row : undefined);
  const matches = left.type === 'dynamic' ? dynamicTest(comparison) : typedTest(comparison, left);
  const test = applied(left, matches);
  const shape = { kind: 'check', test } as const;
  if (!left.isPlainField || left.row === undefined) return { test, outcomes: undefined, shape };
  const outcomes = outcomesOfComparison(left.row, left.argument, matches.one, comparison.values);
  return { test: outcomes === undefined ? test : byType(outcomes, test), outcomes, shape };
}

function withField(
  node: CompareNode,
  left: Operand,
  right: OperandNode,
  context: CompileContext,
): CompiledNode {
  const test = compileFieldComparison(node, left, compileOperand(right, context), right);
  return { test, outcomes: undefined, shape: { kind: 'check', test } };
}

/** Looks up what the event's type decides, and runs the test for the rest. */
function byType(outcomes: Uint8Array, test: EventTest): EventTest {
  return (event) => {
    const bits = outcomes[event.record.type];
    return bits === 3 ? test(event) : bits === 1;
  };
}

/** The test of what an operand gives. */
interface ValueTest {
  readonly one: ScalarTest;
  /** Of a list, or of a field that has several values at once. */
  readonly many: (items: readonly Scalar[]) => boolean;
}

/** What of an operand decides how its values compare. */
type ComparedType = Pick<Operand, 'type' | 'isList' | 'row'>;

/** The test of values of a known type. Throws FilterError at the literal that does not fit. */
function typedTest(comparison: LiteralComparison, left: ComparedType): ValueTest {
  const { operator, modifier, values } = comparison;
  // What is one of several literals needs one look-up, not one comparison each.
  const isMember =
    operator === 'in' || operator === 'intersects' || (operator === '=' && modifier === 'anyof');
  if (isMember) {
    const one = compileMemberTest(
      left.type,
      values.map((value) => value.text),
      (index, error) => {
        throw located(error, values[index] as AnyNode);
      },
    );
    const needsAll = operator === 'in' && left.isList;
    return { one, many: needsAll ? (items) => items.every(one) : (items) => items.some(one) };
  }
  if (operator === 'pmatch') {
    const one = compilePathTest(values.map((value) => value.text));
    return { one, many: (items) => items.some(one) };
  }
  // `fd.ip != x` means that neither end is x; with ancestors it means that one of them is not.
  const needsAll = operator === '!=' && left.row?.filterOnly === true;
  const tests = values.map((value): ValueTest => {
    const one = literalTest(operator, left.type, value);
    if (needsAll) return { one, many: (items) => items.length > 0 && items.every(one) };
    return { one, many: (items) => items.some(one) };
  });
  return tests.length === 1 ? (tests[0] as ValueTest) : modified(modifier, tests);
}

function literalTest(operator: SingleOperator, type: FieldType, value: ValueNode): ScalarTest {
  try {
    return compileScalarTest(operator, type, value.text);
  } catch (error) {
    throw located(error, value);
  }
}

/** Each literal is a comparison of its own. No literal at all matches nothing, whatever the modifier. */
function modified(modifier: CompareNode['modifier'], tests: readonly ValueTest[]): ValueTest {
  const ones = tests.map((test) => test.one);
  const manys = tests.map((test) => test.many);
  return { one: modifiedTest(modifier, ones), many: modifiedTest(modifier, manys) };
}

function modifiedTest<Value>(
  modifier: CompareNode['modifier'],
  tests: readonly ((value: Value) => boolean)[],
) {
  switch (modifier) {
    case 'allof':
      return (value: Value) => tests.length > 0 && tests.every((test) => test(value));
    case 'oneof':
      return (value: Value) => {
        let count = 0;
        for (const test of tests) if (test(value) && ++count > 1) return false;
        return count === 1;
      };
    default:
      return (value: Value) => tests.some((test) => test(value));
  }
}

/**
 * A value whose type shows only with the event: the test is compiled for each type when it first comes. Literals that do
 * not fit a type compare false with its values.
 */
function dynamicTest(comparison: LiteralComparison): ValueTest {
  const tests = new Map<FieldType, ScalarTest>();
  const one = (value: Scalar): boolean => {
    const { type, value: scalar } = value as unknown as DynamicValue;
    let test = tests.get(type);
    if (test === undefined) {
      test = typedTestOrNever(comparison, type);
      tests.set(type, test);
    }
    return test(scalar);
  };
  return { one, many: (items) => items.some(one) };
}

function typedTestOrNever(comparison: LiteralComparison, type: FieldType): ScalarTest {
  if (!isComparable(comparison.operator, type, false)) return () => false;
  try {
    return typedTest(comparison, { type, isList: false, row: undefined }).one;
  } catch (error) {
    if (error instanceof FilterError) return () => false;
    throw error;
  }
}

/** Reads the operand and tests its value or values; an absent one compares false, also with `!=`. */
function applied(left: Operand, test: ValueTest): EventTest {
  const { read } = left;
  const { one, many } = test;
  if (left.type === 'dynamic') {
    return (event) => {
      const value = read(event);
      return value !== undefined && one(value as unknown as Scalar);
    };
  }
  return (event) => {
    const value: FieldValue = read(event);
    if (value === undefined) return false;
    return typeof value === 'object' ? many(value as readonly Scalar[]) : one(value);
  };
}
