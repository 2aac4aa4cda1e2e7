import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { recordBytes, ScapBuilder } from '../../../helpers/scap-builder.ts';
import { ScapBytes, scapBlock } from '../../../helpers/scap-bytes.ts';
import { readCaptureBytes } from '../../../helpers/scap-contents.ts';
import { threadRow } from '../../../helpers/scap-rows.ts';

const CLOSE = 'PPME_SYSCALL_CLOSE_X';

/** A section header, a machine block and three events, with the offset of each event block. */
function sample(): { file: Buffer; eventAt: number[] } {
  const builder = new ScapBuilder().machine();
  const eventAt: number[] = [];
  for (let i = 0; i < 3; i++) {
    eventAt.push(builder.bytes().length);
    builder.event(CLOSE, [0, i]);
  }
  return { file: builder.bytes(), eventAt };
}

interface DamageCase {
  readonly name: string;
  readonly file: Uint8Array;
  readonly offset: number;
  readonly message: RegExp;
  readonly events: number;
}

/** The sample with one u32 replaced. */
function patched(at: number, value: number): Buffer {
  const { file } = sample();
  file.writeUInt32LE(value, at);
  return file;
}

const { file: FILE, eventAt: EVENT_AT } = sample();
const [FIRST = 0, SECOND = 0] = EVENT_AT;
const HEADER_BYTES = 28;

const CASES: readonly DamageCase[] = [
  {
    name: 'an empty file',
    file: new Uint8Array(0),
    offset: 0,
    message: /is empty, expected a section header/,
    events: 0,
  },
  {
    name: 'a file of three bytes',
    file: Buffer.from('abc'),
    offset: 3,
    message: /expected 8 bytes, found 3/,
    events: 0,
  },
  {
    name: 'a text file',
    file: Buffer.from('hello, world, this is text'),
    offset: 0,
    message: /not a capture file/,
    events: 0,
  },
  {
    name: 'a pcapng file of the other byte order',
    file: new ScapBuilder({ hasHeader: false }).section({ magic: 0x4d3c2b1a }).bytes(),
    offset: 8,
    message: /byte order magic 0x4d3c2b1a, expected 0x1a2b3c4d/,
    events: 0,
  },
  {
    name: 'a later format version',
    file: new ScapBuilder({ hasHeader: false }).section({ major: 2 }).bytes(),
    offset: 12,
    message: /format version 2\.2, expected 1\.x/,
    events: 0,
  },
  {
    name: 'a section header too short',
    file: scapBlock(0x0a0d0d0a, Buffer.alloc(4)),
    offset: 8,
    message: /magic/,
    events: 0,
  },
  {
    name: 'a block length below the minimum',
    file: patched(HEADER_BYTES + 4, 11),
    offset: HEADER_BYTES + 4,
    message: /block of 11 bytes, expected at least 12/,
    events: 0,
  },
  {
    name: 'a state block longer than the limit',
    file: patched(HEADER_BYTES + 4, 0xfffffff0),
    offset: HEADER_BYTES + 4,
    message: /block of 4294967280 bytes, expected at most 67108864/,
    events: 0,
  },
  {
    name: 'a state block whose lengths differ',
    file: patched(FIRST - 4, 13),
    offset: FIRST - 4,
    message: /block length 13 at its end, expected 192/,
    events: 0,
  },
  {
    name: 'a state block that ends early',
    file: FILE.subarray(0, FIRST - 10),
    offset: FIRST - 10,
    message: /inside block 0x00000201: expected 192 bytes, found 182/,
    events: 0,
  },
  {
    name: 'a file cut inside the second event',
    file: FILE.subarray(0, SECOND + 20),
    offset: SECOND + 20,
    message: /inside an event block: expected 60 bytes, found 20/,
    events: 1,
  },
  {
    name: 'a file cut inside a block header',
    file: FILE.subarray(0, SECOND + 5),
    offset: SECOND + 5,
    message: /inside a block header: expected 8 bytes, found 5/,
    events: 1,
  },
  {
    name: 'an event block too short for a header',
    file: patched(SECOND + 4, 36),
    offset: SECOND + 4,
    message: /event block of 36 bytes, expected 40 to 65544/,
    events: 1,
  },
  {
    name: 'an event block longer than such blocks are',
    file: patched(SECOND + 4, 65_548),
    offset: SECOND + 4,
    message: /event block of 65548 bytes, expected 40 to 65544/,
    events: 1,
  },
  {
    name: 'another block after the first event',
    file: patched(SECOND, 0x7777),
    offset: SECOND,
    message: /block type 0x00007777, expected an event block or a section header/,
    events: 1,
  },
  {
    name: 'a record longer than its block',
    file: patched(SECOND + 10 + 16, 50),
    offset: SECOND + 10,
    message: /record length 50, expected 26 to 46/,
    events: 1,
  },
  {
    name: 'a record shorter than its header',
    file: patched(SECOND + 10 + 16, 25),
    offset: SECOND + 10,
    message: /record length 25, expected 26 to 46/,
    events: 1,
  },
  {
    name: 'a parameter count beyond the record',
    file: patched(SECOND + 10 + 22, 0xffffffff),
    offset: SECOND + 10,
    message: /4294967295 parameters, but the record has 46 bytes/,
    events: 1,
  },
  {
    name: 'a parameter longer than the record',
    file: patched(SECOND + 10 + 26, 0x0009_0008),
    offset: SECOND + 10,
    message: /1 bytes longer than the record/,
    events: 1,
  },
];

