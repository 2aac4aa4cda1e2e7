import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeText, messageJson } from '../../../client/cli/message-json.ts';

const shape = {
  addresses: new Set(['sourceAddress']),
  enums: new Map([['kind', { UNSPECIFIED: 0, FILE: 1 }]]),
};

describe('messageJson', () => {
  it('writes integers of 64 bits as exact digits', () => {
    assert.equal(
      messageJson({ tid: 18446744073709551615n, vmSizeKb: 5 }, shape),
      '{"tid":18446744073709551615,"vm_size_kb":5}',
    );
  });

  it('writes bytes as text, addresses as addresses and enums by name', () => {
    const message = {
      name: Buffer.from('/tmp/é'),
      sourceAddress: Buffer.from([127, 0, 0, 1]),
      kind: 1,
      other: 1,
    };
    assert.equal(
      messageJson(message, shape),
      '{"name":"/tmp/é","source_address":"127.0.0.1","kind":"file","other":1}',
    );
  });

  it('leaves out what is not set and keeps nested messages and lists', () => {
    const message = { uid: undefined, args: [Buffer.from('a"b')], executable: { inode: 7n }, flag: false };
    assert.equal(messageJson(message, shape), '{"args":["a\\"b"],"executable":{"inode":7},"flag":false}');
  });

  it('keeps the keys of labels as they are', () => {
    assert.equal(
      messageJson({ podSandboxLabels: { someKey: 'v' } }, shape),
      '{"pod_sandbox_labels":{"someKey":"v"}}',
    );
  });

  it('replaces bytes that are not UTF-8', () => {
    assert.equal(decodeText(Buffer.from([0x61, 0xff])), 'a\ufffd');
  });
});
