/** Which keys items may have, and what is said about others. */
import { nearestNames } from '../../server/event/nearest-names.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ItemNode } from './item-node.ts';

export const LIST_KEYS: ReadonlySet<string> = new Set(['list', 'items', 'append', 'override']);
export const MACRO_KEYS: ReadonlySet<string> = new Set(['macro', 'condition', 'append', 'override']);
export const RULE_KEYS: ReadonlySet<string> = new Set([
  'rule',
  'condition',
  'output',
  'desc',
  'priority',
  'source',
  'enabled',
  'tags',
  'exceptions',
  'warn_evttypes',
  'skip-if-unknown-filter',
  'append',
  'override',
  'capture',
  'capture_duration',
]);

/** Keys that are understood and have no effect here. */
const IGNORED_KEYS: ReadonlyMap<string, string> = new Map([
  ['capture', 'recording a capture when a rule matches is not supported'],
  ['capture_duration', 'recording a capture when a rule matches is not supported'],
]);

/** `what` names the item in messages. */
export function warnUnknownKeys(
  item: ItemNode,
  known: ReadonlySet<string>,
  what: string,
  diagnostics: Diagnostics,
): void {
  const seen = new Set<string>();
  for (const { key, code } of item.entries) {
    if (seen.has(key)) diagnostics.add('warning', `${what}: '${key}' comes twice; the first counts`, code);
    seen.add(key);
    const ignored = IGNORED_KEYS.get(key);
    if (!known.has(key)) {
      diagnostics.add(
        'warning',
        `${what}: unknown key '${key}' is ignored`,
        code,
        nearestNames(key, known, 1),
      );
    } else if (ignored !== undefined) {
      diagnostics.add('note', `${what}: '${key}' is ignored: ${ignored}`, code);
    }
  }
}
