import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeTables } from '../../../server/capture/ebpf/probe-tables.ts';
import {
  GENERIC_INTEREST,
  genericInterest,
  WANT_ALL,
  WANT_PAYLOAD,
} from '../../../server/capture/interest.ts';
import {
  PPM_EVENT_MAX,
  PPME_GENERIC_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_READ_X,
  PPME_SYSCALL_WRITE_X,
} from '../../../server/event/event-types.ts';
import { SYSCALL_NAMES } from '../../../server/event/flag-tables.ts';
import { GENERIC_CALLS, genericCodes } from '../../../server/inspector/generic-calls.ts';
import { needsPayload, readerInterest } from '../../../server/inspector/reader-interest.ts';

const ALL_TYPES = new Uint8Array(PPM_EVENT_MAX).fill(1);

test('types that cannot match are not wanted', () => {
  const types = new Uint8Array(PPM_EVENT_MAX);
  types[PPME_SYSCALL_OPENAT_2_X] = 1;
  const interest = readerInterest(types, ['evt.buffer'], ['']);
  assert.equal(interest.filter((bits) => bits !== 0).length, 1);
  assert.equal(interest[PPME_SYSCALL_OPENAT_2_X], WANT_ALL);
});

test('the data is wanted of those types that have it, when a field is read from it', () => {
  const without = readerInterest(ALL_TYPES, ['proc.name', 'evt.buflen', 'fd.name'], ['']);
  const with_ = readerInterest(ALL_TYPES, ['proc.name', 'evt.buffer'], ['']);
  assert.equal(without[PPME_SYSCALL_WRITE_X], WANT_ALL);
  assert.equal(with_[PPME_SYSCALL_WRITE_X], WANT_ALL | WANT_PAYLOAD);
  assert.equal(with_[PPME_SYSCALL_READ_X], WANT_ALL | WANT_PAYLOAD);
  assert.equal(with_[PPME_SYSCALL_OPENAT_2_X], WANT_ALL);
});

test('fields that show the data, by name, by position or among all parameters', () => {
  for (const field of [
    'evt.buffer',
    'evt.args',
    'evt.info',
    'evt.arg.data',
    'evt.arg[data]',
    'evt.rawarg.data',
    'evt.arg[1]',
    'syslog.message',
    'syslog.severity',
  ]) {
    assert.equal(needsPayload([field]), true, field);
  }
  for (const field of ['evt.arg.path', 'evt.rawarg.res', 'evt.buflen', 'evt.is_syslog', 'proc.args']) {
    assert.equal(needsPayload([field]), false, field);
  }
});

function callNames(...conditions: readonly string[]): string[] {
  const codes = genericCodes(conditions);
  return codes.map((code) => SYSCALL_NAMES[code] as string).sort();
}

test('calls without an event type of their own are wanted by name', () => {
  assert.deepEqual(callNames('evt.type = getpid'), ['getpid']);
  assert.deepEqual(callNames('evt.type in (getpid, openat, sysinfo) and proc.name = x'), [
    'getpid',
    'sysinfo',
  ]);
  assert.deepEqual(callNames('evt.type = getpid', 'syscall.type = sysinfo'), ['getpid', 'sysinfo']);
  assert.deepEqual(callNames('evt.type = execve'), []);
  assert.deepEqual(callNames('evt.type = execve and not proc.name = x'), []);
  const all = GENERIC_CALLS.length;
  assert.equal(callNames('').length, all);
  assert.equal(callNames('proc.name = x').length, all);
  assert.equal(callNames('proc.name = x or evt.type = execve').length, all);
  assert.equal(callNames('not evt.type = getpid').length, all - 1);
  assert.equal(callNames('evt.type != getpid').length, all - 1);
  assert.equal(callNames('evt.type startswith get').length, all);
  assert.equal(callNames('not (evt.type in (getpid, sysinfo) or proc.name = x)').length, all - 2);
});

test('the generic event itself is wanted only with one of its calls', () => {
  const none = readerInterest(ALL_TYPES, [], ['evt.type = execve']);
  assert.equal(none[PPME_GENERIC_X], 0);
  const one = readerInterest(ALL_TYPES, [], ['evt.type = getpid']);
  assert.equal(one[PPME_GENERIC_X], WANT_ALL);
  assert.equal(one.subarray(GENERIC_INTEREST).filter((bits) => bits !== 0).length, 1);
  for (const [code, name] of GENERIC_CALLS) {
    assert.equal(genericInterest(one, code), name === 'getpid' ? WANT_ALL : 0);
  }
  assert.equal(genericInterest(new Uint8Array(PPM_EVENT_MAX).fill(1), 3), 1);
});

test('whatever the probe tells by the generic event is among those calls', () => {
  for (const architecture of ['x64', 'arm64'] as const) {
    const names = new Set(GENERIC_CALLS.map(([, name]) => name));
    const { rows } = probeTables(architecture);
    for (const row of rows) {
      const name = SYSCALL_NAMES[row.syscallId] as string;
      if (row.eventType === PPME_GENERIC_X) assert.ok(names.has(name), name);
    }
  }
});
