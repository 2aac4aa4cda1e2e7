/** Ways to damage a capture. Each takes bytes and returns other bytes; the input is never changed. */
import { gzipSync } from 'node:zlib';
import type { SeededRandom } from './savefile-random.ts';

type Mutation = (bytes: Buffer, random: SeededRandom, others: readonly Buffer[]) => Buffer;

const SIZE_MAX = 65_536;

const U32_VALUES: readonly number[] = [
  0, 1, 3, 4, 7, 8, 11, 12, 13, 16, 22, 26, 27, 36, 40, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x10008,
  0xfffff, 0x3ffffff, 0x4000000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffc, 0xffffffff,
];

const BLOCK_TYPES: readonly number[] = [
  0x0a0d0d0a, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207, 0x208, 0x209, 0x210, 0x211, 0x212, 0x213,
  0x214, 0x215, 0x216, 0x217, 0x218, 0x219, 0x220, 0x221, 0x222, 0x8000abcd, 0x8001abcd, 0x8002abcd,
  0x8010abcd, 0x8011abcd, 0x8012abcd, 0x8013abcd, 0x8014abcd, 0x7777,
];

/** Where blocks start, as far as their lengths lead. */
function blockOffsets(bytes: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    offsets.push(at);
    const length = bytes.readUInt32LE(at + 4);
    if (length < 12) break;
    at += length;
  }
  return offsets;
}

function setU32(bytes: Buffer, at: number, value: number): void {
  if (at >= 0 && at + 4 <= bytes.length) bytes.writeUInt32LE(value >>> 0, at);
}

function someU32(random: SeededRandom): number {
  return random.below(4) === 0 ? random.u32() : random.pick(U32_VALUES);
}

const flipBits: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  for (let i = random.below(8); i >= 0; i--) {
    const at = random.below(out.length);
    if (out.length > 0) out[at] = (out[at] as number) ^ (1 << random.below(8));
  }
  return out;
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1));

const setLength: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  const at = random.pick(blockOffsets(out)) ?? 0;
  const old = at + 8 <= out.length ? out.readUInt32LE(at + 4) : 0;
  const value = random.below(2) === 0 ? someU32(random) : old + random.below(17) - 8;
  setU32(out, at + 4, value);
  // Now and then both ends agree, so that the wrong length is believed.
  if (random.below(2) === 0) setU32(out, at + value - 4, value);
  return out;
};

const setBlockType: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  setU32(out, random.pick(blockOffsets(out)) ?? 0, random.pick(BLOCK_TYPES));
  return out;
};

/** Numbers inside a block: entry lengths, text lengths, record lengths, parameter counts and lengths. */
const setField: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  const at = (random.pick(blockOffsets(out)) ?? 0) + 8 + random.below(64);
  if (random.below(2) === 0) setU32(out, at, someU32(random));
  else if (at + 2 <= out.length) out.writeUInt16LE(someU32(random) & 0xffff, at);
  return out;
};

/** The header of an event record: length, type, parameter count, first parameter lengths. */
const setRecordHeader: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  const at = (random.pick(blockOffsets(out)) ?? 0) + (random.below(4) === 0 ? 14 : 10);
  const field = random.below(4);
  if (field === 0) setU32(out, at + 16, someU32(random));
  else if (field === 1 && at + 22 <= out.length) out.writeUInt16LE(random.below(460), at + 20);
  else if (field === 2) setU32(out, at + 22, random.below(2) === 0 ? random.below(40) : someU32(random));
  else setU32(out, at + 26 + random.below(8) * 2, someU32(random));
  return out;
};

/** Leaves out, doubles or moves a run of blocks. */
const spliceBlocks: Mutation = (bytes, random) => {
  const offsets = [...blockOffsets(bytes), bytes.length];
  const from = random.below(offsets.length);
  const to = Math.min(offsets.length - 1, from + random.below(6));
  const head = bytes.subarray(0, offsets[from]);
  const run = bytes.subarray(offsets[from], offsets[to]);
  const tail = bytes.subarray(offsets[to]);
  const parts = random.pick([
    [head, tail],
    [head, run, run, tail],
    [run, head, tail],
    [head, tail, run],
  ]);
  return Buffer.concat(parts);
};

/** Blocks of another capture in the middle: sections, old beside new. */
const spliceOther: Mutation = (bytes, random, others) => {
  const other = random.pick(others);
  const cut = random.pick([...blockOffsets(bytes), bytes.length]);
  const from = random.below(2) === 0 ? 0 : random.pick(blockOffsets(other));
  return Buffer.concat([bytes.subarray(0, cut), other.subarray(from), bytes.subarray(cut)]);
};

const insertNoise: Mutation = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(64)), bytes.subarray(at)]);
};

const onlyNoise: Mutation = (bytes, random) => {
  const noise = random.bytes(random.below(256));
  return random.below(2) === 0 ? noise : Buffer.concat([bytes.subarray(0, 28), noise]);
};

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  truncate,
  setLength,
  setLength,
  setBlockType,
  setField,
  setField,
  setRecordHeader,
  setRecordHeader,
  spliceBlocks,
  spliceOther,
  insertNoise,
  onlyNoise,
];

/** Gzip streams, damaged or not: members, cuts, flips, checksums, noise behind. */
function compressed(bytes: Buffer, random: SeededRandom): Buffer {
  const level = random.below(3) === 0 ? 0 : 1;
  const whole = gzipSync(bytes, { level });
  switch (random.below(6)) {
    case 0:
      return whole;
    case 1:
      return flipBits(whole, random, []);
    case 2:
      return truncate(whole, random, []);
    case 3: {
      const cut = random.below(bytes.length);
      const members = [gzipSync(bytes.subarray(0, cut), { level }), gzipSync(bytes.subarray(cut), { level })];
      return flipBits(Buffer.concat(members), random, []);
    }
    case 4:
      return Buffer.concat([whole, random.bytes(random.below(40))]);
    default: {
      const out = Buffer.from(whole);
      setU32(out, out.length - 8 + random.below(5), random.u32());
      return out;
    }
  }
}

/** A damaged capture: one to three mutations of a seed, one in eight also as a gzip stream. */
export function mutatedCapture(seeds: readonly Buffer[], random: SeededRandom): Buffer {
  let bytes = random.pick(seeds);
  for (let i = random.below(3); i >= 0; i--) {
    bytes = random.pick(MUTATIONS)(bytes, random, seeds).subarray(0, SIZE_MAX);
  }
  return random.below(8) === 0 ? compressed(bytes, random) : bytes;
}
