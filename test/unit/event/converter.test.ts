import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CONVERT_DONE,
  CONVERT_DROP,
  CONVERT_FAILED,
  CONVERT_PASS,
  CONVERTED_BYTES_MAX,
  EventConverter,
} from '../../../server/event/converter.ts';
import { CONVERSION_RULES, RULE_APPEND, RULE_RETYPE } from '../../../server/event/converter-rules.ts';
import {
  EF_CONVERTER_MANAGED,
  EF_OLD_VERSION,
  EF_UNUSED,
  EVENT_TABLE,
  type EventInfo,
  mustEventInfo,
} from '../../../server/event/event-table.ts';
import { fixedWidth } from '../../../server/event/param-width.ts';
import { type EventOptions, eventInfo, type ParamValue, recordBytes } from '../../helpers/scap-builder.ts';

type Outcome = 'pass' | 'drop' | 'failed' | { code: string; params: Buffer[] };

function paramsOf(bytes: Buffer, offset = 0): { code: string; params: Buffer[] } {
  const info = mustEventInfo(bytes.readUInt16LE(offset + 20));
  const count = bytes.readUInt32LE(offset + 22);
  let at = offset + 26 + count * info.lengthSize;
  const params = Array.from({ length: count }, (_, i) => {
    const p = offset + 26 + i * info.lengthSize;
    const length = info.lengthSize === 2 ? bytes.readUInt16LE(p) : bytes.readUInt32LE(p);
    at += length;
    return Buffer.from(bytes.subarray(at - length, at));
  });
  assert.equal(at - offset, bytes.readUInt32LE(offset + 16), 'the length covers header, lengths and values');
  return { code: info.code, params };
}

class Harness {
  readonly converter = new EventConverter();

  feedRecord(record: Buffer): Outcome {
    // Not at offset 0, as in a file.
    const bytes = Buffer.concat([Buffer.alloc(6), record, Buffer.alloc(3)]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    switch (this.converter.convert(bytes, view, 6)) {
      case CONVERT_PASS:
        return 'pass';
      case CONVERT_DROP:
        return 'drop';
      case CONVERT_FAILED:
        return 'failed';
      case CONVERT_DONE:
        return paramsOf(this.converter.bytes);
    }
  }

  feed(code: string, params: readonly ParamValue[], options: EventOptions = {}): Outcome {
    return this.feedRecord(recordBytes(code, params, options));
  }
}

/** One value per parameter that tells which it is: its number in every byte of its width. */
function marked(info: EventInfo, count: number, base: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => {
    const width = fixedWidth(info.params[i]?.type ?? 'UINT64');
    return Buffer.alloc(width === 0 ? 9 : width, base + i);
  });
}

