import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SnapshotDifference } from '../../../../server/capture/nodriver/snapshot-difference.ts';
import { EMPTY_FD } from '../../../../server/capture/snapshot/fd-types.ts';
import { threadEntry } from '../../../helpers/parser-harness.ts';

const fd = (number: number, name: string) => ({ ...EMPTY_FD, fd: number, name });

test('only what differs is told, main threads first', () => {
  const difference = new SnapshotDifference();
  for (const tid of [1, 2, 3]) difference.add(threadEntry({ tid }));
  difference.addFds(1, [fd(0, 'a')]);
  assert.equal(difference.finish().changed.length, 3);

  difference.add(threadEntry({ tid: 4, pid: 1 }));
  difference.add(threadEntry({ tid: 1 }));
  difference.addFds(1, [fd(0, 'a')]);
  difference.add(threadEntry({ tid: 2, cwd: '/else' }));
  const { changed, gone } = difference.finish();
  assert.deepEqual(
    changed.map(({ thread }) => thread.tid),
    [2, 4],
  );
  assert.deepEqual(gone, [3]);

  difference.add(threadEntry({ tid: 1 }));
  difference.addFds(1, [fd(0, 'b')]);
  assert.deepEqual(
    difference.finish().changed.map(({ thread, fds }) => [thread.tid, fds?.[0]?.name]),
    [[1, 'b']],
  );
});
