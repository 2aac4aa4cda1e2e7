/**
 * Fuzzes the condition language: random bytes, random tokens, damaged conditions and deep nests are parsed, printed,
 * compiled and run. Whatever the input, the only failure is a FilterError inside the text, and time stays bounded.
 */
import assert from 'node:assert/strict';
import { fromBinaryText } from '../../server/filter/binary-text.ts';
import {
  compileFilter,
  type FilterAst,
  FilterError,
  formatFilter,
  parseFilter,
} from '../../server/filter/filter.ts';
import { LIST_MODIFIERS, OPERATOR_NAMES } from '../../server/filter/operators.ts';
import { FAKE_FIELDS, FakeCatalogue, type FakeValues } from '../helpers/fake-catalogue.ts';

export interface FilterFuzzOptions {
  readonly iterations: number;
  readonly seed: number;
}

export interface FilterFuzzReport {
  readonly parsed: number;
  readonly compiled: number;
  readonly refused: number;
  /** CPU time of the slowest input. */
  readonly slowestMs: number;
}

/** CPU time one input may take: generous, as collection of garbage falls into it too. */
const INPUT_MS_MAX = 1000;
/** Every so many iterations the input is a large one. */
const LARGE_EVERY = 500;
const LARGE_BYTES = 100_000;

const TOKENS: readonly string[] = [
  ...OPERATOR_NAMES,
  ...LIST_MODIFIERS,
  ...FAKE_FIELDS,
  ...[
    'and',
    'or',
    'not',
    'not(',
    '(',
    ')',
    ',',
    '[',
    ']',
    '"',
    "'",
    '\\',
    '\\"',
    '=',
    '\n',
    '\t',
    '\b',
    '\0',
  ],
  ...['tolower(', 'toupper(', 'b64(', 'basename(', 'len(', 'join(', 'concat(', 'getopt(', 'val('],
  ...[
    'a',
    'macro',
    '5',
    '-1',
    '0x1f',
    '1.5e+3',
    '"a b"',
    "'x'",
    '10.0.0.1',
    '10.0.0.0/8',
    '::1',
    'true',
    '/tmp',
  ],
  ...['*', '[a-z]*', '(a+)+', 'a{1000}', '[[', '\\d', 'ä', '\u{1f600}', '\ud800', '[KEY]', '["k"]', ' '],
];

const VALUES: readonly FakeValues[] = [
  {},
  {
    'proc.name': 'bash',
    'proc.pname': '/usr/bin/x',
    'proc.env[KEY]': 'v',
    'proc.aname': ['a', 'b'],
    'proc.pid': 5,
    'user.uid': 0,
    'evt.size': 2n ** 63n,
    'thread.cpu': 0.5,
    'proc.is_exe': true,
    'fd.cip': '\x0a\0\0\x01',
    'fd.sip': '\0'.repeat(16),
    'fd.ip': ['\x0a\0\0\x01', '\0'.repeat(16)],
    'fd.net': ['\x0a\0\0\x01'],
    'fd.sport': 443,
    'fd.port': [80, 443],
    'evt.buffer': '\0\xff',
    'evt.raw': { type: 'int64', format: 'DEC', value: 5 },
    'fd.types': ['file', '-a'],
    'fd.names': [],
    'fd.sizes': [1, 2n],
  },
];

export async function runFilterFuzz({ iterations, seed }: FilterFuzzOptions): Promise<FilterFuzzReport> {
  const random = generator(seed);
  const catalogue = new FakeCatalogue();
  let report: FilterFuzzReport = { parsed: 0, compiled: 0, refused: 0, slowestMs: 0 };
  for (let i = 0; i < iterations; i++) {
    const text = i % LARGE_EVERY === LARGE_EVERY - 1 ? largeInput(random) : input(random);
    const start = process.cpuUsage().user;
    try {
      report = count(report, tryCondition(text, catalogue));
    } catch (error) {
      throw new Error(`seed ${seed}, iteration ${i}: ${JSON.stringify(text.slice(0, 2000))}`, {
        cause: error,
      });
    }
    const ms = (process.cpuUsage().user - start) / 1000;
    assert.ok(ms < INPUT_MS_MAX, `seed ${seed}, iteration ${i}: ${ms} ms for ${text.length} characters`);
    report = { ...report, slowestMs: Math.max(report.slowestMs, ms) };
    // Lets timers and signals in.
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return report;
}

type Stage = 'refused' | 'parsed' | 'compiled';

function count(report: FilterFuzzReport, stage: Stage): FilterFuzzReport {
  return { ...report, [stage]: report[stage] + 1 };
}

function tryCondition(text: string, catalogue: FakeCatalogue): Stage {
  const ast = attempt(text, () => parseFilter(text));
  if (ast === undefined) return 'refused';
  const printed = formatFilter(ast);
  assert.equal(formatFilter(parseFilter(printed)), printed, 'the printed condition reads back');
  return compileAndRun(printed, ast, catalogue) ? 'compiled' : 'parsed';
}

function compileAndRun(text: string, ast: FilterAst, catalogue: FakeCatalogue): boolean {
  const filter = attempt(undefined, () => compileFilter(ast, catalogue));
  if (filter === undefined) return false;
  for (const values of VALUES) {
    const event = catalogue.show(values);
    const result = filter.matches(event);
    assert.equal(filter.matches(event), result, 'a condition has one result');
    if (text.length < 1000) assert.equal(compileFilter(`not (${text})`, catalogue).matches(event), !result);
  }
  return true;
}

/** What `run` gives, or undefined for a FilterError; its place is inside the text. */
function attempt<Value>(text: string | undefined, run: () => Value): Value | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const { offset, line, column } = error.position;
    const bytes = text === undefined ? Number.POSITIVE_INFINITY : Buffer.byteLength(text, 'utf8');
    assert.ok(
      offset >= 0 && offset <= bytes && line >= 1 && column >= 1,
      `place ${offset} (${line}:${column})`,
    );
    return undefined;
  }
}

