/** Answers gone wrong in ways that JSON itself allows. */

/** The same members with values of other types: what a checker of shapes alone lets through. */
export function spoil(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return { text: value };
    case 'number':
      return `${value}`;
    case 'boolean':
      return value ? 'yes' : [];
  }
  if (value === null) return [null];
  if (Array.isArray(value)) return { 0: value.map(spoil) };
  // An object of one level is kept, so that its members are looked at.
  return Object.fromEntries(Object.entries(value as object).map(([key, member]) => [key, spoil(member)]));
}

/** As `spoil`, but lists stay lists, so that what they hold is looked at, too. */
export function spoilMembers(value: unknown): unknown {
  return Array.isArray(value) ? value.map(spoil) : spoil(value);
}
