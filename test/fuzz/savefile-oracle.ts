/**
 * What a plain capture's framing allows, found by walking its bytes without the reader under test: how many event records
 * lie whole in whole blocks before the first that does not. The reader may stop earlier, at damaged content; it must not
 * take more, and must take all of them when it finds nothing wrong.
 */
import { EVENT_TABLE } from '../../server/event/event-table.ts';

/** Event block types: bytes before the record, bytes of its header, whether it is of a large kind. */
const EVENT_BLOCKS: ReadonlyMap<number, readonly [headBytes: number, headerBytes: number]> = new Map([
  [0x204, [10, 22]],
  [0x8010abcd, [10, 22]],
  [0x208, [14, 22]],
  [0x216, [10, 26]],
  [0x221, [10, 26]],
  [0x217, [14, 26]],
  [0x222, [14, 26]],
]);

/** Whether the record keeps within its `room` bytes. Old records have no parameter count: only their length is judged. */
function isWholeRecord(record: Buffer, headerBytes: number, room: number): boolean {
  const info = EVENT_TABLE[record.readUInt16LE(20)];
  if (info === undefined) return true; // skipped by its block
  const excess = headerBytes === 22 && (info.id === 280 || info.id === 286) ? 3 : 0;
  const length = record.readUInt32LE(16) - excess;
  if (length < headerBytes || length > room) return false;
  if (headerBytes === 22) return true;
  const count = record.readUInt32LE(22);
  let end = 26 + count * info.lengthSize;
  if (end > length) return false;
  for (let i = 0; i < count; i++) {
    const at = 26 + i * info.lengthSize;
    end += info.lengthSize === 2 ? record.readUInt16LE(at) : record.readUInt32LE(at);
  }
  return end <= length;
}

export function countWholeEvents(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    if (length < 12 || at + length > bytes.length) break;
    const kind = EVENT_BLOCKS.get(bytes.readUInt32LE(at));
    if (kind !== undefined) {
      const [headBytes, headerBytes] = kind;
      if (length < headBytes + headerBytes + 4) break;
      const record = bytes.subarray(at + headBytes, at + length - 4);
      if (!isWholeRecord(record, headerBytes, record.length)) break;
      count++;
    }
    at += length;
  }
  return count;
}
