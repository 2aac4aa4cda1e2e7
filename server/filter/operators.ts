/** The operators of conditions and which types of values they take. */
import type { FieldType } from '../fields/field.ts';

/** What follows an operator: nothing, a number, a text, or a list. */
export type OperatorForm = 'unary' | 'number' | 'text' | 'list';

export interface OperatorRow {
  readonly name: Operator;
  readonly form: OperatorForm;
  /** Other spellings. */
  readonly aliases: readonly string[];
  /** A word that must be followed by a blank. */
  readonly needsBlank: boolean;
  /** Types of single values it compares. */
  readonly types: ReadonlySet<FieldType>;
}

export type Operator =
  | 'exists'
  | '<='
  | '<'
  | '>='
  | '>'
  | '='
  | '!='
  | 'glob'
  | 'iglob'
  | 'contains'
  | 'icontains'
  | 'bcontains'
  | 'startswith'
  | 'bstartswith'
  | 'endswith'
  | 'regex'
  | 'intersects'
  | 'in'
  | 'pmatch';

export const LIST_MODIFIERS = ['oneof', 'anyof', 'allof'] as const;
export type ListModifier = (typeof LIST_MODIFIERS)[number];

const NUMBERS: readonly FieldType[] = [
  'int16',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'double',
  'abstime',
  'reltime',
  'port',
];
const EQUALITY: readonly FieldType[] = [...NUMBERS, 'bool', 'ipaddr', 'ipnet', 'string', 'bytes'];

function row(
  name: Operator,
  form: OperatorForm,
  types: readonly FieldType[],
  needsBlank = false,
  aliases: readonly string[] = [],
): OperatorRow {
  // Which type a dynamic value has shows only with the event: then the comparison is checked.
  return { name, form, aliases, needsBlank, types: new Set<FieldType>([...types, 'dynamic']) };
}

/** In the order in which they are tried: a longer one before its beginning. */
export const OPERATORS: readonly OperatorRow[] = [
  row('exists', 'unary', EQUALITY),
  row('<=', 'number', [...NUMBERS, 'string']),
  row('<', 'number', [...NUMBERS, 'string']),
  row('>=', 'number', [...NUMBERS, 'string']),
  row('>', 'number', [...NUMBERS, 'string']),
  row('=', 'text', EQUALITY, false, ['==']),
  row('!=', 'text', EQUALITY),
  row('glob', 'text', ['string'], true),
  row('iglob', 'text', ['string'], true),
  row('contains', 'text', ['string', 'bytes'], true),
  row('icontains', 'text', ['string'], true),
  row('bcontains', 'text', ['bytes'], true),
  row('startswith', 'text', ['string', 'bytes'], true),
  row('bstartswith', 'text', ['bytes'], true),
  row('endswith', 'text', ['string', 'bytes'], true),
  row('regex', 'text', ['string'], true),
  row('intersects', 'list', EQUALITY),
  row('in', 'list', EQUALITY),
  row('pmatch', 'list', ['string']),
];

/** Every spelling, as listed to users. */
export const OPERATOR_NAMES: readonly string[] = OPERATORS.flatMap((entry) => [entry.name, ...entry.aliases]);

const BY_NAME: ReadonlyMap<string, OperatorRow> = new Map(OPERATORS.map((entry) => [entry.name, entry]));
const LIST_OPERATORS: ReadonlySet<string> = new Set(['exists', 'in', 'intersects']);
const LIST_TYPES: ReadonlySet<FieldType> = new Set([
  'string',
  'uint64',
  'reltime',
  'abstime',
  'bool',
  'ipaddr',
  'ipnet',
]);

function mustOperator(name: Operator): OperatorRow {
  return BY_NAME.get(name) as OperatorRow;
}

/** Whether values of a type, or lists of them, compare with an operator. */
export function isComparable(operator: Operator, type: FieldType, isList: boolean): boolean {
  if (operator === 'exists') return true;
  if (isList) return LIST_OPERATORS.has(operator) && LIST_TYPES.has(type);
  return mustOperator(operator).types.has(type);
}

/** The operators that take a type. */
export function operatorsFor(type: FieldType, isList: boolean): readonly string[] {
  return OPERATORS.filter((entry) => isComparable(entry.name, type, isList)).map((entry) => entry.name);
}
