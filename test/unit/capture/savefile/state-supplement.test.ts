import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BlockEncoder } from '../../../../server/capture/savefile/block-encoder.ts';
import { STATE_SUPPLEMENT } from '../../../../server/capture/savefile/block-types.ts';
import { readStateBlocks } from '../../../../server/capture/savefile/state-block.ts';
import { encodeSupplement } from '../../../../server/capture/savefile/state-supplement.ts';
import type { SupplementRow } from '../../../../server/event/snapshot.ts';
import { parseSupplement, supplementText } from '../../../../server/event/supplement-text.ts';
import { InitialState } from '../../../../server/parser/initial-state.ts';
import { applyChangedRows, changedRows } from '../../../../server/parser/state-supplement.ts';
import { FdInfo } from '../../../../server/state/fd-info.ts';
import { OsState } from '../../../../server/state/os-state.ts';
import { recordBytes } from '../../../helpers/scap-builder.ts';
import { CollectedState } from '../../../helpers/scap-contents.ts';
import { fdRow, threadRow } from '../../../helpers/scap-rows.ts';

class Rows extends CollectedState {
  readonly rows: SupplementRow[] = [];

  onSupplement(rows: readonly SupplementRow[]): void {
    this.rows.push(...rows);
  }
}

/** A block with any JSON as its rows. */
function blockOf(json: string, version = 1): Buffer {
  const to = new BlockEncoder(1024);
  to.begin(STATE_SUPPLEMENT);
  to.u16(version);
  to.u32(json.length);
  to.raw(json);
  to.end();
  return to.take();
}

function read(bytes: Buffer): SupplementRow[] {
  const sink = new Rows();
  readStateBlocks(bytes, sink);
  return sink.rows;
}

/** A state of one thread with one fd, and a supplement about it. */
function stateWith(bytes: Buffer): OsState {
  const state = new OsState();
  const sink = new InitialState(state);
  sink.onThread(threadRow({ tid: 100, pid: 100 }));
  sink.onFds(100, [fdRow({ fd: 3, name: '/etc/hosts' })]);
  readStateBlocks(bytes, sink);
  sink.finish();
  return state;
}

describe('state supplement', () => {
  it('comes back as it was written', () => {
    const rows: SupplementRow[] = [
      { kind: 'live' },
      {
        kind: 'thread',
        tid: 7,
        members: {
          comm: 'a\x00\xff"',
          cloneTsNs: 1n << 63n,
          args: ['x', ''],
          cgroups: [['cpu', '/']],
          uid: 4294967295,
        },
      },
      { kind: 'fd', tid: 7, fd: 3, members: { ino: 9007199254740993n, rawName: '../\xe9', dev: 5 } },
      { kind: 'fd-order', tid: 7, fds: [3, 1, 2], bucketCount: 29 },
      { kind: 'reaper', pid: 7, isReaper: true },
      { kind: 'dead', tid: 7 },
      { kind: 'enter', tid: 7, record: recordBytes('PPME_SYSCALL_EXECVE_19_E', ['/bin/x']) },
    ];
    const to = new BlockEncoder(64);
    encodeSupplement(to, rows);
    assert.deepEqual(read(to.take()), rows);
  });

  it('is split into blocks that readers with a limit take', () => {
    const rows: SupplementRow[] = Array.from({ length: 200 }, (_, tid) => ({
      kind: 'thread',
      tid,
      members: { cwd: 'x'.repeat(100_000) },
    }));
    const to = new BlockEncoder(64);
    encodeSupplement(to, rows);
    const bytes = to.take();
    assert.ok(bytes.readUInt32LE(4) < 5_000_000);
    assert.equal(read(bytes).length, 200);
  });

  it('leaves out rows and versions it does not know', () => {
    assert.deepEqual(read(blockOf('[["live"]]', 2)), []);
    assert.deepEqual(
      read(blockOf('[["pod", 1], [], 5, null, ["thread", "x", {}], ["enter", 1, "short"]]')),
      [],
    );
  });

  it('reports a block that is no JSON, with its place', () => {
    assert.throws(() => read(blockOf('[["live"')), /state supplement: rows that are no JSON.*at byte 8/);
    assert.throws(() => read(blockOf('{}')), /expected an array of rows/);
  });

  it('sets members of the rows it names', () => {
    const state = stateWith(
      blockOf(
        '[["thread",100,{"cloneTsNs":{"n":"5"},"reaperTid":9}],["fd",100,3,{"rawName":"hosts","flags":2}],["fd",100,9,{"type":20,"name":"m"}],["live"]]',
      ),
    );
    const thread = state.threads.find(100);
    assert.equal(thread?.cloneTsNs, 5n);
    assert.equal(thread.reaperTid, 9);
    const fd = thread.fds.find(3);
    assert.deepEqual([fd?.name, fd?.rawName, fd?.flags], ['/etc/hosts', 'hosts', 2]);
    assert.deepEqual([thread.fds.find(9)?.type, thread.fds.find(9)?.name], [20, 'm']);
    assert.equal(state.isLive, true);
  });

  it('does nothing with values of another kind, names that are no members, and rows that are not there', () => {
    const state = stateWith(
      blockOf(
        '[["thread",100,{"cloneTsNs":5,"comm":7,"uid":"x","args":[["a","b"]],"fds":1,"__proto__":{"n":"1"},"isInvalid":true,"touchedAt":3}],' +
          '["thread",5,{"comm":"y"}],["fd",5,3,{"name":"z"}],["fd-order",5,[1],7],["reaper",5,true],["dead",5]]',
      ),
    );
    const thread = state.threads.find(100);
    assert.equal(thread?.cloneTsNs, 0n);
    assert.equal(thread.comm, 'cat');
    assert.equal(typeof thread.uid, 'number');
    assert.equal(thread.isInvalid(), false);
    assert.equal(state.threads.size, 1);
  });

  it('a main thread that died before its process stays until the last thread goes', () => {
    const state = new OsState();
    const sink = new InitialState(state);
    sink.onThread(threadRow({ tid: 100, pid: 100 }));
    sink.onThread(threadRow({ tid: 101, pid: 100 }));
    readStateBlocks(blockOf('[["dead",100]]'), sink);
    sink.finish();
    assert.equal(state.threads.find(100)?.isDead, true);
    state.tree.remove(101);
    assert.equal(state.threads.size, 0);
  });

  it('threads that changed without an event come to be in another state what they are', () => {
    const state = stateWith(blockOf('[["fd",100,9,{"type":20,"name":"m"}]]'));
    const other = new OsState();
    const sink = new InitialState(other);
    sink.onThread(threadRow({ tid: 1, pid: 1 }));
    sink.finish();
    // A placeholder with an fd that is not there any more.
    const placeholder = other.threads.newThread(100, -1);
    placeholder.isPlaceholder = true;
    other.threads.set(placeholder);
    placeholder.fds.set(5, new FdInfo(1));
    applyChangedRows(
      other,
      parseSupplement(`[${Array.from(changedRows(state, [100, 7]), supplementText).join(',')}]`),
    );
    const [row, expected] = [other.threads.find(100), state.threads.find(100)];
    assert.ok(row !== undefined && expected !== undefined);
    assert.equal(row.isPlaceholder, false);
    assert.notEqual(row.threadGroup, undefined);
    assert.deepEqual([row.comm, row.pid, row.args], [expected.comm, expected.pid, expected.args]);
    assert.deepEqual(row.fds.walk(), expected.fds.walk());
    assert.equal(row.fds.find(9)?.name, 'm');
  });
});
