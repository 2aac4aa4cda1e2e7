/** What the official rules use, as far as it is listed: every field and operator compiles, and every field has an answer. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseFieldReference } from '../../server/fields/field-reference.ts';
import { compileTemplate } from '../../server/fields/template.ts';
import { compileFilter } from '../../server/filter/filter.ts';
import { FilterError } from '../../server/filter/filter-error.ts';
import { isComparable, OPERATORS } from '../../server/filter/operators.ts';

const FACTS = new URL('../../../shared/facts/rules_fields.json', import.meta.url);
const FIXTURES = new URL('../fixtures/filters/', import.meta.url);
const WORDS: ReadonlySet<string> = new Set(['and', 'or', 'not']);
const LITERALS: Readonly<Record<string, string>> = {
  bool: 'true',
  ipaddr: '10.0.0.1',
  ipnet: '10.0.0.0/8',
  bytes: 'cafe',
};
const LISTS: ReadonlySet<string> = new Set(['in', 'intersects', 'pmatch']);

interface Facts {
  readonly totals: Readonly<Record<string, { readonly condition: number; readonly args: readonly string[] }>>;
  readonly operators: Readonly<Record<string, number>>;
}

const skip = existsSync(FACTS) ? false : 'the facts are not beside the repository';
const facts = (
  skip === false ? JSON.parse(readFileSync(FACTS, 'utf8')) : { totals: {}, operators: {} }
) as Facts;
const references = Object.entries(facts.totals).flatMap(([name, { args }]) => [
  ...(needsArgument(name) ? [] : [name]),
  ...args.map((argument) => `${name}${argument}`),
]);

/** `container.mount.dest` is never used without one. */
function needsArgument(name: string): boolean {
  return name === 'container.mount.dest';
}

/** Conditions of a fixture file, separated by lines of dashes. */
function conditionsOf(file: string): string[] {
  return readFileSync(new URL(file, FIXTURES), 'utf8')
    .split(/^---\n/m)
    .map((text) => text.replace(/\n$/, ''));
}

function compileError(condition: string): FilterError | undefined {
  try {
    compileFilter(condition);
    return undefined;
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
}

describe('what the official rules use', { skip }, () => {
  it('every operator is known', () => {
    const known = new Set<string>(OPERATORS.map((row) => row.name));
    assert.deepEqual(
      Object.keys(facts.operators).filter((name) => !known.has(name) && !WORDS.has(name)),
      [],
    );
  });

  for (const reference of references) {
    it(`${reference} stands in a template and in conditions`, () => {
      compileTemplate(`a %${reference} b`);
      const { row } = parseFieldReference(reference);
      for (const operator of Object.keys(facts.operators)) {
        if (WORDS.has(operator) || !OPERATORS.some(({ name }) => name === operator)) continue;
        if (!isComparable(operator as 'in', row.type, row.isList)) continue;
        const isNumberOnly = operator.startsWith('<') || operator.startsWith('>');
        const literal = isNumberOnly ? '1' : (LITERALS[row.type] ?? (row.type === 'string' ? 'x' : '1'));
        const right = operator === 'exists' ? '' : LISTS.has(operator) ? `(${literal})` : literal;
        compileFilter(`${reference} ${operator} ${right}`);
      }
    });
  }

  it('fields without an answer', (t) => {
    const missing = references.filter((name) => parseFieldReference(name).row.unavailable !== undefined);
    for (const name of missing) t.diagnostic(`${name}: ${parseFieldReference(name).row.unavailable}`);
    assert.deepEqual(missing.sort(), ['fd.cip.name', 'fd.lip.name', 'fd.rip.name', 'fd.sip.name']);
  });
});

describe('conditions in the style of rules', () => {
  for (const condition of conditionsOf('valid.txt')) {
    it(condition.replace(/\s+/g, ' ').slice(0, 120), () => {
      assert.equal(compileError(condition)?.message, undefined);
    });
  }
});

describe('conditions that do not compile', () => {
  for (const text of conditionsOf('invalid.txt')) {
    // The first line says where the fault is, as LINE:COLUMN.
    const end = text.indexOf('\n');
    const condition = text.slice(end + 1);
    it(condition.slice(0, 120), () => {
      const error = compileError(condition);
      assert.ok(error !== undefined, 'it compiles');
      assert.equal(`${error.position.line}:${error.position.column}`, text.slice(0, end), error.message);
    });
  }
});
