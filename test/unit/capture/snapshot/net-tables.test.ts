import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseInetTable,
  parseNetlinkTable,
  parseUnixTable,
} from '../../../../server/capture/snapshot/net-tables.ts';
import type { FdEntry } from '../../../../server/event/snapshot.ts';
import type { Integer } from '../../../../server/event/u64.ts';

const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const REST = '00000000:00000000 00:00000000 00000000     0        0';

test('a connection has both ends, a listener its own address only', () => {
  const rows = new Map<Integer, FdEntry>();
  parseInetTable(
    `${HEADER}   0: 0100007F:1F90 00000000:0000 0A ${REST} 511 1 0 100 0\n   1: 0200A8C0:C350 08080808:01BB 01 ${REST} 512 1\n`,
    2,
    rows,
  );
  const [listener, connection] = [rows.get(511), rows.get(512)];
  assert.deepEqual(
    [listener?.type, listener?.dip, listener?.dport, listener?.sip],
    [5, '\x7f\0\0\x01', 8080, ''],
  );
  assert.deepEqual(
    [
      connection?.type,
      connection?.sip,
      connection?.sport,
      connection?.dip,
      connection?.dport,
      connection?.l4proto,
    ],
    [3, '\xc0\xa8\0\x02', 50000, '\b\b\b\b', 443, 2],
  );
});

test('IPv6 addresses are four words, each turned round', () => {
  const rows = new Map<Integer, FdEntry>();
  parseInetTable(
    `${HEADER}   0: 0000000000000000FFFF00000100007F:0050 B80D0120000000000000000001000000:1234 01 ${REST} 9 1\n`,
    2,
    rows,
  );
  assert.equal(rows.get(9)?.sip, '\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01');
  assert.equal(rows.get(9)?.dip, '\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01');
});

test('sockets without inode, and lines that are none, are left out', () => {
  const rows = new Map<Integer, FdEntry>();
  parseInetTable(
    `${HEADER}   0: 0100007F:1F90 08080808:0001 06 ${REST} 0 3\n x y z\n   1: 01:1 02:2 01 ${REST} 7\n`,
    2,
    rows,
  );
  assert.equal(rows.size, 0);
});

test('unix sockets keep paths with spaces and abstract names', () => {
  const rows = new Map<Integer, FdEntry>();
  parseUnixTable(
    'Num       RefCount Protocol Flags    Type St Inode Path\nffff888012345678: 00000002 00000000 00010000 0001 01 21 /run/a b.sock\n00000000bb06b48e: 00000003 00000000 00000000 0001 03   508\n0000000000000000: 00000002 00000000 00000000 0002 01 30 @abs\n',
    rows,
  );
  assert.deepEqual(
    [rows.get(21)?.name, rows.get(21)?.unixSource, rows.get(21)?.type],
    ['/run/a b.sock', 0xffff888012345678n, 8],
  );
  assert.equal(rows.get(508)?.name, '');
  assert.equal(rows.get(30)?.name, '@abs');
});

test('netlink sockets by the last column', () => {
  const rows = new Map<Integer, FdEntry>();
  parseNetlinkTable(
    'sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n00000000e8a4dd0c 0   0          00000000 0        0        0     2        0        4       \n',
    rows,
  );
  assert.equal(rows.get(4)?.type, 15);
});
