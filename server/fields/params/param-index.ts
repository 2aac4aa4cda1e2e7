/** Where a parameter sits, by name, for every event type. */
import { EVENT_TABLE } from '../../event/event-table.ts';
import { nearestNames } from '../../event/nearest-names.ts';
import { FieldError } from '../field.ts';

const known = new Map<string, Int8Array>();

/** Index of the first parameter called `name` by event type; -1 for types without one. undefined when no type has one. */
export function findParamIndexes(name: string): Int8Array | undefined {
  const old = known.get(name);
  if (old !== undefined) return old;
  const indexes = new Int8Array(EVENT_TABLE.length).fill(-1);
  let isKnown = false;
  for (const info of EVENT_TABLE) {
    const index = info.params.findIndex((param) => param.name === name);
    indexes[info.id] = index;
    if (index >= 0) isKnown = true;
  }
  // Only names that exist are kept: the table bounds the cache.
  if (isKnown) known.set(name, indexes);
  return isKnown ? indexes : undefined;
}

/** The same for a name written by a user. Throws FieldError, with names close to it, when no event type has it. */
export function mustParamIndexes(name: string): Int8Array {
  const indexes = findParamIndexes(name);
  if (indexes === undefined) {
    throw new FieldError(`unknown event argument '${name}'`, 0, nearestNames(name, paramNames()));
  }
  return indexes;
}

function paramNames(): string[] {
  const names = new Set<string>();
  for (const info of EVENT_TABLE) {
    for (const param of info.params) names.add(param.name);
  }
  return [...names];
}
