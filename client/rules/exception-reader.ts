/** Reads `exceptions` of a rule: names, fields, operators and values. */
import { isScalar, isSeq } from 'yaml';
import type { ExceptionDefinition, ExceptionEntry } from './definitions.ts';
import { type Diagnostics, RuleError } from './diagnostics.ts';
import { warnUnknownKeys } from './item-keys.ts';
import { codeOf, ItemNode, type NodeContext, resolveNode } from './item-node.ts';
import { scalarText } from './scalar-text.ts';

/** Values are pairs of lists at most; what nests deeper is refused. */
const NESTING_MAX = 2;

const EXCEPTION_KEYS: ReadonlySet<string> = new Set(['name', 'fields', 'comps', 'values']);

/** `isUpdate`: values are added to exceptions that exist, so that fields may be left out. Throws RuleError. */
export function readExceptions(
  item: ItemNode,
  isUpdate: boolean,
  diagnostics: Diagnostics,
): ExceptionDefinition[] {
  if (!item.has('exceptions') || item.isNull('exceptions')) return [];
  const exceptions: ExceptionDefinition[] = [];
  for (const node of item.sequence('exceptions')) {
    const exception = readException(node, item.context, isUpdate, diagnostics);
    if (exceptions.some(({ name }) => name === exception.name)) {
      throw new RuleError(`the item has two exceptions named '${exception.name}'`, exception.code);
    }
    exceptions.push(exception);
  }
  return exceptions;
}

function readException(
  node: unknown,
  context: NodeContext,
  isUpdate: boolean,
  diagnostics: Diagnostics,
): ExceptionDefinition {
  const item = new ItemNode(node, context, 'an exception must be a mapping');
  const name = item.text('name').text;
  warnUnknownKeys(item, EXCEPTION_KEYS, `exception '${name}'`, diagnostics);
  if (!isUpdate && !item.has('fields')) throw new RuleError(`exception '${name}' has no 'fields'`, item.code);
  if (isUpdate && !item.has('values')) {
    diagnostics.add('warning', `exception '${name}' is changed without any values`, item.code);
  }
  const values = item.has('values') ? item.sequence('values') : [];
  return {
    name,
    code: item.code,
    fields: item.has('fields') ? readEntry(item.node('fields'), context, 0) : undefined,
    comps: item.has('comps') ? readEntry(item.node('comps'), context, 0) : undefined,
    values: values.map((value) => mustEntry(readEntry(value, context, 0), value, context)),
  };
}

function mustEntry(entry: ExceptionEntry | undefined, node: unknown, context: NodeContext): ExceptionEntry {
  if (entry !== undefined) return entry;
  throw new RuleError('an exception holds texts and lists of texts', codeOf(node, context));
}

/** Undefined for what is neither text nor list, and for an empty list: it counts as not given. */
function readEntry(unresolved: unknown, context: NodeContext, depth: number): ExceptionEntry | undefined {
  const node = resolveNode(unresolved, context);
  if (isScalar(node)) {
    const item = scalarText(node, context.file);
    if (item.text === '') throw new RuleError('values must not be empty', codeOf(node, context));
    return { isList: false, item };
  }
  if (!isSeq(node)) return undefined;
  if (depth === NESTING_MAX) throw new RuleError('lists nest too deep', codeOf(node, context));
  const items = node.items.map((child) => mustEntry(readEntry(child, context, depth + 1), child, context));
  return depth === 0 && items.length === 0 ? undefined : { isList: true, items };
}
