import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FieldType } from '../../../server/fields/field.ts';
import { LiteralError } from '../../../server/filter/filter-error.ts';
import { networkTest, parseAddress, parseNetwork } from '../../../server/filter/ip-literal.ts';
import { parseHexBytes, parseLiteral } from '../../../server/filter/literal.ts';
import { ipText } from '../../../server/state/ip-address.ts';

const READS: readonly (readonly [text: string, type: FieldType, value: unknown])[] = [
  ['5', 'int64', 5],
  ['+5', 'int64', 5],
  [' 5', 'int64', 5],
  ['-5', 'int64', -5],
  ['007', 'uint32', 7],
  ['0x1F', 'uint64', 31],
  ['-1', 'uint32', 4294967295],
  ['-1', 'uint64', 18446744073709551615n],
  ['9007199254740991', 'uint64', 9007199254740991],
  ['9007199254740992', 'uint64', 9007199254740992n],
  ['9223372036854775807', 'int64', 9223372036854775807n],
  ['1700000000000000000', 'abstime', 1700000000000000000n],
  ['32767', 'int16', 32767],
  ['1.5', 'double', 1.5],
  ['-2e+3', 'double', -2000],
  ['true', 'bool', true],
  ['false', 'bool', false],
  ['80', 'port', 80],
  ['https', 'port', 443],
  ['', 'port', 0],
  ['10.0.0.1', 'ipaddr', '\x0a\0\0\x01'],
  ['::1', 'ipaddr', `${'\0'.repeat(15)}\x01`],
  ['', 'string', ''],
];

const REFUSES: readonly (readonly [text: string, type: FieldType])[] = [
  ['', 'int64'],
  ['5x', 'int64'],
  ['1.0', 'int64'],
  ['1e3', 'uint64'],
  ['0x', 'uint64'],
  ['0xg', 'uint64'],
  ['32768', 'int16'],
  ['-32769', 'int16'],
  ['4294967296', 'uint32'],
  ['-4294967297', 'uint32'],
  ['18446744073709551616', 'uint64'],
  ['9223372036854775808', 'int64'],
  ['9'.repeat(100_000), 'uint64'],
  ['1', 'bool'],
  ['True', 'bool'],
  ['65536', 'port'],
  ['no-such-service', 'port'],
  ['x', 'double'],
  ['1.2.3', 'ipaddr'],
  ['1.2.3.256', 'ipaddr'],
  ['01.2.3.4', 'ipaddr'],
  ['1.2.3.4.5', 'ipaddr'],
  [':::', 'ipaddr'],
  ['1::2::3', 'ipaddr'],
  ['1:2:3:4:5:6:7', 'ipaddr'],
  ['1:2:3:4:5:6:7:8:9', 'ipaddr'],
  ['12345::', 'ipaddr'],
  ['10.0.0.0/8', 'ipaddr'],
];

describe('parseLiteral', () => {
  for (const [text, type, value] of READS) {
    it(`reads ${JSON.stringify(text)} as ${type}`, () => assert.equal(parseLiteral(text, type), value));
  }
  for (const [text, type] of REFUSES) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))} as ${type}`, () => {
      assert.throws(() => parseLiteral(text, type), LiteralError);
    });
  }
});

describe('parseHexBytes', () => {
  it('reads pairs of digits', () => assert.equal(parseHexBytes('CAfe00'), '\xca\xfe\0'));
  it('refuses everything else', () => {
    for (const text of ['', 'A', 'ABC', 'zz', '0x41', 'ab cd'])
      assert.throws(() => parseHexBytes(text), LiteralError);
  });
});

describe('addresses', () => {
  it('read what is printed', () => {
    const address = fc
      .tuple(
        fc.constantFrom(4, 16),
        fc.array(fc.constantFrom(0, 0, 1, 255, 16), { minLength: 16, maxLength: 16 }),
      )
      .map(([length, bytes]) => String.fromCharCode(...bytes.slice(0, length)));
    fc.assert(fc.property(address, (bytes) => assert.equal(parseAddress(ipText(bytes)), bytes)));
  });

  it('may end in IPv4 form', () => {
    assert.equal(parseAddress('::ffff:1.2.3.4'), `${'\0'.repeat(10)}\xff\xff\x01\x02\x03\x04`);
    assert.throws(() => parseAddress('1.2.3.4::'), LiteralError);
  });
});

describe('networks', () => {
  it('hold the addresses that share their prefix', () => {
    const cases: readonly (readonly [network: string, address: string, isInside: boolean])[] = [
      ['10.0.0.0/8', '10.255.0.1', true],
      ['10.0.0.0/8', '11.0.0.0', false],
      ['10.1.2.3/8', '10.9.9.9', true],
      ['192.168.0.128/25', '192.168.0.200', true],
      ['192.168.0.128/25', '192.168.0.100', false],
      ['0.0.0.0/0', '8.8.8.8', true],
      ['0.0.0.0/0', '::1', false],
      ['1.2.3.4/32', '1.2.3.4', true],
      ['1.2.3.4/32', '1.2.3.5', false],
      ['fe80::/10', 'febf::1', true],
      ['fe80::/10', 'fec0::1', false],
      ['::/0', '::5', true],
      ['::1/128', '::1', true],
    ];
    for (const [network, address, isInside] of cases) {
      assert.equal(
        networkTest(parseNetwork(network))(parseAddress(address)),
        isInside,
        `${address} in ${network}`,
      );
    }
  });

  it('need a prefix length that fits', () => {
    for (const text of [
      '10.0.0.1',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/x',
      '10.0.0.0/-1',
      '::/129',
      '/8',
    ]) {
      assert.throws(() => parseNetwork(text), LiteralError, text);
    }
  });
});
