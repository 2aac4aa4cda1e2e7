import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toBinaryText } from '../../../server/filter/binary-text.ts';
import { LiteralError } from '../../../server/filter/filter-error.ts';
import { compileRegex, expandedSize } from '../../../server/filter/regex.ts';

/** Runs `run` and returns the CPU time it took in ms. */
function cpuMs(run: () => void): number {
  const start = process.cpuUsage().user;
  run();
  return (process.cpuUsage().user - start) / 1000;
}

describe('compileRegex', () => {
  it('matches whole texts', () => {
    const test = compileRegex('my.*');
    assert.equal(test('myexe'), true);
    assert.equal(test('amyexe'), false);
    assert.equal(compileRegex('a|b')('ab'), false);
    assert.equal(compileRegex('^a$')('a'), true);
    assert.equal(compileRegex('')(''), true);
  });

  it('has the classes of POSIX and those of Perl', () => {
    assert.equal(compileRegex('[[:digit:]]+')('123'), true);
    assert.equal(compileRegex('\\d+\\w')('12a'), true);
    assert.equal(compileRegex('[^/]+')('a/b'), false);
  });

  it('takes ^ and $ for the beginning and end of a line, and . for anything but a line break', () => {
    assert.equal(compileRegex('a$\n^b')('a\nb'), true);
    assert.equal(compileRegex('a.b')('a\nb'), false);
  });

  it('counts characters, not bytes, and matches nothing in bytes that are no UTF-8', () => {
    assert.equal(compileRegex(toBinaryText('gr.n'))(toBinaryText('grün')), true);
    assert.equal(compileRegex(toBinaryText('[äö]+'))(toBinaryText('öä')), true);
    assert.equal(compileRegex('.*')('\xff'), false);
  });

  it('refuses what is no regular expression', () => {
    for (const pattern of ['(', 'a)', '[a', 'a**', '(?=a)', '\\1', 'a{1001}']) {
      assert.throws(() => compileRegex(pattern), LiteralError, pattern);
    }
  });

  it('costs time linear in the text whatever the pattern', () => {
    const text = `${'a'.repeat(20_000)}!`;
    for (const pattern of ['(a+)+', '(a*)*b', '(a|aa)+', '(.*)*x', '((a?){20}){20}a{20}b', '(x+x+)+y']) {
      const test = compileRegex(pattern);
      assert.ok(cpuMs(() => assert.equal(test(text), false)) < 2000, pattern);
    }
  });

  it('refuses repetitions that expand too far, before expanding them', () => {
    const bombs = [
      '((a{100}){100}){100}',
      '(((a{10}){10}){10}){10}',
      'x{1000}'.repeat(500),
      '([)]x{500}){500}',
      '(\\Q)\\Ex{500}){500}',
      `${'('.repeat(1000)}a${'){2}'.repeat(1000)}`,
    ];
    for (const bomb of bombs) {
      assert.ok(cpuMs(() => assert.throws(() => compileRegex(bomb), LiteralError)) < 200, bomb.slice(0, 40));
    }
    assert.throws(() => compileRegex('a'.repeat(5000)), /longer than/);
  });

  it('bounds the expansion from above', () => {
    assert.equal(expandedSize('abc'), 3);
    assert.equal(expandedSize('(ab){3}'), 9);
    assert.ok(expandedSize('((ab){3}c){10,20}') >= 140);
    assert.ok(expandedSize('[a-z(]{50}') >= 50);
    assert.ok(expandedSize('a{2,}') >= 2);
  });
});
