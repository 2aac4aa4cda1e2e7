import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ring } from '../../../../server/capture/ebpf/ring.ts';
import { RingMerge } from '../../../../server/capture/ebpf/ring-merge.ts';
import { EventRecord } from '../../../../server/event/event-record.ts';
import { PPM_EVENT_MAX } from '../../../../server/event/event-types.ts';
import { FakeRing } from '../../../helpers/fake-ring.ts';

const BASE_HI = 417_000_000;
const BASE = BigInt(BASE_HI) << 32n;
const ALL = Number.MAX_SAFE_INTEGER;

function mergeOf(...rings: readonly FakeRing[]): RingMerge {
  return new RingMerge(
    rings.map((ring) => new Ring(ring.memory)),
    BASE_HI,
  );
}

/** Times after the base of all records that a round up to `limit` hands out. */
function round(merge: RingMerge, limit: number): number[] {
  const record = new EventRecord();
  const times: number[] = [];
  merge.beginRound(limit);
  while (merge.next(record)) times.push(Number(record.timestampNs() - BASE));
  return times;
}

function at(ns: number): bigint {
  return BASE + BigInt(ns);
}

test('records of several rings come in order of time', () => {
  const [a, b, c] = [new FakeRing(), new FakeRing(), new FakeRing()];
  for (const ns of [10, 20, 50]) a.write(at(ns));
  for (const ns of [5, 30, 31]) b.write(at(ns));
  for (const ns of [40]) c.write(at(ns));
  const merge = mergeOf(a, b, c);
  assert.deepEqual(round(merge, ALL), [5, 10, 20, 30, 31, 40, 50]);
  assert.equal(merge.late, 0);
});

test('a round hands out nothing newer than its limit', () => {
  const [a, b] = [new FakeRing(), new FakeRing()];
  a.write(at(10));
  a.write(at(100));
  b.write(at(20));
  const merge = mergeOf(a, b);
  assert.deepEqual(round(merge, 50), [10, 20]);
  assert.equal(merge.hasMore, true);
  // Older than what waits, and visible only now.
  b.write(at(60));
  assert.deepEqual(round(merge, 200), [60, 100]);
  assert.equal(merge.hasMore, false);
});

test('what comes after a newer record was handed out is counted as late', () => {
  const [a, b] = [new FakeRing(), new FakeRing()];
  a.write(at(100));
  const merge = mergeOf(a, b);
  assert.deepEqual(round(merge, ALL), [100]);
  b.write(at(70));
  assert.deepEqual(round(merge, ALL), [70]);
  assert.equal(merge.late, 1);
  assert.equal(merge.lateNsMax, 30);
});

test('records that come while a round runs wait for the next', () => {
  const ring = new FakeRing();
  ring.write(at(1));
  const merge = mergeOf(ring);
  const record = new EventRecord();
  merge.beginRound(ALL);
  assert.equal(merge.next(record), true);
  ring.write(at(2));
  assert.equal(merge.next(record), false);
  assert.deepEqual(round(merge, ALL), [2]);
});

test('a record that is still being written holds up those behind it', () => {
  const ring = new FakeRing();
  const first = ring.write(at(1), { isBusy: true });
  ring.write(at(2));
  const merge = mergeOf(ring);
  assert.deepEqual(round(merge, ALL), []);
  assert.equal(merge.hasMore, true);
  ring.commit(first);
  assert.deepEqual(round(merge, ALL), [1, 2]);
});

test('discarded entries and entries that are no records are skipped, the latter counted', () => {
  const ring = new FakeRing();
  ring.discard(50);
  ring.write(at(1), { type: PPM_EVENT_MAX });
  ring.write(at(2));
  const merge = mergeOf(ring);
  assert.deepEqual(round(merge, ALL), [2]);
  assert.equal(merge.rings[0]?.malformed, 1);
});

test('room is given back when the round is over', () => {
  const ring = new FakeRing();
  ring.write(at(1));
  const merge = mergeOf(ring);
  round(merge, ALL);
  assert.equal(ring.consumed, 0n);
  merge.beginRound(ALL);
  assert.equal(ring.consumed, ring.produced);
});

test('a long round gives room back before its end, but never of the record in use', () => {
  const ring = new FakeRing(4096);
  for (let i = 0; i < 60; i++) ring.write(at(i));
  const merge = mergeOf(ring);
  const record = new EventRecord();
  merge.beginRound(ALL);
  for (let i = 0; i < 60; i++) {
    assert.equal(merge.next(record), true);
    assert.ok(ring.consumed <= BigInt(record.offset), `record ${i}`);
  }
  assert.ok(ring.consumed > 0n);
});

test('records that wrap around the end, and positions beyond 32 bits, read like all others', () => {
  const size = 4096;
  const ring = new FakeRing(size, (1n << 32n) - 100n * 8n);
  const merge = mergeOf(ring);
  const record = new EventRecord();
  let next = 0;
  for (let i = 0; i < 1000; i++) {
    const n = 1 + (i % 40);
    for (let j = 0; j < n; j++) ring.write(at(next + j), { tid: 7, cpu: 3 });
    merge.beginRound(ALL);
    for (let j = 0; j < n; j++) {
      assert.equal(merge.next(record), true);
      assert.equal(record.timestampNs(), at(next + j));
      assert.equal(record.tid, 7);
      assert.equal(record.cpu, 3);
    }
    next += n;
  }
  merge.beginRound(ALL);
  assert.equal(ring.consumed, ring.produced);
});

test('no view is made per event', () => {
  const ring = new FakeRing();
  ring.write(at(1));
  ring.write(at(2));
  const merge = mergeOf(ring);
  const record = new EventRecord();
  merge.beginRound(ALL);
  merge.next(record);
  const { bytes, view } = record;
  merge.next(record);
  assert.equal(record.bytes, bytes);
  assert.equal(record.view, view);
});
