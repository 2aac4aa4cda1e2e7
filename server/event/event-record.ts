/**
 * A cursor over one scap v2 event record, reused for every event of the loop.
 *
 * Record layout (little-endian): u64 timestamp ns, u64 tid, u32 length, u16 type, u32 parameter count, then one length
 * per parameter (u16, or u32 for types with EF_LARGE_PAYLOAD), then the values back to back. Values are decoded on demand.
 *
 * Text is handed out as *binary strings*: one character per byte (latin1), so nothing is lost when a path is not UTF-8,
 * and writing it back yields the same bytes.
 */
import { EVENT_TABLE, type EventInfo, mustEventInfo } from './event-table.ts';
import { type Integer, i64, u64, u64Big } from './u64.ts';

/** Bytes of the fixed record header. */
export const EVENT_HEADER_BYTES = 26;
/** Parameters beyond this index are ignored; the widest event type has 31. */
const PARAMS_MAX = 64;

declare global {
  // Present in Node, absent from its published types: skips the encoding-name look-up of toString and write.
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}

const TWO_32 = 4294967296;

export class EventRecord {
  /** Bytes that hold the record; valid until the next event is read. */
  bytes: Buffer;
  view: DataView;
  /** Where the record's header starts in `bytes`. */
  offset: number;
  /** Length of the whole record in bytes. */
  length: number;
  type: number;
  info: EventInfo;
  /** Timestamp, nanoseconds since the epoch, as unsigned halves. */
  tsHi: number;
  tsLo: number;
  /** Thread id; -1 when the record names none. */
  tid: number;
  cpu: number;
  /** Event number as users see it (`evt.num`): follows the source, so numbers may skip. Set by the capture engine. */
  num: number;
  /** Block flags of the capture file: 1 = state only, hide from users. */
  flags: number;
  /** Parameters present: the smaller of the record's count and the table's. */
  paramCount: number;
  /** Offset in `bytes` of each parameter value. */
  readonly paramOffsets: Int32Array;
  /** Length in bytes of each parameter value; 0 means the parameter is empty. */
  readonly paramLengths: Int32Array;

  constructor() {
    this.bytes = Buffer.alloc(0);
    this.view = new DataView(new ArrayBuffer(0));
    this.offset = 0;
    this.length = 0;
    this.type = 0;
    this.info = mustEventInfo(0);
    this.tsHi = 0;
    this.tsLo = 0;
    this.tid = 0;
    this.cpu = 0;
    this.num = 0;
    this.flags = 0;
    this.paramCount = 0;
    this.paramOffsets = new Int32Array(PARAMS_MAX);
    this.paramLengths = new Int32Array(PARAMS_MAX);
  }

