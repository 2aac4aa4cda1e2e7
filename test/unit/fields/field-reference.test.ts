import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldError } from '../../../server/fields/field.ts';
import {
  bindField,
  parseFieldReference,
  scanFieldReference,
} from '../../../server/fields/field-reference.ts';

function fault(text: string): { position: number; message: string; suggestions: readonly string[] } {
  try {
    parseFieldReference(text);
  } catch (error) {
    assert.ok(error instanceof FieldError);
    return error;
  }
  return assert.fail(`${text} was accepted`);
}

test('a reference is a name, or a name and an argument in brackets or after a dot', () => {
  const cases: readonly (readonly [
    text: string,
    name: string,
    argument: string | undefined,
    index?: number,
  ])[] = [
    ['proc.name', 'proc.name', undefined],
    ['proc.aname[2]', 'proc.aname', '2', 2],
    ['proc.aname.2', 'proc.aname', '2', 2],
    ['proc.env[PATH]', 'proc.env', 'PATH'],
    ['proc.env.PATH', 'proc.env', 'PATH'],
    ['proc.env["A B"]', 'proc.env', 'A B'],
    ["proc.env['a\\'b']", 'proc.env', "a'b"],
    ['container.mount.source[/usr/*]', 'container.mount.source', '/usr/*'],
    ['container.mount["]"]', 'container.mount', ']'],
    ['container.label.com.example.tier', 'container.label', 'com.example.tier'],
    ['thread.cgroup.cpu', 'thread.cgroup', 'cpu'],
  ];
  for (const [text, name, argument, index] of cases) {
    const reference = parseFieldReference(text);
    assert.equal(reference.row.name, name, text);
    assert.equal(reference.argument?.text, argument, text);
    assert.equal(reference.argument?.index, index, text);
  }
});

test('the longest row name wins in the dotted form', () => {
  assert.equal(parseFieldReference('evt.arg.flags').row.name, 'evt.arg');
  assert.equal(parseFieldReference('container.mount.source.0').row.name, 'container.mount.source');
  assert.equal(parseFieldReference('proc.exe_ino.ctime').argument, undefined);
});

test('faults name their position and the nearest fields', () => {
  assert.deepEqual(fault('proc.nmae').suggestions.slice(0, 1), ['proc.name']);
  assert.equal(fault('').position, 0);
  assert.equal(fault('proc.name[1]').message, "field 'proc.name' takes no argument");
  assert.equal(fault('proc.name!').position, 9);
  assert.equal(fault('proc.aname[x]').position, 11);
  assert.equal(fault('proc.aname[]').position, 11);
  assert.equal(fault('proc.aname[1').message, "missing ']'");
  assert.equal(fault('proc.env["a]').message, 'missing closing quote');
  assert.equal(fault('proc.env["a"x]').position, 12);
  assert.equal(fault('proc.env[a b]').position, 10);
  assert.equal(fault('thread.cgroup').message, "field 'thread.cgroup' needs an argument: thread.cgroup[...]");
  assert.equal(fault('proc.aname[99999999999]').position, 11);
  assert.equal(fault(`proc.${'x'.repeat(5000)}`).position, 0);
});

test('a bound field keeps the name it was asked by', () => {
  assert.equal(bindField('proc.env.PATH').name, 'proc.env.PATH');
});

test('scanning finds the end of a reference inside a longer text', () => {
  assert.equal(scanFieldReference('x proc.aname[1] y', 2), 15);
  assert.equal(scanFieldReference('x proc.name, y', 2), 11);
});
