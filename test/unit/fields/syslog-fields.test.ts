import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FD_UNIX_SOCK } from '../../../server/state/fd-info.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';
import { bindField } from '../../helpers/event-fields.ts';

const NAMES = [
  'evt.is_syslog',
  'syslog.facility',
  'syslog.facility.str',
  'syslog.severity',
  'syslog.severity.str',
  'syslog.message',
];

function shown(data: string, name = '/dev/log', code = 'PPME_SOCKET_SENDTO_X', res = data.length): unknown[] {
  const all = new EventContext();
  all.process(1000, 'logger').fds.set(3, fdOf(FD_UNIX_SOCK, name));
  const event = all.show(code, { res, data, fd: 3, size: data.length }, { fdNumber: 3 });
  return NAMES.map((field) => bindField(field)(event));
}

describe('a message to the system log', () => {
  it('is taken apart into facility, severity and text', () => {
    assert.deepEqual(shown('<13>Nov 1 host: hi'), [true, 1, 'user', 5, 'notice', 'Nov 1 host: hi']);
    assert.deepEqual(shown('<191>x'), [true, 23, 'local7', 7, 'debug', 'x']);
    assert.deepEqual(shown('<999>x').slice(1, 3), [124, '<NA>']);
  });

  it('must have a priority, be written, and arrive', () => {
    const nothing = Array(5).fill(undefined);
    assert.deepEqual(shown('no priority'), [true, ...nothing]);
    assert.deepEqual(shown('<>x'), [true, ...nothing]);
    assert.deepEqual(shown('<13>x', '/run/other'), [false, ...nothing]);
    assert.deepEqual(shown('<13>x', '/dev/log', 'PPME_SYSCALL_READ_X'), [false, ...nothing]);
    assert.deepEqual(shown('<13>x', '/dev/log', 'PPME_SOCKET_SENDTO_X', -111), [true, ...nothing]);
  });
});
