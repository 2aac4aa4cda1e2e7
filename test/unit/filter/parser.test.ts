import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CompareNode, FilterAst } from '../../../server/filter/ast.ts';
import { FilterError, formatFilter, parseFilter } from '../../../server/filter/filter.ts';
import { visitNodes } from '../../../server/filter/visit.ts';

/** Conditions and what they are in canonical form. */
const ACCEPTED: readonly (readonly [condition: string, canonical: string])[] = [
  // identifiers and joining words
  ['  a', 'a'],
  ['(a)', 'a'],
  ['a and b and c', 'a and b and c'],
  ['a and b and(c)', 'a and b and c'],
  ['(a)and(b)or(c)', 'a and b or c'],
  ['a or b and c', 'a or b and c'],
  ['(a or b) and c', '(a or b) and c'],
  ['a and (b and c)', 'a and (b and c)'],
  ['a and b or c and not d', 'a and b or c and not d'],
  ['not a and b', 'not a and b'],
  ['not (a and b)', 'not (a and b)'],
  ['not(a)and(not(b))', 'not a and not b'],
  ['not not a', 'a'],
  ['not not not a', 'not a'],
  ['not (not a)', 'not (not a)'],
  ['macro and not_macro', 'macro and not_macro'],
  ['notz or or_macro', 'notz or or_macro'],
  ['a\nand\tb\r\nor\nc', 'a and b or c'],
  // operators
  ['a.b exists', 'a.b exists'],
  ['a.b existsand c', 'a.b exists and c'],
  ['a.b=c', 'a.b = c'],
  ['a.b==c', 'a.b = c'],
  ['a.b != c', 'a.b != c'],
  ['a.b<5', 'a.b < 5'],
  ['a.b >= -0.12e+10', 'a.b >= -0.12e+10'],
  ['a.b <= 0xAB', 'a.b <= 0xAB'],
  ['a.b > +1', 'a.b > +1'],
  ['a.b contains x', 'a.b contains x'],
  ['a.b icontains\tx', 'a.b icontains x'],
  ['a.b bcontains 48545450', 'a.b bcontains 48545450'],
  ['a.b startswith x and a.c endswith y', 'a.b startswith x and a.c endswith y'],
  ['a.b bstartswith 00', 'a.b bstartswith 00'],
  ['a.b glob *.log', 'a.b glob *.log'],
  ['a.b iglob "a b"', 'a.b iglob "a b"'],
  ['a.b regex "[a-z]+"', 'a.b regex "[a-z]+"'],
  ['a.b = not', 'a.b = not'],
  ['a.b = c.d', 'a.b = c.d'],
  ['a.b = 0a!@#456:/\\.;!$%^&*[]{}|', 'a.b = 0a!@#456:/\\.;!$%^&*[]{}|'],
  // lists
  ['a.b in ()', 'a.b in ()'],
  ['a.b in()', 'a.b in ()'],
  ["a.b in (1, 'a' ,b.c)", 'a.b in (1, "a", b.c)'],
  ['a.b intersects (x)', 'a.b intersects (x)'],
  ['a.b pmatch (/tmp, /var/log)', 'a.b pmatch (/tmp, /var/log)'],
  ['a.b in name', 'a.b in (name)'],
  // modifiers
  ['a.b = oneof (x, y)', 'a.b = oneof (x, y)'],
  ['a.b startswith anyof(x)', 'a.b startswith anyof (x)'],
  ['a.b != allof ()', 'a.b != allof ()'],
  ['a.b = anyof', 'a.b = anyof'],
  ['a.b = anyof and (c)', 'a.b = anyof and c'],
  ['a.b = anyofx', 'a.b = anyofx'],
  // quoting
  ['a.b = ""', 'a.b = ""'],
  ["a.b = ''", 'a.b = ""'],
  ['a.b = \'say "hi"\'', 'a.b = "say \\"hi\\""'],
  ['a.b = "it\'s"', 'a.b = "it\'s"'],
  ["a.b = 'it\\'s'", 'a.b = "it\'s"'],
  ['a.b = "\\b\\f\\n\\r\\t\\/"', 'a.b = "\\b\\f\\n\\r\\t/"'],
  ['a.b = "C:\\\\"', 'a.b = "C:\\\\"'],
  ['a.b = "stray \\ blank"', 'a.b = "stray \\\\blank"'],
  ['a.b = "(or)"', 'a.b = "(or)"'],
  ['a.b = "grün"', 'a.b = "grün"'],
  ['a.b = grün', 'a.b = grün'],
  // arguments
  ['a.b[0] = x', 'a.b[0] = x'],
  ['a.b[key/with:signs] = x', 'a.b[key/with:signs] = x'],
  ["a.b['with blank'] = x", 'a.b["with blank"] = x'],
  ['a.b["a]b"] = x', 'a.b["a]b"] = x'],
  ['a.b[""] = x', 'a.b[""] = x'],
  // transformers
  ['tolower(a.b) = x', 'tolower(a.b) = x'],
  ['toupper( tolower( a.b[1] ) ) exists', 'toupper(tolower(a.b[1])) exists'],
  ['a.b = val( c.d )', 'a.b = val(c.d)'],
  ['a.b in val(c.d)', 'a.b in val(c.d)'],
  ['a.b >= len(c.d)', 'a.b >= len(c.d)'],
  ['join(",", (a.b, "x", 5)) = y', 'join(",", (a.b, "x", 5)) = y'],
  ['join(",", ()) = ""', 'join(",", ()) = ""'],
  ['concat(a.b, ":", basename(c.d)) in ("x:y")', 'concat(a.b, ":", basename(c.d)) in ("x:y")'],
  ['getopt(a.b, "lp:")[p] = 80', 'getopt(a.b, "lp:")[p] = 80'],
  ['getopt(a.b, "lp:") intersects (l)', 'getopt(a.b, "lp:") intersects (l)'],
];

