/** Random conditions: any tree that can be printed, and trees that compile with the fake catalogue. */
import fc from 'fast-check';
import type { Scalar } from '../../server/fields/field.ts';
import type {
  ArgumentNode,
  CompareNode,
  ExistsNode,
  FieldNode,
  FilterAst,
  ListNode,
  OperandNode,
  TransformerNode,
  ValueNode,
} from '../../server/filter/ast.ts';
import { toBinaryText } from '../../server/filter/binary-text.ts';
import { LIST_MODIFIERS, OPERATORS } from '../../server/filter/operators.ts';
import type { FakeValues } from './fake-catalogue.ts';

const position = { offset: 0, line: 1, column: 1 };
const at = { position } as const;

export function value(text: string, isQuoted = true): ValueNode {
  return { kind: 'value', ...at, text, isQuoted };
}

export function field(name: string, argument?: string): FieldNode {
  return { kind: 'field', ...at, name, argument };
}

function list(values: readonly ValueNode[]): ListNode {
  return { kind: 'list', ...at, values };
}

function call(transformer: TransformerNode['transformer'], args: readonly ArgumentNode[]): TransformerNode {
  return { kind: 'transformer', ...at, transformer, arguments: args, selector: undefined };
}

function exists(left: OperandNode): ExistsNode {
  return { kind: 'exists', ...at, left };
}

function compare(
  left: OperandNode,
  operator: CompareNode['operator'],
  right: CompareNode['right'],
  modifier?: CompareNode['modifier'],
): CompareNode {
  return { kind: 'compare', ...at, left, operator, operatorPosition: position, modifier, right };
}

/** Trees over some checks; equal sub-expressions are likely. */
function trees(checks: fc.Arbitrary<FilterAst>): fc.Arbitrary<FilterAst> {
  return fc.letrec<{ tree: FilterAst }>((tie) => {
    const children = fc.array(tie('tree'), { minLength: 2, maxLength: 4 });
    return {
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        checks,
        children.map((nodes): FilterAst => ({ kind: 'and', ...at, children: nodes })),
        children.map((nodes): FilterAst => ({ kind: 'or', ...at, children: nodes })),
        tie('tree').map((child): FilterAst => ({ kind: 'not', ...at, child })),
      ),
    };
  }).tree;
}

const word = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,6}$/);
const anyText = fc
  .string({ unit: 'grapheme', maxLength: 10 })
  .map((text) => toBinaryText(text.replaceAll('\0', '')));
const bareText = fc.string({
  unit: fc.constantFrom(...'abzAZ019_./*?[]{}!$%&+-:;<>@^`|~#\\'),
  minLength: 1,
  maxLength: 8,
});
const anyValue = fc.oneof(
  anyText.map((text) => value(text, true)),
  bareText.map((text) => value(text, false)),
);
const number = fc.constantFrom('0', '-1', '0x1F', '+12', '1.5', '-0.1e+10').map((text) => value(text, false));
const anyField = fc
  .tuple(
    word,
    word,
    fc.option(
      anyText.filter((text) => text !== ''),
      { nil: undefined },
    ),
  )
  .map(([scope, name, argument]) => field(`${scope}.${name}`, argument));

const operands = fc.letrec<{ operand: OperandNode; call: TransformerNode; argument: ArgumentNode }>(
  (tie) => ({
    operand: fc.oneof({ depthSize: 'small' }, anyField, tie('call')),
    call: fc
      .tuple(
        fc.constantFrom('tolower', 'toupper', 'b64', 'basename', 'len', 'join', 'concat', 'getopt' as const),
        fc.array(tie('argument'), { minLength: 1, maxLength: 3 }),
        fc.option(fc.constantFrom('a', ']'), { nil: undefined }),
      )
      .map(
        ([name, args, option]): TransformerNode => ({
          ...call(name, args),
          selector: name === 'getopt' ? option : undefined,
        }),
      ),
    argument: fc.oneof(
      { depthSize: 'small' },
      anyField,
      anyText.map((text) => value(text, true)),
      number,
      tie('call'),
      fc
        .array(fc.oneof(anyField, number), { maxLength: 3 })
        .map((items): ArgumentNode => ({ kind: 'group', ...at, items })),
    ),
  }),
);

