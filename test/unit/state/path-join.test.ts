import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinPath, PATH_TOO_LONG } from '../../../server/state/path-join.ts';

const CASES: readonly (readonly [base: string, path: string, joined: string])[] = [
  ['/home/', 'file', '/home/file'],
  ['/home', 'file', '/home/file'],
  ['/home/', '/etc/passwd', '/etc/passwd'],
  ['.', '/etc/passwd', '/etc/passwd'],
  ['/home/', '.', '/home'],
  ['/home/', './a//b/', '/home/a/b'],
  ['/home/user/', '../../..', '/'],
  ['/home/', '..', '/'],
  ['/', '', '/'],
  ['', '', ''],
  ['', 'a/..', '.'],
  ['./', 'a', 'a'],
  ['', '../a', '../a'],
  ['', '../../a/..', '../..'],
  ['/', '...', '/...'],
  ['/a/', '.hidden', '/a/.hidden'],
  ['<UNKNOWN>', 'a', '<UNKNOWN>/a'],
];

for (const [base, path, joined] of CASES) {
  test(`'${base}' and '${path}' give '${joined}'`, () => assert.equal(joinPath(base, path), joined));
}

test('a path beyond the limit is replaced', () => {
  assert.equal(joinPath('/', 'a'.repeat(1023)).length, 1024);
  assert.equal(joinPath('/', 'a'.repeat(4096)), PATH_TOO_LONG);
});
