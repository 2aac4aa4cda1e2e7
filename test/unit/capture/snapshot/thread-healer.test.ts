import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ThreadHealer } from '../../../../server/capture/snapshot/thread-healer.ts';
import { FakeNode } from '../../../helpers/fake-proc.ts';

let node: FakeNode;

beforeEach(() => {
  node = new FakeNode();
});
afterEach(() => node.remove());

const healerOf = (perSecondMax: number) =>
  new ThreadHealer({ hostRoot: node.root, perSecondMax, timerMs: () => 0 });

test('a thread of an unknown process comes after its main thread, with the fds on that', () => {
  node.addThread({ pid: 50 });
  node.addThread({ pid: 50, tid: 51 });
  node.addFd(50, 3, 'pipe:[9]');
  const healer = healerOf(10);
  healer.request(51);
  const changes = healer.heal(0, () => false);
  assert.deepEqual(
    changes.map(({ thread, fds }) => [thread.tid, fds?.length]),
    [
      [50, 1],
      [51, undefined],
    ],
  );
  assert.deepEqual(healer.counters, { tried: 2, healed: 2, failed: 0, dropped: 0 });
});

test('a known main thread is not read again', () => {
  node.addThread({ pid: 50 });
  node.addThread({ pid: 50, tid: 51 });
  const healer = healerOf(10);
  healer.request(51);
  assert.deepEqual(
    healer.heal(0, (tid) => tid === 50).map(({ thread }) => thread.tid),
    [51],
  );
});

test('threads that are gone, and kernel threads, are counted as failed', () => {
  node.addThread({ pid: 2, flags: 0x200040 });
  const healer = healerOf(10);
  healer.request(2);
  healer.request(77);
  assert.deepEqual(
    healer.heal(0, () => false),
    [],
  );
  assert.deepEqual(healer.counters, { tried: 2, healed: 0, failed: 2, dropped: 0 });
});

test('the budget is per second, what is over it waits', () => {
  for (let pid = 50; pid < 60; pid++) node.addThread({ pid });
  const healer = healerOf(4);
  for (let pid = 50; pid < 60; pid++) healer.request(pid);
  healer.request(50);
  assert.equal(healer.heal(0, () => false).length, 4);
  assert.equal(healer.pending, 6);
  assert.equal(healer.heal(100, () => false).length, 0);
  assert.equal(healer.heal(500, () => false).length, 2);
  assert.equal(healer.heal(10_000, () => false).length, 4);
  assert.equal(healer.pending, 0);
});

test('a turn ends after a few milliseconds, the rest waits for the next', () => {
  for (let pid = 50; pid < 60; pid++) node.addThread({ pid });
  let timeMs = 0;
  const healer = new ThreadHealer({ hostRoot: node.root, perSecondMax: 100, timerMs: () => timeMs++ });
  for (let pid = 50; pid < 60; pid++) healer.request(pid);
  assert.equal(healer.heal(0, () => false).length, 3);
  assert.equal(healer.pending, 7);
});

test('a known thread was asked for because of its fds: they are looked up', () => {
  node.addThread({ pid: 50 });
  node.addThread({ pid: 50, tid: 51 });
  node.addFd(50, 3, 'pipe:[9]');
  const healer = healerOf(10);
  healer.request(51);
  const changes = healer.heal(0, () => true);
  assert.deepEqual(
    changes[0]?.fds?.map(({ fd }) => fd),
    [3],
  );
});

test('without a budget every request is dropped and counted', () => {
  const healer = healerOf(0);
  healer.request(50);
  assert.deepEqual([healer.pending, healer.counters.dropped], [0, 1]);
});
