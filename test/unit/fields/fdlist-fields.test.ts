import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FD_FILE_V2,
  FD_FLAG_ROLE_CLIENT,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
} from '../../../server/state/fd-info.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';
import { bindField } from '../../helpers/event-fields.ts';

const NAMES = ['nums', 'names', 'cips', 'sips', 'cports', 'sports'];

function list(...fds: number[]): Buffer {
  const bytes = Buffer.alloc(2 + fds.length * 10);
  bytes.writeUInt16LE(fds.length, 0);
  fds.forEach((fd, i) => {
    bytes.writeBigInt64LE(BigInt(fd), 2 + i * 10);
  });
  return bytes;
}

function context(): EventContext {
  const all = new EventContext();
  const { fds } = all.process(1000, 'cat');
  fds.set(3, fdOf(FD_FILE_V2, '/x'));
  const ends = {
    sip: '\x01\x01\x01\x01',
    dip: '\x02\x02\x02\x02',
    sport: 1,
    dport: 2,
    flags: FD_FLAG_ROLE_CLIENT,
  };
  fds.set(4, fdOf(FD_IPV4_SOCK, 'a->b', ends));
  fds.set(5, fdOf(FD_IPV4_SERVSOCK, '', { dip: '\x03\x03\x03\x03', dport: 3 }));
  fds.set(6, fdOf(FD_IPV6_SERVSOCK, ':::3', { dip: `\x20\x01\x0d\xb8${'\0'.repeat(12)}`, dport: 3 }));
  return all;
}

function shown(code: string, fds: Buffer | undefined): unknown[] {
  const event = context().show(code, { fds });
  return NAMES.map((name) => bindField(`fdlist.${name}`)(event));
}

describe('the fds of a poll', () => {
  it('are listed with their names, addresses and ports', () => {
    assert.deepEqual(shown('PPME_SYSCALL_POLL_X', list(3, 4, 5, 6, 99)), [
      '3,4,5,6,99',
      '/x,a->b,<NA>,:::3,<NA>',
      '1.1.1.1',
      '2.2.2.2,3.3.3.3,32.1.13.184',
      '1',
      '2',
    ]);
  });

  it('are absent where there are none', () => {
    const nothing = Array(NAMES.length).fill(undefined);
    assert.deepEqual(shown('PPME_SYSCALL_PPOLL_X', list()), nothing);
    assert.deepEqual(shown('PPME_SYSCALL_PPOLL_X', undefined), nothing);
    assert.deepEqual(shown('PPME_SYSCALL_POLL_X', list(3)).slice(2), nothing.slice(2));
  });

  it('end with the record, whatever the list claims', () => {
    const bytes = list(3, 4);
    bytes.writeUInt16LE(60_000, 0);
    assert.equal(shown('PPME_SYSCALL_POLL_X', bytes)[0], '3,4');
    assert.equal(shown('PPME_SYSCALL_POLL_X', bytes.subarray(0, 13))[0], '3');
  });
});
