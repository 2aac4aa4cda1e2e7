import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suppressRunning } from '../../../../server/capture/ebpf/suppressed-processes.ts';
import { FakeNode } from '../../../helpers/fake-proc.ts';

function suppressed(node: FakeNode, pids: readonly number[], comms: readonly string[]): number[] {
  const seen: number[] = [];
  suppressRunning(node.root, pids, comms, (pid) => seen.push(pid));
  return seen.sort((a, b) => a - b);
}

function family(): FakeNode {
  const node = new FakeNode();
  for (const [pid, parent, comm] of [
    [1, 0, 'init'],
    [10, 1, 'backup (nightly)'],
    [11, 10, 'tar'],
    [12, 11, 'gzip'],
    [20, 1, 'sh'],
    [21, 20, 'backup (nightly'],
    [30, 1, 'a-name-of-15-by'],
  ] as const) {
    node.addThread({ pid, ptid: parent, comm });
  }
  return node;
}

test('processes that run already are found by pid and by name, with all they have started', () => {
  const node = family();
  try {
    assert.deepEqual(suppressed(node, [], []), []);
    assert.deepEqual(suppressed(node, [10], []), [10, 11, 12]);
    assert.deepEqual(suppressed(node, [], ['tar']), [11, 12]);
    assert.deepEqual(suppressed(node, [20], ['gzip']), [12, 20, 21]);
    assert.deepEqual(suppressed(node, [], ['a-name-of-15-bytes-and-more']), [30]);
  } finally {
    node.remove();
  }
});

test('a pid that does not run is suppressed all the same, and a node without /proc is no error', () => {
  const node = new FakeNode();
  try {
    assert.deepEqual(suppressed(node, [4711], ['sh']), [4711]);
  } finally {
    node.remove();
  }
});
