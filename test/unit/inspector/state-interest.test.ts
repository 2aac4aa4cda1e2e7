import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WANT_FAILURE, WANT_PAYLOAD, WANT_SUCCESS } from '../../../server/capture/interest.ts';
import { EVENT_TABLE, mustEventInfo } from '../../../server/event/event-table.ts';
import {
  PPM_EVENT_MAX,
  PPME_PROCEXIT_1_E,
  PPME_SOCKET_CONNECT_X,
} from '../../../server/event/event-types.ts';
import { FLAG_DATA } from '../../../server/event/flag-tables.ts';
import { NOT_FOR_STATE, stateInterest } from '../../../server/inspector/state-interest.ts';
import { HANDLED_TYPES } from '../../../server/parser/event-parser.ts';

const interest = stateInterest();
const WANTED = EVENT_TABLE.filter(({ id }) => interest[id] !== 0);

test('every event type with a handler is captured for the state, or is left out by name and reason', () => {
  assert.equal(HANDLED_TYPES.length, PPM_EVENT_MAX);
  for (const { id, code, isEnter, source } of EVENT_TABLE) {
    if (HANDLED_TYPES[id] !== 1) continue;
    const isAccounted = interest[id] !== 0 || NOT_FOR_STATE.has(id) || (isEnter && source === 'SYSCALL');
    assert.ok(isAccounted, code);
  }
});

test('nothing is captured that no handler reads, and nothing both captured and left out', () => {
  for (const { id, code } of WANTED) {
    assert.equal(HANDLED_TYPES[id], 1, code);
    assert.ok(!NOT_FOR_STATE.has(id), code);
  }
});

test('types that the schema says modify state are wanted, but for those that no parser has a use for', () => {
  const modifies = FLAG_DATA.eventFlags['MODIFIES_STATE'] as number;
  const old = FLAG_DATA.eventFlags['OLD_VERSION'] as number;
  const missing = EVENT_TABLE.filter(
    ({ id, flags, isEnter }) =>
      !isEnter && (flags & modifies) !== 0 && (flags & old) === 0 && interest[id] === 0,
  ).map(({ name }) => name);
  assert.deepEqual([...new Set(missing)].sort(), ['mount', 'shutdown', 'umount', 'umount2']);
});

test('failures are captured only where they change something, and data never', () => {
  for (const { id, code } of WANTED) {
    const bits = interest[id] as number;
    assert.equal(bits & WANT_SUCCESS, WANT_SUCCESS, code);
    assert.equal(bits & WANT_PAYLOAD, 0, code);
    assert.equal((bits & WANT_FAILURE) !== 0, id === PPME_SOCKET_CONNECT_X, code);
  }
});

test('the bulk of system calls is not among them; exits are', () => {
  for (const [type, reason] of NOT_FOR_STATE) {
    assert.equal(interest[type], 0, mustEventInfo(type).code);
    assert.ok(reason.length > 10);
  }
  assert.equal(interest[PPME_PROCEXIT_1_E], WANT_SUCCESS);
});