const anyRightOperand = fc.oneof(
  anyField.map((node) => call('val', [node])),
  operands.call,
);

const anyComparison = fc
  .tuple(operands.operand, fc.constantFrom(...OPERATORS.filter((row) => row.form !== 'unary')))
  .chain(([left, row]) => {
    const operator = row.name as CompareNode['operator'];
    const lists = fc.array(anyValue, { maxLength: 3 }).map(list);
    if (row.form === 'list')
      return fc.oneof(lists, anyRightOperand).map((right) => compare(left, operator, right));
    if (row.form === 'number')
      return fc.oneof(number, anyRightOperand).map((right) => compare(left, operator, right));
    return fc.oneof(
      fc.oneof(anyValue, anyRightOperand).map((right) => compare(left, operator, right)),
      fc
        .tuple(lists, fc.constantFrom(...LIST_MODIFIERS))
        .map(([right, modifier]) => compare(left, operator, right, modifier)),
    );
  });

/** Any tree the parser can give, whether or not it compiles. */
export const printableFilters: fc.Arbitrary<FilterAst> = trees(
  fc.oneof(
    word
      .filter((name) => !['and', 'or', 'not'].includes(name))
      .map((name): FilterAst => ({ kind: 'identifier', ...at, name })),
    operands.operand.map(exists),
    anyComparison,
  ),
);

const TEXTS = ['', 'a', 'ab', 'aB', 'abc', '/tmp/a', '/tmp', 'b', '\xc3\xa4', 'A'];
const NUMBERS = ['0', '1', '2', '80', '4294967295', '18446744073709551615'];
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '192.168.1.1'];
const text = fc.constantFrom(...TEXTS);

const textOperand: fc.Arbitrary<OperandNode> = fc.constantFrom<OperandNode>(
  field('proc.name'),
  field('proc.pname'),
  field('proc.env', 'KEY'),
  field('proc.aname'),
  call('tolower', [field('proc.name')]),
  call('toupper', [call('basename', [field('proc.name')])]),
  call('basename', [field('proc.pname')]),
  call('concat', [field('proc.name'), value('-'), field('proc.pname')]),
  call('join', [value(','), { kind: 'group', ...at, items: [field('proc.name'), value('x')] }]),
);

const textComparison = fc.oneof(
  fc
    .tuple(
      textOperand,
      fc.constantFrom('=', '!=', 'contains', 'icontains', 'startswith', 'endswith' as const),
      text,
    )
    .map(([left, operator, literal]) => compare(left, operator, value(literal))),
  fc
    .tuple(
      textOperand,
      fc.constantFrom('glob', 'iglob' as const),
      fc.constantFrom('*', 'a*', '?b*', '*A', 'ab', ''),
    )
    .map(([left, operator, literal]) => compare(left, operator, value(literal))),
  fc
    .tuple(textOperand, fc.constantFrom('a+b?', '[a-b]*', '.*', 'a|b|', '/tmp(/.*)?'))
    .map(([left, literal]) => compare(left, 'regex', value(literal))),
  fc
    .tuple(
      textOperand,
      fc.constantFrom('in', 'intersects', 'pmatch' as const),
      fc.array(text, { maxLength: 4 }),
    )
    .map(([left, operator, literals]) => compare(left, operator, list(literals.map((each) => value(each))))),
  fc
    .tuple(
      textOperand,
      fc.constantFrom('=', '!=', 'startswith', 'contains' as const),
      fc.constantFrom(...LIST_MODIFIERS),
      fc.array(text, { maxLength: 3 }),
    )
    .map(([left, operator, modifier, literals]) =>
      compare(left, operator, list(literals.map((each) => value(each))), modifier),
    ),
  fc
    .constantFrom('=', '!=', 'contains', 'startswith', 'in', 'glob' as const)
    .map((operator) => compare(field('proc.name'), operator, call('val', [field('proc.pname')]))),
);