  /** Sets the buffer that following `load` calls read from. */
  attach(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Points the cursor at the record at `offset` of the attached buffer.
   * The caller has validated the record (see `checkRecord`) and that its type is below PPM_EVENT_MAX.
   */
  load(offset: number, cpu: number, flags: number): void {
    const view = this.view;
    const type = view.getUint16(offset + 20, true);
    const info = EVENT_TABLE[type] as EventInfo;
    this.offset = offset;
    this.tsLo = view.getUint32(offset, true);
    this.tsHi = view.getUint32(offset + 4, true);
    this.tid = view.getInt32(offset + 12, true) * TWO_32 + view.getUint32(offset + 8, true);
    this.length = view.getUint32(offset + 16, true);
    this.type = type;
    this.info = info;
    this.cpu = cpu;
    this.flags = flags;
    const inRecord = view.getUint32(offset + 22, true);
    const inTable = info.params.length;
    const count = Math.min(inRecord, inTable);
    this.paramCount = count;
    let at = offset + EVENT_HEADER_BYTES;
    const offsets = this.paramOffsets;
    const lengths = this.paramLengths;
    if (info.lengthSize === 2) {
      let value = at + inRecord * 2;
      for (let i = 0; i < count; i++, at += 2) {
        const n = view.getUint16(at, true);
        offsets[i] = value;
        lengths[i] = n;
        value += n;
      }
    } else {
      let value = at + inRecord * 4;
      for (let i = 0; i < count; i++, at += 4) {
        const n = view.getUint32(at, true);
        offsets[i] = value;
        lengths[i] = n;
        value += n;
      }
    }
  }

  /** Timestamp in nanoseconds since the epoch. Allocates: not for the loop. */
  timestampNs(): bigint {
    return u64Big(this.tsHi, this.tsLo);
  }

  /** Whether the parameter is missing or has no bytes. */
  isEmpty(index: number): boolean {
    return index >= this.paramCount || this.paramLengths[index] === 0;
  }

  /** Value length in bytes; 0 when the parameter is missing. */
  lengthOf(index: number): number {
    return index < this.paramCount ? (this.paramLengths[index] as number) : 0;
  }

  /** Unsigned little-endian integer of the parameter's own width (1, 2, 4 or 8 bytes; 0 when empty). */
  unsigned(index: number): Integer {
    const at = this.paramOffsets[index] as number;
    switch (this.lengthOf(index)) {
      case 1:
        return this.view.getUint8(at);
      case 2:
        return this.view.getUint16(at, true);
      case 4:
        return this.view.getUint32(at, true);
      case 8:
        return u64(this.view.getUint32(at + 4, true), this.view.getUint32(at, true));
      default:
        return 0;
    }
  }

  /** Signed little-endian integer of the parameter's own width (1, 2, 4 or 8 bytes; 0 when empty). */
  signed(index: number): Integer {
    const at = this.paramOffsets[index] as number;
    switch (this.lengthOf(index)) {
      case 1:
        return this.view.getInt8(at);
      case 2:
        return this.view.getInt16(at, true);
      case 4:
        return this.view.getInt32(at, true);
      case 8:
        return i64(this.view.getUint32(at + 4, true), this.view.getUint32(at, true));
      default:
        return 0;
    }
  }

  /** `signed` as a number: for fds, pids and results. Beyond 2^53 it is rounded, as no such value is meaningful there. */
  number(index: number): number {
    const at = this.paramOffsets[index] as number;
    switch (this.lengthOf(index)) {
      case 1:
        return this.view.getInt8(at);
      case 2:
        return this.view.getInt16(at, true);
      case 4:
        return this.view.getInt32(at, true);
      case 8:
        return this.view.getInt32(at + 4, true) * TWO_32 + this.view.getUint32(at, true);
      default:
        return 0;
    }
  }

  /** `unsigned` as a number: for flags, uids, sizes. Beyond 2^53 it is rounded. */
  unsignedNumber(index: number): number {
    const at = this.paramOffsets[index] as number;
    switch (this.lengthOf(index)) {
      case 1:
        return this.view.getUint8(at);
      case 2:
        return this.view.getUint16(at, true);
      case 4:
        return this.view.getUint32(at, true);
      case 8:
        return this.view.getUint32(at + 4, true) * TWO_32 + this.view.getUint32(at, true);
      default:
        return 0;
    }
  }

  /** Text without its terminating NUL (and nothing after the first NUL), as a binary string; '' when empty. */
  text(index: number): string {
    const n = this.lengthOf(index);
    if (n === 0) return '';
    const at = this.paramOffsets[index] as number;
    return cString(this.bytes, at, at + n);
  }

  /** All bytes of the value as a binary string, NULs included. */
  binary(index: number): string {
    const n = this.lengthOf(index);
    if (n === 0) return '';
    const at = this.paramOffsets[index] as number;
    return this.bytes.latin1Slice(at, at + n);
  }

  /** The items of a NUL-separated run (args, env, cgroups); an empty value has none. */
  textList(index: number): string[] {
    return splitNul(this.binary(index));
  }
}

/** Text from `start` up to the first NUL or `end`, as a binary string. */
export function cString(bytes: Buffer, start: number, end: number): string {
  // Nearly every text ends in its NUL: then the search cannot run past `end`.
  const nul = bytes[end - 1] === 0 ? bytes.indexOf(0, start) : findNul(bytes, start, end);
  return bytes.latin1Slice(start, nul);
}

function findNul(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== 0) at++;
  return at;
}

/** Splits a NUL-separated run; the NUL that ends the last item does not make an empty one. */
export function splitNul(run: string): string[] {
  if (run === '') return [];
  const items = run.split('\0');
  if (items[items.length - 1] === '') items.pop();
  return items;
}
