/** The event table as typed rows: what every event type is called, carries and does. Source: data/event-table.json. */
import rawRows from './data/event-table.json' with { type: 'json' };
import { PPM_EVENT_MAX } from './event-types.ts';
import { FLAG_DATA } from './flag-tables.ts';

/** Wire type of one parameter, spelled as the schema spells it (docs: facts of the scap format). */
export type ParamType =
  | 'NONE'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'CHARBUF'
  | 'BYTEBUF'
  | 'ERRNO'
  | 'SOCKADDR'
  | 'SOCKTUPLE'
  | 'FD'
  | 'PID'
  | 'FDLIST'
  | 'FSPATH'
  | 'SYSCALLID'
  | 'SIGTYPE'
  | 'RELTIME'
  | 'ABSTIME'
  | 'PORT'
  | 'L4PROTO'
  | 'SOCKFAMILY'
  | 'BOOL'
  | 'IPV4ADDR'
  | 'DYN'
  | 'FLAGS8'
  | 'FLAGS16'
  | 'FLAGS32'
  | 'UID'
  | 'GID'
  | 'DOUBLE'
  | 'SIGSET'
  | 'CHARBUFARRAY'
  | 'CHARBUF_PAIR_ARRAY'
  | 'IPV4NET'
  | 'IPV6ADDR'
  | 'IPV6NET'
  | 'IPADDR'
  | 'IPNET'
  | 'MODE'
  | 'FSRELPATH'
  | 'ENUMFLAGS8'
  | 'ENUMFLAGS16'
  | 'ENUMFLAGS32'
  | 'FD32'
  | 'PID32';

/** How a number is printed. */
export type PrintFormat = 'NA' | 'DEC' | 'HEX' | '10_PADDED_DEC' | 'ID' | 'DIR' | 'OCT';

/** One parameter of an event type. */
export interface ParamInfo {
  readonly name: string;
  readonly type: ParamType;
  readonly format: PrintFormat;
  /** Name of the flag or dynamic-parameter table that renders the value. */
  readonly table?: string | undefined;
  /** FSRELPATH only: index of the FD parameter the path is relative to. */
  readonly dirfdParam?: number | undefined;
}

/** One event type. */
export interface EventInfo {
  readonly id: number;
  /** Constant name, e.g. `PPME_SYSCALL_OPEN_X`. */
  readonly code: string;
  /** Event name as users see it in `evt.type`. */
  readonly name: string;
  /** Category word, e.g. `FILE`, `IO_READ`. */
  readonly category: string;
  /** `SYSCALL`, `TRACEPOINT`, `METAEVENT`, `PLUGIN`, `ITER` or null for unused ids. */
  readonly source: string | null;
  /** Bit set of EF_*. */
  readonly flags: number;
  /** Bytes of one entry of the parameter length array: 2 or 4. */
  readonly lengthSize: 2 | 4;
  readonly params: readonly ParamInfo[];
  readonly isEnter: boolean;
}

interface RawRow {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  readonly category: string;
  readonly source: string | null;
  readonly flags: readonly string[];
  readonly lengthSize: number;
  readonly params: readonly ParamInfo[];
}

function toInfo(row: RawRow): EventInfo {
  let flags = 0;
  for (const name of row.flags) {
    const bit = FLAG_DATA.eventFlags[name];
    if (bit === undefined) throw new Error(`event ${row.id}: unknown flag ${name}`);
    flags |= bit;
  }
  return {
    id: row.id,
    code: row.code,
    name: row.name,
    category: row.category,
    source: row.source,
    flags,
    lengthSize: row.lengthSize === 4 ? 4 : 2,
    params: row.params,
    isEnter: row.id % 2 === 0,
  };
}

/** Rows indexed by event type; always `PPM_EVENT_MAX` of them. */
export const EVENT_TABLE: readonly EventInfo[] = (rawRows as unknown as RawRow[]).map(toInfo);

if (EVENT_TABLE.length !== PPM_EVENT_MAX) {
  throw new Error(`event table has ${EVENT_TABLE.length} rows, expected ${PPM_EVENT_MAX}`);
}

/** The row of an event type the caller has checked to be below `PPM_EVENT_MAX`. */
export function mustEventInfo(type: number): EventInfo {
  const info = EVENT_TABLE[type];
  if (info === undefined) throw new RangeError(`unknown event type ${type}`);
  return info;
}

export const EF_CREATES_FD = 1;
export const EF_DESTROYS_FD = 2;
export const EF_USES_FD = 4;
export const EF_READS_FROM_FD = 8;
export const EF_WRITES_TO_FD = 16;
export const EF_UNUSED = 64;
export const EF_WAITS = 128;
export const EF_SKIPPARSERESET = 256;
export const EF_OLD_VERSION = 512;
export const EF_CONVERTER_MANAGED = 4096;
