import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readIdentities } from '../../../../server/capture/snapshot/identities.ts';
import {
  parseIfInet6,
  parseIpv4Addresses,
  readMachine,
} from '../../../../server/capture/snapshot/node-facts.ts';
import { parseGroup, parsePasswd } from '../../../../server/event/identity-lists.ts';
import { FakeNode } from '../../../helpers/fake-proc.ts';

test('the first name of an id counts; broken lines do not', () => {
  assert.deepEqual(
    parsePasswd('root:x:0:0:r:/root:/bin/sh\ntoor:x:0:0::/:/x\nbad:x:a:1::/:\n:x:1:1::/:\nn:x:7:8:c:/h:/s'),
    [
      { uid: 0, gid: 0, name: 'root', homedir: '/root', shell: '/bin/sh' },
      { uid: 7, gid: 8, name: 'n', homedir: '/h', shell: '/s' },
    ],
  );
  assert.deepEqual(parseGroup('root:x:0:\nwheel:x:0:a\nbig:x:99999999999:\nu:x:4294967295:'), [
    { gid: 0, name: 'root' },
    { gid: 4294967295, name: 'u' },
  ]);
});

test("under a root, users come from that root's files, names as bytes", async () => {
  const node = new FakeNode();
  try {
    node.write('etc/passwd', 'k\xf6nig:x:5:6::/k:/bin/sh\n');
    node.write('etc/hostname', 'worker-1\n');
    const { users, groups } = await readIdentities(node.root);
    assert.equal(users[0]?.name, 'k\xf6nig');
    assert.deepEqual(groups, []);
    const machine = readMachine(node.root, { bootEpochNs: 12n, nowNs: () => 0 });
    assert.deepEqual([machine.hostname, machine.bootTsNs], ['worker-1', 12n]);
  } finally {
    node.remove();
  }
});

test('addresses of another network namespace from its routing tables', () => {
  const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 192.0.2.0/24 2 0 2
           |-- 192.0.2.2
              /32 host LOCAL
           |-- 192.0.2.255
              /32 link BROADCAST
Local:
  +-- 0.0.0.0/0 3 0 5
           |-- 127.0.0.1
              /32 host LOCAL
`;
  const route =
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n';
  assert.deepEqual(
    parseIpv4Addresses(trie, route).map(({ name, address, netmask, broadcast }) => [
      name,
      address,
      netmask,
      broadcast,
    ]),
    [
      ['lo', '\x7f\0\0\x01', '\xff\0\0\0', '\x7f\0\0\x01'],
      ['eth0', '\xc0\0\x02\x02', '\xff\xff\xff\0', '\xc0\0\x02\xff'],
    ],
  );
});

test('IPv6 addresses with their masks', () => {
  const [entry] = parseIfInet6('20010db8000000000000000000000001 02 40 00 80     eth0\nbroken\n');
  assert.deepEqual(
    [entry?.name, entry?.address.length, entry?.netmask],
    ['eth0', 16, '\xff'.repeat(8) + '\0'.repeat(8)],
  );
});
