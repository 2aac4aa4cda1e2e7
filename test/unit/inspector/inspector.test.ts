import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptureError } from '../../../server/capture/capture-engine.ts';
import { EventRecord } from '../../../server/event/event-record.ts';
import { PPM_EVENT_MAX } from '../../../server/event/event-types.ts';
import { u64Big } from '../../../server/event/u64.ts';
import { type EventReader, Inspector } from '../../../server/inspector/inspector.ts';
import { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { eventInfo } from '../../helpers/scap-builder.ts';
import { closeEvents, ScriptEngine, type ScriptStep } from '../../helpers/script-engine.ts';

const TS = 1_700_000_000_000_000_000n;
const EXIT = { code: 'PPME_PROCEXIT_1_E', params: { status: 0 } };
const CHDIR = { code: 'PPME_SYSCALL_CHDIR_X', params: { res: 0, path: '/new' } };

interface Opened {
  readonly inspector: Inspector;
  readonly engine: ScriptEngine;
}

async function open(steps: readonly ScriptStep[]): Promise<Opened> {
  const engine = new ScriptEngine(steps, [{ tid: 1, ptid: 0 }, { tid: 100 }, { tid: 1000, comm: 'main' }]);
  const inspector = new Inspector(new OsState(), engine, { eventsMax: 64, bytesMax: 65_536 });
  await inspector.open();
  return { inspector, engine };
}

/** A reader of all types, or of those named, that calls back. */
function reader(onEvent: (event: InspectedEvent) => void, codes?: readonly string[]): EventReader {
  const eventTypes = new Uint8Array(PPM_EVENT_MAX).fill(codes === undefined ? 1 : 0);
  for (const code of codes ?? []) eventTypes[eventInfo(code).id] = 1;
  return { eventTypes, isHolding: false, onEvent };
}

/** Numbers of the events shown until the source ends. */
function shownNums(inspector: Inspector): number[] {
  const nums: number[] = [];
  inspector.addReader(reader((event) => nums.push(event.record.num)));
  assert.equal(inspector.run(1000), 'ended');
  return nums;
}

test('a reader is shown the events of the types it asks for, in order', async () => {
  const { inspector } = await open([...closeEvents(2), CHDIR, ...closeEvents(1)]);
  const nums: number[] = [];
  inspector.addReader(reader((event) => nums.push(event.record.num), ['PPME_SYSCALL_CLOSE_X']));
  inspector.run(1000);
  assert.deepEqual(nums, [1, 2, 4]);
});

test('a removed reader is shown nothing more', async () => {
  const { inspector } = await open(closeEvents(3));
  const nums: number[] = [];
  const once = reader((event) => {
    nums.push(event.record.num);
    inspector.removeReader(once);
  });
  inspector.addReader(once);
  inspector.run(1000);
  assert.deepEqual(nums, [1]);
});

test('events that carry state only change the state and are shown to nobody', async () => {
  const { inspector } = await open([...closeEvents(1), { ...CHDIR, flags: 1 }, ...closeEvents(1)]);
  assert.deepEqual(shownNums(inspector), [1, 3]);
  assert.equal(inspector.state.findThread(1000)?.cwd, '/new/');
  assert.deepEqual(inspector.counters, {
    eventsRead: 3,
    eventsHidden: 1,
    eventsShown: 2,
    containerEvents: 0,
    containerEventsComplete: 0,
  });
  assert.equal(inspector.retained.count, 2);
});

test('relative time starts with the first system call shown, not with what was there before', async () => {
  const { inspector } = await open([
    { code: 'PPME_PROCINFO_E', ts: TS },
    { code: 'PPME_USER_ADDED_E', params: { uid: 5 }, ts: TS + 1n },
    { code: 'PPME_CONTAINER_JSON_2_E', params: { json: '{}' }, ts: TS + 2n },
    { code: 'PPME_SYSCALL_CLOSE_X', ts: TS + 3n, flags: 1 },
    { code: 'PPME_SYSCALL_CLOSE_X', ts: TS + 4n },
    { code: 'PPME_SYSCALL_CLOSE_X', ts: TS + 9n },
  ]);
  const firsts: bigint[] = [];
  const previous: bigint[] = [];
  inspector.addReader(
    reader((event) => {
      firsts.push(u64Big(event.firstTsHi, event.firstTsLo));
      previous.push(u64Big(event.previousTsHi, event.previousTsLo) - TS);
    }),
  );
  inspector.run(1000);
  assert.deepEqual(firsts, [0n, 0n, 0n, TS + 4n, TS + 4n]);
  // The event before counts even when it is hidden; the first has none but itself.
  assert.deepEqual(previous, [0n, 0n, 1n, 3n, 4n]);
});

test('damage ends the source behind every event before it, and its place is kept', async () => {
  const { inspector } = await open([
    ...closeEvents(3),
    new CaptureError('torn block', 4711),
    ...closeEvents(2),
  ]);
  assert.deepEqual(shownNums(inspector), [1, 2, 3]);
  assert.equal(inspector.isEnded, true);
  assert.equal(inspector.error?.offset, 4711);
  assert.match(inspector.error.message, /torn block \(at byte 4711\)/);
  assert.equal(inspector.run(1000), 'ended');
});

test('damage found while waiting for input ends the source too', async () => {
  const { inspector } = await open([...closeEvents(1), { fillError: new CaptureError('cut off', 12) }]);
  assert.equal(inspector.run(1000), 'need-input');
  await inspector.fill();
  assert.equal(inspector.run(1000), 'ended');
  assert.equal(inspector.error?.offset, 12);
});

test('a defect is not taken for damage', async () => {
  const { inspector } = await open([new TypeError('defect')]);
  assert.throws(() => inspector.run(1000), TypeError);
  const filling = await open([{ fillError: new TypeError('defect') }]);
  await assert.rejects(filling.inspector.fill(), TypeError);
});

test('the loop stops at its budget, for input, and at the end', async () => {
  const { inspector } = await open([...closeEvents(2), 'need-more', ...closeEvents(1)]);
  assert.equal(inspector.run(1), 'budget');
  assert.equal(inspector.run(1), 'budget');
  assert.equal(inspector.run(1), 'need-input');
  await inspector.fill();
  assert.equal(inspector.run(5), 'ended');
  assert.equal(inspector.counters.eventsShown, 3);
});

test('a reader that holds stops the source before the next event, and lets it go on', async () => {
  const { inspector, engine } = await open(closeEvents(3));
  let isHolding = false;
  inspector.addReader({
    eventTypes: new Uint8Array(PPM_EVENT_MAX).fill(1),
    get isHolding() {
      return isHolding;
    },
    onEvent: ({ record }) => {
      isHolding = record.num === 2;
    },
  });
  assert.equal(inspector.run(1000), 'held');
  assert.equal(engine.eventCount, 2);
  assert.equal(inspector.run(1000), 'held');
  isHolding = false;
  assert.equal(inspector.run(1000), 'ended');
});

test('the exit of a process takes effect when all readers have read it', async () => {
  const { inspector } = await open([EXIT, ...closeEvents(1)]);
  const seen: (string | undefined)[] = [];
  for (const name of ['first', 'second']) {
    inspector.addReader(
      reader((event) => seen.push(`${name} ${event.record.num} ${event.thread?.comm ?? 'gone'}`)),
    );
  }
  assert.equal(inspector.run(1), 'budget');
  assert.deepEqual(seen, ['first 1 main', 'second 1 main']);
  assert.equal(inspector.state.findThread(1000), undefined);
  inspector.run(1);
  assert.notEqual(seen[2], 'first 2 main');
});

test('what an exit removes is still there for those who ask about the exit later', async () => {
  const { inspector } = await open([...closeEvents(1, { tid: 100 }), EXIT, ...closeEvents(2, { tid: 100 })]);
  inspector.run(1000);
  const record = new EventRecord();
  const target = new InspectedEvent(record, inspector.state);
  assert.equal(inspector.retained.restore(2, target, record), true);
  assert.equal(target.thread?.comm, 'main');
  assert.equal(target.state.findThread(1000)?.comm, 'main');
  inspector.retained.restore(3, target, record);
  assert.equal(target.state.findThread(1000), undefined);
});

test('the initial state is not remembered as a change', async () => {
  const { inspector } = await open([]);
  assert.equal(inspector.state.threads.find(100)?.tid, 100);
  assert.equal(inspector.state.undo.entryCount, 0);
  assert.equal(inspector.state.undo.enabled, true);
});
