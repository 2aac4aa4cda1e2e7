import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { NEXT_END, NEXT_NEED_MORE } from '../../../../server/capture/capture-engine.ts';
import { NodriverEngine } from '../../../../server/capture/nodriver/nodriver-engine.ts';
import { EventRecord } from '../../../../server/event/event-record.ts';
import { InitialState } from '../../../../server/parser/initial-state.ts';
import { OsState } from '../../../../server/state/os-state.ts';
import { FakeNode } from '../../../helpers/fake-proc.ts';
import { TEST_LIMITS } from '../../../helpers/parser-harness.ts';

let node: FakeNode;

beforeEach(() => {
  node = new FakeNode();
});
afterEach(() => node.remove());

test('threads and fds that come, change and go are in the state after a refresh; rows nobody touched stay', async () => {
  node.addThread({ pid: 50 });
  node.addThread({ pid: 60, ptid: 50 });
  node.addThread({ pid: 70, ptid: 50 });
  node.addFd(60, 3, 'pipe:[5]', 'flags:\t0\n');
  const state = new OsState(TEST_LIMITS);
  const sink = new InitialState(state);
  const engine = new NodriverEngine({
    hostRoot: node.root,
    argsBytesMax: 4096,
    collectEnv: [],
    nodriverRefreshMs: 1,
  });
  await engine.open(sink);
  sink.finish();
  assert.equal(engine.next(new EventRecord()), NEXT_NEED_MORE);
  const untouched = state.threads.find(50);
  assert.deepEqual([...(untouched?.children ?? [])], [60, 70]);

  node.endProcess(70);
  node.addThread({ pid: 80, ptid: 60 });
  node.addFd(60, 4, 'anon_inode:[eventpoll]', 'flags:\t0\n');
  for (let i = 0; i < 40 && state.threads.find(80) === undefined; i++) await engine.fill();
  assert.equal(state.threads.find(70), undefined);
  assert.equal(state.threads.find(50), untouched);
  assert.deepEqual([...(untouched?.children ?? [])], [60]);
  assert.deepEqual([...(state.threads.find(60)?.children ?? [])], [80]);
  assert.deepEqual(
    [...(state.threads.find(60)?.fds.entries() ?? [])].map(([fd, row]) => [fd, row.type]),
    [
      [3, 7],
      [4, 12],
    ],
  );
  assert.equal(engine.status().snapshotThreads, 3);
  await engine.close();
  assert.equal(engine.next(new EventRecord()), NEXT_END);
});

test('a user added to the node is known after a refresh', async () => {
  node.write('etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
  const state = new OsState(TEST_LIMITS);
  const sink = new InitialState(state);
  const engine = new NodriverEngine({
    hostRoot: node.root,
    argsBytesMax: 4096,
    collectEnv: [],
    nodriverRefreshMs: 1,
  });
  await engine.open(sink);
  sink.finish();
  assert.equal(state.findUser('', 0)?.name, 'root');
  node.write('etc/passwd', 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n');
  for (let i = 0; i < 40 && state.findUser('', 1000) === undefined; i++) await engine.fill();
  assert.equal(state.findUser('', 1000)?.name, 'ada');
  await engine.close();
});
