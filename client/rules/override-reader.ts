/** Reads `append` and `override`: which keys of an item add to, or replace, what exists. */
import { type Diagnostics, RuleError } from './diagnostics.ts';
import { ItemNode } from './item-node.ts';

export interface Overrides {
  readonly append: ReadonlySet<string>;
  readonly replace: ReadonlySet<string>;
  /** `append: true`, the older form. */
  readonly hasAppendKey: boolean;
}

export interface OverridableKeys {
  readonly append: ReadonlySet<string>;
  readonly replace: ReadonlySet<string>;
}

export const LIST_OVERRIDES: OverridableKeys = both('items');
export const MACRO_OVERRIDES: OverridableKeys = both('condition');
const RULE_APPENDS = ['condition', 'output', 'desc', 'tags', 'exceptions'];
export const RULE_OVERRIDES: OverridableKeys = {
  append: new Set(RULE_APPENDS),
  replace: new Set([...RULE_APPENDS, 'priority', 'enabled', 'warn_evttypes', 'skip-if-unknown-filter']),
};

function both(key: string): OverridableKeys {
  return { append: new Set([key]), replace: new Set([key]) };
}

/** `what` names the item in messages. Throws RuleError. */
export function readOverrides(
  item: ItemNode,
  keys: OverridableKeys,
  what: string,
  diagnostics: Diagnostics,
): Overrides {
  const hasAppendKey = item.has('append') && item.boolean('append');
  if (hasAppendKey) {
    const message = `${what}: 'append' is deprecated; say which keys to append under 'override'`;
    diagnostics.add('warning', message, item.codeOf('append'));
  }
  const append = new Set<string>();
  const replace = new Set<string>();
  if (!item.has('override') || item.isNull('override')) return { append, replace, hasAppendKey };
  const message = "'override' must be a mapping of keys to append or replace";
  const overrides = new ItemNode(item.node('override'), item.context, message);
  for (const { key, code } of overrides.entries) {
    const operation = overrides.text(key).text;
    if (operation === 'append') {
      if (!keys.append.has(key)) {
        throw new RuleError(`${what}: '${key}' cannot be appended to, use 'replace' instead`, code);
      }
      append.add(key);
    } else if (operation === 'replace') {
      if (!keys.replace.has(key)) throw new RuleError(`${what}: '${key}' cannot be replaced`, code);
      replace.add(key);
    } else {
      throw new RuleError(
        `${what}: '${operation}' is no way to override '${key}'; there are append and replace`,
        overrides.codeOf(key),
      );
    }
  }
  if (hasAppendKey && append.size + replace.size > 0) {
    throw new RuleError(`${what}: 'append: true' and 'override' exclude each other`, item.codeOf('override'));
  }
  return { append, replace, hasAppendKey };
}

/** Throws RuleError unless the keys overridden are exactly those that are given. */
export function checkOverrides(
  item: ItemNode,
  { append, replace }: Overrides,
  keys: OverridableKeys,
  what: string,
): void {
  for (const key of [...append, ...replace]) {
    if (item.has(key)) continue;
    throw new RuleError(
      `${what}: 'override' names '${key}', which the item does not have`,
      item.codeOf('override'),
    );
  }
  for (const key of keys.replace) {
    if (!item.has(key) || append.has(key) || replace.has(key)) continue;
    throw new RuleError(
      `${what}: '${key}' is given, but 'override' does not say what to do with it`,
      item.codeOf(key),
    );
  }
}
