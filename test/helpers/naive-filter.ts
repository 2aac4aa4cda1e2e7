/**
 * A condition evaluated by walking its tree, as plainly as possible and with none of the product's comparison code: what
 * the compiler is tested against.
 */
import type { DynamicValue, FieldType, FieldValue, Scalar } from '../../server/fields/field.ts';
import type { ArgumentNode, CompareNode, FilterAst } from '../../server/filter/ast.ts';

export interface NaiveField {
  readonly type: FieldType;
  readonly isList: boolean;
  readonly isFilterOnly: boolean;
  readonly value: FieldValue;
}

/** Looks up a field by name and argument. */
export type NaiveFields = (name: string, argument: string | undefined) => NaiveField;

export function evaluateNaively(ast: FilterAst, fields: NaiveFields): boolean {
  switch (ast.kind) {
    case 'and':
      return ast.children.every((child) => evaluateNaively(child, fields));
    case 'or':
      return ast.children.some((child) => evaluateNaively(child, fields));
    case 'not':
      return !evaluateNaively(ast.child, fields);
    case 'exists': {
      const { value, isList } = read(ast.left, fields);
      return value !== undefined && (isList || !Array.isArray(value) || value.length > 0);
    }
    case 'identifier':
      throw new Error('identifiers have no value');
    case 'compare':
      return compare(ast, fields);
  }
}

function compare(node: CompareNode, fields: NaiveFields): boolean {
  const left = read(node.left, fields);
  if (left.value === undefined) return false;
  if (node.right.kind !== 'value' && node.right.kind !== 'list') {
    const right = read(node.right, fields);
    if (right.value === undefined) return false;
    const wanted = (Array.isArray(right.value) ? right.value : [right.value]) as Scalar[];
    return compareValues(node, left, wanted);
  }
  const texts = node.right.kind === 'list' ? node.right.values.map((value) => value.text) : [node.right.text];
  if (left.type === 'dynamic') {
    const { type, value } = left.value as DynamicValue;
    return compareTexts(node, { ...left, type, value }, texts);
  }
  return compareTexts(node, left, texts);
}

function compareTexts(node: CompareNode, left: NaiveField, texts: readonly string[]): boolean {
  const single = (text: string) =>
    compareValues({ ...node, modifier: undefined }, left, [literal(text, left.type)]);
  switch (node.modifier) {
    case 'anyof':
      return texts.some(single);
    case 'allof':
      return texts.length > 0 && texts.every(single);
    case 'oneof':
      return texts.filter(single).length === 1;
    default:
      return compareValues(
        node,
        left,
        texts.map((text) => literal(text, left.type)),
      );
  }
}

function compareValues(node: CompareNode, left: NaiveField, wanted: readonly Scalar[]): boolean {
  const items = (Array.isArray(left.value) ? left.value : [left.value]) as Scalar[];
  const isMember = (item: Scalar) => wanted.some((value) => scalar('=', left.type, item, value));
  if (node.operator === 'in' || node.operator === 'intersects') {
    return left.isList && node.operator === 'in' ? items.every(isMember) : items.some(isMember);
  }
  if (node.operator === 'pmatch') return items.some((item) => wanted.some((path) => isUnder(item, path)));
  const test = (item: Scalar) => scalar(node.operator, left.type, item, wanted[0] as Scalar);
  return node.operator === '!=' && left.isFilterOnly
    ? items.length > 0 && items.every(test)
    : items.some(test);
}

function isUnder(path: Scalar, prefix: Scalar): boolean {
  const parts = (text: Scalar) =>
    String(text)
      .split('/')
      .filter((part) => part !== '');
  const whole = parts(path);
  return parts(prefix).every((part, i) => part === whole[i]);
}

