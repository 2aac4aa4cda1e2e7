/**
 * Builds capture files byte by byte, with a default for everything:
 *
 *   new ScapBuilder().threads([threadRow()]).event('PPME_SYSCALL_CLOSE_X', [0, 3]).bytes()
 *
 * Parameters are given by value and encoded by the type the event table says: numbers and bigints in their width, texts
 * with their NUL, lists of texts as NUL-separated runs, buffers as they are, null as empty.
 */
import { gzipSync } from 'node:zlib';
import { EVENT_TABLE, type EventInfo, type ParamType } from '../../server/event/event-table.ts';
import { fixedWidth } from '../../server/event/param-width.ts';
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  MachineEntry,
  ThreadEntry,
  UserEntry,
} from '../../server/event/snapshot.ts';
import { ScapBytes, scapBlock } from './scap-bytes.ts';
import { machineRow } from './scap-rows.ts';
import { fdBytes, groupBytes, interfaceBytes, threadBytes, userBytes } from './scap-state.ts';

export type ParamValue = number | bigint | string | readonly string[] | Uint8Array | null;

export interface EventOptions {
  readonly tid?: number | bigint | undefined;
  readonly tsNs?: bigint | undefined;
  readonly cpu?: number | undefined;
  /** Not 0 makes an EVF block. */
  readonly flags?: number | undefined;
  /** 1: the header without the parameter count. */
  readonly version?: 1 | 2 | undefined;
  /** Use the large block id. */
  readonly isLarge?: boolean | undefined;
  /** Header fields that contradict the content. */
  readonly length?: number | undefined;
  readonly paramCount?: number | undefined;
}

const PL_IDS: readonly number[] = [0, 0x202, 0x207, 0x209, 0x210, 0x211, 0x212, 0x213, 0x214, 0x215];
const FIRST_TS_NS = 1_700_000_000_000_000_000n;

const BY_CODE: ReadonlyMap<string, EventInfo> = new Map(EVENT_TABLE.map((info) => [info.code, info]));

/** The event table's row by constant name. */
export function eventInfo(code: string): EventInfo {
  const info = BY_CODE.get(code);
  if (info === undefined) throw new Error(`no event type ${code}`);
  return info;
}

function paramBytes(type: ParamType, value: ParamValue): Buffer {
  if (value === null) return Buffer.alloc(0);
  if (typeof value === 'string') return Buffer.from(`${value}\0`, 'latin1');
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value === 'number' || typeof value === 'bigint') {
    return new ScapBytes().u64(value).bytes().subarray(0, fixedWidth(type));
  }
  return Buffer.from(value.map((item) => `${item}\0`).join(''), 'latin1');
}

/** A v2 record (or the old one without parameter count). Parameters beyond the table's count are 8 bytes wide. */
export function recordBytes(code: string, params: readonly ParamValue[], options: EventOptions = {}): Buffer {
  const info = eventInfo(code);
  const values = params.map((value, i) => paramBytes(info.params[i]?.type ?? 'UINT64', value));
  const isOld = options.version === 1;
  const body = values.reduce((sum, value) => sum + value.length, 0) + values.length * info.lengthSize;
  const record = new ScapBytes()
    .u64(options.tsNs ?? FIRST_TS_NS)
    .u64(options.tid ?? 100)
    .u32(options.length ?? body + (isOld ? 22 : 26))
    .u16(info.id);
  if (!isOld) record.u32(options.paramCount ?? values.length);
  for (const value of values) info.lengthSize === 2 ? record.u16(value.length) : record.u32(value.length);
  for (const value of values) record.raw(value);
  return record.bytes();
}

export class ScapBuilder {
  private readonly blocks: Buffer[] = [];
  private nextTsNs = FIRST_TS_NS;

  /** Starts with a section header unless told not to. */
  constructor(options: { readonly hasHeader?: boolean } = {}) {
    if (options.hasHeader !== false) this.section();
  }

  section(
    options: { magic?: number; major?: number; minor?: number; options?: Uint8Array | undefined } = {},
  ): this {
    const body = new ScapBytes()
      .u32(options.magic ?? 0x1a2b3c4d)
      .u16(options.major ?? 1)
      .u16(options.minor ?? 2)
      .u64(0xffffffffffffffffn)
      .raw(options.options ?? new Uint8Array(0));
    return this.block(0x0a0d0d0a, body.bytes());
  }

  /** Any block. */
  block(type: number, body: Uint8Array): this {
    return this.raw(scapBlock(type, body));
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): this {
    this.blocks.push(Buffer.from(bytes));
    return this;
  }

  machine(row: Partial<MachineEntry> = {}, type = 0x201): this {
    const machine = machineRow(row);
    const body = new ScapBytes().u32(machine.cpuCount).u64(machine.memoryBytes).u64(machine.maxPid);
    body.raw(machine.hostname.padEnd(128, '\0')).u64(machine.bootTsNs).u64(machine.flags).u64(0).u64(0);
    return this.block(type, body.bytes());
  }

  interfaces(rows: readonly InterfaceEntry[], version: 1 | 2 = 2): this {
    const entries = rows.map((row) => interfaceBytes(row, version));
    return this.block(version === 2 ? 0x219 : 0x205, Buffer.concat(entries));
  }

  users(users: readonly UserEntry[], groups: readonly GroupEntry[] = [], version: 1 | 2 = 2): this {
    const entries = [
      ...users.map((row) => userBytes(row, version)),
      ...groups.map((row) => groupBytes(row, version)),
    ];
    return this.block(version === 2 ? 0x220 : 0x206, Buffer.concat(entries));
  }

  threads(rows: readonly ThreadEntry[], version = 9, tailBytes?: number): this {
    const entries = rows.map((row) => threadBytes(row, version, tailBytes));
    return this.block(PL_IDS[version] ?? 0, Buffer.concat(entries));
  }

  fds(tid: number, rows: readonly FdEntry[], version: 1 | 2 = 2, hasDev = true): this {
    const entries = rows.map((row) => fdBytes(row, version, hasDev));
    const body = new ScapBytes().u64(tid).raw(Buffer.concat(entries));
    return this.block(version === 2 ? 0x218 : 0x203, body.bytes());
  }

  /** An event; without a time of its own it comes a microsecond after the last. */
  event(code: string, params: readonly ParamValue[], options: EventOptions = {}): this {
    const tsNs = options.tsNs ?? this.nextTsNs;
    this.nextTsNs = tsNs + 1000n;
    return this.record(recordBytes(code, params, { ...options, tsNs }), options);
  }

  /** An event block around a record made elsewhere. */
  record(record: Uint8Array, options: EventOptions = {}): this {
    const flags = options.flags ?? 0;
    const body = new ScapBytes().u16(options.cpu ?? 0);
    if (flags !== 0) body.u32(flags);
    body.raw(record);
    let type = flags === 0 ? 0x216 : 0x217;
    if (options.version === 1) type = flags === 0 ? 0x204 : 0x208;
    else if (options.isLarge === true) type = flags === 0 ? 0x221 : 0x222;
    return this.block(type, body.bytes());
  }

  bytes(): Buffer {
    return Buffer.concat(this.blocks);
  }

  gzip(): Buffer {
    return gzipSync(this.bytes());
  }
}