function done(outcome: Outcome): { code: string; params: Buffer[] } {
  assert.ok(typeof outcome === 'object', `converted, not ${String(outcome)}`);
  return outcome;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

const EMPTY = Buffer.alloc(0);

describe('conversion rules', () => {
  it('cover every event type that the schema says is converted', () => {
    const ruled = new Set(CONVERSION_RULES.map((rule) => rule.type));
    const managed = EVENT_TABLE.filter((info) => (info.flags & EF_CONVERTER_MANAGED) !== 0);
    assert.deepEqual(
      managed.filter((info) => !ruled.has(info.id)).map((info) => info.code),
      [],
    );
    assert.equal(ruled.size, managed.length);
  });

  it('have one rule per type and parameter count', () => {
    const keys = CONVERSION_RULES.map((rule) => `${rule.type}/${rule.paramCount}`);
    assert.equal(new Set(keys).size, keys.length);
  });

  for (const rule of CONVERSION_RULES) {
    if (rule.action !== RULE_APPEND && rule.action !== RULE_RETYPE) continue;
    const info = mustEventInfo(rule.type);
    it(`${info.code} with ${rule.paramCount} parameters ends in a type of today with all parameters`, () => {
      const outcome = new Harness().feed(info.code, marked(info, rule.paramCount, 1));
      if (outcome === 'drop') {
        // Old enter records chain into others that are kept.
        assert.ok(info.isEnter);
        return;
      }
      const { code, params } = done(outcome);
      const target = eventInfo(code);
      // accept4 was called accept once.
      assert.ok(target.name.startsWith(info.name));
      assert.equal(params.length, target.params.length);
      const isPassedEnter = target.isEnter && (target.flags & EF_CONVERTER_MANAGED) !== 0;
      if (!isPassedEnter) assert.equal(target.flags & EF_OLD_VERSION, 0);
      params.forEach((param, i) => {
        const width = fixedWidth(target.params[i]?.type ?? 'NONE');
        if (width > 0) assert.ok(param.length === 0 || param.length === width, `parameter ${i}`);
      });
    });
  }
});

describe('converter', () => {
  it('drops unused ids and old enter records nobody needs, passes what is of today', () => {
    const harness = new Harness();
    for (const info of EVENT_TABLE) {
      if ((info.flags & EF_CONVERTER_MANAGED) !== 0) continue;
      const isGone = (info.flags & (EF_UNUSED | EF_OLD_VERSION)) !== 0;
      const outcome = harness.feed(info.code, marked(info, info.params.length, 1));
      assert.equal(outcome, isGone ? 'drop' : 'pass', info.code);
    }
  });

  it('moves what the enter record knew into its exit record', () => {
    const harness = new Harness();
    assert.equal(harness.feed('PPME_SYSCALL_READ_E', [7, 4096]), 'drop');
    const { code, params } = done(harness.feed('PPME_SYSCALL_READ_X', [3, Buffer.from('abc')]));
    assert.equal(code, 'PPME_SYSCALL_READ_X');
    assert.deepEqual(params, [u64(3), Buffer.from('abc'), u64(7), Buffer.from([0, 16, 0, 0])]);
  });

  it('uses an enter record once', () => {
    const harness = new Harness();
    harness.feed('PPME_SYSCALL_CLOSE_E', [7]);
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_CLOSE_X', [0])).params[1], u64(7));
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_CLOSE_X', [0])).params[1], u64(0));
  });

  it('keeps threads apart', () => {
    const harness = new Harness();
    harness.feed('PPME_SYSCALL_CLOSE_E', [7], { tid: 1 });
    harness.feed('PPME_SYSCALL_CLOSE_E', [8], { tid: 2 });
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_CLOSE_X', [0], { tid: 1 })).params[1], u64(7));
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_CLOSE_X', [0], { tid: 2 })).params[1], u64(8));
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_CLOSE_X', [0], { tid: 3 })).params[1], u64(0));
  });

  it('takes a lost enter record for missing, and forgets one of another call', () => {
    const harness = new Harness();
    harness.feed('PPME_SYSCALL_CLOSE_E', [7]);
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_READ_X', [0, null])).params[2], u64(0));
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_CLOSE_X', [0])).params[1], u64(0));
  });

  it('makes missing values empty where the rule says so, with all ones for ids where it does not', () => {
    const harness = new Harness();
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_SETUID_X', [0])).params, [u64(0), EMPTY]);
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_OPENAT_X', [3])).params.slice(1), Array(6).fill(EMPTY));
    assert.deepEqual(done(harness.feed('PPME_SYSCALL_FUTEX_X', [0])).params.slice(1), [
      Buffer.alloc(8),
      Buffer.alloc(2),
      Buffer.alloc(8),
    ]);
  });

  it('changes the type and keeps the order of parameters', () => {
    const harness = new Harness();
    harness.feed('PPME_SYSCALL_LINKAT_E', [5, 'old', 6, 'new']);
    const { code, params } = done(harness.feed('PPME_SYSCALL_LINKAT_X', [0]));
    assert.equal(code, 'PPME_SYSCALL_LINKAT_2_X');
    assert.deepEqual(params, [u64(0), u64(5), Buffer.from('old\0'), u64(6), Buffer.from('new\0'), EMPTY]);
  });

  it('takes the fd and request of ioctl, whose argument old files lack', () => {
    const harness = new Harness();
    harness.feed('PPME_SYSCALL_IOCTL_2_E', [5, 21505]);
    const { code, params } = done(harness.feed('PPME_SYSCALL_IOCTL_2_X', [0]));
    assert.equal(code, 'PPME_SYSCALL_IOCTL_3_X');
    assert.deepEqual(params, [u64(0), u64(5), u64(21505), EMPTY]);
  });

  it('goes through generation after generation', () => {
    const info = eventInfo('PPME_SYSCALL_EXECVE_8_X');
    const old = marked(info, 8, 1);
    const { code, params } = done(new Harness().feed(info.code, old));
    assert.equal(code, 'PPME_SYSCALL_EXECVE_19_X');
    assert.equal(params.length, 31);
    assert.deepEqual(params.slice(0, 8), old);
    assert.deepEqual(params.slice(8), Array(23).fill(EMPTY));
  });

  it('inserts in the middle what a generation brought there', () => {
    const info = eventInfo('PPME_SYSCALL_CLONE_11_X');
    const old = marked(info, 11, 1);
    const { code, params } = done(new Harness().feed(info.code, old));
    assert.equal(code, 'PPME_SYSCALL_CLONE_20_X');
    const expected: (Buffer | undefined)[] = Array(21).fill(EMPTY);
    for (let i = 0; i < 8; i++) expected[i] = old[i];
    // flags, uid, gid
    expected[15] = old[8];
    expected[16] = old[9];
    expected[17] = old[10];
    assert.deepEqual(params, expected);
  });

  it('passes the execve enter record and gives its file name to the exit', () => {
    const harness = new Harness();
    assert.equal(harness.feed('PPME_SYSCALL_EXECVE_19_E', ['/bin/ls']), 'pass');
    const info = eventInfo('PPME_SYSCALL_EXECVE_19_X');
    const { params } = done(harness.feed(info.code, marked(info, 30, 1)));
    assert.deepEqual(params[30], Buffer.from('/bin/ls\0'));
  });

  it('turns the oldest execve enter record into one of today and gives nothing to the exit', () => {
    const harness = new Harness();
    const enter = done(harness.feed('PPME_SYSCALL_EXECVE_8_E', []));
    assert.deepEqual(enter, { code: 'PPME_SYSCALL_EXECVE_19_E', params: [EMPTY] });
  });

  it('gives connect the address its enter record knew, and none that old files lack', () => {
    const harness = new Harness();
    const addr = Buffer.from([2, 127, 0, 0, 1, 80, 0]);
    assert.equal(harness.feed('PPME_SOCKET_CONNECT_E', [4, addr]), 'pass');
    const tuple = Buffer.of(1);
    const exit = done(harness.feed('PPME_SOCKET_CONNECT_X', [0, tuple, 4]));
    assert.deepEqual(exit.params, [u64(0), tuple, u64(4), addr]);
    assert.deepEqual(done(harness.feed('PPME_SOCKET_CONNECT_E', [4])).params, [u64(4), EMPTY]);
    const oldExit = done(harness.feed('PPME_SOCKET_CONNECT_X', [0, tuple]));
    assert.deepEqual(oldExit.params, [u64(0), tuple, u64(4), EMPTY]);
  });

  it('cuts a value whose parameter became narrower', () => {
    const harness = new Harness();
    harness.feed('PPME_SYSCALL_BPF_E', [0x1_0000_0005]);
    const { code, params } = done(harness.feed('PPME_SYSCALL_BPF_X', [Buffer.from([1, ...u64(3)])]));
    assert.equal(code, 'PPME_SYSCALL_BPF_2_X');
    assert.deepEqual(params, [u64(3), Buffer.from([5, 0, 0, 0])]);
  });

  it('turns an old container record into JSON with wide lengths', () => {
    const { code, params } = done(new Harness().feed('PPME_CONTAINER_E', ['ab12', 0, 'a "name"', 'img\xe9']));
    assert.equal(code, 'PPME_CONTAINER_JSON_2_E');
    const json = params[0]?.toString('latin1');
    assert.equal(json, '{"id":"ab12","type":0,"name":"a \\"name\\"","image":"img\xe9"}\0');
  });

  it('gives the scheduler switch and process exit of old files today‘s parameters', () => {
    const harness = new Harness();
    const schedule = done(harness.feed('PPME_SCHEDSWITCH_1_E', [7]));
    assert.deepEqual(schedule, { code: 'PPME_SCHEDSWITCH_6_E', params: [u64(7), ...Array(5).fill(EMPTY)] });
    const exit = done(harness.feed('PPME_PROCEXIT_E', []));
    assert.deepEqual(exit, { code: 'PPME_PROCEXIT_1_E', params: Array(5).fill(EMPTY) });
  });

  it('leaves a record with a parameter count it does not know as it is, when its type is of today', () => {
    const harness = new Harness();
    assert.equal(harness.feed('PPME_SYSCALL_READ_X', [1]), 'pass');
    assert.equal(harness.feed('PPME_SYSCALL_READ_X', [1, null, 3, 4, 5, 6]), 'pass');
    assert.equal(harness.feed('PPME_SYSCALL_READ_E', [1]), 'drop');
  });

  it('refuses an old exit record with a parameter count it does not know, and says why', () => {
    const harness = new Harness();
    assert.equal(harness.feed('PPME_SYSCALL_OPENAT_X', []), 'failed');
    assert.match(harness.converter.problem, /PPME_SYSCALL_OPENAT_X with 0 parameters/);
  });

  it('refuses a record that grows beyond the limit', () => {
    const harness = new Harness();
    harness.feed('PPME_SYSCALL_UNLINK_E', ['x'.repeat(40_000)]);
    assert.equal(typeof harness.feed('PPME_SYSCALL_UNLINK_X', [0]), 'object');
    harness.feed('PPME_SYSCALL_LINK_E', ['x'.repeat(40_000), 'y'.repeat(40_000)]);
    assert.equal(harness.feed('PPME_SYSCALL_LINK_X', [0]), 'failed');
    assert.match(harness.converter.problem, new RegExp(`longer than ${CONVERTED_BYTES_MAX}`));
  });

  it('keeps the header', () => {
    const harness = new Harness();
    harness.feed('PPME_SYSCALL_CLOSE_X', [0], { tid: -5, tsNs: 0xfedcba9876543210n });
    const { bytes } = harness.converter;
    assert.equal(bytes.readBigUInt64LE(0), 0xfedcba9876543210n);
    assert.equal(bytes.readBigInt64LE(8), -5n);
  });
});

describe('stored enter records', () => {
  it('throws out the oldest thread beyond the limit, and counts it', () => {
    const harness = new Harness();
    const converter = new EventConverter({ threadsMax: 2, bytesMax: 1_000_000 });
    const feed = (record: Buffer): void => {
      converter.convert(record, new DataView(record.buffer, record.byteOffset, record.length), 0);
    };
    for (const tid of [1, 2, 3]) feed(recordBytes('PPME_SYSCALL_CLOSE_E', [tid], { tid }));
    assert.equal(converter.stored.evicted, 1);
    assert.equal(converter.stored.size, 2);
    feed(recordBytes('PPME_SYSCALL_CLOSE_X', [0], { tid: 1 }));
    assert.deepEqual(paramsOf(converter.bytes).params[1], u64(0));
    feed(recordBytes('PPME_SYSCALL_CLOSE_X', [0], { tid: 3 }));
    assert.deepEqual(paramsOf(converter.bytes).params[1], u64(3));
    assert.equal(harness.converter.stored.size, 0);
  });

  it('is bounded in bytes', () => {
    const converter = new EventConverter({ threadsMax: 1_000, bytesMax: 100_000 });
    for (let tid = 1; tid <= 10; tid++) {
      const record = recordBytes('PPME_SYSCALL_UNLINK_E', ['x'.repeat(30_000)], { tid });
      converter.convert(record, new DataView(record.buffer, record.byteOffset, record.length), 0);
    }
    assert.equal(converter.stored.size, 3);
    assert.equal(converter.stored.evicted, 7);
  });
});
