import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fdOfRecord } from '../../../../server/capture/snapshot/file-records.ts';
import {
  type FileRecord,
  RecordDecoder,
  type TaskRecord,
} from '../../../../server/capture/snapshot/iterator-records.ts';

function taskBytes(tid: number, exe: string, cwd: string, root: string): Buffer {
  const bytes = Buffer.alloc(248 + exe.length + cwd.length + root.length);
  bytes.writeUInt32LE(0x4b534154, 0);
  bytes.writeUInt32LE(bytes.length, 4);
  for (const [i, text] of [exe, cwd, root].entries()) bytes.writeUInt32LE(text.length, 8 + i * 4);
  bytes.writeInt32LE(tid, 24);
  bytes.writeBigUInt64LE(0xffffffffffffffffn, 120);
  bytes.writeBigInt64LE(2n, 200);
  bytes.writeUInt32LE(5, 216);
  bytes.write('name\0rest', 232, 'latin1');
  bytes.write(exe + cwd + root, 248, 'latin1');
  return bytes;
}

test('records arrive in pieces of any size', () => {
  const stream = Buffer.concat([taskBytes(7, '/b\xe4r\0', '/\0', '/r\0'), taskBytes(8, '', '/x\0', '')]);
  for (const size of [1, 7, 100, 248, 300, stream.length]) {
    const tasks: TaskRecord[] = [];
    const decoder = new RecordDecoder({ onTask: (task) => tasks.push(task) });
    for (let at = 0; at < stream.length; at += size) decoder.push(stream.subarray(at, at + size));
    decoder.end();
    assert.deepEqual(
      tasks.map(({ tid, comm, exe, cwd, root, fdlimit, exeCtimeNs }) => [
        tid,
        comm,
        exe,
        cwd,
        root,
        fdlimit,
        exeCtimeNs,
      ]),
      [
        [7, 'name', '/b\xe4r', '/', '/r', -1, 2_000_000_005n],
        [8, 'name', '', '/x', '', -1, 2_000_000_005n],
      ],
    );
  }
});

test('bytes that are no record are refused, as is a cut stream', () => {
  const push = (bytes: Buffer) => new RecordDecoder({}).push(bytes);
  assert.throws(() => push(Buffer.from('0102030400000000', 'hex')), /record of 0 bytes/);
  assert.throws(() => push(Buffer.from('01020304100000000000000000000000', 'hex')), /unknown kind/);
  const decoder = new RecordDecoder({});
  decoder.push(taskBytes(7, '', '', '').subarray(0, 100));
  assert.throws(() => decoder.end(), /inside a record/);
});

function fileRecord(record: Partial<FileRecord>): FileRecord {
  return {
    tid: 1,
    fd: 3,
    flags: 0,
    mode: 0,
    dev: 0,
    mountId: 0,
    family: 0,
    socketType: 1,
    protocol: 6,
    state: 1,
    port: 0,
    peerPort: 0,
    address: '',
    peerAddress: '',
    ino: 9,
    readNs: 0n,
    socket: 0,
    peerSocket: 0,
    name: '',
    ...record,
  };
}

test('sockets: connections, listeners, unbound ones as /proc would show them', () => {
  const address = '\x7f\0\0\x01'.padEnd(16, '\0');
  const none = '\0'.repeat(16);
  const kinds = (record: Partial<FileRecord>) => {
    const { type, sip, sport, dip, dport, name, l4proto } = fdOfRecord(fileRecord(record));
    return [type, sip, sport, dip, dport, name, l4proto];
  };
  const ip = '\x7f\0\0\x01';
  assert.deepEqual(kinds({ family: 2, address, peerAddress: address, port: 5, peerPort: 80 }), [
    3,
    ip,
    5,
    ip,
    80,
    '',
    2,
  ]);
  assert.deepEqual(kinds({ family: 2, address, peerAddress: none, port: 80, state: 10 }), [
    5,
    '',
    0,
    ip,
    80,
    '',
    2,
  ]);
  assert.deepEqual(kinds({ family: 2, address: none, peerAddress: none, state: 7 }), [
    10,
    '',
    0,
    '',
    0,
    'socket:[9]',
    0,
  ]);
  assert.deepEqual(kinds({ family: 17, name: '' }), [10, '', 0, '', 0, 'socket:[9]', 0]);
  assert.equal(kinds({ family: 16 })[0], 15);
});

test('unix sockets: paths end at their NUL, abstract names are shown with @', () => {
  const unix = (name: string) => fdOfRecord(fileRecord({ family: 1, name, socket: 5, peerSocket: 6 }));
  assert.deepEqual(
    [unix('/run/x\0').name, unix('/run/x\0').unixSource, unix('/run/x\0').unixPeer],
    ['/run/x', 5, 6],
  );
  assert.equal(unix('\0abs\0').name, '@abs@');
});

test('files keep device and mount, other kinds do not', () => {
  const file = fdOfRecord(fileRecord({ name: '/dev/null', mode: 0x2000, dev: 6, mountId: 7, flags: 2 }));
  assert.deepEqual([file.type, file.dev, file.mountId, file.openFlags], [16, 6, 7, 3]);
  const pipe = fdOfRecord(fileRecord({ name: 'pipe:[9]', mode: 0x1000, dev: 6, mountId: 7 }));
  assert.deepEqual([pipe.type, pipe.dev, pipe.mountId], [7, 0, 0]);
});
