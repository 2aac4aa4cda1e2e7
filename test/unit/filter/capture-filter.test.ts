/** Random conditions over the real fields of a real capture, against walking the tree over the same values. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Extractor, FieldRow, FieldValue, Scalar } from '../../../server/fields/field.ts';
import { parseFieldReference } from '../../../server/fields/field-reference.ts';
import { fromBinaryText } from '../../../server/filter/binary-text.ts';
import { compileFilter, parseFilter } from '../../../server/filter/filter.ts';
import type { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { ipText } from '../../../server/state/ip-address.ts';
import { capturePath, hasGolden } from '../../helpers/golden.ts';
import { evaluateNaively } from '../../helpers/naive-filter.ts';
import { replay } from '../../helpers/replay.ts';

const CAPTURES = ['curl_google', 'live-enter-exit-git'];
const FILTERS = 200;
const SAMPLES_PER_FIELD = 40;
const FIELDS = [
  'evt.type',
  'syscall.type',
  'evt.dir',
  'evt.category',
  'evt.num',
  'evt.rawres',
  'evt.res',
  'evt.arg.flags',
  'evt.arg.fd',
  'evt.is_open_read',
  'evt.is_open_write',
  'evt.is_open_exec',
  'evt.is_open_create',
  'evt.is_io',
  'evt.is_io_read',
  'evt.is_io_write',
  'evt.io_dir',
  'evt.is_wait',
  'evt.is_syslog',
  'evt.buflen',
  'evt.asynctype',
  'evt.abspath[src]',
  'proc.name',
  'proc.pname',
  'proc.aname[2]',
  'proc.cmdline',
  'proc.exepath',
  'proc.pid',
  'proc.tty',
  'fd.num',
  'fd.name',
  'fd.directory',
  'fd.typechar',
  'fd.sport',
  'fd.cip',
  'user.name',
  'user.uid',
] as const;

interface Column {
  readonly row: FieldRow;
  readonly extract: Extractor;
  readonly samples: Set<string>;
}

const columns = new Map<string, Column>();
for (const name of FIELDS) {
  const { row, argument } = parseFieldReference(name);
  columns.set(name, { row, extract: row.bind(argument), samples: new Set() });
}

function literalOf(row: FieldRow, value: Scalar): string {
  return row.type === 'ipaddr' ? ipText(value as string) : fromBinaryText(String(value));
}

function quote(text: string): string {
  return `"${text.replace(/[\\"\n\r\t]/g, (char) => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[char] ?? `\\${char}`)}"`;
}

const TEXT_OPERATORS = ['=', '!=', 'contains', 'icontains', 'startswith', 'endswith'];
const NUMBER_OPERATORS = ['=', '!=', '<', '<=', '>', '>='];

/** A random check of one field against values it has somewhere in the capture. */
function check(name: string): fc.Arbitrary<string> {
  const { row, samples } = columns.get(name) as Column;
  const isText = row.type === 'string';
  const isOrdered = !isText && row.type !== 'bool' && row.type !== 'ipaddr';
  const operators = isText ? TEXT_OPERATORS : isOrdered ? NUMBER_OPERATORS : ['=', '!='];
  const known = [...samples];
  if (known.length === 0) return fc.constant(`${name} exists`);
  const literal = fc.constantFrom(...known);
  const part = literal.map((text) => (isText && text.length > 4 ? text.slice(1, 4) : text));
  const written = (text: string, operator: string) => (/[<>]/.test(operator) ? text : quote(text));
  return fc.oneof(
    fc
      .tuple(fc.constantFrom(...operators), fc.oneof(literal, part))
      .map(([op, text]) => `${name} ${op} ${written(text, op)}`),
    fc.array(literal, { maxLength: 5 }).map((texts) => `${name} in (${texts.map(quote).join(', ')})`),
    fc.constant(`${name} exists`),
    ...(isText
      ? [
          fc
            .array(part, { maxLength: 3 })
            .map((texts) => `${name} contains anyof (${texts.map(quote).join(', ')})`),
        ]
      : []),
  );
}

function conditions(seed: number): string[] {
  const tree = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(...FIELDS).chain(check),
      fc
        .tuple(tie('tree'), fc.constantFrom('and', 'or'), tie('tree'))
        .map(([a, word, b]) => `(${a}) ${word} (${b})`),
      tie('tree').map((a) => `not (${a})`),
    ),
  })).tree;
  return fc.sample(tree, { numRuns: FILTERS, seed });
}

describe('conditions over captures', { skip: hasGolden() ? false : 'no reference captures' }, () => {
  for (const capture of CAPTURES) {
    it(`${capture}: compiled and plain evaluation agree, and no match is pruned`, async () => {
      await replay(capturePath(capture), (event) => {
        for (const { row, extract, samples } of columns.values()) {
          const value = samples.size < SAMPLES_PER_FIELD ? extract(event) : undefined;
          if (value !== undefined) samples.add(literalOf(row, value as Scalar));
        }
      });
      const filters = conditions(20_240).map((text) => ({
        ast: parseFilter(text),
        compiled: compileFilter(text),
        text,
      }));
      let shown: InspectedEvent;
      const values = new Map<string, FieldValue>();
      const lookUp = (name: string, argument: string | undefined) => {
        const key = argument === undefined ? name : `${name}[${argument}]`;
        const { row, extract } = columns.get(key) as Column;
        if (!values.has(key)) values.set(key, extract(shown));
        return { type: row.type, isList: row.isList, isFilterOnly: false, value: values.get(key) };
      };
      let matchCount = 0;
      await replay(capturePath(capture), (event) => {
        shown = event;
        values.clear();
        // The plain evaluation is slow: a part of a large capture will do.
        if (event.record.num % 7 !== 0 && capture !== 'curl_google') return;
        for (const { ast, compiled, text } of filters) {
          const isMatch = compiled.matches(event);
          assert.equal(isMatch, evaluateNaively(ast, lookUp), `${text} at event ${event.record.num}`);
          if (isMatch) matchCount++;
          if (isMatch) assert.equal(compiled.eventTypes[event.record.type], 1, text);
        }
      });
      assert.ok(matchCount > 0);
    });
  }
});
