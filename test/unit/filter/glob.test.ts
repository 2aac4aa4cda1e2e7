import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileGlob } from '../../../server/filter/glob.ts';

/** Pattern, texts it matches, texts it does not. */
const CASES: readonly (readonly [pattern: string, yes: readonly string[], no: readonly string[]])[] = [
  ['', [''], ['a']],
  ['abc', ['abc'], ['ab', 'abcd', 'ABC']],
  ['*', ['', 'a', '/a/.b', 'a\nb'], []],
  ['a*', ['a', 'abc', 'a/b'], ['', 'ba']],
  ['*.log', ['.log', 'x.log', '/var/x.log'], ['x.logs']],
  ['*b*c*', ['bc', 'abxc1'], ['cb', 'b']],
  ['a**b', ['ab', 'axb'], ['a']],
  ['a?c', ['abc', 'a/c', 'a\xffc'], ['ac', 'abbc']],
  ['?*', ['a', 'ab'], ['']],
  ['*aab', ['aaab', 'aab', 'aabaab'], ['aaba']],
  ['[abc]x', ['ax', 'cx'], ['dx', 'x']],
  ['[a-c]', ['a', 'b', 'c'], ['d', '-']],
  ['[!a-c]', ['d', '-', ']'], ['a', '']],
  ['[^a]', ['b', '^'], ['a']],
  ['[]a]', [']', 'a'], ['b']],
  ['[!]a]', ['b'], [']', 'a']],
  ['[a-]', ['a', '-'], ['b']],
  ['[[:digit:][:upper:]]', ['5', 'X'], ['x']],
  ['/[[:alpha:]]*', ['/a', '/usr'], ['/1', '/']],
  ['[[=a=][.-.]]', ['a', '-'], ['b']],
  ['[\\]]', [']'], ['\\']],
  ['[a', ['[a'], ['a']],
  ['x[', ['x['], ['x']],
  ['\\*', ['*'], ['a', '\\*']],
  ['\\a', ['a'], ['\\a']],
  ['a\\', [], ['a', 'a\\']],
  ['*[0-9]-[0-9]*', ['a1-2b', '1-2'], ['1-', 'a-b']],
];

describe('compileGlob', () => {
  for (const [pattern, yes, no] of CASES) {
    it(JSON.stringify(pattern), () => {
      const test = compileGlob(pattern, false);
      for (const text of yes) assert.equal(test(text), true, text);
      for (const text of no) assert.equal(test(text), false, text);
    });
  }

  it('ignores the case of ASCII letters only', () => {
    const test = compileGlob('A[B-D]*[!x]\xc4', true);
    assert.equal(test('abY\xc4'), true);
    assert.equal(test('ACy\xc4'), true);
    assert.equal(test('abY\xe4'), false);
    assert.equal(test('abX\xc4'), false);
    assert.equal(test('aEy\xc4'), false);
  });

  it('agrees with a regular expression on random patterns', () => {
    const piece = fc.constantFrom('a', 'b', '*', '?', '[ab]', '[!a]', '\\*', '.');
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), text, (pieces, value) => {
        const regex = new RegExp(`^${pieces.map(toRegex).join('')}$`, 's');
        assert.equal(compileGlob(pieces.join(''), false)(value), regex.test(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('does not explode on many stars', () => {
    const start = process.cpuUsage().user;
    assert.equal(compileGlob(`${'*a'.repeat(500)}*b`, false)('a'.repeat(20_000)), false);
    assert.equal(compileGlob(`${'*[ac]'.repeat(500)}*b`, false)('a'.repeat(20_000)), false);
    assert.ok(process.cpuUsage().user - start < 2_000_000);
  });
});

function toRegex(piece: string): string {
  if (piece === '*') return '.*';
  if (piece === '?') return '.';
  if (piece === '[!a]') return '[^a]';
  return piece === '.' ? '\\.' : piece;
}
