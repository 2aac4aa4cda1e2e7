import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  EVENT_EXEC,
  EVENT_EXIT,
  EVENT_FORK,
  EVENT_PAGE_FAULT,
} from '../../../../server/capture/ebpf/probe-abi.ts';
import { probeInterest } from '../../../../server/capture/ebpf/probe-interest.ts';
import { emptyInterest, WANT_FAILURE, WANT_SUCCESS } from '../../../../server/capture/interest.ts';
import {
  PPME_GENERIC_X,
  PPME_PAGE_FAULT_E,
  PPME_PROCEXIT_1_E,
  PPME_SYSCALL_CLONE3_X,
  PPME_SYSCALL_EXECVE_19_X,
} from '../../../../server/event/event-types.ts';

const ROWS = [
  { nr: 59, eventType: PPME_SYSCALL_EXECVE_19_X },
  { nr: 100, eventType: PPME_GENERIC_X },
  { nr: 101, eventType: PPME_GENERIC_X },
];

function indexes(bytes: Uint8Array): number[] {
  return [...bytes.keys()].filter((i) => bytes[i] !== 0);
}

test('nothing wanted is nothing captured', () => {
  const { events, syscalls } = probeInterest(emptyInterest(), ROWS);
  assert.deepEqual(indexes(events), []);
  assert.deepEqual(indexes(syscalls), []);
});

test('an event type stands for every system call that makes it', () => {
  const interest = emptyInterest();
  interest[PPME_GENERIC_X] = WANT_FAILURE;
  const { syscalls } = probeInterest(interest, ROWS);
  assert.deepEqual(indexes(syscalls), [100, 101]);
  assert.equal(syscalls[100], WANT_FAILURE);
});

test('what no system call can show is taken from tracepoints', () => {
  const interest = emptyInterest();
  interest[PPME_SYSCALL_EXECVE_19_X] = WANT_SUCCESS;
  interest[PPME_SYSCALL_CLONE3_X] = WANT_SUCCESS;
  interest[PPME_PROCEXIT_1_E] = WANT_SUCCESS;
  assert.deepEqual(indexes(probeInterest(interest, ROWS).events), [EVENT_FORK, EVENT_EXEC, EVENT_EXIT]);
  interest.fill(0);
  interest[PPME_PAGE_FAULT_E] = WANT_SUCCESS;
  assert.deepEqual(indexes(probeInterest(interest, ROWS).events), [EVENT_PAGE_FAULT]);
});
