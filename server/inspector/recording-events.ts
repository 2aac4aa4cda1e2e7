/** Records that a recording makes itself, and records with less of their data. */
import type { BlockEncoder } from '../capture/savefile/block-encoder.ts';
import { beginEvent } from '../capture/savefile/event-encoder.ts';
import { EVENT_HEADER_BYTES, EventRecord } from '../event/event-record.ts';
import { EF_READS_FROM_FD, EF_WRITES_TO_FD, EVENT_TABLE, mustEventInfo } from '../event/event-table.ts';
import { fixedWidth } from '../event/param-width.ts';

const TRANSFERS_DATA = EF_READS_FROM_FD | EF_WRITES_TO_FD;

/** Index of the parameter that holds data read or written, by event type; -1 for none. */
export const DATA_INDEXES: Int8Array = Int8Array.from(EVENT_TABLE, ({ flags, params }) =>
  (flags & TRANSFERS_DATA) === 0 ? -1 : params.findIndex(({ name }) => name === 'data'),
);

/** A record of no thread at the time of another. */
export function buildRecord(
  type: number,
  values: readonly (number | string)[],
  at: EventRecord,
): EventRecord {
  const bytes = buildRecordBytes(type, values);
  bytes.writeUInt32LE(at.tsLo, 0);
  bytes.writeUInt32LE(at.tsHi, 4);
  const record = new EventRecord();
  record.attach(bytes);
  record.load(0, at.cpu, 0);
  return record;
}

/** A record of no thread and no time. Integers are packed by the table's types, text (binary strings) gets its NUL. */
export function buildRecordBytes(type: number, values: readonly (number | string)[]): Buffer {
  const info = mustEventInfo(type);
  const cells = values.map((value, i) => {
    if (typeof value === 'string') return Buffer.from(`${value}\0`, 'latin1');
    const cell = Buffer.alloc(fixedWidth(info.params[i]?.type ?? 'NONE'));
    cell.writeUIntLE(value, 0, cell.length);
    return cell;
  });
  const valuesAt = EVENT_HEADER_BYTES + cells.length * info.lengthSize;
  const bytes = Buffer.alloc(valuesAt + cells.reduce((sum, cell) => sum + cell.length, 0));
  bytes.fill(0xff, 8, 16);
  bytes.writeUInt32LE(bytes.length, 16);
  bytes.writeUInt16LE(type, 20);
  bytes.writeUInt32LE(cells.length, 22);
  let lengthAt = EVENT_HEADER_BYTES;
  let valueAt = valuesAt;
  for (const cell of cells) {
    bytes.writeUIntLE(cell.length, lengthAt, info.lengthSize);
    lengthAt += info.lengthSize;
    cell.copy(bytes, valueAt);
    valueAt += cell.length;
  }
  return bytes;
}

/** Whether the record holds more data than `bytesMax`. */
export function hasMoreData(record: EventRecord, bytesMax: number): boolean {
  const index = DATA_INDEXES[record.type] as number;
  return index >= 0 && record.lengthOf(index) > bytesMax;
}

/** Writes a record for which `hasMoreData` holds with the first `bytesMax` bytes of its data. */
export function encodeCutEvent(to: BlockEncoder, record: EventRecord, flags: number, bytesMax: number): void {
  const { bytes, offset, length, info } = record;
  const index = DATA_INDEXES[record.type] as number;
  const dataAt = (record.paramOffsets[index] as number) + bytesMax;
  const cut = record.lengthOf(index) - bytesMax;
  beginEvent(to, length - cut, record.cpu, flags);
  const recordAt = to.at;
  to.copy(bytes, offset, dataAt);
  to.copy(bytes, dataAt + cut, offset + length);
  to.patchU32(recordAt + 16, length - cut);
  const lengthAt = recordAt + EVENT_HEADER_BYTES + index * info.lengthSize;
  if (info.lengthSize === 2) to.patchU16(lengthAt, bytesMax);
  else to.patchU32(lengthAt, bytesMax);
  to.end();
}
