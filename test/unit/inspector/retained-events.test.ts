import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventRecord } from '../../../server/event/event-record.ts';
import { PPM_EVENT_MAX } from '../../../server/event/event-types.ts';
import { RetainedEvents, type RetentionLimits } from '../../../server/inspector/retained-events.ts';
import { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { buildEventBytes, loadEvent } from '../../helpers/event-builder.ts';
import { QueryFixture, type Script } from '../../helpers/query-fixture.ts';

/** Bytes of a record with one byte of data; one with none has no parameters at all. */
const RECORD_BYTES_MIN = buildEventBytes('PPME_SYSCALL_READ_X', { data: 'x' }).length;

class Bench {
  readonly retained: RetainedEvents;
  readonly records = new Map<number, Buffer>();
  private readonly event: InspectedEvent;
  private readonly target: InspectedEvent;
  private readonly targetRecord = new EventRecord();

  constructor(limits: RetentionLimits) {
    const state = new OsState();
    this.retained = new RetainedEvents(state, limits);
    this.event = new InspectedEvent(new EventRecord(), state);
    this.target = new InspectedEvent(this.targetRecord, state);
  }

  /** Keeps an event whose record is as long and unlike any other. */
  keep(num: number, length: number): void {
    const data = Buffer.alloc(length - RECORD_BYTES_MIN + 1, num);
    const bytes = buildEventBytes('PPME_SYSCALL_READ_X', { data }, { tid: num, ts: BigInt(num) });
    this.records.set(num, bytes);
    loadEvent(this.event.record, bytes, { num, cpu: num % 4, flags: 0 });
    Object.assign(this.event, { fdNumber: num + 1, errorCode: num + 2, fdNameChanged: num % 2 === 0 });
    Object.assign(this.event, { firstTsHi: 1, firstTsLo: num, previousTsHi: 2, previousTsLo: num + 3 });
    this.retained.keep(this.event);
  }

  isRetained(num: number): boolean {
    const { target, targetRecord } = this;
    target.scratch.set('stale', 'x');
    if (!this.retained.restore(num, target, targetRecord)) return false;
    const { offset, length, bytes, cpu } = targetRecord;
    assert.ok(
      bytes.subarray(offset, offset + length).equals(this.records.get(num) as Buffer),
      `bytes of ${num}`,
    );
    assert.deepEqual([targetRecord.num, cpu, targetRecord.tid], [num, num % 4, num]);
    assert.deepEqual(
      [target.fdNumber, target.errorCode, target.fdNameChanged],
      [num + 1, num + 2, num % 2 === 0],
    );
    assert.deepEqual([target.firstTsHi, target.firstTsLo], [1, num]);
    assert.deepEqual([target.previousTsHi, target.previousTsLo], [2, num + 3]);
    assert.equal(target.scratch.size, 0);
    return true;
  }

  get retainedNums(): number[] {
    return [...this.records.keys()].filter((num) => this.isRetained(num));
  }
}

test('the oldest event is forgotten when there are as many as may be', () => {
  const bench = new Bench({ eventsMax: 3, bytesMax: 65_536 });
  assert.equal(bench.retained.oldestNumber, undefined);
  assert.equal(bench.retained.newestNumber, undefined);
  for (const num of [2, 3, 5, 8, 9]) bench.keep(num, 60);
  assert.deepEqual(bench.retainedNums, [5, 8, 9]);
  assert.equal(bench.retained.oldestNumber, 5);
  assert.equal(bench.retained.newestNumber, 9);
  assert.equal(bench.retained.count, 3);
});

test('the oldest events make room when the bytes are full, and the ring wraps', () => {
  const bench = new Bench({ eventsMax: 100, bytesMax: 300 });
  for (const num of [1, 2, 3]) bench.keep(num, 100);
  assert.deepEqual(bench.retainedNums, [1, 2, 3]);
  bench.keep(4, 60);
  assert.deepEqual(bench.retainedNums, [2, 3, 4]);
  bench.keep(5, 41);
  assert.deepEqual(bench.retainedNums, [3, 4, 5]);
  bench.keep(6, 300);
  assert.deepEqual(bench.retainedNums, [6]);
});

test('what is left at the end of the ring is skipped, and the events there are forgotten in order', () => {
  const bench = new Bench({ eventsMax: 100, bytesMax: 300 });
  for (const num of [1, 2, 3]) bench.keep(num, 90);
  // 30 bytes are left: too few.
  bench.keep(4, 50);
  assert.deepEqual(bench.retainedNums, [2, 3, 4]);
  bench.keep(5, 200);
  assert.deepEqual(bench.retainedNums, [4, 5]);
});

test('an event larger than the ring is counted and pushes nothing out', () => {
  const bench = new Bench({ eventsMax: 100, bytesMax: 300 });
  bench.keep(1, 100);
  bench.keep(2, 301);
  bench.keep(3, 100);
  assert.deepEqual(bench.retainedNums, [1, 3]);
  assert.equal(bench.retained.tooLargeCount, 1);
});

test('events that never were are not found', () => {
  const bench = new Bench({ eventsMax: 10, bytesMax: 65_536 });
  for (const num of [10, 20]) bench.keep(num, 60);
  for (const num of [0, 9, 11, 15, 21, 1.5]) assert.equal(bench.isRetained(num), false, `event ${num}`);
});

test('no retention costs no memory and remembers no changes', () => {
  const state = new OsState();
  const retained = new RetainedEvents(state, { eventsMax: 0, bytesMax: 65_536 });
  assert.equal(retained.count, 0);
  assert.equal(state.undo.enabled, false);
});

test('of records of any size the newest are retained, whole, and none is forgotten without need', () => {
  const limits = fc.record({
    eventsMax: fc.integer({ min: 1, max: 12 }),
    bytesMax: fc.integer({ min: 100, max: 1000 }),
  });
  const size = fc.integer({ min: RECORD_BYTES_MIN, max: 400 });
  fc.assert(
    fc.property(limits, fc.array(size, { maxLength: 60 }), ({ eventsMax, bytesMax }, sizes) => {
      const bench = new Bench({ eventsMax, bytesMax });
      const kept: { readonly num: number; readonly length: number }[] = [];
      sizes.forEach((length, i) => {
        const num = 3 * i + 1;
        bench.keep(num, length);
        if (length <= bytesMax) kept.push({ num, length });
        const nums = bench.retainedNums;
        const expected = kept.slice(kept.length - nums.length);
        assert.deepEqual(
          nums,
          expected.map((event) => event.num),
        );
        assert.equal(bench.retained.count, nums.length);
        assert.equal(bench.retained.oldestNumber, nums[0]);
        assert.ok(nums.length <= eventsMax);
        assert.ok(sum(expected) <= bytesMax);
        // A wrap wastes less than one record.
        const oneMore = kept.slice(-nums.length - 1);
        const largest = Math.max(0, ...oneMore.map((event) => event.length));
        if (oneMore.length > nums.length && nums.length < eventsMax) {
          assert.ok(sum(oneMore) + largest > bytesMax, `event ${oneMore[0]?.num} was forgotten without need`);
        }
      });
      assert.equal(bench.retained.tooLargeCount, sizes.length - kept.length);
    }),
    { numRuns: 200 },
  );
});

function sum(events: readonly { readonly length: number }[]): number {
  return events.reduce((total, { length }) => total + length, 0);
}

const SCRIPT: Script = {
  threads: [
    { tid: 1, ptid: 0, comm: 'init' },
    { tid: 100, ptid: 1, comm: 'before' },
    { tid: 200, ptid: 100, comm: 'other' },
  ],
  fds: [[100, [{ fd: 3, name: '/etc/passwd' }]]],
  events: [
    { code: 'PPME_SYSCALL_READ_X', params: { res: 1, fd: 3, data: 'x', size: 1 }, tid: 100 },
    {
      code: 'PPME_SYSCALL_EXECVE_19_X',
      params: { res: 0, exe: 'after', tid: 100, pid: 100, ptid: 1, comm: 'after', fdlimit: 64 },
      tid: 100,
    },
    { code: 'PPME_SYSCALL_CHDIR_X', params: { res: 0, path: '/srv' }, tid: 100 },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 3 }, tid: 100 },
    { code: 'PPME_SYSCALL_READ_X', params: { res: -9, fd: 3 }, tid: 100 },
    { code: 'PPME_PROCEXIT_1_E', params: { status: 0 }, tid: 100 },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 9 }, tid: 200 },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 9 }, tid: -1 },
    { code: 'PPME_CONTAINER_JSON_2_E', params: { json: '{}' }, tid: 200 },
    { code: 'PPME_ITER_TASK_FILE_PIPE_E', params: { fd: 7 }, tid: (200n << 32n) | 200n },
  ],
};

