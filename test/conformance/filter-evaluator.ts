/**
 * Says whether a condition holds for a golden row. It knows conditions as trees of its own, not as text, and shares no
 * code with the product: rows are what the reference printed, and an absent field is a missing cell.
 */
import { BlockList, isIPv4 } from 'node:net';
import type { FilterField, ValueKind } from './filter-fields.ts';

/** Cells of a golden row, as raw JSON. */
export type Cells = ReadonlyMap<string, string | undefined>;

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly children: readonly Condition[] }
  | { readonly kind: 'not'; readonly child: Condition }
  | Check;

export interface Check {
  readonly kind: 'check';
  readonly left: Operand;
  readonly operator: string;
  readonly modifier: 'anyof' | 'allof' | 'oneof' | undefined;
  /** Unquoted; empty for `exists` and for a comparison with an operand. */
  readonly literals: readonly string[];
  readonly right: Operand | undefined;
  /** Results by the cells they depend on. */
  readonly known: Map<string, boolean>;
}

export interface Operand {
  readonly field: FilterField;
  /** Innermost first. */
  readonly transformers: readonly ('tolower' | 'toupper' | 'basename' | 'len')[];
}

type Scalar = string | bigint | number | boolean;

export const SERVICES: Readonly<Record<string, string>> = {
  ssh: '22',
  domain: '53',
  http: '80',
  https: '443',
};

/** No value repeats often enough beyond this. */
const KNOWN_MAX = 20_000;

export function holds(condition: Condition, cells: Cells): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.children.every((child) => holds(child, cells));
    case 'or':
      return condition.children.some((child) => holds(child, cells));
    case 'not':
      return !holds(condition.child, cells);
    case 'check':
      return checkHolds(condition, cells);
  }
}

function checkHolds(check: Check, cells: Cells): boolean {
  let key = '';
  for (const name of check.left.field.keys) key += `${cells.get(name)}\n`;
  if (check.left.field.isEitherEnd) key += `${cells.get('fd.type')}\n`;
  for (const name of check.right?.field.keys ?? []) key += `${cells.get(name)}\n`;
  const known = check.known.get(key);
  if (known !== undefined) return known;
  const result = evaluate(check, cells);
  if (check.known.size < KNOWN_MAX) check.known.set(key, result);
  return result;
}

/** The type that values of an operand compare as. */
export function kindOf(operand: Operand): ValueKind {
  return operand.transformers.includes('len') ? 'integer' : operand.field.kind;
}

function isListOperand(operand: Operand): boolean {
  return operand.field.isList && !operand.transformers.includes('len');
}

/** All values of the operand: none when it is absent, several for lists and for fields that mean either end. */
function valuesOf(operand: Operand, cells: Cells): Scalar[] | undefined {
  const { field } = operand;
  const present = field.keys.map((key) => cells.get(key)).filter((cell) => cell !== undefined);
  if (field.isEitherEnd && present.length === 0) return endsOfUnconnected(field, cells.get('fd.type'));
  if (present.length === 0) return undefined;
  let values: Scalar[] = field.isList
    ? (JSON.parse(present[0] as string) as string[])
    : present.map((cell) => parseCell(field, cell as string));
  for (const transformer of operand.transformers) {
    if (transformer !== 'len') values = values.map((value) => transformed(transformer, value as string));
    else if (field.isList) values = [BigInt(values.length)];
    else values = values.map((value) => BigInt(Buffer.byteLength(value as string)));
  }
  return values;
}

/** A socket that is neither connected nor listening has two ends all the same: nowhere. Others have none. */
function endsOfUnconnected(field: FilterField, type: string | undefined): Scalar[] | undefined {
  if (type !== '"ipv4"' && type !== '"ipv6"') return undefined;
  if (field.kind === 'port') return [0n];
  return [type === '"ipv4"' ? '0.0.0.0' : '::'];
}

export function parseCell(field: FilterField, cell: string): Scalar {
  if (field.isHex) return BigInt(`0x${JSON.parse(cell) as string}`);
  switch (field.kind) {
    case 'integer':
    case 'port':
      return BigInt(cell);
    case 'double':
      return Number(cell);
    default:
      return JSON.parse(cell) as string | boolean;
  }
}

function transformed(transformer: 'tolower' | 'toupper' | 'basename', value: string): string {
  if (transformer === 'tolower') return lower(value);
  if (transformer === 'toupper') return value.replace(/[a-z]/g, (char) => char.toUpperCase());
  return value.split('/').at(-1) as string;
}

