import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WANT_ALL, WANT_PAYLOAD } from '../../../server/capture/interest.ts';
import {
  PPM_EVENT_MAX,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_READ_X,
  PPME_SYSCALL_WRITE_X,
} from '../../../server/event/event-types.ts';
import { needsPayload, readerInterest } from '../../../server/inspector/reader-interest.ts';

const ALL_TYPES = new Uint8Array(PPM_EVENT_MAX).fill(1);

test('types that cannot match are not wanted', () => {
  const types = new Uint8Array(PPM_EVENT_MAX);
  types[PPME_SYSCALL_OPENAT_2_X] = 1;
  const interest = readerInterest(types, ['evt.buffer']);
  assert.equal(interest.filter((bits) => bits !== 0).length, 1);
  assert.equal(interest[PPME_SYSCALL_OPENAT_2_X], WANT_ALL);
});

test('the data is wanted of those types that have it, when a field is read from it', () => {
  const without = readerInterest(ALL_TYPES, ['proc.name', 'evt.buflen', 'fd.name']);
  const with_ = readerInterest(ALL_TYPES, ['proc.name', 'evt.buffer']);
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
