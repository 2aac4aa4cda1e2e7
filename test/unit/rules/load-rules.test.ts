/** What the loader makes of rule files: expansion, updates, order, and faults with their places. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { formatDiagnostic } from '../../../client/rules/diagnostics.ts';
import { type LoadedRules, loadRules } from '../../../client/rules/load-rules.ts';

const FACTS = new URL('../../../../shared/facts/rules_fields.json', import.meta.url);

function load(...texts: readonly string[]): LoadedRules {
  return loadRules(texts.map((text, i) => ({ name: `${i}.yaml`, text })));
}

function fixture(name: string): { name: string; text: string } {
  return { name, text: readFileSync(new URL(`../../fixtures/rules/${name}`, import.meta.url), 'utf8') };
}

/** A file with a rule `r` of this condition, after `before`. */
function ruleFile(condition: string, before = '', more = ''): string {
  return `${before}\n- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: ${condition}\n${more}`;
}

function faults(loaded: LoadedRules, severity = 'error'): string[] {
  return loaded.diagnostics.filter((d) => d.severity === severity).map(formatDiagnostic);
}

/** The expanded condition of rule `r`, everything being well. */
function conditionOf(...texts: readonly string[]): string | undefined {
  const loaded = load(...texts);
  assert.deepEqual(faults(loaded), []);
  return loaded.rules.find(({ name }) => name === 'r')?.condition;
}

const OPEN = 'evt.type = open';
const LISTS =
  '- list: a\n  items: [x, y]\n- list: b\n  items: [a, z]\n- list: c\n  items: [b, "two words"]\n';
const exceptions = (text: string) => ruleFile(OPEN, '', `  exceptions:\n${text}`);

