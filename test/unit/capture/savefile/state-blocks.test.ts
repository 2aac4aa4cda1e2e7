import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FdEntry } from '../../../../server/event/snapshot.ts';
import { ScapBuilder } from '../../../helpers/scap-builder.ts';
import { ScapBytes, scapBlock } from '../../../helpers/scap-bytes.ts';
import { readCaptureBytes } from '../../../helpers/scap-contents.ts';
import {
  fdRow,
  groupRow,
  interfaceRow,
  machineRow,
  oldThreadRow,
  threadRow,
  userRow,
} from '../../../helpers/scap-rows.ts';
import { oldThreadTail, threadBytes } from '../../../helpers/scap-state.ts';

/** A file with one event after what `builder` holds, so that it is complete. */
function complete(builder: ScapBuilder): Buffer {
  return builder.event('PPME_SYSCALL_CLOSE_X', [0, 3]).bytes();
}

async function stateOf(builder: ScapBuilder) {
  const contents = await readCaptureBytes(complete(builder));
  assert.equal(contents.error, undefined);
  assert.equal(contents.events.length, 1);
  return contents.state;
}

/** What a thread list of the version brings beyond the one before. */
const THREAD_FIELDS_BY_VERSION: readonly (readonly string[])[] = [
  [],
  [],
  ['vmsizeKb', 'vmrssKb', 'vmswapKb', 'pfmajor', 'pfminor'],
  ['env'],
  ['vtid', 'vpid', 'cgroups'],
  ['root'],
  ['sid'],
  ['exepath'],
  ['vpgid'],
];

