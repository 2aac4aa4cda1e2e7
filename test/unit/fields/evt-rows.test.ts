import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EVENT_ROWS } from '../../helpers/event-fields.ts';

const FACTS = join(import.meta.dirname, '../../../../shared/facts/fields.json');
const CLASSES = ['evt (generic)', 'evt (syscall)', 'fd', 'fdlist', 'fs.path', 'util (hidden)'];

interface Fact {
  readonly name: string;
  readonly type: string;
  readonly args: string;
  readonly list: boolean;
  readonly description: string;
  readonly fmt?: string;
  readonly deprecated?: true;
  readonly table_only?: true;
  readonly print_only?: true;
  readonly filter_only?: true;
  readonly no_rhs?: true;
  readonly no_transformer?: true;
}

describe('rows of events and fds', () => {
  it('are named once each', () => {
    const names = EVENT_ROWS.map((row) => row.name);
    assert.equal(new Set(names).size, names.length);
  });

  it('agree with the list of fields', {
    skip: existsSync(FACTS) ? false : 'no facts beside the repository',
  }, () => {
    const facts = JSON.parse(readFileSync(FACTS, 'utf8')) as Record<string, Fact[]>;
    const listed = CLASSES.flatMap((name) => facts[name] ?? []);
    const rows = new Map(EVENT_ROWS.map((row) => [row.name, row]));
    for (const fact of listed) {
      const row = rows.get(fact.name);
      assert.ok(row, fact.name);
      assert.deepEqual(
        {
          name: row.name,
          type: row.type,
          args: row.argument,
          list: row.isList,
          description: row.description,
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
          description: fact.description,
          fmt: fact.fmt ?? 'NA',
          deprecated: fact.deprecated,
          table_only: fact.table_only,
          print_only: fact.print_only,
          filter_only: fact.filter_only,
          no_rhs: fact.no_rhs,
          no_transformer: fact.no_transformer,
        },
      );
    }
    const known = new Set(listed.map((fact) => fact.name));
    const extra = EVENT_ROWS.filter((row) => !known.has(row.name)).map((row) => row.name);
    assert.deepEqual(
      extra,
      EVENT_ROWS.filter((row) => row.fieldClass === 'syslog').map((row) => row.name),
    );
  });
});
