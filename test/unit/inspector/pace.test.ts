import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldReader, PaceReader } from '../../../server/inspector/pace.ts';
import { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { buildEvent } from '../../helpers/event-builder.ts';

const START_NS = 1_700_000_000_000_000_000n;

/** An event recorded so many milliseconds after the first. */
function eventAt(ms: number): InspectedEvent {
  const ts = START_NS + BigInt(ms) * 1_000_000n;
  return new InspectedEvent(buildEvent('PPME_SYSCALL_CLOSE_X', {}, { ts }), new OsState());
}

class Bench {
  nowMs = 5000;
  readonly reader: PaceReader;

  constructor(speed: number) {
    this.reader = new PaceReader(speed, () => this.nowMs);
  }

  show(recordedMs: number): void {
    this.reader.onEvent(eventAt(recordedMs));
  }

  /** Milliseconds until the source goes on, found by moving the clock. */
  holdsForMs(): number {
    let waited = 0;
    while (this.reader.isHolding && waited < 100_000) {
      this.nowMs++;
      waited++;
    }
    return waited;
  }
}

test('the source is held until as many subscribers as wanted have joined', () => {
  const hold = new HoldReader(2);
  assert.equal(hold.isHolding, true);
  hold.onSubscriber();
  assert.equal(hold.isHolding, true);
  hold.onSubscriber();
  assert.equal(hold.isHolding, false);
  hold.onSubscriber();
  assert.equal(hold.isHolding, false);
});

test('nobody to wait for holds nothing, and no event type is asked for', () => {
  const hold = new HoldReader(0);
  assert.equal(hold.isHolding, false);
  assert.ok(hold.eventTypes.every((wanted) => wanted === 0));
});

test('the first event holds nothing', () => {
  const bench = new Bench(1);
  assert.equal(bench.reader.isHolding, false);
  bench.show(0);
  assert.equal(bench.reader.isHolding, false);
});

test('the source is held as long as the recording took, divided by the speed', () => {
  for (const [speed, expected] of [
    [1, 300],
    [2, 150],
    [0.5, 600],
  ] as const) {
    const bench = new Bench(speed);
    bench.show(0);
    bench.show(300);
    assert.equal(bench.holdsForMs(), expected, `speed ${speed}`);
  }
});

test('time lost in between is caught up: the pace is kept from the first event on', () => {
  const bench = new Bench(1);
  bench.show(0);
  bench.nowMs += 250;
  bench.show(300);
  assert.equal(bench.holdsForMs(), 50);
  bench.nowMs += 1000;
  bench.show(600);
  assert.equal(bench.reader.isHolding, false);
});

test('events a little out of order keep the pace', () => {
  const bench = new Bench(1);
  bench.show(0);
  bench.show(-1000);
  assert.equal(bench.reader.isHolding, false);
  bench.show(400);
  assert.equal(bench.holdsForMs(), 400);
});

test('time that goes back starts the pace anew', () => {
  const bench = new Bench(1);
  bench.show(0);
  bench.show(-60_000);
  assert.equal(bench.reader.isHolding, false);
  bench.show(-59_800);
  assert.equal(bench.holdsForMs(), 200);
});
