import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BUNDLED_CAPTURE } from '../../../server/app.ts';
import { EVENT_TABLE } from '../../../server/event/event-table.ts';
import {
  PPM_EVENT_MAX,
  PPME_ASYNCEVENT_E,
  PPME_GENERIC_X,
  PPME_SYSCALL_CLOSE_X,
  PPME_SYSCALL_OPEN_X,
} from '../../../server/event/event-types.ts';
import type { Scalar } from '../../../server/fields/field.ts';
import { parseFieldReference } from '../../../server/fields/field-reference.ts';
import { compileFilter } from '../../../server/filter/filter.ts';
import { knowledgeOf } from '../../../server/filter/type-knowledge.ts';
import { EventContext } from '../../helpers/event-context.ts';
import { capturePath, hasGolden } from '../../helpers/golden.ts';
import { replay } from '../../helpers/replay.ts';

function eventTypesOf(condition: string): Uint8Array {
  return compileFilter(condition).eventTypes;
}

const CAPTURES = ['curl_google', 'live-shell', 'live-enter-exit-git', 'run_as_user_0_container', 'live-ns'];

/** Names of the event types a condition can match. */
function namesOf(condition: string): Set<string> {
  const bits = eventTypesOf(condition);
  return new Set(EVENT_TABLE.filter((info) => bits[info.id] === 1).map((info) => info.name));
}

function countOf(condition: string): number {
  return eventTypesOf(condition).reduce((sum, bit) => sum + bit, 0);
}

/** A condition of which the compiler cannot tell that it hangs on the event's type. */
function hidden(condition: string): string {
  return condition
    .replaceAll('evt.type =', 'concat(evt.type, "") =')
    .replaceAll('evt.type in', 'concat(evt.type, "") in')
    .replaceAll('evt.type !=', 'concat(evt.type, "") !=');
}

const GENERIC = EVENT_TABLE[PPME_GENERIC_X]?.name as string;
const ASYNC = EVENT_TABLE[PPME_ASYNCEVENT_E]?.name as string;

describe('knowledgeOf', () => {
  it('agrees with the values of every event of a capture', async () => {
    const names = [
      'evt.type',
      'syscall.type',
      'evt.dir',
      'evt.is_async',
      'evt.type.is[3]',
      'evt.type.is[open]',
      'evt.is_io',
    ];
    names.push(
      'evt.is_io_read',
      'evt.is_io_write',
      'evt.io_dir',
      'evt.is_wait',
      'evt.category',
      'evt.is_open_read',
    );
    names.push(
      'evt.is_open_write',
      'evt.is_open_exec',
      'evt.is_open_create',
      'evt.is_syslog',
      'evt.res',
      'evt.rawres',
    );
    names.push(
      'evt.buflen',
      'evt.buffer',
      'evt.asynctype',
      'evt.abspath[src]',
      'evt.abspath[dst]',
      'evt.arg.fd',
      'evt.rawarg.res',
    );
    const fields = names.map((name) => {
      const { row, argument } = parseFieldReference(name);
      const know = knowledgeOf(row, argument);
      assert.ok(know !== undefined, name);
      return { name, know, extract: row.bind(argument) };
    });
    const captures = hasGolden() ? [BUNDLED_CAPTURE, ...CAPTURES.map(capturePath)] : [BUNDLED_CAPTURE];
    for (const capture of captures) {
      await replay(capture, (event) => {
        for (const { name, know, extract } of fields) {
          const known = know(event.record.type);
          const value = extract(event);
          if (known === 'unknown' || (value === undefined && known.length > 1)) continue;
          const isKnown = known === 'absent' ? value === undefined : known.includes(value as Scalar);
          assert.ok(isKnown, `${name} is ${value} for ${event.record.info.code}`);
        }
      });
    }
  });
});

describe('the event types of a condition', () => {
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

  it('knows what the kind of event says of input, output, opens and results', () => {
    assert.deepEqual(
      namesOf('evt.is_open_read = true'),
      new Set(['open', 'openat', 'openat2', 'open_by_handle_at']),
    );
    assert.ok(namesOf('evt.is_open_exec = true').has('creat'));
    assert.ok(!namesOf('evt.is_open_write = true').has('creat'));
    assert.ok(namesOf('not evt.is_open_write = true').has('open'));
    assert.ok(!namesOf('evt.is_io_write = true').has('read'));
    assert.ok(!namesOf('evt.io_dir exists').has('close'));
    assert.ok(!namesOf('evt.category = net').has('open'));
    assert.ok(namesOf('evt.category = net').has('read'));
    assert.deepEqual(namesOf('evt.type.is[3] = 1'), new Set(['open']));
    assert.ok(!namesOf('evt.res exists').has('procexit'));
    assert.ok(!namesOf('evt.rawres < 0').has(GENERIC));
    assert.ok(!namesOf('evt.buflen > 5').has('open'));
    assert.ok(!namesOf('evt.abspath[src] exists').has('close'));
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
          'evt.type.is[3] = 1',
          'evt.type.is[open] = 0',
          'evt.is_io = true',
          'evt.is_io_read != true',
          'evt.io_dir = read',
          'evt.io_dir exists',
          'evt.is_wait = false',
          'evt.category = file',
          'evt.category != file',
          'evt.category in (unknown, process)',
          'evt.is_open_read = true',
          'evt.is_open_write = false',
          'evt.is_open_exec = true',
          'evt.is_open_create != false',
          'evt.is_syslog = false',
          'evt.res = SUCCESS',
          'evt.rawres >= 0',
          'evt.buflen exists',
          'evt.buffer contains x',
          'evt.asynctype exists',
          'evt.abspath[src] exists',
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
        'PPME_SYSCALL_WRITE_X',
        'PPME_SYSCALL_CREAT_X',
        'PPME_SYSCALL_OPENAT_2_X',
        'PPME_SYSCALL_EXECVE_19_X',
        'PPME_SOCKET_ACCEPT4_6_X',
        'PPME_SYSCALL_POLL_X',
        'PPME_CONTAINER_JSON_2_E',
        'PPME_GENERIC_X',
      ),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(condition, fc.array(event, { minLength: 1, maxLength: 5 }), (text, events) => {
        const filter = compileFilter(text);
        // The same, hidden from pruning by a part that depends on nothing known beforehand.
        const unpruned = compileFilter(`proc.name = nobody or (proc.name exists and (${hidden(text)}))`);
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
