/**
 * Fuzzes the readers of /proc texts and of iterator records: texts as the kernel writes them, damaged, and random bytes. No input
 * makes a text reader throw or takes it long; what it answers is of the right shape. Records are decoded or refused.
 */
import assert from 'node:assert/strict';
import { absoluteCgroup, parseCgroup } from '../../server/capture/snapshot/cgroup-reader.ts';
import { filterEnvironment } from '../../server/capture/snapshot/environment.ts';
import { kindOf } from '../../server/capture/snapshot/fd-types.ts';
import { RecordDecoder } from '../../server/capture/snapshot/iterator-records.ts';
import { parseMountInfo } from '../../server/capture/snapshot/mount-table.ts';
import {
  parseInetTable,
  parseNetlinkTable,
  parseUnixTable,
} from '../../server/capture/snapshot/net-tables.ts';
import { parseIfInet6, parseIpv4Addresses } from '../../server/capture/snapshot/node-facts.ts';
import {
  parseFdInfo,
  parseFdLimit,
  parseStat,
  parseStatus,
} from '../../server/capture/snapshot/proc-text.ts';
import { splitCommandLine } from '../../server/capture/snapshot/thread-reader.ts';
import { parseGroup, parsePasswd } from '../../server/event/identity-lists.ts';
import type { FdEntry } from '../../server/event/snapshot.ts';
import type { Integer } from '../../server/event/u64.ts';

export interface ProcfsFuzzOptions {
  readonly iterations: number;
  readonly seed: number;
}

export interface ProcfsFuzzReport {
  /** Texts that gave rows. */
  readonly read: number;
  readonly recordsRefused: number;
  readonly slowestMs: number;
}

const INPUT_MS_MAX = 1000;
const LARGE_EVERY = 500;
const LARGE_BYTES = 200_000;

/** One of each file; digits and words are what mutations work on. */
const SEEDS: readonly string[] = [
  '7 (a) R (b) S 1 2 3 34816 -1 2097216 10 0 20 0 0 0 0 0 20 0 4 0 123 0\n',
  'Name:\tx\nTgid:\t70\nPPid:\t3\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t10 20 \nNSpid:\t71\t10\nCapEff:\t000001ffffffffff\nVmRSS:\t  44 kB\n',
  'pos:\t0\nflags:\t02004002\nmnt_id:\t15\nino:\t1057\n',
  'Max open files            1024                 4096                 files\n',
  '27 1 259:1 / /a\\040b rw,relatime shared:1 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w\n',
  '4:cpu,cpuacct:/a:b\n1:name=systemd:/x\n0::/../../y\n',
  '  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 511 1\n',
  'Num       RefCount Protocol Flags    Type St Inode Path\nffff888012345678: 00000002 00000000 00010000 0001 01 21 /run/a b\n',
  'sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n00000000e8a4dd0c 0   0 00000000 0 0 0 2 0 4\n',
  'root:x:0:0:root:/root:/bin/sh\nstaff:x:50:\n',
  'Local:\n  +-- 192.0.2.0/24 2 0 2\n     |-- 192.0.2.2\n        /32 host LOCAL\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n',
  '20010db8000000000000000000000001 02 40 00 80     eth0\n',
  'A=1\0B\0=\0',
  'anon_inode:[eventpoll]',
];

const PIECES: readonly string[] = [
  ...['', ' ', '\t', '\n', '\0', ':', '::', '(', ')', '-', '\\', '\\777', ',', '/..', '[', ']', '='],
  ...[
    '0',
    '-1',
    '99999999999999999999999',
    '1e9',
    '0x10',
    'ffffffffffffffffff',
    'unlimited',
    '\xff',
    'NaN',
    'Infinity',
  ],
];

