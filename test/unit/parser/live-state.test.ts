import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FdEntry } from '../../../server/event/snapshot.ts';
import { applyChanged, applyHealed, removeGone } from '../../../server/parser/live-state.ts';
import { BOOT_TS, ParserHarness, threadEntry } from '../../helpers/parser-harness.ts';

const PIPE: FdEntry = {
  fd: 3,
  ino: 9,
  type: 7,
  name: 'pipe:[9]',
  openFlags: 0,
  mountId: 0,
  dev: 0,
  sip: '',
  dip: '',
  sport: 0,
  dport: 0,
  l4proto: 0,
  unixSource: 0,
  unixPeer: 0,
};

test('a placeholder is told of, and becomes a row of its process under its parent', () => {
  const asked: number[] = [];
  const harness = new ParserHarness({}, { onPlaceholder: (tid) => asked.push(tid) });
  harness.load({ tid: 1 });
  harness.send('PPME_SYSCALL_CHDIR_X', { res: 0, path: '/x' }, { tid: 51 });
  assert.deepEqual(asked, [51]);
  assert.equal(harness.thread(51).isPlaceholder, true);
  applyHealed(harness.state, [
    { thread: threadEntry({ tid: 50, ptid: 1, cwd: '/srv' }), fds: [PIPE] },
    { thread: threadEntry({ tid: 51, pid: 50, ptid: 1 }), fds: undefined },
  ]);
  const healed = harness.thread(51);
  assert.equal(healed.isPlaceholder, false);
  assert.equal(harness.state.tree.cwd(healed), '/srv/');
  assert.equal(healed.fds.find(3)?.name, 'pipe:[9]');
  assert.deepEqual([...harness.thread(1).children], [50, 51]);
  assert.equal(harness.thread(50).threadCount, 1);
});

test('what was seen of a known thread stays; its fds are those found', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 50, startTsNs: BOOT_TS }, { tid: 60, ptid: 50 }, { tid: 52, pid: 50 });
  harness.send('PPME_SYSCALL_PIPE_X', { res: 0, fd1: 4, fd2: 5, ino: 8 }, { tid: 50 });
  applyChanged(harness.state, [
    { thread: threadEntry({ tid: 50, comm: 'new', startTsNs: BOOT_TS }), fds: [PIPE] },
  ]);
  const row = harness.thread(50);
  assert.equal(row.comm, 'new');
  assert.deepEqual(
    [...row.fds.entries()].map(([fd]) => fd),
    [3],
  );
  assert.deepEqual([...row.children], [60]);
  assert.equal(harness.thread(52).fds, row.fds);
  assert.equal(harness.state.tree.findMain(harness.thread(52)), row);
  assert.equal(row.threadCount, 1);
});

test('healing a known thread adds the fds it lacks, and nothing else', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 50, startTsNs: BOOT_TS });
  harness.send('PPME_SYSCALL_PIPE_X', { res: 0, fd1: 4, fd2: 5, ino: 8 }, { tid: 50 });
  const row = harness.thread(50);
  const known = row.fds.find(4);
  applyHealed(harness.state, [
    {
      thread: threadEntry({ tid: 50, comm: 'new', startTsNs: BOOT_TS }),
      fds: [PIPE, { ...PIPE, fd: 4, name: 'pipe:[10]', ino: 10 }],
    },
  ]);
  assert.equal(harness.thread(50), row);
  assert.equal(row.comm, 'test');
  assert.equal(row.fds.find(4), known);
  assert.deepEqual(
    [...row.fds.entries()].map(([fd]) => fd),
    [4, 5, 3],
  );
});

test('a tid that has passed to another process starts anew', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 50, startTsNs: BOOT_TS }, { tid: 60, ptid: 50 });
  applyHealed(harness.state, [
    { thread: threadEntry({ tid: 50, startTsNs: BOOT_TS + 10_000_000_000n }), fds: [] },
  ]);
  assert.equal(harness.thread(50).children.size, 0);
  assert.equal(harness.thread(60).ptid, 0);
});

test('threads found gone leave the table, and their parent', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1 }, { tid: 50, ptid: 1 }, { tid: 51, pid: 50, ptid: 1 });
  removeGone(harness.state, [51, 50, 99]);
  assert.equal(harness.state.threads.size, 1);
  assert.equal(harness.thread(1).children.size, 0);
});

test('a main thread that died before its threads goes with the last of them', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 50, isDead: true }, { tid: 51, pid: 50 });
  assert.equal(harness.thread(50).isDead, true);
  harness.send('PPME_PROCEXIT_1_E', {}, { tid: 51 });
  assert.equal(harness.state.threads.size, 0);
});