/** The state block in question, put after a section header. */
function stateCase(name: string, block: Buffer, ahead: number, message: RegExp): DamageCase {
  const file = new ScapBuilder().raw(block).event(CLOSE, [0, 1]).bytes();
  return { name, file, offset: HEADER_BYTES + 8 + ahead, message, events: 0 };
}

const STATE_CASES: readonly DamageCase[] = [
  stateCase(
    'a comm longer than any',
    scapBlock(0x202, new ScapBytes().u64(1).u64(1).u64(1).u16(1025).bytes()),
    24,
    /comm of 1025 bytes, expected at most 1024/,
  ),
  stateCase(
    'a thread entry beyond its block',
    scapBlock(0x215, new ScapBytes().u32(100).u32(0).bytes()),
    0,
    /entry of 100 bytes, expected 4 to 8/,
  ),
  stateCase(
    'a thread entry of no length',
    scapBlock(0x215, new ScapBytes().u32(0).u32(0).bytes()),
    0,
    /entry of 0 bytes, expected 4 to 8/,
  ),
  stateCase(
    'an fd list without a thread',
    scapBlock(0x218, new ScapBytes().u32(1).bytes()),
    0,
    /expected 8 bytes of tid, found 4/,
  ),
  stateCase(
    'an interface kind that is none',
    scapBlock(0x205, new ScapBytes().u16(9).u16(0).bytes()),
    0,
    /address kind 9, expected 1 to 4/,
  ),
  stateCase(
    'a user kind that is none',
    scapBlock(0x206, new ScapBytes().u8(2).u8(0).u16(0).bytes()),
    0,
    /kind 2, expected 0 \(user\) or 1 \(group\)/,
  ),
  stateCase(
    'a machine block too short',
    scapBlock(0x201, Buffer.alloc(8)),
    4,
    /expected 8 bytes of memory size, found 4/,
  ),
];

describe('damaged captures', () => {
  for (const test of [...CASES, ...STATE_CASES]) {
    it(`${test.name}: an error with its place, after ${test.events} events`, async () => {
      for (const bytes of [test.file, gzipSync(test.file)]) {
        const { events, error } = await readCaptureBytes(bytes);
        assert.match(error?.message ?? 'no error', test.message);
        assert.equal(error?.offset, test.offset);
        assert.equal(events.length, test.events);
      }
    });
  }

  it('a v1 record whose lengths fit no parameter count', async () => {
    const record = recordBytes(CLOSE, [0, 1], { version: 1 });
    record.writeUInt16LE(7, 22);
    const { error } = await readCaptureBytes(new ScapBuilder().record(record, { version: 1 }).bytes());
    assert.match(
      error?.message ?? '',
      /no parameter count of PPME_SYSCALL_CLOSE_X fits a record of 42 bytes/,
    );
    assert.equal(error?.offset, HEADER_BYTES + 10);
  });

  it('a large block is taken up to the limit and not beyond', async () => {
    const text = Buffer.alloc(200_000, 'x');
    const file = new ScapBuilder().event('PPME_CONTAINER_JSON_2_E', [text], { isLarge: true }).bytes();
    const length = file.length - HEADER_BYTES;
    assert.equal((await readCaptureBytes(file, { blockBytesMax: length })).events.length, 1);
    const { error } = await readCaptureBytes(file, { blockBytesMax: length - 1 });
    assert.match(
      error?.message ?? '',
      new RegExp(`event block of ${length} bytes, expected 40 to ${length - 1}`),
    );
  });

  it('an absurd length in a small file allocates nothing like it', async () => {
    const file = sample().file;
    file.writeUInt32LE(0x216 + 0xb, SECOND);
    file.writeUInt32LE(60_000_000, SECOND + 4);
    const before = process.memoryUsage().arrayBuffers;
    const { events, error } = await readCaptureBytes(file);
    assert.equal(events.length, 1);
    assert.match(error?.message ?? '', /expected 60000000 bytes, found/);
    assert.ok(process.memoryUsage().arrayBuffers - before < 16_000_000);
  });
});

describe('damaged gzip', () => {
  const builder = new ScapBuilder().machine().threads([threadRow()]);
  for (let i = 0; i < 5_000; i++) builder.event(CLOSE, [i % 7, (i * 7919) % 65_536], { tid: (i * 31) % 999 });
  const plain = builder.bytes();
  const gzip = gzipSync(plain);

  it('delivers every event before a cut', async () => {
    const { events, error } = await readCaptureBytes(gzip.subarray(0, gzip.length >> 1));
    assert.match(error?.message ?? '', /gzip data is damaged: unexpected end of file/);
    assert.ok(events.length > 1_000);
    assert.ok((error?.offset ?? 0) <= plain.length);
  });

  it('delivers every event before flipped bits', async () => {
    const damaged = Buffer.from(gzip);
    const at = damaged.length >> 1;
    damaged.fill(0xff, at, at + 64);
    const cut = await readCaptureBytes(gzip.subarray(0, at));
    const { events, error } = await readCaptureBytes(damaged);
    assert.match(error?.message ?? '', /gzip data is damaged|block|record|parameter/);
    // Everything that decompresses from the bytes before the damage is there.
    assert.ok(
      events.length >= cut.events.length,
      `${events.length} events, ${cut.events.length} before the damage`,
    );
  });

  it('notices a wrong checksum after the last event', async () => {
    const damaged = Buffer.from(gzip);
    damaged.writeUInt32LE(1, damaged.length - 8);
    const { events, error } = await readCaptureBytes(damaged);
    assert.equal(events.length, 5_000);
    assert.match(error?.message ?? '', /incorrect data check/);
    assert.equal(error?.offset, plain.length);
  });
});
