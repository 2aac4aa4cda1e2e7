import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { grpcCallError, isNotFound, isUnimplemented } from '../../../server/container/runtime/grpc-errors.ts';
import type { RuntimeFault } from '../../../server/container/runtime/runtime-client.ts';

const PATH = '/nowhere/runtime.sock';

/** What a call failed with, and the fault it is. */
const FAILURES: readonly (readonly [status, string, RuntimeFault])[] = [
  [status.UNAVAILABLE, 'No connection established. Last error: Error: connect ENOENT', 'unreachable'],
  [status.UNAVAILABLE, 'No connection established. Last error: Error: connect EACCES', 'permission'],
  [status.UNAVAILABLE, 'Received RST_STREAM with code 7', 'unreachable'],
  [status.UNAVAILABLE, 'Protocol error', 'protocol'],
  [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 1s', 'timeout'],
  [status.INTERNAL, 'Response message parsing error: index out of range', 'protocol'],
  [status.INTERNAL, 'something went wrong', 'refused'],
  [status.RESOURCE_EXHAUSTED, 'Received message larger than max (100 vs 16)', 'protocol'],
  [status.RESOURCE_EXHAUSTED, 'trying to send message larger than max', 'refused'],
  [status.UNIMPLEMENTED, 'unknown service', 'refused'],
  [status.PERMISSION_DENIED, 'no', 'refused'],
];

for (const [code, details, fault] of FAILURES) {
  test(`${status[code]} "${details}" is ${fault}`, () => {
    const error = grpcCallError({ code, details }, PATH, 'List');
    assert.equal(error.fault, fault);
    assert.ok(error.message.startsWith(`${PATH}: List: `), error.message);
    assert.equal(isUnimplemented(error), code === status.UNIMPLEMENTED);
  });
}

test('failures of any shape are told', () => {
  for (const cause of [undefined, 7, 'text', {}, new Error('broken'), { code: 'x', details: 1 }]) {
    assert.equal(grpcCallError(cause, PATH, 'List').fault, 'refused');
  }
});

test('words of a runtime without end are cut', () => {
  const { message } = grpcCallError({ code: status.UNKNOWN, details: 'x'.repeat(100_000) }, PATH, 'List');
  assert.ok(message.length < 400);
});

test('what is not found is told by its code, or by the words of a shim', () => {
  const isMissing = (code: status, details: string) =>
    isNotFound(grpcCallError({ code, details }, PATH, 'Get'));
  assert.equal(isMissing(status.NOT_FOUND, ''), true);
  assert.equal(isMissing(status.UNKNOWN, 'Error: No such container: abc'), true);
  assert.equal(isMissing(status.UNKNOWN, 'disk full'), false);
  assert.equal(isMissing(status.UNAVAILABLE, 'socket not found'), false);
  assert.equal(isNotFound(new Error('not found')), false);
});