/** Reads the text as every kind of file; the number of rows it gave. */
function readAsEverything(text: string): number {
  const rows = new Map<Integer, FdEntry>();
  parseInetTable(text, 2, rows);
  parseUnixTable(text, rows);
  parseNetlinkTable(text, rows);
  for (const { ino, sip, dip, sport, dport } of rows.values()) {
    assert.ok((typeof ino === 'number' && Number.isSafeInteger(ino)) || typeof ino === 'bigint');
    assert.ok([0, 4, 16].includes(sip.length) && [0, 4, 16].includes(dip.length));
    assert.ok(sport >= 0 && sport <= 65_535 && dport >= 0 && dport <= 65_535);
  }
  const stat = parseStat(text);
  if (stat !== undefined) assert.ok(Number.isSafeInteger(stat.startTicks) && stat.tty >= 0);
  const status = parseStatus(text);
  if (status !== undefined)
    assert.ok(Number.isSafeInteger(status.pid) && status.groups.every(Number.isSafeInteger));
  const info = parseFdInfo(text);
  assert.ok(Number.isInteger(info.flags) && Number.isSafeInteger(info.mountId));
  assert.ok(Number.isSafeInteger(parseFdLimit(text)));
  const mounts = parseMountInfo(text);
  for (const mount of mounts) assert.ok(Number.isSafeInteger(mount.dev) && mount.dev >= 0);
  const lines = parseCgroup(text);
  for (const { path } of lines) assert.ok(absoluteCgroup(path, '/a/b').startsWith('/'));
  const addresses = [...parseIfInet6(text), ...parseIpv4Addresses(text, text)];
  for (const { address, netmask, family } of addresses) {
    assert.equal(address.length, family === 4 ? 4 : 16);
    assert.equal(netmask.length, address.length);
  }
  const [exe, args] = splitCommandLine(text);
  assert.ok(exe.length + args.length <= text.length && !exe.includes('\0'));
  assert.ok(filterEnvironment(text, { allow: ['A', 'B*'] }).length <= text.length + 1);
  assert.equal(kindOf(text, 0).length, 2);
  const identities = [...parsePasswd(text), ...parseGroup(text)];
  for (const { gid } of identities) assert.ok(gid >= 0 && gid <= 0xffffffff);
  return rows.size + mounts.length + lines.length + addresses.length + identities.length;
}

function decodes(bytes: Buffer): boolean {
  const decoder = new RecordDecoder({
    onTask: () => undefined,
    onFile: () => undefined,
    onArgs: () => undefined,
  });
  try {
    decoder.push(bytes);
    decoder.end();
    return true;
  } catch (error) {
    assert.match((error as Error).message, /^iterator /);
    return false;
  }
}

export async function runProcfsFuzz({ iterations, seed }: ProcfsFuzzOptions): Promise<ProcfsFuzzReport> {
  const random = generator(seed);
  let read = 0;
  let recordsRefused = 0;
  let slowestMs = 0;
  for (let i = 0; i < iterations; i++) {
    const text = i % LARGE_EVERY === LARGE_EVERY - 1 ? largeInput(random) : input(random);
    const startMs = process.cpuUsage().user / 1000;
    try {
      if (readAsEverything(text) > 0) read++;
      if (!decodes(recordBytes(random))) recordsRefused++;
    } catch (error) {
      throw new Error(`seed ${seed}, iteration ${i}: ${JSON.stringify(text.slice(0, 2000))}`, {
        cause: error,
      });
    }
    const ms = process.cpuUsage().user / 1000 - startMs;
    assert.ok(ms < INPUT_MS_MAX, `seed ${seed}, iteration ${i}: ${ms} ms for ${text.length} characters`);
    slowestMs = Math.max(slowestMs, ms);
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { read, recordsRefused, slowestMs };
}

type Random = (below: number) => number;

/** A small generator of numbers that is the same everywhere for a seed. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[random(values.length)] as Value;
}

function input(random: Random): string {
  if (random(8) === 0) return randomBytes(random, random(128)).latin1Slice();
  let text = pick(random, SEEDS);
  for (let left = random(6); left > 0; left--) {
    const at = random(text.length + 1);
    text = text.slice(0, at) + pick(random, PIECES) + text.slice(at + random(8));
  }
  return text;
}

/** Many lines, or one long run. */
function largeInput(random: Random): string {
  const piece = random(2) === 0 ? input(random) : pick(random, PIECES);
  return piece === '' ? '' : piece.repeat(Math.ceil(LARGE_BYTES / piece.length));
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** Kind, bytes of the header, and where the lengths of its texts are. */
const KINDS: readonly (readonly [kind: number, headerBytes: number, lengthsAt: readonly number[]])[] = [
  [0x4b534154, 248, [8, 12, 16]],
  [0x454c4946, 120, [8]],
  [0x53475241, 16, [12]],
];

/** Right most of the time but for what the header holds besides lengths. */
function recordBytes(random: Random): Buffer {
  const [kind, headerBytes, lengthsAt] = pick(random, KINDS);
  const lengths = lengthsAt.map(() => random(50));
  const bytes = randomBytes(random, headerBytes + lengths.reduce((sum, length) => sum + length, 0));
  bytes.writeUInt32LE(random(10) === 0 ? random(2 ** 31) : kind, 0);
  bytes.writeUInt32LE(random(10) === 0 ? random(70_000) : bytes.length, 4);
  for (const [i, at] of lengthsAt.entries()) {
    bytes.writeUInt32LE(random(10) === 0 ? random(2 ** 31) : (lengths[i] as number), at);
  }
  return bytes;
}
