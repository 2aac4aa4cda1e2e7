/** Fields compiled for extraction, kept for the next request: a rule engine asks for the same few lists over and over. */
import type { FieldSchema } from '../../../proto/gen/strata/v1/value.ts';
import { type BoundField, bindField } from '../../fields/field-reference.ts';
import { fieldSchema } from '../field-schema.ts';
import { compileMember } from '../request-fault.ts';
import { binaryOf } from './text.ts';

export interface BoundFields {
  readonly fields: readonly BoundField[];
  readonly schema: readonly FieldSchema[];
}

/** Lists kept; the one not asked for longest goes first. */
const LISTS_MAX = 64;

export class BoundFieldCache {
  private readonly lists: Map<string, BoundFields>;

  constructor() {
    this.lists = new Map();
  }

  /** Throws StrataError INVALID_ARGUMENT with the place of a field that does not compile. */
  get(names: readonly string[]): BoundFields {
    const key = JSON.stringify(names);
    let bound = this.lists.get(key);
    if (bound === undefined) {
      bound = bindAll(names);
      if (this.lists.size >= LISTS_MAX) this.lists.delete(this.lists.keys().next().value as string);
    } else {
      this.lists.delete(key);
    }
    // Moved to the end: the map's order is the order of last use.
    this.lists.set(key, bound);
    return bound;
  }
}

function bindAll(names: readonly string[]): BoundFields {
  const fields = names.map((name, i) => compileMember(`fields[${i}]`, () => bindField(binaryOf(name))));
  const schema = fields.map(({ row }, i) => fieldSchema({ name: names[i] as string, row }));
  return { fields, schema };
}