function evaluate(check: Check, cells: Cells): boolean {
  const { left, operator, modifier, literals, right } = check;
  const values = valuesOf(left, cells);
  if (values === undefined) return false;
  if (operator === 'exists') return true;
  if (right !== undefined) {
    const others = valuesOf(right, cells);
    return others !== undefined && compare(operator, values[0] as Scalar, others[0] as Scalar);
  }
  if (operator === 'in' && isListOperand(left))
    return values.every((value) => isOneOf(left, value, literals));
  if (operator === 'in' || operator === 'intersects')
    return values.some((value) => isOneOf(left, value, literals));
  if (operator === 'pmatch')
    return values.some((value) => literals.some((path) => isPathPrefix(path, `${value}`)));
  const results = literals.map((literal) => {
    const one = (value: Scalar): boolean => compareLiteral(left, operator, value, literal);
    // Neither end is what it is said not to be.
    return operator === '!=' ? values.every(one) : values.some(one);
  });
  const count = results.filter((result) => result).length;
  if (modifier === 'allof') return count === literals.length && count > 0;
  return modifier === 'oneof' ? count === 1 : count > 0;
}

function isOneOf(operand: Operand, value: Scalar, literals: readonly string[]): boolean {
  return literals.some((literal) => compareLiteral(operand, '=', value, literal));
}

function compareLiteral(operand: Operand, operator: string, value: Scalar, literal: string): boolean {
  const kind = kindOf(operand);
  const isEquality = operator === '=' || operator === '==' || operator === '!=';
  const text = operand.field.isService && isEquality ? (SERVICES[literal] ?? literal) : literal;
  if (kind === 'network') return isInside(value as string, text) === (operator !== '!=');
  return compare(operator, value, parseLiteral(kind, text));
}

function parseLiteral(kind: ValueKind, literal: string): Scalar {
  switch (kind) {
    case 'integer':
    case 'port':
      return BigInt(SERVICES[literal] ?? literal);
    case 'double':
      return Number(literal);
    case 'bool':
      return literal === 'true';
    default:
      return literal;
  }
}

function compare(operator: string, a: Scalar, b: Scalar): boolean {
  switch (operator) {
    case '=':
    case '==':
    case 'in':
    case 'intersects':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return order(a, b) < 0;
    case '<=':
      return order(a, b) <= 0;
    case '>':
      return order(a, b) > 0;
    case '>=':
      return order(a, b) >= 0;
    default:
      return compareText(operator, a as string, b as string);
  }
}

function order(a: Scalar, b: Scalar): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareText(operator: string, text: string, wanted: string): boolean {
  switch (operator) {
    case 'contains':
      return text.includes(wanted);
    case 'icontains':
      return lower(text).includes(lower(wanted));
    case 'startswith':
      return text.startsWith(wanted);
    case 'endswith':
      return text.endsWith(wanted);
    case 'glob':
      return isGlobMatch(wanted, text);
    case 'iglob':
      return isGlobMatch(lower(wanted), lower(text));
    case 'regex':
      // What is generated means the same in both dialects, but for the line breaks a dot does not match.
      return new RegExp(`^(?:${wanted.replaceAll('.*', '[^\\n]*')})$`, 'u').test(text);
    default:
      throw new Error(`no operator ${operator}`);
  }
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (char) => char.toLowerCase());
}

/** `*`, `?`, sets of plain characters and backslashes, over bytes, by trying every split. */
function isGlobMatch(pattern: string, text: string): boolean {
  const bytes = (value: string): string => Buffer.from(value).latin1Slice();
  const tokens = bytes(pattern).match(/\\.|\[[^\]]+\]|\*|./gs) ?? [];
  let ends = new Set([0]);
  const value = bytes(text);
  for (const token of tokens) {
    const next = new Set<number>();
    for (const at of ends) {
      if (token === '*') for (let end = at; end <= value.length; end++) next.add(end);
      else if (at < value.length && isTokenMatch(token, value[at] as string)) next.add(at + 1);
    }
    ends = next;
  }
  return ends.has(value.length);
}

function isTokenMatch(token: string, char: string): boolean {
  if (token === '?') return true;
  if (token.startsWith('[') && token.length > 2) return token.slice(1, -1).includes(char);
  return char === (token.startsWith('\\') ? token[1] : token);
}

function isPathPrefix(prefix: string, path: string): boolean {
  const wanted = prefix.split('/').filter((part) => part !== '');
  const parts = path.split('/').filter((part) => part !== '');
  return wanted.length <= parts.length && wanted.every((part, i) => isGlobMatch(part, parts[i] as string));
}

function isInside(address: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  if (isIPv4(base) !== isIPv4(address)) return false;
  const family = isIPv4(base) ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(base, Number(bits), family);
  return list.check(address, family);
}
