/** The comparison of one value with the literals of a condition, chosen once by type and operator. */
import type { FieldType, Scalar } from '../fields/field.ts';
import { asciiLower } from './binary-text.ts';
import { LiteralError } from './filter-error.ts';
import { compileGlob } from './glob.ts';
import { networkTest, parseNetwork } from './ip-literal.ts';
import { parseHexBytes, parseLiteral } from './literal.ts';
import type { Operator } from './operators.ts';
import { compilePathPrefixes } from './path-prefix.ts';
import { compileRegex } from './regex.ts';

/** Tests one value of the type the test was compiled for. */
export type ScalarTest = (value: Scalar) => boolean;

/** Operators with one value on the right. */
export type SingleOperator = Exclude<Operator, 'exists' | 'in' | 'intersects' | 'pmatch'>;

/** The test `value operator literal`. The operator is one the type takes. Throws LiteralError. */
export function compileScalarTest(operator: SingleOperator, type: FieldType, literal: string): ScalarTest {
  if (type === 'ipnet') {
    const test = networkTest(parseNetwork(literal));
    return operator === '!=' ? (value) => !test(value as string) : (value) => test(value as string);
  }
  switch (operator) {
    case '=':
      return equalityTest(parseLiteral(literal, type));
    case '!=': {
      const test = equalityTest(parseLiteral(literal, type));
      return (value) => !test(value);
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return orderTest(operator, parseLiteral(literal, type));
    default:
      return textTest(operator, literal);
  }
}

/** The test that a value is one of several. Throws LiteralError, told by `onError` which literal it is about. */
export function compileMemberTest(
  type: FieldType,
  literals: readonly string[],
  onError: (index: number, error: LiteralError) => never,
): ScalarTest {
  if (type === 'ipnet') {
    const networks = parseEach(literals, onError, (literal) => networkTest(parseNetwork(literal)));
    return (value) => networks.some((test) => test(value as string));
  }
  const values = new Set(parseEach(literals, onError, (literal) => parseLiteral(literal, type)));
  if (values.size === 1) return equalityTest(values.values().next().value as Scalar);
  // Only integers come in two forms.
  const isText = type === 'string' || type === 'bytes' || type === 'ipaddr' || type === 'bool';
  return isText ? (value) => values.has(value) : (value) => values.has(normal(value));
}

/** The test `value pmatch (paths)`. */
export function compilePathTest(paths: readonly string[]): ScalarTest {
  const test = compilePathPrefixes(paths);
  return (value) => test(value as string);
}

/** The comparison of two values read from one event; they have the same type, one the operator takes. */
export function compileScalarComparison(operator: SingleOperator): (left: Scalar, right: Scalar) => boolean {
  switch (operator) {
    case '=':
      return (left, right) => normal(left) === normal(right);
    case '!=':
      return (left, right) => normal(left) !== normal(right);
    case '<':
      return (left, right) => left < right;
    case '<=':
      return (left, right) => left <= right;
    case '>':
      return (left, right) => left > right;
    case '>=':
      return (left, right) => left >= right;
    case 'contains':
    case 'bcontains':
      return (left, right) => (left as string).includes(right as string);
    case 'icontains':
      return (left, right) => asciiLower(left as string).includes(asciiLower(right as string));
    case 'startswith':
    case 'bstartswith':
      return (left, right) => (left as string).startsWith(right as string);
    case 'endswith':
      return (left, right) => (left as string).endsWith(right as string);
    case 'glob':
    case 'iglob':
      return globComparison(operator === 'iglob');
    case 'regex':
      throw new TypeError('a regular expression is compiled with its condition');
  }
}

/** Keeps the last pattern: most fields repeat from event to event. */
function globComparison(ignoreCase: boolean): (left: Scalar, right: Scalar) => boolean {
  let pattern: Scalar = '';
  let test = compileGlob('', ignoreCase);
  return (left, right) => {
    if (right !== pattern) {
      test = compileGlob(right as string, ignoreCase);
      pattern = right;
    }
    return test(left as string);
  };
}

/** Small integers as numbers, so that equal values are the same value whatever form they were read in. */
export function normal(value: Scalar): Scalar {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function equalityTest(wanted: Scalar): ScalarTest {
  if (typeof wanted === 'string' || typeof wanted === 'boolean') return (value) => value === wanted;
  return (value) => value === wanted || (typeof value === 'bigint' && normal(value) === wanted);
}

/** Numbers and bigints order among each other exactly; text orders by bytes. */
function orderTest(operator: '<' | '<=' | '>' | '>=', wanted: Scalar): ScalarTest {
  switch (operator) {
    case '<':
      return (value) => value < wanted;
    case '<=':
      return (value) => value <= wanted;
    case '>':
      return (value) => value > wanted;
    case '>=':
      return (value) => value >= wanted;
  }
}

function textTest(
  operator: Exclude<SingleOperator, '=' | '!=' | '<' | '<=' | '>' | '>='>,
  literal: string,
): ScalarTest {
  switch (operator) {
    case 'contains':
      return (value) => (value as string).includes(literal);
    case 'icontains': {
      const wanted = asciiLower(literal);
      return (value) => asciiLower(value as string).includes(wanted);
    }
    case 'startswith':
      return (value) => (value as string).startsWith(literal);
    case 'endswith':
      return (value) => (value as string).endsWith(literal);
    case 'bcontains': {
      const bytes = parseHexBytes(literal);
      return (value) => (value as string).includes(bytes);
    }
    case 'bstartswith': {
      const bytes = parseHexBytes(literal);
      return (value) => (value as string).startsWith(bytes);
    }
    case 'glob':
    case 'iglob': {
      const test = compileGlob(literal, operator === 'iglob');
      return (value) => test(value as string);
    }
    case 'regex': {
      const test = compileRegex(literal);
      return (value) => test(value as string);
    }
  }
}

function parseEach<Value>(
  literals: readonly string[],
  onError: (index: number, error: LiteralError) => never,
  parse: (literal: string) => Value,
): Value[] {
  return literals.map((literal, index) => {
    try {
      return parse(literal);
    } catch (error) {
      if (error instanceof LiteralError) return onError(index, error);
      throw error;
    }
  });
}