/** name, expanded condition, files. */
const EXPANSIONS: readonly (readonly [string, string, ...string[]])[] = [
  ['a list', 'proc.name in (x, y)', ruleFile('proc.name in (a)', LISTS)],
  ['a list in a list', 'proc.name in (x, y, z)', ruleFile('proc.name in (b)', LISTS)],
  [
    'lists three deep, and items with blanks quoted',
    'proc.name in (x, y, z, "two words")',
    ruleFile('proc.name in (c)', LISTS),
  ],
  ['a list beside values', 'proc.name in (q, x, y, p)', ruleFile('proc.name in (q,a , p)', LISTS)],
  ['a list without parentheses', 'proc.name in (x)', ruleFile('proc.name in s', '- list: s\n  items: [x]\n')],
  ['a list defined after its use', 'proc.name in (x, y)', ruleFile('proc.name in (a)') + LISTS],
  [
    'an empty list at the end',
    'proc.name in (p)',
    ruleFile('proc.name in (p, e)', '- list: e\n  items: []\n'),
  ],
  [
    'an empty list at the start',
    'proc.name in (p)',
    ruleFile('proc.name in (e, p)', '- list: e\n  items: []\n'),
  ],
  ['a list name inside a word stays', 'proc.name in (aa, b-a)', ruleFile('proc.name in (aa, b-a)', LISTS)],
  ['a list with pmatch', 'fd.name pmatch (x, y)', ruleFile('fd.name pmatch (a)', LISTS)],
  ['a list with intersects', 'proc.aname intersects (x, y)', ruleFile('proc.aname intersects (a)', LISTS)],
  ['a list as a plain value', 'proc.name = x', ruleFile('proc.name = s', '- list: s\n  items: [x]\n')],
  [
    'a list is replaced by a later definition',
    'proc.name in (new)',
    ruleFile('proc.name in (a)', LISTS),
    '- list: a\n  items: [new]\n',
  ],
  [
    'append to a list',
    'proc.name in (x, y, more)',
    ruleFile('proc.name in (a)', LISTS),
    '- list: a\n  items: [more]\n  append: true\n',
  ],
  [
    'override of a list',
    'proc.name in (x, y, more)',
    ruleFile('proc.name in (a)', LISTS),
    '- list: a\n  items: [more]\n  override: {items: append}\n',
  ],
  [
    'a list item stays text',
    'fd.name in (0x10, 1e3, yes)',
    ruleFile('fd.name in (n)', '- list: n\n  items: [0x10, 1e3, yes]\n'),
  ],
  [
    'a macro',
    'evt.type = open and fd.num = 3',
    ruleFile('m and fd.num = 3', `- macro: m\n  condition: ${OPEN}\n`),
  ],
  [
    'a macro keeps its own precedence',
    '(evt.type = open or evt.type = close) and not (evt.type = open or evt.type = close)',
    ruleFile('m and not m', '- macro: m\n  condition: evt.type = open or evt.type = close\n'),
  ],
  [
    'macros in macros',
    'not evt.type = open',
    ruleFile('n', `- macro: m\n  condition: ${OPEN}\n- macro: n\n  condition: not m\n`),
  ],
  ['a macro defined after the rule', OPEN, ruleFile('m'), `- macro: m\n  condition: ${OPEN}\n`],
  [
    'append to a macro',
    'evt.type = open or evt.type = close',
    ruleFile('m', `- macro: m\n  condition: ${OPEN}\n`),
    '- macro: m\n  condition: or evt.type = close\n  append: true\n',
  ],
  [
    'a macro replaced later changes the rules before',
    'evt.type = close',
    ruleFile('m', `- macro: m\n  condition: ${OPEN}\n`),
    '- macro: m\n  condition: evt.type = close\n',
  ],
  [
    'an appended macro may use macros defined before the append',
    'evt.type = open or fd.num = 1',
    `- macro: m\n  condition: ${OPEN}\n- macro: n\n  condition: fd.num = 1\n- macro: m\n  condition: or n\n  append: true\n${ruleFile('m')}`,
  ],
  [
    'append to a condition',
    'evt.type = open and fd.num = 1',
    ruleFile(OPEN),
    '- rule: r\n  condition: and fd.num = 1\n  append: true\n',
  ],
  [
    'replace of a condition',
    'fd.num = 1 and evt.type = close',
    ruleFile(OPEN),
    '- rule: r\n  condition: fd.num = 1 and evt.type = close\n  override: {condition: replace}\n',
  ],
  [
    'an exception of one field',
    'evt.type = open and not proc.name in (p, "q r")',
    exceptions('    - {name: e, fields: proc.name, values: [p, q r]}'),
  ],
  [
    'an exception with pmatch and one without values',
    'evt.type = open and not fd.name pmatch (/etc)',
    exceptions(
      '    - {name: e, fields: fd.name, comps: pmatch, values: [/etc]}\n    - {name: f, fields: fd.num}',
    ),
  ],
  [
    'an exception of several fields compares with =',
    'evt.type = open and not (proc.name = p and fd.name = /a or proc.name = q and fd.name = "/b c")',
    exceptions('    - {name: e, fields: [proc.name, fd.name], values: [[p, /a], [q, /b c]]}'),
  ],
  [
    'operators and lists in tuples',
    'evt.type = open and not (proc.name in (p, "q r") and fd.name startswith /a)',
    exceptions(
      '    - {name: e, fields: [proc.name, fd.name], comps: [in, startswith], values: [[[p, q r], /a]]}',
    ),
  ],
  [
    'a scalar for a list operator',
    'evt.type = open and not (proc.name in (p) and fd.num = 1)',
    exceptions('    - {name: e, fields: [proc.name, fd.num], comps: [in, =], values: [[p, 1]]}'),
  ],
  [
    'lists in exceptions are replaced',
    'evt.type = open and not proc.name in (x, y)',
    `${exceptions('    - {name: e, fields: proc.name, values: [a]}')}\n${LISTS}`,
  ],
  [
    'exceptions bind weaker than the condition they belong to',
    '(evt.type = open or evt.type = close) and not proc.name in (p)',
    ruleFile(
      'evt.type = open or evt.type = close',
      '',
      '  exceptions: [{name: e, fields: proc.name, values: [p]}]\n',
    ),
  ],
  [
    'values appended to an exception, and a new exception',
    'evt.type = open and not proc.name in (p, q) and not fd.num in (1)',
    exceptions('    - {name: e, fields: proc.name, values: [p]}'),
    '- rule: r\n  append: true\n  exceptions: [{name: e, values: [q]}, {name: f, fields: fd.num, values: [1]}]\n',
  ],
  [
    'exceptions replaced',
    'evt.type = open and not fd.num in (1)',
    exceptions('    - {name: e, fields: proc.name, values: [p]}'),
    '- rule: r\n  override: {exceptions: replace}\n  exceptions: [{name: f, fields: fd.num, values: [1]}]\n',
  ],
];

