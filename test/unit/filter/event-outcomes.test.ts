import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EVENT_TABLE } from '../../../server/event/event-table.ts';
import {
  PPM_EVENT_MAX,
  PPME_ASYNCEVENT_E,
  PPME_GENERIC_X,
  PPME_SYSCALL_CLOSE_X,
  PPME_SYSCALL_OPEN_X,
} from '../../../server/event/event-types.ts';
import { compileFilter, eventTypesOf } from '../../../server/filter/filter.ts';
import { EventContext } from '../../helpers/event-context.ts';

/** Names of the event types a condition can match. */
function namesOf(condition: string): Set<string> {
  const bits = eventTypesOf(condition);
  return new Set(EVENT_TABLE.filter((info) => bits[info.id] === 1).map((info) => info.name));
}

function countOf(condition: string): number {
  return eventTypesOf(condition).reduce((sum, bit) => sum + bit, 0);
}

const GENERIC = EVENT_TABLE[PPME_GENERIC_X]?.name as string;
const ASYNC = EVENT_TABLE[PPME_ASYNCEVENT_E]?.name as string;

describe('eventTypesOf', () => {
  it('keeps every type for conditions that do not name one', () => {
    for (const condition of [
      'proc.name = x',
      'not proc.name = x',
      'proc.name = x or evt.type = open',
      'evt.num > 5',
    ]) {
      assert.equal(countOf(condition), PPM_EVENT_MAX, condition);
    }
  });

  it('keeps the types of the names asked for, and those whose name shows only in the event', () => {
    assert.deepEqual(namesOf('evt.type = open'), new Set(['open', GENERIC, ASYNC]));
    assert.deepEqual(namesOf('evt.type in (open, close)'), new Set(['open', 'close', GENERIC, ASYNC]));
    // No system call is called so: no generic event can be.
    assert.deepEqual(namesOf('evt.type = procexit'), new Set(['procexit', ASYNC]));
    assert.deepEqual(namesOf('evt.type startswith openat'), new Set(['openat', 'openat2', GENERIC, ASYNC]));
  });

  it('follows and, or and not', () => {
    assert.deepEqual(namesOf('evt.type = open and proc.name = x'), namesOf('evt.type = open'));
    assert.deepEqual(namesOf('evt.type = open or evt.type = close'), namesOf('evt.type in (open, close)'));
    assert.deepEqual(namesOf('evt.type = open and evt.type = close'), new Set([GENERIC, ASYNC]));
    assert.ok(!namesOf('not evt.type = open').has('open'));
    assert.ok(namesOf('not (evt.type = open and proc.name = x)').has('open'));
    assert.ok(!namesOf('not (evt.type = open or proc.name = x)').has('open'));
    assert.deepEqual(namesOf('not evt.type != open'), namesOf('evt.type = open'));
    assert.deepEqual(namesOf('evt.type != open'), namesOf('not evt.type = open'));
  });

  it('knows the types without a system call, a direction or a parameter', () => {
    assert.ok(!namesOf('syscall.type exists').has('procexit'));
    assert.ok(namesOf('not syscall.type exists').has('procexit'));
    assert.ok(!namesOf('not syscall.type exists').has('open'));
    assert.equal(eventTypesOf("evt.dir = '>'")[PPME_SYSCALL_OPEN_X], 0);
    assert.ok(namesOf('evt.arg.flags contains O_TRUNC').has('open'));
    assert.ok(!namesOf('evt.arg.flags contains O_TRUNC').has('close'));
    assert.ok(namesOf('not evt.arg.flags contains O_TRUNC').has('close'));
    assert.ok(!namesOf('evt.rawarg.flags > 5').has('close'));
    assert.equal(eventTypesOf('evt.arg[20] exists')[PPME_SYSCALL_CLOSE_X], 0);
  });

  it('knows that events count from 1', () => {
    assert.equal(countOf('evt.num = 0'), 0);
    assert.equal(countOf('evt.num in (0)'), 0);
    assert.equal(countOf('evt.num < 1'), 0);
    assert.equal(countOf('not evt.num >= 0'), 0);
    assert.equal(countOf('not evt.num != 0'), 0);
    assert.equal(countOf('evt.num <= 1'), PPM_EVENT_MAX);
    assert.equal(countOf('evt.num = 0 or evt.type = open'), countOf('evt.type = open'));
  });

  it('leaves the result of compilation as it is', () => {
    const condition = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(
          'evt.type = open',
          'evt.type in (close, read)',
          'evt.type != close',
          'syscall.type = open',
          'syscall.type exists',
          'evt.arg.fd exists',
          'evt.arg.flags = x',
          'evt.num > 3',
          'evt.num = 0',
          'evt.is_async = true',
          'proc.name = bash',
        ),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} and ${b})`),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} or ${b})`),
        tie('tree').map((a) => `not (${a})`),
      ),
    })).tree;
    const context = new EventContext();
    context.process(1000, 'bash');
    const event = fc.tuple(
      fc.constantFrom(
        'PPME_SYSCALL_OPEN_X',
        'PPME_SYSCALL_CLOSE_X',
        'PPME_SYSCALL_READ_X',
        'PPME_PROCEXIT_1_E',
        'PPME_GENERIC_X',
      ),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(condition, fc.array(event, { minLength: 1, maxLength: 5 }), (text, events) => {
        const filter = compileFilter(text);
        // The same, hidden from pruning by a part that depends on nothing known beforehand.
        const unpruned = compileFilter(
          `proc.name = nobody or (proc.name exists and (${text.replaceAll('evt.type', 'concat(evt.type, "")')}))`,
        );
        for (const [code, num] of events) {
          const shown = context.show(code, {}, { num });
          assert.equal(filter.matches(shown), unpruned.matches(shown), text);
          if (filter.matches(shown)) assert.equal(filter.eventTypes[shown.record.type], 1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
