import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FieldType, FieldValue } from '../../../server/fields/field.ts';
import { compileFilter, FilterError, formatFilter } from '../../../server/filter/filter.ts';
import { FakeCatalogue, type FakeValues } from '../../helpers/fake-catalogue.ts';
import { compilableFilters, fakeValues } from '../../helpers/filter-arbitraries.ts';
import { evaluateNaively } from '../../helpers/naive-filter.ts';

function matches(condition: string, values: FakeValues): boolean {
  const catalogue = new FakeCatalogue();
  return compileFilter(condition, catalogue).matches(catalogue.show(values));
}

function fault(condition: string): FilterError {
  try {
    compileFilter(condition, new FakeCatalogue());
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  throw new Error(`${condition} compiled`);
}

const ADDRESS = '\x0a\0\0\x01';
const OTHER = '\x0a\0\0\x02';
const IPV6 = `${'\0'.repeat(15)}\x01`;

/** Condition, values, result. */
const TABLE: readonly (readonly [condition: string, values: FakeValues, result: boolean])[] = [
  // absent values: every comparison is false, and `not` turns that round
  ['proc.name = x', {}, false],
  ['proc.name != x', {}, false],
  ['not proc.name = x', {}, true],
  ['not proc.name != x', {}, true],
  ['proc.name in (x)', {}, false],
  ['proc.name exists', {}, false],
  ['proc.name exists', { 'proc.name': '' }, true],
  ['proc.name = ""', { 'proc.name': '' }, true],
  ['fd.types in ()', {}, false],
  // text
  ['proc.name = bash', { 'proc.name': 'bash' }, true],
  ['proc.name != bash', { 'proc.name': 'bash' }, false],
  ['proc.name contains as', { 'proc.name': 'bash' }, true],
  ['proc.name icontains AS', { 'proc.name': 'bash' }, true],
  ['proc.name icontains "Ä"', { 'proc.name': '\xc3\xa4' }, false],
  ['proc.name = "ä"', { 'proc.name': '\xc3\xa4' }, true],
  ['proc.name startswith ba', { 'proc.name': 'bash' }, true],
  ['proc.name endswith sh', { 'proc.name': 'bash' }, true],
  ['proc.name endswith bash1', { 'proc.name': 'bash' }, false],
  ['proc.name glob "b?sh*"', { 'proc.name': 'bash' }, true],
  ['proc.name iglob "B*"', { 'proc.name': 'bash' }, true],
  ['proc.name regex "[a-c]+sh"', { 'proc.name': 'bash' }, true],
  ['proc.name regex "as"', { 'proc.name': 'bash' }, false],
  ['proc.name pmatch (/usr, /tmp)', { 'proc.name': '/tmp/x' }, true],
  ['proc.name in ()', { 'proc.name': 'x' }, false],
  ['proc.name in (sh, "bash")', { 'proc.name': 'bash' }, true],
  ['proc.name intersects (sh, bash)', { 'proc.name': 'bash' }, true],
  ['proc.env[A.B] = 1', { 'proc.env[A.B]': '1' }, true],
  ['proc.env["a]\\"b"] = 1', { 'proc.env[a]"b]': '1' }, true],
  // numbers
  ['proc.pid = 5', { 'proc.pid': 5 }, true],
  ['proc.pid = 0x5', { 'proc.pid': 5 }, true],
  ['proc.pid = 5', { 'proc.pid': 5n }, true],
  ['proc.pid in (4, 5)', { 'proc.pid': 5n }, true],
  ['proc.pid < 0', { 'proc.pid': -1 }, true],
  ['evt.size > 9007199254740992', { 'evt.size': 9007199254740993n }, true],
  ['evt.size = 9007199254740993', { 'evt.size': 9007199254740992n }, false],
  ['evt.size = -1', { 'evt.size': 18446744073709551615n }, true],
  ['user.uid = -1', { 'user.uid': 4294967295 }, true],
  ['thread.cpu >= 1.5', { 'thread.cpu': 1.5 }, true],
  ['fd.sport = https', { 'fd.sport': 443 }, true],
  ['proc.is_exe = true', { 'proc.is_exe': true }, true],
  ['proc.is_exe != true', { 'proc.is_exe': false }, true],
  ['proc.is_exe in (false)', { 'proc.is_exe': false }, true],
  // addresses: of the other family is "not equal"
  ['fd.cip = 10.0.0.1', { 'fd.cip': ADDRESS }, true],
  ['fd.cip != 10.0.0.1', { 'fd.cip': IPV6 }, true],
  ['fd.cip = ::1', { 'fd.cip': IPV6 }, true],
  ['fd.cip in (10.0.0.1, ::1)', { 'fd.cip': IPV6 }, true],
  // either end: `!=` asks both
  ['fd.ip = 10.0.0.2', { 'fd.ip': [ADDRESS, OTHER] }, true],
  ['fd.ip != 10.0.0.2', { 'fd.ip': [ADDRESS, OTHER] }, false],
  ['fd.ip != 10.0.0.3', { 'fd.ip': [ADDRESS, OTHER] }, true],
  ['fd.ip != 10.0.0.3', { 'fd.ip': [] }, false],
  ['fd.ip exists', { 'fd.ip': [] }, false],
  ['fd.net = "10.0.0.0/8"', { 'fd.net': [IPV6, OTHER] }, true],
  ['fd.net != "10.0.0.0/8"', { 'fd.net': [IPV6, OTHER] }, false],
  ['fd.net in ("192.168.0.0/16", "10.0.0.2/31")', { 'fd.net': OTHER }, true],
  ['fd.port > 1000', { 'fd.port': [80, 8080] }, true],
  // ancestors: any of them, also with `!=`
  ['proc.aname = init', { 'proc.aname': ['bash', 'init'] }, true],
  ['proc.aname != init', { 'proc.aname': ['bash', 'init'] }, true],
  ['proc.aname != init', { 'proc.aname': ['init'] }, false],
  ['proc.aname startswith b', { 'proc.aname': ['init', 'bash'] }, true],
  // lists
  ['fd.types in (file, ipv4)', { 'fd.types': ['file', 'file'] }, true],
  ['fd.types in (file)', { 'fd.types': ['file', 'ipv4'] }, false],
  ['fd.types in (file)', { 'fd.types': [] }, true],
  ['fd.types intersects (file)', { 'fd.types': ['ipv4', 'file'] }, true],
  ['fd.types intersects (file)', { 'fd.types': [] }, false],
  ['fd.types exists', { 'fd.types': [] }, true],
  ['fd.types in val(fd.names)', { 'fd.types': ['a'], 'fd.names': ['b', 'a'] }, true],
  ['fd.types intersects val(fd.names)', { 'fd.types': ['a', 'c'], 'fd.names': ['b'] }, false],
  ['fd.sizes intersects (2)', { 'fd.sizes': [1, 2n] }, true],
  // bytes
  ['evt.buffer contains "é"', { 'evt.buffer': '\0\xc3\xa9\0' }, true],
  ['evt.buffer bcontains c3A9', { 'evt.buffer': '\0\xc3\xa9\0' }, true],
  ['evt.buffer bstartswith 00', { 'evt.buffer': '\0\xc3' }, true],
  ['evt.buffer = "a"', { 'evt.buffer': 'a\0' }, false],
  // a type known with the event
  ['evt.raw = 80', { 'evt.raw': { type: 'uint64', format: 'DEC', value: 80 } }, true],
  ['evt.raw > 79', { 'evt.raw': { type: 'int32', format: 'DEC', value: 80 } }, true],
  ['evt.raw = abc', { 'evt.raw': { type: 'int32', format: 'DEC', value: 80 } }, false],
  ['evt.raw contains b', { 'evt.raw': { type: 'string', format: 'NA', value: 'abc' } }, true],
  ['evt.raw contains 8', { 'evt.raw': { type: 'int32', format: 'DEC', value: 80 } }, false],
  // modifiers
  ['proc.name = oneof (a, b)', { 'proc.name': 'a' }, true],
  ['proc.name startswith oneof (a, ab)', { 'proc.name': 'abc' }, false],
  ['proc.name startswith anyof (a, ab)', { 'proc.name': 'abc' }, true],
  ['proc.name startswith allof (a, ab)', { 'proc.name': 'abc' }, true],
  ['proc.name startswith allof (a, b)', { 'proc.name': 'abc' }, false],
  ['proc.name != oneof (a, b)', { 'proc.name': 'a' }, true],
  ['proc.name != allof (a, b)', { 'proc.name': 'a' }, false],
  ['proc.name != allof (b, c)', { 'proc.name': 'a' }, true],
  ['proc.name = allof ()', { 'proc.name': 'a' }, false],
  ['proc.name != oneof ()', { 'proc.name': 'a' }, false],
  ['proc.name regex anyof ("x+", "a.c")', { 'proc.name': 'abc' }, true],
  ['proc.pid = anyof (1, 2)', { 'proc.pid': 2 }, true],
  // fields on the right
  ['proc.name = val(proc.pname)', { 'proc.name': 'a', 'proc.pname': 'a' }, true],
  ['proc.name != val(proc.pname)', { 'proc.name': 'a' }, false],
  ['proc.pname = val(proc.name)', { 'proc.name': 'a' }, false],
  ['proc.name contains val(proc.pname)', { 'proc.name': 'abc', 'proc.pname': 'b' }, true],
  ['proc.name glob val(proc.pname)', { 'proc.name': 'abc', 'proc.pname': 'a*' }, true],
  ['proc.name in val(proc.pname)', { 'proc.name': 'a', 'proc.pname': 'a' }, true],
  ['proc.pid > val(proc.ppid)', { 'proc.pid': 2n, 'proc.ppid': 1 }, true],
  ['proc.pid = val(proc.ppid)', { 'proc.pid': 2n, 'proc.ppid': 2 }, true],
  ['fd.cip = val(fd.sip)', { 'fd.cip': ADDRESS, 'fd.sip': ADDRESS }, true],
  ['tolower(proc.name) = tolower(proc.pname)', { 'proc.name': 'A', 'proc.pname': 'a' }, true],
  // transformers
  ['tolower(proc.name) = abc\xc4', { 'proc.name': 'ABC\xc3\x84' }, true],
  ['toupper(proc.name) = ABC', { 'proc.name': 'abc' }, true],
  ['basename(proc.name) = c', { 'proc.name': '/a/b/c' }, true],
  ['basename(proc.name) = ""', { 'proc.name': '/a/' }, true],
  ['b64(proc.name) = hello', { 'proc.name': 'aGVsbG8=' }, true],
  ['b64(proc.name) = hello', { 'proc.name': 'aGVsbG8' }, true],
  ['b64(proc.name) exists', { 'proc.name': 'a b' }, false],
  ['b64(evt.buffer) bstartswith ff00', { 'evt.buffer': '/wA=' }, true],
  ['b64(proc.name) = ""', { 'proc.name': 'AGE=' }, true],
  ['len(proc.name) = 4', { 'proc.name': 'bash' }, true],
  ['len(proc.name) > 3', {}, false],
  ['len(fd.types) = 2', { 'fd.types': ['a', 'b'] }, true],
  ['tolower(fd.types) intersects (a)', { 'fd.types': ['X', 'A'] }, true],
  ['join("-", (proc.name, "x", proc.pid)) = a-x-5', { 'proc.name': 'a', 'proc.pid': 5 }, true],
  ['join("-", (proc.name, fd.cip)) = a-10.0.0.1', { 'proc.name': 'a', 'fd.cip': ADDRESS }, true],
  ['join("-", ()) = ""', {}, true],
  ['join("-", (proc.name, "x")) exists', {}, false],
  ['join(",", fd.types) = "a,b"', { 'fd.types': ['a', 'b'] }, true],
  ['len(join("->", ("a", toupper(proc.name)))) = 4', { 'proc.name': 'b' }, true],
  ['concat(proc.name, ":", proc.pname) in ("a:b")', { 'proc.name': 'a', 'proc.pname': 'b' }, true],
  ['concat(proc.name, proc.pname) exists', { 'proc.name': 'a' }, false],
  ['getopt(fd.types, "lp:") intersects (80)', { 'fd.types': ['-lp', '80'] }, true],
  ['getopt(fd.types, "lp:")[p] = 80', { 'fd.types': ['-lp', '80'] }, true],
  ['getopt(fd.types, "lp:")[x] exists', { 'fd.types': ['-lp', '80'] }, false],
  ['getopt(fd.types, proc.name)[p] = 80', { 'fd.types': ['-p80'], 'proc.name': 'p:' }, true],
  // joining
  ['proc.pid = 1 or proc.pid = 2 and proc.name = x', { 'proc.pid': 1 }, true],
  ['(proc.pid = 1 or proc.pid = 2) and proc.name = x', { 'proc.pid': 1 }, false],
  ['not proc.pid = 1 or proc.pid = 1', { 'proc.pid': 1 }, true],
  ['not (proc.pid = 1 or proc.pid = 2)', { 'proc.pid': 3 }, true],
];

describe('compileFilter', () => {
  for (const [condition, values, result] of TABLE) {
    const shown = JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
    it(`${condition} with ${shown} is ${result}`, () => assert.equal(matches(condition, values), result));
  }

  it('agrees with walking the tree', () => {
    const catalogue = new FakeCatalogue();
    const lookUp = (name: string, argument: string | undefined) => {
      const { row } = catalogue.parseFieldReference(argument === undefined ? name : `${name}["${argument}"]`);
      const value = catalogue.values[argument === undefined ? name : `${name}[${argument}]`];
      return { type: row.type, isList: row.isList, isFilterOnly: row.filterOnly === true, value };
    };
    fc.assert(
      fc.property(compilableFilters, fc.array(fakeValues, { minLength: 1, maxLength: 5 }), (ast, events) => {
        const filter = compileFilter(ast, catalogue);
        for (const values of events) {
          const event = catalogue.show(values);
          assert.equal(filter.matches(event), evaluateNaively(ast, lookUp), formatFilter(ast));
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('matches everything when the condition is empty', () => {
    const filter = compileFilter('  ');
    assert.equal(filter.matches(new FakeCatalogue().event), true);
    assert.ok(filter.eventTypes.every((bit) => bit === 1));
  });

  it('reads a field once per event, however often it is named', () => {
    const catalogue = new FakeCatalogue();
    const filter = compileFilter(
      'proc.name = a or proc.name = b or tolower(proc.name) = c or proc.name = d',
      catalogue,
    );
    assert.equal(filter.matches(catalogue.show({ 'proc.name': 'x' })), false);
    assert.equal(catalogue.reads.get('proc.name'), 1);
    assert.equal(filter.matches(catalogue.show({ 'proc.name': 'd' })), true);
    assert.equal(catalogue.reads.get('proc.name'), 2);
  });

  it('evaluates equal sub-expressions once per event', () => {
    const catalogue = new FakeCatalogue();
    const part = '(proc.name = a and proc.pname = b)';
    const filter = compileFilter(`${part} or (not ${part} and proc.pid = 1)`, catalogue);
    assert.equal(
      filter.matches(catalogue.show({ 'proc.name': 'a', 'proc.pname': 'x', 'proc.pid': 1 })),
      true,
    );
    assert.equal(catalogue.reads.get('proc.name'), 1);
    assert.equal(catalogue.reads.get('proc.pname'), 1);
  });

  it('does not read what a decided condition no longer needs', () => {
    const catalogue = new FakeCatalogue();
    const filter = compileFilter('proc.name = a and proc.pname = b', catalogue);
    assert.equal(filter.matches(catalogue.show({ 'proc.name': 'x' })), false);
    assert.equal(catalogue.reads.get('proc.pname'), undefined);
  });

  it('names the fields it reads', () => {
    const filter = compileFilter(
      'proc.env[A] = 1 and len(proc.name) > 1 and proc.name != x',
      new FakeCatalogue(),
    );
    assert.deepEqual(filter.fields, ['proc.env[A]', 'proc.name']);
    assert.equal(filter.text, 'proc.env[A] = 1 and len(proc.name) > 1 and proc.name != x');
  });
});

describe('types', () => {
  const SAMPLES: Readonly<Record<string, readonly [field: string, values: readonly FieldValue[]]>> = {
    int64: ['proc.pid', [5]],
    bool: ['proc.is_exe', [true]],
    ipaddr: ['fd.cip', [ADDRESS]],
    ipnet: ['fd.net', [ADDRESS]],
    port: ['fd.sport', [5]],
    double: ['thread.cpu', [5]],
  };
  const TEXT_ONLY = [
    'contains x',
    'icontains x',
    'startswith x',
    'endswith x',
    'glob x',
    'iglob x',
    'regex x',
    'pmatch (x)',
  ];

  for (const [type, [name]] of Object.entries(SAMPLES)) {
    it(`of ${type} take no text operators`, () => {
      for (const rest of [...TEXT_ONLY, 'bcontains 00', 'bstartswith 00']) {
        assert.match(fault(`${name} ${rest}`).message, /does not fit/);
      }
    });
  }

  it('of bool, addresses and networks have no order', () => {
    for (const name of ['proc.is_exe', 'fd.cip', 'fd.net']) {
      for (const operator of ['<', '<=', '>', '>='])
        assert.match(fault(`${name} ${operator} 1`).message, /does not fit/);
    }
  });

  it('of text take no byte operators, those of bytes no text patterns', () => {
    assert.match(fault('proc.name bcontains 00').message, /does not fit/);
    for (const rest of ['glob x', 'regex x', 'icontains x', 'pmatch (x)']) {
      assert.match(fault(`evt.buffer ${rest}`).message, /does not fit/);
    }
  });

  it('of lists take in, intersects and exists', () => {
    for (const rest of ['= x', '!= x', 'contains x', 'pmatch (x)', '= anyof (x)']) {
      assert.match(fault(`fd.types ${rest}`).message, /a list of string/);
    }
    assert.match(fault('fd.odd in (1)').message, /does not fit/);
  });

  it('say which operators there are', () => {
    const type: FieldType = 'bool';
    const error = fault('proc.is_exe contains x');
    assert.match(error.message, new RegExp(`type ${type}`));
    assert.deepEqual(error.expected, ['exists', '=', '!=', 'intersects', 'in']);
    assert.equal(error.position.offset, 12);
  });
});

/** Condition, offset of the fault, message. */
const FAULTS: readonly (readonly [condition: string, offset: number, message: RegExp])[] = [
  ['proc.pid = 1 and no.field = 1', 17, /unknown field 'no.field'/],
  ['proc.pid[1] = 1', 8, /takes no argument/],
  ['proc.pid = x', 11, /not a whole number/],
  ['proc.pid in (1, 2, x)', 19, /not a whole number/],
  ['proc.pid = anyof (1, x)', 21, /not a whole number/],
  ['proc.is_exe = yes', 14, /neither true nor false/],
  ['fd.cip = 10.0.0.0/8', 9, /fd.snet/],
  ['fd.net = 10.0.0.1', 9, /not a network/],
  ['fd.sport = 70000', 11, /0 to 65535/],
  ['proc.name regex "("', 16, /not a regular expression/],
  ['evt.buffer bcontains xyz', 21, /bytes in hex/],
  ['macro and proc.pid = 1', 0, /unknown macro 'macro'/],
  ['proc.name = val(proc.pid)', 12, /type string.*type int64/],
  ['fd.types in val(proc.name)', 12, /a list of string.*type string/],
  ['proc.name = val(proc.aname)', 12, /may not stand on the right/],
  ['proc.aname = val(proc.name)', 0, /does not compare with another field/],
  ['fd.net = val(fd.cip)', 0, /does not compare with another field/],
  ['proc.name regex val(proc.pname)', 16, /does not take a field/],
  ['proc.name pmatch val(proc.pname)', 17, /does not take a field/],
  ['tolower(proc.aname) = x', 8, /may not stand in a transformer/],
  ['tolower(proc.pid) = x', 8, /does not take 'proc.pid', which has type int64/],
  ['len(proc.pid) = 1', 4, /does not take/],
  ['b64(fd.cip) exists', 4, /does not take/],
  ['len(proc.name) contains 1', 15, /does not fit/],
  ['tolower(proc.name, proc.pname) = x', 0, /takes one argument/],
  ['join("-") = x', 0, /a separator and a list/],
  ['join(fd.types, fd.types) = x', 5, /separator of join\(\) must be a single text/],
  ['join("-", proc.name) = x', 10, /must be a list/],
  ['join("-", (fd.types)) = x', 11, /is a list/],
  ['concat(proc.name) = x', 0, /at least two/],
  ['concat(proc.name, proc.pid) = x', 18, /must be a single text/],
  ['getopt(proc.name, "x") exists', 7, /must be a list/],
  ['getopt(fd.types, "x")[xy] exists', 0, /one character/],
  ['print.only = x', 0, /output only/],
];

describe('faults', () => {
  for (const [condition, offset, message] of FAULTS) {
    it(condition, () => {
      const error = fault(condition);
      assert.match(error.message, message);
      assert.equal(error.position.offset, offset);
    });
  }

  it('come with the names that are close', () => {
    assert.deepEqual(fault('proc.nam = x').suggestions, ['proc.name']);
  });
});

describe('warnings', () => {
  const warningsOf = (condition: string) =>
    compileFilter(condition, new FakeCatalogue()).warnings.map(({ message, position }) => [
      position.offset,
      message,
    ]);

  it('tell of fields and transformers compared as text', () => {
    assert.match(
      String(warningsOf('proc.name = proc.pname')),
      /12,'proc.pname' is compared as text.*val\(proc.pname\)/,
    );
    assert.match(String(warningsOf('proc.name = "tolower(proc.pname)"')), /12,.*without quotes/);
  });

  it('tell of deprecated fields', () => {
    assert.match(String(warningsOf('old.name = x')), /0,field 'old.name' is deprecated/);
  });

  it('are silent otherwise', () => {
    assert.deepEqual(warningsOf('proc.name = bash and proc.name in (a.b, "c()")'), []);
  });
});
