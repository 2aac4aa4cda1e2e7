/** Checks event records before anything reads them, and gives the old kind its parameter count. */
import { EVENT_HEADER_BYTES } from '../../event/event-record.ts';
import { EVENT_TABLE, type EventInfo } from '../../event/event-table.ts';
import { PPME_INFRASTRUCTURE_EVENT_E, PPME_NOTIFICATION_E } from '../../event/event-types.ts';

/** Bytes of the header without the parameter count, as old files have it. */
export const OLD_HEADER_BYTES = 22;
const COUNT_BYTES = EVENT_HEADER_BYTES - OLD_HEADER_BYTES;
/** The old writer counted three bytes too many in these. */
const OLD_LENGTH_EXCESS = 3;

/**
 * Whether the record at `offset` keeps within `available` bytes: its length, length array and values. Returns undefined,
 * or what is wrong. Its type is below PPM_EVENT_MAX and its header is there.
 */
export function checkRecord(view: DataView, offset: number, available: number): string | undefined {
  const length = view.getUint32(offset + 16, true);
  if (length < EVENT_HEADER_BYTES || length > available) {
    return `record length ${length}, expected ${EVENT_HEADER_BYTES} to ${available}`;
  }
  const count = view.getUint32(offset + 22, true);
  const { lengthSize } = EVENT_TABLE[view.getUint16(offset + 20, true)] as EventInfo;
  const lengthsEnd = EVENT_HEADER_BYTES + count * lengthSize;
  if (lengthsEnd > length) return `${count} parameters, but the record has ${length} bytes`;
  let left = length - lengthsEnd;
  let at = offset + EVENT_HEADER_BYTES;
  const end = offset + lengthsEnd;
  if (lengthSize === 2) for (; at < end; at += 2) left -= view.getUint16(at, true);
  else for (; at < end; at += 4) left -= view.getUint32(at, true);
  if (left < 0) return `parameter values are ${-left} bytes longer than the record`;
  return undefined;
}

/** Old records, brought to the header of today in a buffer of their own. */
export class RecordUpgrade {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Why the last record was refused. */
  problem: string;

  /** `bytesMax`: the longest record block. */
  constructor(bytesMax: number) {
    this.bytes = Buffer.alloc(bytesMax + COUNT_BYTES);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.problem = '';
  }

  /** Copies the old record at `offset` of `bytes` to offset 0 of the own buffer. False when it is damaged. */
  upgrade(bytes: Buffer, view: DataView, offset: number, available: number): boolean {
    const type = view.getUint16(offset + 20, true);
    const hasExcess = type === PPME_NOTIFICATION_E || type === PPME_INFRASTRUCTURE_EVENT_E;
    const oldLength = view.getUint32(offset + 16, true) - (hasExcess ? OLD_LENGTH_EXCESS : 0);
    if (oldLength < OLD_HEADER_BYTES || oldLength > available) {
      this.problem = `record length ${oldLength}, expected ${OLD_HEADER_BYTES} to ${available}`;
      return false;
    }
    const info = EVENT_TABLE[type] as EventInfo;
    const count = info.lengthSize === 2 ? findParamCount(view, offset, oldLength, info.params.length) : -1;
    if (count < 0) {
      this.problem = `no parameter count of ${info.code} fits a record of ${oldLength} bytes`;
      return false;
    }
    // A loop: nearly every old record is too short for a native copy to pay.
    const own = this.bytes;
    for (let i = 0; i < OLD_HEADER_BYTES; i++) own[i] = bytes[offset + i] as number;
    for (let i = OLD_HEADER_BYTES; i < oldLength; i++) own[i + COUNT_BYTES] = bytes[offset + i] as number;
    this.view.setUint32(16, oldLength + COUNT_BYTES, true);
    this.view.setUint32(22, count, true);
    return true;
  }
}

/** The largest count, from the table's down, whose lengths fill the record exactly; -1 when there is none. */
function findParamCount(view: DataView, offset: number, length: number, countMax: number): number {
  const values = offset + OLD_HEADER_BYTES;
  for (let count = countMax; count >= 0; count--) {
    let filled = OLD_HEADER_BYTES + count * 2;
    if (filled > length) continue;
    for (let i = 0; i < count; i++) filled += view.getUint16(values + i * 2, true);
    if (filled === length) return count;
    // Fewer parameters would fill even less.
    if (filled < length) return -1;
  }
  return -1;
}
