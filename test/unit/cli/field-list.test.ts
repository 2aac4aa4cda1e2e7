import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CliError, EXIT_USAGE } from '../../../client/cli/cli-error.ts';
import { readFieldList, splitFields } from '../../../client/cli/field-list.ts';

function isUsageError(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CliError && error.exitCode === EXIT_USAGE && pattern.test(error.message);
}

describe('splitFields', () => {
  it('splits at commas outside brackets', () => {
    assert.deepEqual(splitFields('proc.name,proc.aname[2],evt.arg[a,b],evt.arg.flags,evt.abspath[path]'), [
      'proc.name',
      'proc.aname[2]',
      'evt.arg[a,b]',
      'evt.arg.flags',
      'evt.abspath[path]',
    ]);
  });

  it('takes white space around names and empty items as separators', () => {
    assert.deepEqual(splitFields(' evt.num ,\n\tproc.name,,fd.name\n'), ['evt.num', 'proc.name', 'fd.name']);
  });

  it('keeps white space inside brackets', () => {
    assert.deepEqual(splitFields('evt.arg[a b] evt.num'), ['evt.arg[a b]', 'evt.num']);
  });

  it('refuses a bracket that is never closed', () => {
    assert.throws(() => splitFields('evt.num,proc.aname[2'), isUsageError(/proc\.aname\[2/));
  });
});

describe('readFieldList', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'strata-field-list-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (text: string): string => {
    const path = join(folder, 'fields');
    writeFileSync(path, text);
    return `@${path}`;
  };

  it('reads names of a file separated by commas or newlines', () => {
    assert.deepEqual(readFieldList(file('evt.num\nproc.name, fd.name\n')), [
      'evt.num',
      'proc.name',
      'fd.name',
    ]);
  });

  it('reads a JSON array', () => {
    assert.deepEqual(readFieldList(file('["evt.num",\n "evt.arg[a,b]"]\n')), ['evt.num', 'evt.arg[a,b]']);
  });

  it('refuses a JSON array of anything but names', () => {
    assert.throws(() => readFieldList(file('["evt.num", 3]')), isUsageError(/JSON array of field names/));
  });

  it('refuses an empty list', () => {
    assert.throws(() => readFieldList(','), isUsageError(/no field names/));
    assert.throws(() => readFieldList(file('\n')), isUsageError(/no field names/));
  });

  it('tells a missing file by its name', () => {
    assert.throws(() => readFieldList('@/nowhere/fields'), isUsageError(/@\/nowhere\/fields: no such file/));
  });
});