type Random = (below: number) => number;

/** A small generator of numbers that is the same everywhere for a seed. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[random(values.length)] as Value;
}

function times(count: number, make: () => string): string {
  let text = '';
  for (let i = 0; i < count; i++) text += make();
  return text;
}

function input(random: Random): string {
  switch (random(6)) {
    case 0:
      return fromBinaryText(times(random(64), () => String.fromCharCode(random(256))));
    case 1:
      return times(random(40), () => pick(random, TOKENS) + (random(2) === 0 ? ' ' : ''));
    case 2:
    case 3:
      return expression(random, 4);
    case 4:
      return damaged(random, expression(random, 3));
    default:
      return nest(random, random(300));
  }
}

function largeInput(random: Random): string {
  const unit = random(2) === 0 ? `${expression(random, 2)} or ` : pick(random, TOKENS);
  const repeated = unit.repeat(Math.ceil(LARGE_BYTES / Math.max(1, unit.length)));
  switch (random(3)) {
    case 0:
      return repeated;
    case 1:
      return `${repeated}proc.name exists`;
    default:
      return `proc.name in (${times(5000, () => `${random(100_000)}, `)}x)`;
  }
}

function nest(random: Random, depth: number): string {
  const open = pick(random, [
    '(',
    'not (',
    'not(',
    'tolower(',
    'proc.pid = 1 and (',
    'join("", (',
    'concat("a", ',
  ]);
  return `${open.repeat(depth)}proc.name${' = x'.repeat(random(2))}${')'.repeat(Math.max(0, depth - random(2)))}`;
}

/** Takes out, doubles or replaces a part. */
function damaged(random: Random, text: string): string {
  const start = random(text.length + 1);
  const end = start + random(4);
  const part = pick(random, ['', text.slice(start, end).repeat(2), pick(random, TOKENS)]);
  return text.slice(0, start) + part + text.slice(end);
}

function expression(random: Random, depth: number): string {
  const kind = depth === 0 ? 0 : random(6);
  switch (kind) {
    case 1:
      return `(${expression(random, depth - 1)})`;
    case 2:
      return `not ${expression(random, depth - 1)}`;
    case 3:
      return `${expression(random, depth - 1)} and ${expression(random, depth - 1)}`;
    case 4:
      return `${expression(random, depth - 1)} or ${expression(random, depth - 1)}`;
    default:
      return check(random);
  }
}

function check(random: Random): string {
  const left = operand(random, 2);
  const operator = pick(random, OPERATOR_NAMES);
  if (operator === 'exists') return `${left} exists`;
  if (random(5) === 0)
    return `${left} ${operator} ${random(2) === 0 ? `val(${pick(random, FAKE_FIELDS)})` : operand(random, 2)}`;
  if (['in', 'intersects', 'pmatch'].includes(operator)) return `${left} ${operator} ${list(random)}`;
  if (random(5) === 0) return `${left} ${operator} ${pick(random, LIST_MODIFIERS)} ${list(random)}`;
  return `${left} ${operator} ${literal(random)}`;
}

function operand(random: Random, depth: number): string {
  // Half of the time a field that fits most operators, so that enough conditions compile.
  const field = () =>
    random(2) === 0 ? 'proc.name' : pick(random, FAKE_FIELDS) + (random(9) === 0 ? '[KEY]' : '');
  if (depth === 0 || random(3) > 0) return field();
  const inner = () => operand(random, depth - 1);
  switch (random(4)) {
    case 0:
      return `concat(${inner()}, "x", ${inner()})`;
    case 1:
      return `join("-", (${inner()}, 5))`;
    case 2:
      return `getopt(${inner()}, "ab:")${random(2) === 0 ? '[a]' : ''}`;
    default:
      return `${pick(random, ['tolower', 'toupper', 'b64', 'basename', 'len'])}(${inner()})`;
  }
}

function list(random: Random): string {
  return `(${Array.from({ length: random(4) }, () => literal(random)).join(', ')})`;
}

function literal(random: Random): string {
  const plain = [
    'x',
    '5',
    '-1',
    '0x10',
    'true',
    'bash',
    '10.0.0.1',
    '"10.0.0.0/8"',
    '::1',
    '/tmp',
    'cafe',
    '443',
    'https',
  ];
  return random(8) === 0
    ? `"${pick(random, ['(a|b)*', '[a-z]+', '*.x', '(', 'ä', '\\\\', '\\"'])}"`
    : pick(random, plain);
}
