/** Reads the items of rule files, one after the other, into a rule set. */
import { type Priority, parsePriority, type RuleContent, type RuleDefinition } from './definitions.ts';
import { type Diagnostics, Faults, RuleError, withSubject } from './diagnostics.ts';
import { readExceptions } from './exception-reader.ts';
import { LIST_KEYS, MACRO_KEYS, RULE_KEYS, warnUnknownKeys } from './item-keys.ts';
import { ItemNode, type NodeContext } from './item-node.ts';
import {
  checkOverrides,
  LIST_OVERRIDES,
  MACRO_OVERRIDES,
  RULE_OVERRIDES,
  readOverrides,
} from './override-reader.ts';
import { type RuleSet, SYSCALL_SOURCE } from './rule-set.ts';
import { readEngineVersion, readPluginVersions } from './version-reader.ts';

const MACRO_NAME = /^[a-zA-Z]+[a-zA-Z0-9_]*$/;
const LIST_NAME = /^[^()"'\s=,]+$/;

export interface ItemReaderParts {
  readonly rules: RuleSet;
  readonly diagnostics: Diagnostics;
}

/** Reads one item. Throws RuleError. */
export function readItem(node: unknown, context: NodeContext, parts: ItemReaderParts): void {
  const item = new ItemNode(node, context, 'each item of a rule file must be a mapping');
  if (item.has('required_engine_version')) readEngineVersion(item, parts.diagnostics);
  else if (item.has('required_plugin_versions')) readPluginVersions(item, parts.diagnostics);
  else if (item.has('list')) readNamed('list', item, parts, readList);
  else if (item.has('macro')) readNamed('macro', item, parts, readMacro);
  else if (item.has('rule')) readNamed('rule', item, parts, readRule);
  else parts.diagnostics.add('warning', 'the item is no rule, macro or list and is ignored', item.code);
}

/**
 * Remembers the names of items that fail, so that what uses them is not reported as well, and names the item in every
 * error about it.
 */
function readNamed(
  kind: 'list' | 'macro' | 'rule',
  item: ItemNode,
  parts: ItemReaderParts,
  read: (name: string, item: ItemNode, parts: ItemReaderParts) => void,
): void {
  const name = item.text(kind).text;
  try {
    read(name, item, parts);
  } catch (error) {
    parts.rules.broken.add(`${kind} ${name}`);
    const faults: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    throw new AggregateError(faults.map((fault) => withSubject(fault, `${kind} '${name}': `)));
  }
}

function readList(name: string, item: ItemNode, { rules, diagnostics }: ItemReaderParts): void {
  const what = `list '${name}'`;
  if (!LIST_NAME.test(name)) {
    throw new RuleError(
      `${what}: the name may not hold blanks, quotes, parentheses, = or ,`,
      item.codeOf('list'),
    );
  }
  warnUnknownKeys(item, LIST_KEYS, what, diagnostics);
  const items = item.texts('items');
  const overrides = readOverrides(item, LIST_OVERRIDES, what, diagnostics);
  if (overrides.hasAppendKey || overrides.append.has('items')) rules.appendList(name, items, item.code);
  else rules.defineList(name, items, item.code);
}

function readMacro(name: string, item: ItemNode, { rules, diagnostics }: ItemReaderParts): void {
  const what = `macro '${name}'`;
  if (!MACRO_NAME.test(name)) {
    throw new RuleError(
      `${what}: the name must be a letter followed by letters, digits and _`,
      item.codeOf('macro'),
    );
  }
  warnUnknownKeys(item, MACRO_KEYS, what, diagnostics);
  const condition = item.text('condition');
  const overrides = readOverrides(item, MACRO_OVERRIDES, what, diagnostics);
  if (overrides.hasAppendKey || overrides.append.has('condition')) {
    rules.appendMacro(name, condition, item.code);
  } else {
    rules.defineMacro(name, condition, item.code);
  }
}

function readRule(name: string, item: ItemNode, parts: ItemReaderParts): void {
  const { rules, diagnostics } = parts;
  const what = `rule '${name}'`;
  warnUnknownKeys(item, RULE_KEYS, what, diagnostics);
  const overrides = readOverrides(item, RULE_OVERRIDES, what, diagnostics);
  if (overrides.append.size + overrides.replace.size > 0) {
    checkOverrides(item, overrides, RULE_OVERRIDES, what);
    if (overrides.append.size > 0) {
      rules.appendRule(name, readContent(item, overrides.append, diagnostics), item.code);
    }
    if (overrides.replace.size > 0) {
      rules.replaceInRule(name, readContent(item, overrides.replace, diagnostics), item.code);
    }
  } else if (overrides.hasAppendKey) {
    const keys = new Set(['condition', 'exceptions'].filter((key) => item.has(key)));
    if (keys.size === 0)
      throw new RuleError(`${what}: appends neither a condition nor exceptions`, item.code);
    rules.appendRule(name, readContent(item, keys, diagnostics), item.code);
  } else if (!['condition', 'output', 'desc', 'priority'].some((key) => item.has(key))) {
    rules.replaceInRule(name, { enabled: item.boolean('enabled') }, item.code);
    const message = `${what}: 'enabled' alone is deprecated; add 'override: {enabled: replace}'`;
    diagnostics.add('warning', message, item.code);
  } else {
    defineRule(name, item, parts);
  }
}

function defineRule(name: string, item: ItemNode, { rules, diagnostics }: ItemReaderParts): void {
  const faults = new Faults();
  const source = faults.attempt(() => (item.has('source') ? item.text('source').text : SYSCALL_SOURCE));
  const condition = faults.attempt(() => item.text('condition'));
  const output = faults.attempt(() => item.text('output').trim());
  const description = faults.attempt(() => item.text('desc').text);
  const priority = faults.attempt(() => readPriority(item));
  const enabled = faults.attempt(() => booleanOr(item, 'enabled', true));
  const warnEventTypes = faults.attempt(() => booleanOr(item, 'warn_evttypes', true));
  const skipIfUnknownFilter = faults.attempt(() => booleanOr(item, 'skip-if-unknown-filter', false));
  const tags = faults.attempt(() => readTags(item));
  const exceptions = faults.attempt(() => readExceptions(item, false, diagnostics));
  faults.throwIfAny();
  const members = { source, condition, output, description, priority, enabled, tags, exceptions };
  const rule = { name, code: item.code, ...members, warnEventTypes, skipIfUnknownFilter };
  // Every member that is undefined has left a fault, and there was none.
  rules.defineRule(rule as RuleDefinition);
}

function booleanOr(item: ItemNode, key: string, absent: boolean): boolean {
  return item.has(key) ? item.boolean(key) : absent;
}

/** The members of a rule that are named by `keys`. */
function readContent(
  item: ItemNode,
  keys: ReadonlySet<string>,
  diagnostics: Diagnostics,
): Partial<RuleContent> {
  const content: Partial<RuleContent> = {};
  if (keys.has('condition')) content.condition = item.text('condition');
  if (keys.has('output')) content.output = item.text('output');
  if (keys.has('desc')) content.description = item.text('desc').text;
  if (keys.has('tags')) content.tags = readTags(item);
  if (keys.has('exceptions')) content.exceptions = readExceptions(item, true, diagnostics);
  if (keys.has('priority')) content.priority = readPriority(item);
  if (keys.has('enabled')) content.enabled = item.boolean('enabled');
  if (keys.has('warn_evttypes')) content.warnEventTypes = item.boolean('warn_evttypes');
  if (keys.has('skip-if-unknown-filter')) {
    content.skipIfUnknownFilter = item.boolean('skip-if-unknown-filter');
  }
  return content;
}

function readTags(item: ItemNode): ReadonlySet<string> {
  return new Set(item.has('tags') ? item.texts('tags').map(({ text }) => text) : []);
}

function readPriority(item: ItemNode): Priority {
  const { text } = item.text('priority');
  const priority = parsePriority(text);
  if (priority === undefined) throw new RuleError(`'${text}' is no priority`, item.codeOf('priority'));
  return priority;
}
