import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reconciler } from '../../../../server/capture/snapshot/reconciler.ts';
import { buildEvent, type ParamValue } from '../../../helpers/event-builder.ts';

const START = 1_700_000_000_000_000_000n;
const MS = 1_000_000n;
const NS_PER_MS = 1e6;

/** Times are milliseconds after capture started. */
class Setup {
  readonly gone: number[] = [];
  readonly dead = new Set<number>();
  readonly reconciler: Reconciler;
  nowMs = 0;

  constructor() {
    this.reconciler = new Reconciler({
      hostRoot: '',
      clock: { bootEpochNs: 0n, nowNs: () => START + BigInt(this.nowMs) * MS },
      onGone: (tids) => this.gone.push(...tids),
      isAlive: (tid) => !this.dead.has(tid),
    });
  }

  thread(
    tid: number,
    options: {
      readonly pid?: number;
      readonly start?: number;
      readonly read?: number;
      readonly fds?: number;
    },
  ): this {
    const { pid = tid, start = -100_000, read = 100 } = options;
    const fds = options.fds ?? read;
    this.reconciler.onThreadRead(
      tid,
      pid,
      Number(START) + start * NS_PER_MS,
      Number(START) + read * NS_PER_MS,
    );
    if (pid === tid) this.reconciler.onFdsRead(tid, Number(START) + fds * NS_PER_MS);
    return this;
  }

  complete(listed = 300, ended = 400): this {
    this.reconciler.onComplete(Number(START) + listed * NS_PER_MS, Number(START) + ended * NS_PER_MS);
    this.nowMs = ended;
    return this;
  }

  skips(code: string, tid: number, atMs: number, params: Readonly<Record<string, ParamValue>> = {}): boolean {
    return this.reconciler.shouldSkip(buildEvent(code, params, { tid, ts: START + BigInt(atMs) * MS }));
  }
}

const CHDIR = 'PPME_SYSCALL_CHDIR_X';
const CLOSE = 'PPME_SYSCALL_CLOSE_X';
const CLONE = 'PPME_SYSCALL_CLONE_20_X';
const EXEC = 'PPME_SYSCALL_EXECVE_19_X';
const EXIT = 'PPME_PROCEXIT_1_E';

test('what a thread did before its row was read is contained, what it did after is not', () => {
  const setup = new Setup().thread(10, { read: 100 }).complete();
  assert.equal(setup.skips(CHDIR, 10, 50), true);
  assert.equal(setup.skips(CHDIR, 10, 101), false);
  assert.deepEqual(setup.reconciler.counters, { skipped: 1, gone: 0 });
});

test('events about fds go by the time the fds of the process were read', () => {
  const setup = new Setup().thread(10, { read: 100, fds: 200 }).thread(11, { pid: 10, read: 100 }).complete();
  assert.equal(setup.skips(CLOSE, 10, 150), true);
  assert.equal(setup.skips(CLOSE, 11, 150), true);
  assert.equal(setup.skips(CHDIR, 11, 150), false);
  assert.equal(setup.skips(CLOSE, 11, 210), false);
});

test('a thread with fds of its own goes by those', () => {
  const setup = new Setup().thread(10, { read: 100, fds: 200 }).thread(11, { pid: 10, read: 100 });
  setup.reconciler.onFdsRead(11, Number(START) + 250 * NS_PER_MS);
  setup.complete();
  assert.equal(setup.skips(CLOSE, 11, 240), true);
  assert.equal(setup.skips(CLOSE, 10, 240), false);
});

test('the clone of a child the snapshot holds is contained: from the caller, and from the child', () => {
  const setup = new Setup().thread(10, { read: 100 }).thread(20, { start: 150, read: 350 }).complete();
  assert.equal(setup.skips(CLONE, 10, 151, { res: 20 }), true);
  assert.equal(setup.skips(CLONE, 20, 152, { res: 0 }), true);
  // Made after the last listing began, read all the same.
  const late = new Setup().thread(10, { read: 100 }).thread(20, { start: 310, read: 350 }).complete();
  assert.equal(late.skips(CLONE, 10, 311, { res: 20 }), true);
  // The caller had to wait for its turn and returns after the snapshot was complete.
  assert.equal(late.skips(CLONE, 10, 900, { res: 20 }), true);
});

test('a child that came after the last listing is made by its clone', () => {
  const setup = new Setup().thread(10, { read: 100 }).complete();
  assert.equal(setup.skips(CLONE, 10, 310, { res: 20 }), false);
  assert.equal(setup.skips(CLONE, 20, 311, { res: 0 }), false);
});

