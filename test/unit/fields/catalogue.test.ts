import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FIELD_ROWS, fieldClasses, findField, suggestFields } from '../../../server/fields/catalogue.ts';
import type { FieldArgument } from '../../../server/fields/field.ts';
import { EventContext } from '../../helpers/event-context.ts';

const FACTS = new URL('../../../../shared/facts/fields.json', import.meta.url);

interface Fact {
  readonly name: string;
  readonly type: string;
  readonly args: string;
  readonly list: boolean;
  readonly fmt?: string;
  readonly deprecated?: true;
  readonly table_only?: true;
  readonly print_only?: true;
  readonly filter_only?: true;
  readonly no_rhs?: true;
  readonly no_transformer?: true;
}

const INDEX: FieldArgument = { text: '0', index: 0 };
const KEY: FieldArgument = { text: 'a.b/c', index: undefined };

test('every row is found by its name and belongs to a described class', () => {
  assert.ok(FIELD_ROWS.length > 300);
  for (const row of FIELD_ROWS) assert.equal(findField(row.name), row);
  const classes = fieldClasses();
  assert.equal(
    classes.reduce((sum, { rows }) => sum + rows.length, 0),
    FIELD_ROWS.length,
  );
  for (const { name, description } of classes) assert.notEqual(description, '', name);
  for (const row of FIELD_ROWS) assert.notEqual(row.description, '', row.name);
});

test('a misspelt name suggests the nearest fields', () => {
  assert.equal(suggestFields('proc.nam')[0], 'proc.name');
  assert.deepEqual(suggestFields('completely.different.thing'), []);
});

test('the catalogue has every field of the reference, and all that is said of it', {
  skip: existsSync(FACTS) ? false : 'the fact files are not beside the repository',
}, () => {
  const facts = JSON.parse(readFileSync(FACTS, 'utf8')) as Record<string, unknown>;
  for (const list of Object.values(facts)) {
    if (!Array.isArray(list)) continue;
    for (const fact of list as Fact[]) {
      const row = findField(fact.name);
      assert.ok(row !== undefined, fact.name);
      assert.deepEqual(
        {
          name: row.name,
          type: row.type,
          args: row.argument,
          list: row.isList,
          fmt: row.format,
          deprecated: row.deprecated,
          table_only: row.tableOnly,
          print_only: row.printOnly,
          filter_only: row.filterOnly,
          no_rhs: row.noRhs,
          no_transformer: row.noTransformer,
        },
        {
          name: fact.name,
          type: fact.type,
          args: fact.args,
          list: fact.list,
          // Not told for every class.
          fmt: fact.fmt ?? row.format,
          deprecated: fact.deprecated,
          table_only: fact.table_only,
          print_only: fact.print_only,
          filter_only: fact.filter_only,
          no_rhs: fact.no_rhs,
          no_transformer: fact.no_transformer,
        },
      );
    }
  }
});

test('every field answers for an event without a thread and for one of a bare thread', () => {
  const context = new EventContext();
  context.process(1000, 'bash');
  const events = [
    () => context.show('PPME_SYSCALL_READ_X', {}, { tid: 4711 }),
    () => context.show('PPME_SYSCALL_READ_X', { fd: 3n }, { tid: 1000, fdNumber: 3 }),
  ];
  for (const row of FIELD_ROWS) {
    const argument = row.argument === 'none' ? undefined : row.argument.includes('key') ? KEY : INDEX;
    const extractors = bindAll(row.name, argument);
    for (const makeEvent of events) for (const extract of extractors) extract(makeEvent());
  }
});

/** Fields that take known names only refuse the made-up one. */
function bindAll(name: string, argument: FieldArgument | undefined) {
  const row = findField(name);
  assert.ok(row !== undefined);
  try {
    return [row.bind(argument), row.bindJson?.(argument), row.bindText?.(argument)].filter(
      (extract) => extract !== undefined,
    );
  } catch {
    return [];
  }
}