describe('state blocks', () => {
  it('reads the machine block under its new and its old id', async () => {
    for (const id of [0x201, 0x8002abcd]) {
      const row = machineRow({ hostname: 'h'.repeat(128), flags: 0xffffffffffffffffn });
      const state = await stateOf(new ScapBuilder().machine(row, id));
      assert.deepEqual(state.machines, [row]);
    }
  });

  it('reads interface lists of both versions and all four address kinds', async () => {
    const rows = [
      interfaceRow({ name: 'lo' }),
      interfaceRow({ linkSpeed: undefined }),
      interfaceRow({ family: 6, name: 'wlan0' }),
      interfaceRow({ family: 6, linkSpeed: undefined, name: '' }),
    ];
    for (const version of [1, 2] as const) {
      const state = await stateOf(new ScapBuilder().interfaces(rows, version));
      assert.deepEqual(state.interfaces, rows, `version ${version}`);
    }
  });

  it('reads user lists of both versions', async () => {
    const users = [userRow(), userRow({ uid: 0xffffffff, name: '\xff\xfe', shell: '' })];
    const groups = [groupRow(), groupRow({ gid: 0, name: 'x'.repeat(255) })];
    for (const version of [1, 2] as const) {
      const state = await stateOf(new ScapBuilder().users(users, groups, version));
      assert.deepEqual([state.users, state.groups], [users, groups], `version ${version}`);
    }
  });

  it('skips what a newer writer appended to an entry', async () => {
    const entry = new ScapBytes().u32(22).u8(1).u32(7).text('g').raw('0123456789').bytes();
    const state = await stateOf(new ScapBuilder().block(0x220, entry));
    assert.deepEqual(state.groups, [{ gid: 7, name: 'g' }]);
  });

  for (let version = 1; version <= 8; version++) {
    it(`reads thread list version ${version}, defaults for what it lacks`, async () => {
      const full = threadRow();
      const fields = THREAD_FIELDS_BY_VERSION.slice(0, version + 1).flat();
      const expected = oldThreadRow(
        Object.fromEntries(Object.entries(full).filter(([k]) => fields.includes(k))),
      );
      const state = await stateOf(new ScapBuilder().threads([full, full], version));
      assert.deepEqual(state.threads, [expected, expected]);
    });
  }

  it('reads thread list version 9 with its whole tail, and skips what follows it', async () => {
    const row = threadRow({ tid: -1, fdlimit: -1 });
    assert.deepEqual((await stateOf(new ScapBuilder().threads([row]))).threads, [row]);
    const longer = Buffer.concat([threadBytes(row, 9), Buffer.from('newer')]);
    longer.writeUInt32LE(longer.length);
    assert.deepEqual((await stateOf(new ScapBuilder().block(0x215, longer))).threads, [row]);
  });

  it('reads a shorter tail up to the last field that fits', async () => {
    const row = threadRow();
    const cut = (await stateOf(new ScapBuilder().threads([row], 9, 12 + 29))).threads[0];
    assert.equal(cut?.capEffective, 3);
    assert.equal(cut?.exeUpperLayer, false);
    assert.equal(cut?.tty, 34816);
  });

  it('takes a tail of at most 29 bytes for one without the two inserted fields', async () => {
    const row = threadRow();
    const head = threadBytes(row, 9, 0);
    const entry = Buffer.concat([head, oldThreadTail(row).subarray(0, 29)]);
    entry.writeUInt32LE(entry.length);
    const thread = (await stateOf(new ScapBuilder().block(0x215, entry))).threads[0];
    assert.equal(thread?.tty, 0);
    assert.equal(thread?.loginuid, 1000);
    assert.equal(thread?.exeWritable, true);
    assert.equal(thread?.capEffective, 3);
    assert.equal(thread?.pidnsInitStartNs, 0n);
  });

  it('ends args and env that lack their last NUL', async () => {
    const row = oldThreadRow({ args: 'a\0b', env: 'X=1' });
    const thread = (await stateOf(new ScapBuilder().threads([row], 3))).threads[0];
    assert.equal(thread?.args, 'a\0b\0');
    assert.equal(thread?.env, 'X=1\0');
  });

  it('reads every kind of fd in both versions', async () => {
    const named = [1, 2, 7, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21].map((type) =>
      fdRow({ type, name: `/kind/${type}` }),
    );
    const rows: FdEntry[] = [
      ...named,
      fdRow({
        type: 3,
        sip: '\x01\x02\x03\x04',
        dip: '\x05\x06\x07\x08',
        sport: 1,
        dport: 65535,
        l4proto: 2,
      }),
      fdRow({ type: 4, sip: '\x01'.repeat(16), dip: '\x02'.repeat(16), sport: 3, dport: 4, l4proto: 3 }),
      fdRow({ type: 5, dip: '\x7f\x00\x00\x01', dport: 80, l4proto: 2 }),
      fdRow({ type: 6, dip: '\x00'.repeat(16), dport: 443, l4proto: 2 }),
      fdRow({ type: 8, unixSource: 0xffff888012345678n, unixPeer: 5, name: '/run/x.sock' }),
      fdRow({ fd: -100, ino: 0xffffffffffffffffn, openFlags: 4097, name: 'n'.repeat(1023) }),
    ];
    const old = await stateOf(new ScapBuilder().fds(100, rows, 1));
    assert.deepEqual(old.fds, [{ tid: 100, entries: rows }]);
    const withDev = rows.map((row) => (row.type === 16 ? { ...row, dev: 2049 } : row));
    const today = await stateOf(new ScapBuilder().fds(100, withDev, 2));
    assert.deepEqual(today.fds, [{ tid: 100, entries: withDev }]);
    const withoutDev = await stateOf(new ScapBuilder().fds(100, withDev, 2, false));
    assert.deepEqual(withoutDev.fds, [{ tid: 100, entries: rows }]);
  });

  it('takes an fd kind of a newer writer for an unsupported one', async () => {
    const entry = new ScapBytes().u32(25).u64(5).u64(6).u8(99).u32(0).bytes();
    const body = new ScapBytes().u64(1).raw(entry).bytes();
    const state = await stateOf(new ScapBuilder().block(0x218, body));
    assert.deepEqual(state.fds[0]?.entries, [fdRow({ fd: 5, ino: 6, type: 10, name: 'unknown-type:[99]' })]);
  });

  it('accepts the old block ids', async () => {
    const body = (block: Buffer): Buffer => block.subarray(8, block.length - 4);
    const of = (build: (b: ScapBuilder) => ScapBuilder): Buffer =>
      body(build(new ScapBuilder({ hasHeader: false })).bytes());
    const state = await stateOf(
      new ScapBuilder()
        .block(
          0x8011abcd,
          of((b) => b.interfaces([interfaceRow()], 1)),
        )
        .block(
          0x8012abcd,
          of((b) => b.users([userRow()], [], 1)),
        )
        .block(
          0x8000abcd,
          of((b) => b.threads([oldThreadRow()], 1)),
        )
        .block(
          0x8013abcd,
          of((b) => b.threads([oldThreadRow()], 2)),
        )
        .block(
          0x8014abcd,
          of((b) => b.threads([oldThreadRow()], 3)),
        )
        .block(
          0x8001abcd,
          of((b) => b.fds(100, [fdRow()], 1)),
        ),
    );
    assert.deepEqual(state.interfaces, [interfaceRow()]);
    assert.deepEqual(state.users, [userRow()]);
    assert.deepEqual(state.threads, [oldThreadRow(), oldThreadRow(), oldThreadRow()]);
    assert.deepEqual(state.fds, [{ tid: 100, entries: [fdRow()] }]);
  });

  it('skips blocks of unknown type before the first event, even one larger than the block limit', async () => {
    const file = new ScapBuilder({ hasHeader: false })
      .section({ options: Buffer.from('\x01\x00\x04\x00note\x00\x00\x00\x00', 'latin1') })
      .raw(scapBlock(0x7777, Buffer.alloc(300_000, 1)))
      .machine();
    const contents = await readCaptureBytes(complete(file), { blockBytesMax: 65_536 });
    assert.equal(contents.error, undefined);
    assert.equal(contents.state.machines.length, 1);
    assert.equal(contents.events.length, 1);
  });
});