test('a child that came and went before the last listing leaves nothing', () => {
  const setup = new Setup().thread(10, { read: 100 }).complete();
  assert.equal(setup.skips(CLONE, 10, 50, { res: 20 }), true);
  assert.equal(setup.skips(CLONE, 20, 51, { res: 0 }), true);
  assert.equal(setup.skips(EXEC, 20, 52, { res: 0 }), true);
  assert.equal(setup.skips(EXIT, 20, 60), true);
});

test('a failed clone is an event of its caller', () => {
  const setup = new Setup().thread(10, { read: 100 }).complete();
  assert.equal(setup.skips(CLONE, 10, 50, { res: -11 }), true);
  assert.equal(setup.skips(CLONE, 10, 150, { res: -11 }), false);
});

test('an exit always counts, also when it is older than the row: it was read as a zombie', () => {
  const setup = new Setup().thread(10, { read: 100 }).complete();
  assert.equal(setup.skips(EXIT, 10, 90), false);
});

test('the exit of an earlier thread with the tid does not end the one that lives', () => {
  const setup = new Setup().thread(10, { start: 80, read: 100 }).complete();
  assert.equal(setup.skips(EXIT, 10, 50), true);
  assert.equal(setup.skips(CLONE, 5, 81, { res: 10 }), true);
  assert.equal(setup.skips(EXIT, 10, 500), false);
});

test('after its exit a tid is free: a clone that gives it to another thread counts', () => {
  const setup = new Setup().thread(5, { read: 100 }).thread(10, { start: 80, read: 100 }).complete();
  assert.equal(setup.skips(EXIT, 10, 320), false);
  assert.equal(setup.skips(CLONE, 5, 330, { res: 10 }), false);
  assert.equal(setup.skips(CLONE, 10, 331, { res: 0 }), false);
});

test('a clone over an old row counts: the exit before it was lost', () => {
  const setup = new Setup().thread(5, { read: 100 }).thread(10, { start: -100_000, read: 100 }).complete();
  assert.equal(setup.skips(CLONE, 5, 330, { res: 10 }), false);
});

test('a program executed between the readings of row and fds counts, and what it did to its fds since', () => {
  const setup = new Setup().thread(10, { read: 100, fds: 200 }).complete();
  assert.equal(setup.skips(EXEC, 10, 50, { res: 0 }), true);
  assert.equal(setup.skips(CLOSE, 10, 140), true);
  assert.equal(setup.skips(EXEC, 10, 150, { res: 0 }), false);
  assert.equal(setup.skips(CLOSE, 10, 160), false);
});

test('events without a thread pass', () => {
  const setup = new Setup().complete();
  assert.equal(setup.skips('PPME_CONTAINER_JSON_2_E', -1, 10), false);
  assert.equal(setup.skips('PPME_USER_ADDED_E', -1, 10), false);
});

test('seconds after the snapshot it settles, having removed threads that ended unseen', () => {
  const setup = new Setup().thread(10, {}).thread(11, {}).thread(12, {}).complete();
  setup.dead.add(11).add(12);
  assert.equal(setup.skips(CHDIR, 10, 1000), false);
  assert.equal(setup.reconciler.isSettled, false);
  setup.nowMs = 2600;
  setup.skips(CHDIR, 10, 2500);
  assert.equal(setup.reconciler.isSettled, false);
  // Its exit was only late.
  assert.equal(setup.skips(EXIT, 12, 2550), false);
  setup.reconciler.advance(START + 2700n * MS);
  assert.equal(setup.reconciler.isSettled, true);
  assert.deepEqual(setup.gone, [11]);
  assert.equal(setup.reconciler.counters.gone, 1);
  assert.equal(setup.skips(CHDIR, 99, 1), false);
});

test('a tid that was found gone and given away meanwhile is not removed', () => {
  const setup = new Setup().thread(10, {}).thread(11, {}).complete();
  setup.dead.add(11);
  setup.nowMs = 2600;
  setup.skips(CHDIR, 10, 2500);
  assert.equal(setup.skips(CLONE, 10, 2590, { res: 11 }), false);
  setup.reconciler.advance(START + 2700n * MS);
  assert.deepEqual(setup.gone, []);
});

test('a quiet node settles by the clock alone, however many threads there are', () => {
  const setup = new Setup();
  for (let tid = 1; tid <= 1000; tid++) setup.thread(tid, {});
  setup.complete();
  setup.dead.add(7);
  for (let atMs = 2500; !setup.reconciler.isSettled; atMs += 50) {
    setup.nowMs = atMs;
    setup.reconciler.advance(START + BigInt(atMs) * MS);
    assert.ok(atMs < 10_000);
  }
  assert.deepEqual(setup.gone, [7]);
});
