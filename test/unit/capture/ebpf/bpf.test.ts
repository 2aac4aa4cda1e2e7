import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  mapCreateAttr,
  mapElemAttr,
  programLoadAttr,
  programRunAttr,
} from '../../../../server/capture/ebpf/bpf.ts';
import { errnoName } from '../../../../server/capture/ebpf/libc.ts';
import {
  loadedFds,
  loaderContext,
  readSkeleton,
  type SkeletonManifest,
} from '../../../../server/capture/ebpf/light-skeleton.ts';
import { syscallRowBytes } from '../../../../server/capture/ebpf/probe.ts';
import { probeTables } from '../../../../server/capture/ebpf/probe-tables.ts';

const MANIFEST: SkeletonManifest = {
  name: 'probe',
  arch: 'x64',
  dataBytes: 0,
  insnBytes: 0,
  maps: ['rings', 'config'],
  programs: [
    { name: 'sys_exit', kind: 'tracepoint' },
    { name: 'tp_exec', kind: 'tracepoint' },
  ],
  sources: '',
};

test('a map is created with its sizes and a name of at most 15 bytes', () => {
  const attr = mapCreateAttr({
    type: 27,
    keyBytes: 0,
    valueBytes: 0,
    entriesMax: 8_388_608,
    name: 'a_name_that_is_too_long',
  });
  assert.equal(attr.readUInt32LE(0), 27);
  assert.equal(attr.readUInt32LE(12), 8_388_608);
  assert.equal(attr.latin1Slice(28, 44), 'a_name_that_is_\0');
});

test('addresses are 64 bits wide', () => {
  const attr = mapElemAttr(5, 0x7fff_dead_b000, 0x7fff_dead_b040);
  assert.equal(attr.readUInt32LE(0), 5);
  assert.equal(attr.readBigUInt64LE(8), 0x7fff_dead_b000n);
  assert.equal(attr.readBigUInt64LE(16), 0x7fff_dead_b040n);
});

test('a loader program is sleepable and names its fd array', () => {
  const attr = programLoadAttr({
    type: 31,
    insnCount: 12,
    insnsAddress: 4096,
    licenseAddress: 8192,
    fdArrayAddress: 12_288,
    name: 'x',
  });
  assert.equal(attr.readUInt32LE(0), 31);
  assert.equal(attr.readUInt32LE(4), 12);
  assert.equal(attr.readUInt32LE(44), 16);
  assert.equal(attr.readBigUInt64LE(120), 12_288n);
});

test('a program is run with its context', () => {
  const attr = programRunAttr(9, 4096, 88);
  assert.equal(attr.readUInt32LE(0), 9);
  assert.equal(attr.readUInt32LE(40), 88);
  assert.equal(attr.readBigUInt64LE(48), 4096n);
});

test('the context holds a descriptor per map and program, with sizes overridden by name', () => {
  const context = loaderContext(MANIFEST, new Map([['config', 7]]), { address: 4096, length: 100 });
  assert.equal(context.length, 24 + 2 * 16 + 2 * 4);
  assert.equal(context.readUInt32LE(0), context.length);
  assert.equal(context.readUInt32LE(8), 1);
  assert.equal(context.readUInt32LE(12), 100);
  assert.equal(context.readUInt32LE(24 + 4), 0);
  assert.equal(context.readUInt32LE(24 + 16 + 4), 7);
});

test('fds are found by name after the loader ran', () => {
  const context = loaderContext(MANIFEST, new Map(), undefined);
  context.writeInt32LE(11, 24);
  context.writeInt32LE(12, 24 + 16);
  context.writeInt32LE(13, 24 + 32);
  context.writeInt32LE(14, 24 + 36);
  const { maps, programs } = loadedFds(MANIFEST, context);
  assert.deepEqual(
    [...maps],
    [
      ['rings', 11],
      ['config', 12],
    ],
  );
  assert.deepEqual(
    [...programs],
    [
      ['sys_exit', 13],
      ['tp_exec', 14],
    ],
  );
});

test('a row is written as struct syscall_row', () => {
  const row = {
    nr: 3,
    eventType: 5,
    syscallId: 6,
    program: undefined,
    paramCount: 2,
    ops: [
      { kind: 1, arg: 0, table: 0, extra: 0 },
      { kind: 3, arg: 4, table: 5, extra: 6 },
    ],
  };
  assert.equal(syscallRowBytes(row, 9).toString('hex').slice(0, 32), '050006000902020001000000' + '03040506');
  assert.throws(() => syscallRowBytes({ ...row, ops: new Array(17).fill(row.ops[0]) }, 0));
});

for (const arch of ['x64', 'arm64'] as const) {
  test(`every program that a row of ${arch} names is in its blob`, () => {
    const { manifest } = readSkeleton('probe', arch);
    const programs = new Set(manifest.programs.map((program) => program.name));
    const missing = probeTables(arch).rows.flatMap(({ program }) =>
      program === undefined || programs.has(program) ? [] : [program],
    );
    assert.deepEqual(missing, []);
  });
}

test('errors have the name that manuals use', () => {
  assert.equal(errnoName(1), 'EPERM');
  assert.equal(errnoName(11), 'EAGAIN');
  assert.equal(errnoName(524), 'ENOTSUPP');
  assert.equal(errnoName(9999), 'error 9999');
});