const REJECTED: readonly string[] = [
  '',
  '   \n ',
  'a andb',
  'aand b',
  'a and b and',
  'a or',
  'and a',
  'a not b',
  'a andor b',
  '(a',
  'a)',
  '()',
  'not',
  '#comment',
  'a and b # comment',
  'a.b',
  'a.b ExIsTs',
  'a.b exists c',
  'a.b === c',
  'a.b !== c',
  'a.b startswithx',
  'a.b contains"x"',
  'a.b >',
  'a.b > x',
  'a.b < 0xAAA.1',
  'a.b >= 0aaa',
  'a.b =',
  'a.b = a,',
  'a.b = a=',
  'a.b = (x)',
  'a.b = "x',
  "a.b = 'x\\'",
  'a.b = "x""',
  "a.b = 'x\\\"'",
  'a.b = "x\\\'"',
  'a.b = "\\d"',
  'a.b in',
  'a.b in (',
  'a.b in (x',
  'a.b in (x,)',
  'a.b in (,)',
  'a.b in (x,,y)',
  'a.b in (tolower(c.d))',
  'a.b > (x)',
  'a.b startswith (x)',
  'a.b = anyof (x',
  'a.b > anyof (1)',
  'a.b in anyof (x)',
  'a.b[] = x',
  'a.b[ 1 ] = x',
  'a.b[[] = x',
  'a.b[1 = x',
  'a.b [1] = x',
  'val(a.b) exists',
  'tolower(val(a.b)) = x',
  'a.b = val(tolower(c.d))',
  'a.b = tolower (c.d)',
  'tolower (a.b) = x',
  'tolower(a) = x',
  'tolower(a.b = x',
  'unknown(a.b) = x',
  'join() = x',
  'macro > 12',
  'a.b = x\0',
  'a. b = x',
  '1.b = x',
];

