/** JSON gone wrong: members of other types, missing, doubled, deep, huge; and its text cut, doubled, or with bytes that do not belong. */
import type { SeededRandom } from './savefile-random.ts';

type Json = unknown;

const DEPTH_MAX = 12;

/** Values that are often not thought of. */
const ODD_VALUES: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  2 ** 53 + 2,
  2 ** 63,
  '',
  ' ',
  '/',
  '../../etc/passwd',
  'a'.repeat(64),
  'f'.repeat(12),
  '\0',
  '\n',
  '\u001b[31m',
  '\u2028',
  'ä\u{1f600}',
  '\ud800',
  '__proto__',
  'constructor',
  'toString',
  '-1',
  'NaN',
  '0001-01-01T00:00:00Z',
  '99999-99-99T99:99:99Z',
  'sha256:',
  'a:b:c@sha256:x',
  '@',
  ':',
  '/:tag',
  'x'.repeat(5000),
  [],
  [[]],
  [null],
  {},
  { __proto__: 1 },
  { '': '' },
  { length: -1 },
];

const ODD_PIECES: readonly string[] = [
  ...[
    '',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u',
    '\\ud800',
    '\0',
    '\n',
    '\r\n',
    '\xff',
    '\xc3',
    '\xed\xa0\x80',
  ],
  ...['null', 'true', '1e999', '-', '0x1', '"__proto__":{"x":1},', '/* */', '\u{feff}'],
];

/** The value with a few of its parts replaced, left out or doubled. */
export function mutateJson(random: SeededRandom, value: Json): Json {
  let result = value;
  for (let left = 1 + random.below(4); left > 0; left--) result = mutateOne(random, result, DEPTH_MAX);
  return result;
}

function mutateOne(random: SeededRandom, value: Json, depth: number): Json {
  const isLeaf = typeof value !== 'object' || value === null;
  if (isLeaf || depth === 0 || random.below(8) === 0) return odd(random, value);
  if (Array.isArray(value)) return mutateList(random, value, depth);
  const entries = Object.entries(value);
  if (entries.length === 0) return odd(random, value);
  const at = random.below(entries.length);
  const [key, member] = entries[at] as [string, Json];
  switch (random.below(8)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries[at] = [oddKey(random), member];
      break;
    case 2:
      entries.push([oddKey(random), random.pick(ODD_VALUES)]);
      break;
    default:
      entries[at] = [key, mutateOne(random, member, depth - 1)];
  }
  return Object.fromEntries(entries);
}

function mutateList(random: SeededRandom, list: readonly Json[], depth: number): Json {
  const at = random.below(list.length);
  switch (random.below(4)) {
    case 0:
      return list.toSpliced(at, 1);
    case 1:
      return [...list, ...list, random.pick(ODD_VALUES)];
    default:
      return list.length === 0
        ? random.pick(ODD_VALUES)
        : list.with(at, mutateOne(random, list[at], depth - 1));
  }
}

function oddKey(random: SeededRandom): string {
  const key = random.pick(ODD_VALUES);
  return typeof key === 'string' ? key : `${key}`;
}

function odd(random: SeededRandom, value: Json): Json {
  switch (random.below(6)) {
    case 0:
      return [value];
    case 1:
      return { value };
    case 2:
      return JSON.stringify(value) ?? '';
    case 3:
      return nest(random.below(2) === 0 ? 'list' : 'object', random.below(400));
    default:
      return random.pick(ODD_VALUES);
  }
}

function nest(kind: 'list' | 'object', depth: number): Json {
  let value: Json = 1;
  for (let i = 0; i < depth; i++) value = kind === 'list' ? [value] : { a: value };
  return value;
}

/** Bytes (a binary string) with a few of its places damaged. */
export function damageText(random: SeededRandom, text: string): string {
  let result = text;
  for (let left = random.below(5); left > 0; left--) {
    const at = random.below(result.length + 1);
    switch (random.below(4)) {
      case 0:
        result = result.slice(0, at);
        break;
      case 1:
        result = result.slice(0, at) + random.bytes(random.below(8)).latin1Slice() + result.slice(at);
        break;
      case 2:
        result += result.slice(at, at + 200);
        break;
      default:
        result = result.slice(0, at) + random.pick(ODD_PIECES) + result.slice(at + random.below(8));
    }
  }
  return result;
}

/** UTF-8 of the JSON of a mutated value as a binary string, damaged one time in three. */
export function mutatedText(random: SeededRandom, value: Json): string {
  const text = Buffer.from(JSON.stringify(mutateJson(random, value)) ?? 'null', 'utf8').latin1Slice();
  return random.below(3) === 0 ? damageText(random, text) : text;
}