function scalar(operator: string, type: FieldType, left: Scalar, right: Scalar): boolean {
  if (type === 'ipnet') return inNetwork(String(left), String(right)) === (operator === '=');
  const isText = typeof left === 'string';
  const [a, b] = isText ? [left, String(right)] : [BigInt(left), BigInt(right)];
  const [text, part] = [String(left), String(right)];
  const lower = (value: string) => value.replace(/[A-Z]/g, (char) => char.toLowerCase());
  switch (operator) {
    case '=':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case 'contains':
      return text.indexOf(part) >= 0;
    case 'icontains':
      return lower(text).indexOf(lower(part)) >= 0;
    case 'bcontains':
      return text.indexOf(unhex(part)) >= 0;
    case 'startswith':
      return text.slice(0, part.length) === part;
    case 'bstartswith':
      return text.indexOf(unhex(part)) === 0;
    case 'endswith':
      return part === '' || text.slice(-part.length) === part;
    case 'glob':
      return new RegExp(
        `^${part.replace(/[*?.]/g, (char) => (char === '.' ? '\\.' : `.${char === '*' ? '*' : ''}`))}$`,
        's',
      ).test(text);
    case 'iglob':
      return scalar('glob', type, lower(text), lower(part));
    case 'regex':
      return new RegExp(`^(?:${part})$`).test(text);
    default:
      throw new Error(`no operator ${operator}`);
  }
}

/** `network` is the literal's text. */
function inNetwork(address: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  const binary = (text: string) =>
    [...text].map((char) => char.charCodeAt(0).toString(2).padStart(8, '0')).join('');
  const prefix = String.fromCharCode(...base.split('.').map(Number));
  return (
    address.length === prefix.length &&
    binary(address).slice(0, Number(bits)) === binary(prefix).slice(0, Number(bits))
  );
}

function unhex(text: string): string {
  return text.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}

function literal(text: string, type: FieldType): Scalar {
  if (type === 'bool') return text === 'true';
  if (type === 'ipaddr')
    return text.includes(':') ? ipv6(text) : String.fromCharCode(...text.split('.').map(Number));
  if (type === 'string' || type === 'bytes' || type === 'ipnet') return text;
  return BigInt(text);
}

function ipv6(text: string): string {
  const [head = '', tail = ''] = text.split('::').map((half) =>
    half
      .split(':')
      .filter((group) => group !== '')
      .map((group) => group.padStart(4, '0'))
      .join(''),
  );
  return unhex(head + '0'.repeat(32 - head.length - tail.length) + tail);
}

function read(node: ArgumentNode, fields: NaiveFields): NaiveField {
  switch (node.kind) {
    case 'field':
      return fields(node.name, node.argument);
    case 'value':
      return text(node.text);
    case 'group': {
      const items = node.items.map((item) => read(item, fields).value);
      return { ...text(items.includes(undefined) ? undefined : items.map(String)), isList: true };
    }
    case 'transformer': {
      const args = node.arguments.map((argument) => read(argument, fields));
      const [first] = args as [NaiveField];
      if (args.some((arg) => arg.value === undefined)) return { ...first, value: undefined };
      return transform(node.transformer, args, first);
    }
  }
}

function transform(transformer: string, args: readonly NaiveField[], first: NaiveField): NaiveField {
  const value = first.value as Scalar | readonly Scalar[];
  const each = (change: (item: string) => string) =>
    Array.isArray(value) ? value.map((item) => change(item as string)) : change(value as string);
  switch (transformer) {
    case 'val':
      return first;
    case 'tolower':
      return { ...first, value: each((item) => item.replace(/[A-Z]/g, (char) => char.toLowerCase())) };
    case 'toupper':
      return { ...first, value: each((item) => item.replace(/[a-z]/g, (char) => char.toUpperCase())) };
    case 'basename':
      return { ...first, value: each((item) => item.split('/').at(-1) ?? '') };
    case 'len':
      return { ...text(undefined), type: 'uint64', value: (value as string).length };
    case 'concat':
      return text(args.map((arg) => arg.value).join(''));
    case 'join':
      return text(((args[1] as NaiveField).value as readonly string[]).join(value as string));
    default:
      throw new Error(`no transformer ${transformer}`);
  }
}

function text(value: FieldValue): NaiveField {
  return { type: 'string', isList: false, isFilterOnly: false, value };
}
