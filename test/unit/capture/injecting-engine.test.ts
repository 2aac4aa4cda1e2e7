import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEXT_EVENT, NEXT_NEED_MORE } from '../../../server/capture/capture-engine.ts';
import { InjectingEngine } from '../../../server/capture/injecting-engine.ts';
import { EventRecord } from '../../../server/event/event-record.ts';
import type { SnapshotSink } from '../../../server/event/snapshot.ts';
import { containerRecord } from '../../../server/inspector/container-records.ts';
import { LiveScriptEngine } from '../../helpers/live-script-engine.ts';

const NO_SINK = {} as SnapshotSink;

/** Close events at these times. */
function closes(...times: readonly bigint[]) {
  return times.map((ts) => ({ code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 3 }, ts, num: 900 }));
}

class TimedEngine extends LiveScriptEngine {
  horizon = 0n;
  horizonNs(): bigint {
    return this.horizon;
  }
}

interface Bench {
  readonly inner: TimedEngine;
  readonly engine: InjectingEngine;
  /** `num time name` of the next event, or undefined when there is none. */
  next(): string | undefined;
}

async function bench(limits?: { waitingMax: number; bytesMax: number }): Promise<Bench> {
  const inner = new TimedEngine();
  const engine = new InjectingEngine(inner, limits);
  await engine.open(NO_SINK);
  const record = new EventRecord();
  return {
    inner,
    engine,
    next: () => {
      const result = engine.next(record);
      if (result === NEXT_NEED_MORE) return undefined;
      assert.equal(result, NEXT_EVENT);
      const text = record.info.name === 'asyncevent' ? record.text(2) : record.info.name;
      return `${record.num} ${record.timestampNs()} ${text}`;
    },
  };
}

test('injected records stand before the next event, numbered in one sequence, at the time of the event before them', async () => {
  const { inner, engine, next } = await bench();
  inner.push(...closes(100n, 200n, 300n));
  assert.equal(next(), '1 100 close');
  engine.inject(() => [containerRecord('a'), containerRecord('b')], 2);
  engine.inject(() => [], 0);
  engine.inject(() => [containerRecord('c')], 1);
  assert.deepEqual(
    [next(), next(), next(), next(), next(), next()],
    ['2 100 a', '3 100 b', '4 100 c', '5 200 close', '6 300 close', undefined],
  );
  assert.deepEqual(engine.injection, { injected: 3, refused: 0 });
});

test('on a quiet source the time is the one that all later events are younger than, and never goes back', async () => {
  const { inner, engine, next } = await bench();
  inner.horizon = 50n;
  engine.inject(() => [containerRecord('first')], 1);
  assert.equal(next(), '1 50 first');
  inner.push(...closes(100n));
  inner.horizon = 80n;
  assert.deepEqual([next(), next()], ['2 100 close', undefined]);
  engine.inject(() => [containerRecord('a')], 1);
  assert.equal(next(), '3 100 a');
  inner.horizon = 150n;
  assert.equal(next(), undefined);
  // Later than the last look into the source: an event of that time may be waiting there.
  inner.horizon = 170n;
  inner.push(...closes(160n));
  engine.inject(() => [containerRecord('b')], 1);
  assert.deepEqual([next(), next()], ['4 150 b', '5 160 close']);
});

test('an injection ends the wait at once, and the wait for the source goes on', async () => {
  const { inner, engine, next } = await bench();
  let fills = 0;
  const fill = inner.fill.bind(inner);
  inner.fill = () => {
    fills++;
    return fill();
  };
  assert.equal(next(), undefined);
  const woken = engine.fill();
  engine.inject(() => [containerRecord('x')], 1);
  await woken;
  assert.match(next() ?? '', /^1 .* x$/);
  assert.equal(next(), undefined);
  const again = engine.fill();
  inner.push(...closes(10n));
  await again;
  assert.equal(fills, 1);
  assert.equal(next(), '2 10 close');
  engine.inject(() => [containerRecord('y')], 1);
  await engine.fill();
  assert.equal(fills, 1, 'nothing is waited for while records wait');
});

test('records are made when their turn has come', async () => {
  const { engine, next } = await bench();
  const made: string[] = [];
  const make = (name: string) => () => {
    made.push(name);
    return [containerRecord(name)];
  };
  engine.inject(make('a'), 1);
  engine.inject(make('b'), 1);
  assert.deepEqual(made, []);
  next();
  assert.deepEqual(made, ['a']);
  next();
  assert.deepEqual(made, ['a', 'b']);
});

test('what finds no room is refused and counted, by number and by bytes; later there is room again', async () => {
  const { engine, next } = await bench({ waitingMax: 2, bytesMax: 100 });
  const inject = (bytes: number) => engine.inject(() => [containerRecord('x')], bytes);
  assert.deepEqual([inject(60), inject(60), inject(10), inject(10)], [true, false, true, false]);
  assert.equal(engine.injection.refused, 2);
  next();
  assert.equal(inject(90), true);
  assert.equal(next() !== undefined && next() !== undefined, true);
  assert.equal(next(), undefined);
});

test('a wait that is still pending at the end does no harm', async () => {
  const { inner, engine } = await bench();
  inner.fill = () => new Promise((_, reject) => setTimeout(() => reject(new Error('closed')), 1));
  const wait = engine.fill();
  engine.inject(() => [], 0);
  await wait;
  await engine.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
});