/** name, first error, files. */
const FAULTS: readonly (readonly [string, string, ...string[]])[] = [
  ['no YAML', '0.yaml:2:1: error: not valid YAML', '- rule: [\n'],
  ['no sequence', '0.yaml:1:1: error: a rule file must be a sequence of items', 'rule: x\n'],
  ['no mapping', '0.yaml:1:3: error: each item of a rule file must be a mapping', '- x\n'],
  [
    'no condition',
    "0.yaml:1:3: error: rule 'r': the item has no 'condition'",
    '- rule: r\n  desc: d\n  output: o\n  priority: INFO\n',
  ],
  ['empty condition', "0.yaml:2:3: error: macro 'm': 'condition' is empty", '- macro: m\n  condition:\n'],
  [
    'a syntax error on a later line of a block',
    "0.yaml:4:17: error: macro 'm': expected an operator",
    '- macro: m\n  condition: >\n    evt.type = open\n    and fd.name is 3\n',
  ],
  [
    'a fault after a list',
    "0.yaml:7:51: error: rule 'r': unknown field 'fd.nope'",
    ruleFile('proc.name in (l) and fd.name = q and fd.nope = 1', '- list: l\n  items: [a, b, c, d]')
      .replace('  desc: d\n', '')
      .replace('  output: o\n', '  output: o\n  desc: d\n'),
  ],
  [
    'a fault in a list item',
    "0.yaml:2:14: error: rule 'r':",
    ruleFile('fd.num in (l)', '- list: l\n  items: [1, abc]'),
  ],
  [
    'a fault in a macro is placed there',
    "0.yaml:2:14: error: rule 'r': unknown field 'fd.nope'",
    ruleFile('m', '- macro: m\n  condition: fd.nope = 1'),
  ],
  [
    'an unknown macro',
    "0.yaml:7:34: error: rule 'r': there is no macro 'mm'; did you mean m?",
    ruleFile('evt.type = open and mm', `- macro: m\n  condition: ${OPEN}`),
  ],
  [
    'a macro used before its definition',
    "0.yaml:2:14: error: macro 'a': macro 'b' is used before it is defined",
    `- macro: a\n  condition: b\n- macro: b\n  condition: ${OPEN}\n`,
  ],
  [
    'a macro that refers to itself',
    "0.yaml:2:14: error: macro 'a': macro 'a' is used before it is defined",
    '- macro: a\n  condition: a\n',
  ],
  [
    'a loop through appends',
    "0.yaml:4:14: error: macro 'a': macro 'a' refers to itself",
    `- macro: a\n  condition: ${OPEN}\n- macro: b\n  condition: a\n- macro: a\n  condition: or b\n  append: true\n`,
  ],
  ['a macro with a bad name', "0.yaml:1:10: error: macro 'a.b': the name", '- macro: a.b\n  condition: x\n'],
  ['a list with a bad name', "0.yaml:1:9: error: list 'a b': the name", '- list: a b\n  items: []\n'],
  [
    'a bad priority',
    "0.yaml:5:13: error: rule 'r': 'LOUD' is no priority",
    ruleFile(OPEN).replace('INFO', 'LOUD'),
  ],
  [
    'an unknown field in the output',
    "0.yaml:4:20: error: rule 'r': output: unknown field 'proc.nam'",
    ruleFile(OPEN)
      .replace('output: o', 'output: x %evt.type and %proc.nam')
      .replace('x %evt.type and ', 'x and y '),
  ],
  [
    'append without anything before',
    "0.yaml:1:3: error: list 'l': there is no list 'l' before this",
    '- list: l\n  items: []\n  append: true\n',
  ],
  [
    'append and override together',
    "0.yaml:4:13: error: list 'l': 'append: true' and 'override' exclude",
    '- list: l\n  items: []\n  append: true\n  override: {items: append}\n',
  ],
  [
    'a key that cannot be appended',
    "1.yaml:3:14: error: rule 'r': 'priority' cannot be appended to",
    ruleFile(OPEN),
    '- rule: r\n  priority: INFO\n  override: {priority: append}\n',
  ],
  [
    'a key that cannot be replaced',
    "1.yaml:3:14: error: rule 'r': 'source' cannot be replaced",
    ruleFile(OPEN),
    '- rule: r\n  source: x\n  override: {source: replace}\n',
  ],
  [
    'an unknown way to override',
    "1.yaml:3:22: error: rule 'r': 'prepend' is no way",
    ruleFile(OPEN),
    '- rule: r\n  desc: x\n  override: {desc:   prepend}\n',
  ],
  [
    'an override of a key that is missing',
    "1.yaml:2:13: error: rule 'r': 'override' names 'desc'",
    ruleFile(OPEN),
    '- rule: r\n  override: {desc: replace}\n',
  ],
  [
    'a key without its override',
    "1.yaml:3:11: error: rule 'r': 'output' is given",
    ruleFile(OPEN),
    '- rule: r\n  desc: x\n  output: y\n  override: {desc: replace}\n',
  ],
  [
    'enabled of an unknown rule',
    "0.yaml:1:3: error: rule 'x': there is no rule 'x'",
    '- rule: x\n  enabled: false\n',
  ],
  [
    'another source',
    "1.yaml:2:3: error: rule 'r': rule 'r' is defined again",
    ruleFile(OPEN),
    ruleFile(OPEN, '', '  source: other\n'),
  ],
  [
    'tuples of other lengths',
    '0.yaml:8:',
    exceptions('    - {name: e, fields: [proc.name, fd.name], values: [[a]]}'),
  ],
  [
    'comps of another length',
    '0.yaml:8:',
    exceptions('    - {name: e, fields: [proc.name, fd.name], comps: [=], values: [[a, b]]}'),
  ],
  [
    'an operator that does not exist',
    '0.yaml:8:',
    exceptions('    - {name: e, fields: [proc.name], comps: [is], values: [[a]]}'),
  ],
  [
    'an operator that compares no lists',
    '0.yaml:8:',
    exceptions('    - {name: e, fields: proc.name, comps: =, values: [a]}'),
  ],
  [
    'an unknown field of an exception',
    "0.yaml:8:25: error: rule 'r': exception 'e': unknown field 'proc.nme'",
    exceptions('    - {name: e, fields: proc.nme, values: [a]}'),
  ],
  [
    'two exceptions of one name',
    "0.yaml:9:7: error: rule 'r': the item has two exceptions named 'e'",
    exceptions('    - {name: e, fields: proc.name}\n    - {name: e, fields: proc.name}'),
  ],
  [
    'fields for an exception that exists',
    '1.yaml:3:',
    exceptions('    - {name: e, fields: proc.name, values: [p]}'),
    '- rule: r\n  append: true\n  exceptions: [{name: e, fields: fd.num, values: [q]}]\n',
  ],
  [
    'a version that is none',
    "0.yaml:1:28: error: 'new' is no engine version",
    '- required_engine_version: new\n',
  ],
];

