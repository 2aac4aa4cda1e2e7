/** What the savefile fuzzer starts from: small captures with every block, and pieces of real ones where they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BlockEncoder } from '../../server/capture/savefile/block-encoder.ts';
import { encodeSupplement } from '../../server/capture/savefile/state-supplement.ts';
import { EVENT_TABLE, type ParamInfo } from '../../server/event/event-table.ts';
import { fixedWidth } from '../../server/event/param-width.ts';
import { CAPTURES_DIRECTORY, hasGolden } from '../helpers/golden.ts';
import { type EventOptions, type ParamValue, ScapBuilder } from '../helpers/scap-builder.ts';
import { fdRow, groupRow, interfaceRow, oldThreadRow, threadRow, userRow } from '../helpers/scap-rows.ts';

const CORPUS = join(import.meta.dirname, 'corpus/savefile');
/** Of a real capture: enough for its state and some hundred events. */
const PIECE_BYTES_MAX = 24_576;

function someValue(param: ParamInfo, i: number): ParamValue {
  return fixedWidth(param.type) > 0 ? i + 1 : Buffer.from(`value-${i}\0`);
}

/** One event of every type from `first` on, in every `step`th place. */
function events(builder: ScapBuilder, first: number, step: number, options: EventOptions): ScapBuilder {
  for (let id = first; id < EVENT_TABLE.length; id += step) {
    const info = EVENT_TABLE[id];
    if (info !== undefined) builder.event(info.code, info.params.map(someValue), { ...options, tid: id % 5 });
  }
  return builder;
}

/** Pairs as old writers made them. */
function oldPairs(builder: ScapBuilder): ScapBuilder {
  const v1 = { version: 1 } as const;
  return builder
    .event('PPME_SYSCALL_READ_E', [3, 100], v1)
    .event('PPME_SYSCALL_READ_X', [2, Buffer.from('hi')], v1)
    .event('PPME_SYSCALL_OPENAT_E', [-100, 'name', 1, 2], v1)
    .event('PPME_SYSCALL_OPENAT_X', [4], v1)
    .event('PPME_SYSCALL_EXECVE_8_E', [], v1)
    .event('PPME_SYSCALL_EXECVE_8_X', [0, 'sh', ['-c'], 1, 2, 3, '/', 4], v1)
    .event('PPME_SOCKET_CONNECT_E', [4], v1)
    .event('PPME_SOCKET_CONNECT_X', [0, Buffer.from([2, 1, 2, 3, 4, 5, 6])], v1)
    .event('PPME_CONTAINER_E', ['ab', 0, 'n', 'i'], v1);
}

function fdsOfEveryKind(version: 1 | 2) {
  return Array.from({ length: 22 }, (_, type) =>
    fdRow({
      type,
      name: 'n',
      sip: '\x01'.repeat(type === 4 ? 16 : 4),
      dip: '\x02'.repeat(type === 4 || type === 6 ? 16 : 4),
    }),
  ).filter((row) => row.type !== 0 || version === 2);
}

/** What recordings hold beside the lists. */
function supplement(): Buffer {
  const to = new BlockEncoder(1024);
  encodeSupplement(to, [
    {
      kind: 'thread',
      tid: 100,
      members: { comm: 'x', cloneTsNs: 1n << 62n, args: ['a'], cgroups: [['cpu', '/']] },
    },
    { kind: 'fd', tid: 100, fd: 3, members: { name: '/x', ino: 5 } },
    { kind: 'fd-order', tid: 100, fds: [3, 1], bucketCount: 29 },
    { kind: 'dead', tid: 100 },
    { kind: 'live' },
  ]);
  return to.take();
}

function builtSeeds(): Buffer[] {
  const seeds = [
    oldPairs(
      new ScapBuilder()
        .machine()
        .interfaces([interfaceRow(), interfaceRow({ family: 6, linkSpeed: undefined })], 1)
        .users([userRow()], [groupRow()], 1)
        .fds(100, fdsOfEveryKind(1), 1),
    ),
    new ScapBuilder()
      .machine()
      .interfaces([interfaceRow(), interfaceRow({ family: 6 })])
      .users([userRow()], [groupRow()])
      .threads([threadRow(), threadRow({ tid: 101 })])
      .fds(100, fdsOfEveryKind(2))
      .event('PPME_USER_ADDED_E', [1, 1, 'a', '/', '/bin/sh', ''])
      .event('PPME_SYSCALL_CLOSE_X', [0, 3], { flags: 1 })
      .event('PPME_ASYNCEVENT_E', [1, 'container', Buffer.alloc(500, 'x')], { isLarge: true }),
    new ScapBuilder()
      .machine()
      .threads([threadRow()])
      .fds(100, fdsOfEveryKind(2))
      .raw(supplement())
      .event('PPME_SYSCALL_CLOSE_X', [0, 3])
      .event('PPME_ASYNCEVENT_E', [0, 'strata.state', Buffer.from('[["thread",100,{"pid":7}]]')], {
        isLarge: true,
      }),
    new ScapBuilder({ hasHeader: false })
      .section({ options: Buffer.from('\x01\x00\x04\x00note\x00\x00\x00\x00', 'latin1') })
      .block(0x7777, Buffer.alloc(40, 7))
      .event('PPME_SYSCALL_CLOSE_X', [0, 3]),
  ];
  for (let version = 1; version <= 8; version++) {
    seeds.push(oldPairs(new ScapBuilder().threads([oldThreadRow(), threadRow()], version)));
  }
  for (let first = 0; first < 8; first++) {
    seeds.push(events(new ScapBuilder().machine(), first, 8, { version: first % 2 === 0 ? 2 : 1 }));
  }
  return seeds.map((builder) => builder.bytes());
}

/** The longest run of whole blocks within the limit. */
function pieceOf(capture: Buffer): Buffer {
  let end = 0;
  while (end + 8 <= capture.length) {
    const next = end + capture.readUInt32LE(end + 4);
    if (next > PIECE_BYTES_MAX) break;
    end = next;
  }
  return capture.subarray(0, end);
}

function filesOf(directory: string, ending: string): Buffer[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => readFileSync(join(directory, name)));
}

/** Real captures without their state blocks, which are longer than all else a piece can hold. */
function realSeeds(): Buffer[] {
  if (!hasGolden()) return [];
  return filesOf(CAPTURES_DIRECTORY, '.scap').map((file) => {
    const capture = gunzipSync(file);
    const kept: Buffer[] = [];
    for (let at = 0; at + 8 <= capture.length; ) {
      const length = capture.readUInt32LE(at + 4);
      if (length < 4_096) kept.push(capture.subarray(at, at + length));
      at += length;
    }
    return pieceOf(Buffer.concat(kept));
  });
}

/** Uncompressed captures of some kilobytes each. */
export function savefileSeeds(): readonly Buffer[] {
  return [...builtSeeds(), ...realSeeds()];
}

/** Files that once went wrong, to be tried as they are. */
export function savefileCorpus(): readonly Buffer[] {
  return filesOf(CORPUS, '.scap');
}
