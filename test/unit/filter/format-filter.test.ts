import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FilterAst } from '../../../server/filter/ast.ts';
import { formatFilter, parseFilter } from '../../../server/filter/filter.ts';
import { replaceIdentifiers, visitNodes } from '../../../server/filter/visit.ts';
import { printableFilters } from '../../helpers/filter-arbitraries.ts';

/** The tree without its positions. */
function shape(ast: FilterAst): unknown {
  return JSON.parse(JSON.stringify(ast, (key, value) => (/position$/i.test(key) ? undefined : value)));
}

describe('formatFilter', () => {
  it('prints text that parses to the same tree', () => {
    fc.assert(
      fc.property(printableFilters, (ast) => {
        assert.deepEqual(shape(parseFilter(formatFilter(ast))), shape(ast));
      }),
      { numRuns: 2000 },
    );
  });

  it('prints its own output the same', () => {
    fc.assert(
      fc.property(printableFilters, (ast) => {
        const text = formatFilter(ast);
        assert.equal(formatFilter(parseFilter(text)), text);
      }),
    );
  });
});

describe('replaceIdentifiers', () => {
  it('puts trees in the place of names and leaves the rest', () => {
    const macros = new Map([['shell', parseFilter('proc.name in (bash, sh)')]]);
    const ast = parseFilter('not shell and (other or a.b = shell)');
    const replaced = replaceIdentifiers(ast, (node) => macros.get(node.name));
    assert.equal(formatFilter(replaced), 'not proc.name in (bash, sh) and (other or a.b = shell)');
    assert.equal(formatFilter(ast), 'not shell and (other or a.b = shell)');
  });
});

describe('visitNodes', () => {
  it('shows every node, parents first', () => {
    const kinds: string[] = [];
    visitNodes(parseFilter('join(",", (a.b, "x")) in (c)'), (node) => kinds.push(node.kind));
    assert.deepEqual(kinds, ['compare', 'transformer', 'value', 'group', 'field', 'value', 'list', 'value']);
  });
});
