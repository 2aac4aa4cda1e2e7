import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipText, isMappedIpv4 } from '../../../server/state/ip-address.ts';

const CASES: readonly (readonly [hex: string, text: string])[] = [
  ['7f000001', '127.0.0.1'],
  ['', ''],
  ['0102', ''],
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['fe800000000000000102030405060708', 'fe80::102:304:506:708'],
  ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
  ['00010002000300040005000600070008', '1:2:3:4:5:6:7:8'],
  ['00010000000300040005000600070008', '1:0:3:4:5:6:7:8'],
  ['00010002000300040005000600000000', '1:2:3:4:5:6::'],
  ['00000000000000000000ffff0a000001', '::ffff:10.0.0.1'],
  ['0000000000000000000000000a000001', '::10.0.0.1'],
];

for (const [hex, text] of CASES) {
  test(`'${hex}' is ${text}`, () => assert.equal(ipText(Buffer.from(hex, 'hex').toString('latin1')), text));
}

test('only ::ffff:0:0/96 and the zero address count as wrapped IPv4', () => {
  const bytes = (hex: string) => Buffer.from(hex, 'hex').toString('latin1');
  assert.equal(isMappedIpv4(bytes('00000000000000000000ffff0a000001')), true);
  assert.equal(isMappedIpv4(bytes('00000000000000000000000000000000')), true);
  assert.equal(isMappedIpv4(bytes('00000000000000000000000000000001')), false);
});
