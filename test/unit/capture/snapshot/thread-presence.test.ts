import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LostExits, presenceOf } from '../../../../server/capture/snapshot/thread-presence.ts';
import { FakeNode } from '../../../helpers/fake-proc.ts';

const rowsOf = (tids: readonly number[]) => () =>
  tids.map((tid) => ({ tid, cloneTsNs: 1n }))[Symbol.iterator]();

test('a thread is given up when it has been away for ten seconds, and only then', () => {
  const dead = new Set([2]);
  const exits = new LostExits((tid) => !dead.has(tid));
  const rows = rowsOf([1, 2, 3]);
  assert.deepEqual(exits.sweep(0, rows), []);
  assert.deepEqual(exits.sweep(9_000, rows), []);
  assert.deepEqual(exits.sweep(10_000, rows), [2]);
  assert.deepEqual(exits.counters, { checked: 9, gone: 1 });
});

test('who comes back, or is another by now, starts anew', () => {
  const dead = new Set([2, 3]);
  const exits = new LostExits((tid) => !dead.has(tid));
  exits.sweep(0, rowsOf([2, 3]));
  dead.delete(2);
  exits.sweep(5000, rowsOf([2]));
  dead.add(2);
  const others = () =>
    [
      { tid: 2, cloneTsNs: 1n },
      { tid: 3, cloneTsNs: 7n },
    ][Symbol.iterator]();
  assert.deepEqual(exits.sweep(11_000, others), []);
  assert.deepEqual(exits.sweep(21_000, others), [2, 3]);
});

test('a large table is gone round a few rows at a time', () => {
  const seen: number[] = [];
  const exits = new LostExits((tid) => {
    seen.push(tid);
    return true;
  });
  const rows = rowsOf(Array.from({ length: 100 }, (_, i) => i));
  for (let i = 0; i < 8; i++) exits.sweep(i * 50, rows);
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test('where entries of /proc are hidden nobody is given up', () => {
  const node = new FakeNode();
  try {
    node.addThread({ pid: 50 });
    const isAlive = presenceOf(node.root);
    assert.equal(isAlive(51), true);
    node.addThread({ pid: 1 });
    assert.deepEqual([isAlive(50), isAlive(51)], [true, false]);
  } finally {
    node.remove();
  }
});