describe('loadRules', () => {
  for (const [name, expected, ...files] of EXPANSIONS) {
    it(`expands ${name}`, () => assert.equal(conditionOf(...files), expected));
  }

  for (const [name, expected, ...files] of FAULTS) {
    it(`tells of ${name}`, () => {
      const [first = 'no error'] = faults(load(...files));
      assert.ok(first.startsWith(expected), `${first}\nexpected ${expected}`);
    });
  }

  it('loads the sample rules, and counts them', () => {
    const loaded = loadRules([fixture('sample.yaml'), fixture('local.yaml')]);
    assert.deepEqual(faults(loaded), []);
    assert.deepEqual([loaded.rules.length, loaded.macroCount, loaded.listCount], [4, 4, 5]);
    assert.deepEqual(
      loaded.skipped.map(({ name }) => name),
      ['Audit of a cluster'],
    );
    assert.deepEqual(
      loaded.rules.filter((rule) => !rule.isEnabled).map(({ name }) => name),
      ['Never run'],
    );
    const secrets = loaded.rules[0];
    assert.equal(secrets?.priority, 'Critical');
    assert.deepEqual(secrets?.tags, ['T1003', 'filesystem', 'local', 'maturity_sandbox']);
  });

  it('compiles every operator', () => {
    const loaded = loadRules([fixture('operators.yaml')]);
    assert.deepEqual(faults(loaded), []);
    assert.equal(loaded.rules.length, 8);
  });

  it('goes on after every fault', () => {
    const text = `${ruleFile('fd.nope = 1 and proc.nope = 2 and fd.num contains x').replace('output: o', 'output: "%no.such"')}
- macro: m
  condition: (
- rule: s
  desc: d
  priority: LOUD
  output: o
  colour: red
- list: l
  items: text
`;
    const loaded = load(text);
    const lines = loaded.diagnostics.map(({ severity, place }) => `${severity} ${place.line}`);
    const expected = 'error 4,error 6,error 6,error 6,error 9,error 10,error 12,warning 14,error 16';
    assert.equal(lines.join(','), expected);
  });

  it('does not report what uses a macro that has an error', () => {
    const loaded = load(ruleFile('m and evt.type = open', '- macro: m\n  condition: fd.name ='));
    assert.equal(faults(loaded).length, 1);
    assert.deepEqual(loaded.rules, []);
  });

  it('skips a rule with an unknown field when it asks for that', () => {
    const loaded = load(ruleFile('fd.nope = 1', '', '  skip-if-unknown-filter: true\n'));
    assert.equal(loaded.hasErrors, false);
    assert.match(loaded.skipped[0]?.reason ?? '', /unknown field 'fd\.nope'/);
  });

  it('warns of rules that look at all events, unless told not to', () => {
    const warned = (more: string) => faults(load(ruleFile('proc.name = cat', '', more)), 'warning').length;
    assert.equal(warned(''), 1);
    assert.equal(warned('  warn_evttypes: false\n'), 0);
  });

  it('takes all spellings of yes and no, and enabled alone', () => {
    const isEnabled = (...texts: string[]) => load(...texts).rules[0]?.isEnabled;
    assert.equal(isEnabled(ruleFile(OPEN, '', '  enabled: No\n')), false);
    assert.equal(isEnabled(ruleFile(OPEN, '', '  enabled: off\n'), '- rule: r\n  enabled: yes\n'), true);
  });

  it('refuses macros that grow without bounds', () => {
    const macros = Array.from({ length: 40 }, (_, i) => `- macro: m${i + 1}\n  condition: m${i} or m${i}\n`);
    const loaded = load(`- macro: m0\n  condition: ${OPEN}\n${macros.join('')}${ruleFile('m40')}`);
    assert.match(faults(loaded)[0] ?? '', /more than 100000 parts/);
  });

  it('refuses lists that grow without bounds', () => {
    const lists = Array.from({ length: 40 }, (_, i) => `- list: l${i + 1}\n  items: [l${i}, l${i}]\n`);
    const loaded = load(`- list: l0\n  items: [a]\n${lists.join('')}`);
    assert.match(faults(loaded)[0] ?? '', /more than 1000000 items/);
  });

  it('compiles all fields that the official rules use', {
    skip: existsSync(FACTS) ? false : 'no ../shared',
  }, () => {
    interface Usage {
      readonly condition: number;
      readonly output: number;
      readonly args: readonly string[];
    }
    const facts = JSON.parse(readFileSync(FACTS, 'utf8')) as { totals: Record<string, Usage> };
    const rules = Object.entries(facts.totals).flatMap(([field, { condition, output, args }], i) => {
      const names =
        args.length === 0 || output > 0
          ? [field, ...args.map((arg) => field + arg)]
          : args.map((arg) => field + arg);
      const references =
        field.startsWith('container.mount') || field === 'proc.env'
          ? names.filter((name) => name.includes('['))
          : names;
      return references.map((name, k) => {
        const text = condition > 0 ? `'evt.type = open and ${name} exists'` : OPEN;
        return `- rule: r${i}.${k}\n  desc: d\n  priority: INFO\n  condition: ${text}\n  output: 'x %${output > 0 ? name : 'evt.num'}.'\n`;
      });
    });
    const loaded = load(rules.join(''));
    assert.deepEqual(faults(loaded), []);
    assert.ok(loaded.rules.length >= 80, `${loaded.rules.length} rules`);
  });
});
