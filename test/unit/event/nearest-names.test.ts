import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestNames } from '../../../server/event/nearest-names.ts';

const NAMES = ['proc.name', 'proc.pname', 'proc.aname', 'fd.name', 'fd.num', 'evt.type'];

test('the nearest name comes first', () => {
  assert.equal(nearestNames('proc.nmae', NAMES)[0], 'proc.name');
  assert.deepEqual(nearestNames('fd.nam', NAMES).slice(0, 2), ['fd.name', 'fd.num']);
});

test('equally near names come in alphabetical order', () => {
  assert.deepEqual(nearestNames('proc.xname', NAMES), ['proc.aname', 'proc.name', 'proc.pname']);
});

test('what is further than a third of the name is not suggested', () => {
  assert.deepEqual(nearestNames('abcdxx', ['abcdef']), ['abcdef']);
  assert.deepEqual(nearestNames('abcxxx', ['abcdef']), []);
  // One edit is always near enough.
  assert.deepEqual(nearestNames('b', ['a']), ['a']);
});

test('case does not count', () => {
  assert.deepEqual(nearestNames('PROC.NAME', ['proc.name']), ['proc.name']);
  assert.deepEqual(nearestNames('o_rdonly', ['O_RDONLY']), ['O_RDONLY']);
});

test('no more than asked for', () => {
  assert.equal(nearestNames('aaaaaa', ['aaaaab', 'aaaaac', 'aaaaad', 'aaaaae']).length, 3);
  assert.equal(nearestNames('aaaaaa', ['aaaaab', 'aaaaac', 'aaaaad', 'aaaaae'], 1).length, 1);
});

test('a name of any length is answered', () => {
  assert.deepEqual(nearestNames('x'.repeat(1_000_000), NAMES), []);
  assert.deepEqual(nearestNames('', NAMES), []);
});
