import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listOptions, parseOptionString, selectOption } from '../../../server/filter/getopt.ts';

const LISTS: readonly (readonly [args: readonly string[], options: string, found: readonly string[]])[] = [
  [['-n'], 'n', ['n']],
  [['-t', 'x'], 't:', ['t', 'x']],
  [['-tx'], 't:', ['t', 'x']],
  [['-nt', 'x'], 'nt:', ['n', 't', 'x']],
  [['-nta', 'b'], 'nt:', ['n', 't', 'a']],
  [['-n', '--', '-t'], 'nt', ['n']],
  [['-x', '-n'], 'n', ['?', 'n']],
  [['--long', '-n'], 'n', ['n']],
  [['file', '-n'], 'n', []],
  [['-', '-n'], 'n', []],
  [['', '-n'], 'n', []],
  [['-t'], 't:', ['']],
  [['-t', ''], 't:', ['t', '']],
  [['-l', '-p', '80', '-e', '/bin/sh'], 'lp:e:', ['l', 'p', '80', 'e', '/bin/sh']],
  [['-p', '-1'], 'p:', ['p', '-1']],
  [['-a:b'], ':ab', ['a', '?', 'b']],
  [['-n'], '', ['?']],
  [[], 'n', []],
];

describe('getopt', () => {
  for (const [args, options, found] of LISTS) {
    it(`${JSON.stringify(args)} with ${JSON.stringify(options)}`, () => {
      assert.deepEqual(listOptions(args, parseOptionString(options)), found);
    });
  }

  it('selects the last value of one option', () => {
    const table = parseOptionString('lp:e:');
    const args = ['-l', '-p', '80', '-p81', '-e'];
    assert.equal(selectOption(args, table, 'p'), '81');
    assert.equal(selectOption(args, table, 'l'), 'l');
    assert.equal(selectOption(args, table, 'e'), '');
    assert.equal(selectOption(args, table, 'x'), undefined);
    assert.equal(selectOption([], table, 'l'), undefined);
  });
});