describe('parseFilter', () => {
  for (const [condition, canonical] of ACCEPTED) {
    it(`accepts ${JSON.stringify(condition)}`, () => {
      assert.equal(formatFilter(parseFilter(condition)), canonical);
      assert.equal(formatFilter(parseFilter(canonical)), canonical);
    });
  }

  for (const condition of REJECTED) {
    it(`rejects ${JSON.stringify(condition)}`, () => {
      assert.throws(() => parseFilter(condition), FilterError);
    });
  }

  it('accepts any blank where one blank is accepted', () => {
    for (const [condition] of ACCEPTED) {
      if (/["'[]/.test(condition)) continue;
      for (const blank of ['\n', '\t', '\r', '\b', '  \n']) {
        const text = ` ${condition} `.replaceAll(' ', blank);
        // `not` takes the blanks of C's isspace, of which the backspace is none.
        if (blank === '\b' && condition.includes('not ')) continue;
        assert.doesNotThrow(() => parseFilter(text), JSON.stringify(text));
      }
    }
  });
});

function fault(condition: string): FilterError {
  try {
    parseFilter(condition);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  throw new Error(`${condition} was accepted`);
}

describe('errors of the parser', () => {
  it('name the offset, line and column in bytes', () => {
    const error = fault('a.b = "grün" and\n  c.d !! 5');
    assert.deepEqual(error.position, { offset: 24, line: 2, column: 7 });
  });

  it('say what is expected and what is close', () => {
    const error = fault('a.b startwith x');
    assert.ok(error.expected.includes('startswith'));
    assert.equal(error.suggestions[0], 'startswith');
    assert.deepEqual(fault('(a and b').expected, [')']);
    assert.deepEqual(fault('a and b c').expected, ['and', 'or', 'the end']);
  });

  it('point to the beginning of a text without end', () => {
    assert.equal(fault('a.b = c or d.e = "unfinished').position.offset, 17);
  });

  it('stop at the nesting limit, whatever nests', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['not(', ')'],
      ['not (', ')'],
      ['a and (', ')'],
    ] as const) {
      const nested = (depth: number) => `${open.repeat(depth)}a${close.repeat(depth)}`;
      assert.doesNotThrow(() => parseFilter(nested(100)));
      assert.match(fault(nested(101)).message, /nests deeper than 100 levels/);
      assert.match(fault(nested(50_000)).message, /nests deeper than 100 levels/);
    }
    assert.match(fault(`${'tolower('.repeat(200)}a.b`).message, /nests deeper/);
    assert.match(fault(`${'join((a.b,'.repeat(200)}`).message, /expected|nests deeper/);
  });

  it('stop at the length limit, counted in bytes', () => {
    const limits = { textBytesMax: 10, nestingMax: 10 };
    assert.doesNotThrow(() => parseFilter('abcdefghij', limits));
    assert.throws(() => parseFilter('abcdefghijk', limits), /longer than 10 bytes/);
    assert.throws(() => parseFilter('a.b=üüüü', limits), /longer than 10 bytes/);
  });
});

describe('positions', () => {
  function kinds(ast: FilterAst): string[] {
    const found: string[] = [];
    visitNodes(ast, (node) => found.push(`${node.kind}@${node.position.offset}`));
    return found;
  }

  it('are those of the first character of each node', () => {
    assert.deepEqual(kinds(parseFilter('(a.b=x or not c.d in ( y))')), [
      'or@1',
      'compare@1',
      'field@1',
      'value@5',
      'not@10',
      'compare@14',
      'field@14',
      'list@21',
      'value@23',
    ]);
    assert.deepEqual(kinds(parseFilter(' tolower( a.b ) = val(c.d)')), [
      'compare@1',
      'transformer@1',
      'field@10',
      'transformer@18',
      'field@22',
    ]);
  });

  it('count both characters of a line end as one line each', () => {
    const ast = parseFilter('a\r\nand b.c =\nx') as Extract<FilterAst, { kind: 'and' }>;
    const compare = ast.children[1] as CompareNode;
    assert.deepEqual(compare.position, { offset: 7, line: 3, column: 5 });
    assert.deepEqual(compare.operatorPosition, { offset: 11, line: 3, column: 9 });
    assert.deepEqual(compare.right.position, { offset: 13, line: 4, column: 1 });
  });
});

describe('time', () => {
  it('is linear in the text', () => {
    const clauses = (count: number) =>
      `a.b = x${' and c.d in (1, 2, "three") or not e.f exists'.repeat(count)}`;
    const measure = (text: string): number => {
      const start = process.cpuUsage().user;
      parseFilter(text);
      return process.cpuUsage().user - start;
    };
    measure(clauses(2000));
    const small = Math.min(...[1, 2, 3].map(() => measure(clauses(1000))));
    const large = Math.min(...[1, 2, 3].map(() => measure(clauses(16_000))));
    // 16 times the text; quadratic time would be 256 times. Processor time may be counted in ticks of some ms.
    assert.ok(large < Math.max(small, 5000) * 64, `${small} us for 1,000 clauses, ${large} us for 16,000`);
  });
});