function view(event: InspectedEvent) {
  const { record, thread, fd, fdNumber, errorCode } = event;
  return {
    num: record.num,
    tid: record.tid,
    comm: thread?.comm,
    cwd: thread?.cwd,
    fd: fd?.name,
    fdNumber,
    errorCode,
    reader: event.state.findThread(100)?.comm,
  };
}

test('a retained event is restored as it was shown, with the thread and fd it had then', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { inspector } = fixture;
  const shown: ReturnType<typeof view>[] = [];
  inspector.addReader({
    eventTypes: new Uint8Array(PPM_EVENT_MAX).fill(1),
    isHolding: false,
    onEvent: (event) => shown.push(view(event)),
  });
  fixture.run();
  assert.deepEqual(
    shown.map(({ comm, fd }) => [comm, fd]),
    [
      ['before', '/etc/passwd'],
      ['after', undefined],
      ['after', undefined],
      ['after', '/etc/passwd'],
      ['after', undefined],
      ['after', undefined],
      ['other', undefined],
      // Placeholder of a thread nobody introduced.
      ['<NA>', undefined],
      // Nobody's event, whatever its tid.
      [undefined, undefined],
      // Both ids are in the record's tid.
      ['other', ''],
    ],
  );
  const record = new EventRecord();
  const target = new InspectedEvent(record, inspector.state);
  for (const num of [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 5, 1, 8]) {
    assert.equal(inspector.retained.restore(num, target, record), true, `event ${num}`);
    assert.deepEqual(view(target), shown[num - 1]);
  }
});

test('an event whose state is no longer remembered is not restored', async () => {
  const fixture = await QueryFixture.open(SCRIPT, undefined, { limits: { undoEntriesMax: 2 } });
  const { inspector } = fixture;
  const record = new EventRecord();
  const target = new InspectedEvent(record, inspector.state);
  assert.equal(inspector.retained.restore(1, target, record), false);
  assert.equal(inspector.retained.restore(8, target, record), true);
});
