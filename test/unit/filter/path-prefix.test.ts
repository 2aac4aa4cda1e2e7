import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compilePathPrefixes } from '../../../server/filter/path-prefix.ts';

const CASES: readonly (readonly [paths: readonly string[], yes: readonly string[], no: readonly string[]])[] =
  [
    [['/tmp/a'], ['/tmp/a', '/tmp/a/b', '/tmp/a/', '/tmp//a'], ['/tmp', '/tmp/ab', '/a/tmp/a', '']],
    [
      ['/usr/', 'var/log'],
      ['/usr', 'usr/bin', '/var/log/x'],
      ['/var', '/var/logs'],
    ],
    [['/'], ['', '/', '/x', 'anything'], []],
    [[''], ['x'], []],
    [[], [], ['', '/x']],
    [['/var', '/var/log/x'], ['/var/log', '/var'], ['/va']],
    [['/home/*/.ssh'], ['/home/u/.ssh/id', '/home//u/.ssh'], ['/home/.ssh', '/home/u/x/.ssh']],
    [['/a?/[bc]'], ['/ax/b', '/ay/c/d'], ['/a/b', '/ax/d']],
    [['/x/*/z', '/x/y/w'], ['/x/y/z', '/x/y/w', '/x/q/z'], ['/x/q/w']],
  ];

describe('compilePathPrefixes', () => {
  for (const [paths, yes, no] of CASES) {
    it(JSON.stringify(paths), () => {
      const test = compilePathPrefixes(paths);
      for (const path of yes) assert.equal(test(path), true, path);
      for (const path of no) assert.equal(test(path), false, path);
    });
  }

  it('agrees with comparing component by component', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'ab', ''), { maxLength: 5 })
      .map((parts) => parts.join('/'));
    const parts = (text: string) => text.split('/').filter((part) => part !== '');
    fc.assert(
      fc.property(fc.array(path, { maxLength: 4 }), path, (prefixes, text) => {
        const whole = parts(text);
        const expected = prefixes.some((prefix) => parts(prefix).every((part, i) => whole[i] === part));
        assert.equal(compilePathPrefixes(prefixes)(text), expected);
      }),
      { numRuns: 2000 },
    );
  });
});