const numberComparison = fc
  .tuple(
    fc.constantFrom<OperandNode>(
      field('proc.pid'),
      field('evt.size'),
      field('fd.sport'),
      field('fd.port'),
      call('len', [field('proc.name')]),
    ),
    fc.constantFrom('=', '!=', '<', '<=', '>', '>=', 'in' as const),
    fc.array(fc.constantFrom('0', '1', '2', '80'), { minLength: 1, maxLength: 3 }),
  )
  .map(([left, operator, literals]) => {
    const values = literals.map((each) => value(each, false));
    return compare(left, operator, operator === 'in' ? list(values) : (values[0] as ValueNode));
  });

const otherComparison = fc.oneof(
  fc
    .tuple(fc.constantFrom('=', '!=' as const), fc.constantFrom('true', 'false'))
    .map(([operator, literal]) => compare(field('proc.is_exe'), operator, value(literal))),
  fc
    .tuple(
      fc.constantFrom('fd.cip', 'fd.ip'),
      fc.constantFrom('=', '!=' as const),
      fc.constantFrom(...ADDRESSES),
    )
    .map(([name, operator, literal]) => compare(field(name), operator, value(literal))),
  fc
    .tuple(fc.constantFrom('=', '!=' as const), fc.constantFrom('10.0.0.0/8', '10.0.0.2/31', '0.0.0.0/0'))
    .map(([operator, literal]) => compare(field('fd.net'), operator, value(literal))),
  fc
    .tuple(fc.constantFrom('in', 'intersects' as const), fc.array(text, { maxLength: 3 }))
    .map(([operator, literals]) =>
      compare(field('fd.types'), operator, list(literals.map((each) => value(each)))),
    ),
  fc
    .constantFrom('in', 'intersects' as const)
    .map((operator) => compare(field('fd.types'), operator, call('val', [field('fd.names')]))),
  fc
    .tuple(fc.constantFrom('contains', 'startswith', '=' as const), text)
    .map(([operator, literal]) => compare(field('evt.buffer'), operator, value(literal))),
  fc
    .tuple(fc.constantFrom('bcontains', 'bstartswith' as const), fc.constantFrom('61', '6162', 'c3'))
    .map(([operator, literal]) => compare(field('evt.buffer'), operator, value(literal))),
  fc
    .tuple(fc.constantFrom('=', '!=' as const), fc.constantFrom('1', '80'))
    .map(([operator, literal]) => compare(field('evt.raw'), operator, value(literal))),
  fc
    .constantFrom('proc.name', 'fd.types', 'fd.ip', 'proc.aname', 'evt.raw')
    .map((name) => exists(field(name))),
);

/** Trees that compile with the fake catalogue. */
export const compilableFilters: fc.Arbitrary<FilterAst> = trees(
  fc.oneof(textComparison, numberComparison, otherComparison),
);

const address = fc
  .constantFrom(...ADDRESSES)
  .map((dotted) => String.fromCharCode(...dotted.split('.').map(Number)));
const integer = fc.constantFrom(...NUMBERS).map((digits): Scalar => {
  const big = BigInt(digits);
  return big > BigInt(Number.MAX_SAFE_INTEGER) ? big : Number(big);
});
const port = fc.constantFrom(0, 1, 2, 80);

/** Values for the fields of the fake catalogue; each may be absent. */
export const fakeValues: fc.Arbitrary<FakeValues> = fc.record(
  {
    'proc.name': text,
    'proc.pname': text,
    'proc.env[KEY]': text,
    'proc.aname': fc.array(text, { maxLength: 3 }),
    'proc.pid': integer,
    'evt.size': fc.oneof(integer, fc.constantFrom(1n, 80n)),
    'proc.is_exe': fc.boolean(),
    'fd.cip': address,
    'fd.ip': fc.array(address, { maxLength: 2 }),
    'fd.net': fc.oneof(address, fc.array(address, { maxLength: 2 })),
    'fd.sport': port,
    'fd.port': fc.array(port, { maxLength: 2 }),
    'evt.buffer': text,
    'evt.raw': fc.oneof(
      port.map((number) => ({ type: 'int64', format: 'DEC', value: number }) as const),
      fc.constantFrom({ type: 'string', format: 'NA', value: '80' } as const),
    ),
    'fd.types': fc.array(text, { maxLength: 3 }),
    'fd.names': fc.array(text, { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
