import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileFilter } from '../../../server/filter/filter.ts';
import { FD_FLAG_ROLE_CLIENT, FD_IPV4_SERVSOCK, FD_IPV4_SOCK } from '../../../server/state/fd-info.ts';
import type { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';

const TS = 1_700_000_000_123_456_789n;

/** A read from a connection of this machine, port 5, to port 80 of another. */
function readEvent(fdNumber = 3): InspectedEvent {
  const all = new EventContext();
  const row = { netmask: '', broadcast: '', linkSpeed: 0n };
  all.state.interfaces.replace([{ ...row, name: 'eth0', family: 4, address: '\x0a\0\0\x01' }]);
  const { fds } = all.process(1000, 'curl');
  const ends = { sip: '\x0a\0\0\x01', sport: 5, dip: '\x0a\0\0\x02', dport: 80 };
  fds.set(3, fdOf(FD_IPV4_SOCK, '', { ...ends, flags: FD_FLAG_ROLE_CLIENT }));
  fds.set(4, fdOf(FD_IPV4_SERVSOCK, '', { dip: '\x0a\0\0\x01', dport: 80 }));
  return all.show('PPME_SYSCALL_READ_X', { res: 0, fd: fdNumber }, { fdNumber, ts: TS });
}

function checkAll(event: InspectedEvent, table: Readonly<Record<string, boolean>>): void {
  for (const [condition, result] of Object.entries(table)) {
    assert.equal(compileFilter(condition).matches(event), result, condition);
  }
}

describe('the name of a service', () => {
  it('stands for its port, whether the field is a port or the text of one', () => {
    checkAll(readEvent(), {
      'fd.sport = http': true,
      'fd.sport = ssh': false,
      'fd.proto = http': true,
      'fd.proto != http': false,
      'fd.sproto = http': true,
      'fd.sproto = HTTP': true,
      'fd.sproto = 80': true,
      'fd.sproto != http': false,
      'fd.sproto != ssh': true,
      'fd.sproto in (ssh, http)': true,
      'fd.sproto in (ssh, https)': false,
      'fd.rproto intersects (www)': true,
      'fd.lproto = http': false,
      'fd.cproto != http': true,
      'fd.sproto = anyof (ssh, http)': true,
    });
  });

  it('is text where a part of the value is asked for, and when nobody knows it', () => {
    checkAll(readEvent(), {
      'fd.sproto startswith http': false,
      'fd.sproto startswith 8': true,
      'fd.sproto = nonesuch': false,
    });
    checkAll(readEvent(4), { 'fd.sproto = ""': true, 'fd.sproto = http': false, 'fd.sport = http': true });
  });
});

describe('a distance', () => {
  it('equals all that is as far or less, to either side', () => {
    for (const around of [TS - 2_000_000n, TS + 2_000_000n]) {
      checkAll(readEvent(), {
        [`evt.around[${around}] = 1`]: false,
        [`evt.around[${around}] = 2`]: true,
        [`evt.around[${around}] = 500`]: true,
        [`evt.around[${around}] != 1`]: true,
        [`evt.around[${around}] != 2`]: false,
        [`evt.around[${around}] in (1, 3)`]: true,
        [`evt.around[${around}] in (0, 1)`]: false,
        [`evt.around[${around}] > 2`]: false,
        [`evt.around[${around}] >= 2`]: true,
      });
    }
  });

  it('counts a millisecond that has begun as a whole one', () => {
    checkAll(readEvent(), {
      [`evt.around[${TS + 2_000_001n}] = 2`]: false,
      [`evt.around[${TS + 2_000_001n}] = 3`]: true,
      [`evt.around[${TS - 2_000_001n}] = 2`]: false,
      [`evt.around[${TS}] = 0`]: true,
    });
  });
});
