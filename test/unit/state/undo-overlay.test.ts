import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UndoLog } from '../../../server/state/undo-log.ts';
import { UndoOverlay } from '../../../server/state/undo-overlay.ts';

const KEYS = 6;
const ENTRIES_MAX = 20;

/** A step of the model: an event that changes some keys, a look at a retained event, or the oldest one forgotten. */
type Step =
  | { readonly kind: 'event'; readonly keys: readonly number[] }
  | { readonly kind: 'look'; readonly back: number }
  | { readonly kind: 'trim' };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('event' as const),
    keys: fc.array(fc.nat(KEYS - 1), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('look' as const), back: fc.nat(30) }),
  fc.record({ kind: fc.constant('trim' as const) }),
);

class Model {
  readonly log = new UndoLog({ entriesMax: ENTRIES_MAX });
  readonly overlay = new UndoOverlay(this.log);
  readonly table = new Map<number, number>();
  /** The table as of every event: index i is event i. */
  readonly versions: ReadonlyMap<number, number>[] = [new Map()];
  oldest = 0;
  private values = 0;

  event(keys: readonly number[]): void {
    this.log.eventNumber = this.versions.length;
    for (const key of keys) {
      this.log.push(this.table, key, this.table.get(key));
      // Rows come, change and go.
      if (this.values++ % 3 === 2) this.table.delete(key);
      else this.table.set(key, this.values);
    }
    this.versions.push(new Map(this.table));
  }

  look(back: number): void {
    const number = Math.max(
      this.oldest,
      Math.ceil(this.log.oldestAnswerable),
      this.versions.length - 1 - back,
    );
    this.overlay.moveTo(number);
    const past = this.overlay.rowsOf(this.table);
    for (let key = 0; key < KEYS; key++) {
      const row = past?.has(key) ? past.get(key) : this.table.get(key);
      assert.equal(row, this.versions[number]?.get(key), `key ${key} as of event ${number}`);
    }
  }

  trim(): void {
    if (this.oldest < this.versions.length - 1) this.log.trim(this.oldest++);
  }
}

test('any moves between events show every key as it was, while changes come and old ones are forgotten', () => {
  fc.assert(
    fc.property(fc.array(stepArbitrary, { maxLength: 80 }), (steps) => {
      const model = new Model();
      for (const step of steps) {
        if (step.kind === 'event') model.event(step.keys);
        else if (step.kind === 'look') model.look(step.back);
        else model.trim();
      }
    }),
    { numRuns: 500 },
  );
});

test('a table that did not change since is not in the overlay', () => {
  const model = new Model();
  model.event([1]);
  model.overlay.moveTo(1);
  assert.equal(model.overlay.rowsOf(model.table), undefined);
  model.overlay.moveTo(0);
  assert.deepEqual([...(model.overlay.rowsOf(model.table) ?? [])], [[1, undefined]]);
});
