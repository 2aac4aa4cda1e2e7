/** Writes section headers and event blocks in today's versions. */
import type { EventRecord } from '../../event/event-record.ts';
import type { BlockEncoder } from './block-encoder.ts';
import {
  BLOCK_TRAILER_BYTES,
  EV_V2,
  EV_V2_LARGE,
  EVF_V2,
  EVF_V2_LARGE,
  SECTION_MAGIC,
  SECTION_MAJOR,
  SECTION_MINOR,
  SHB,
  SMALL_EVENT_BODY_BYTES_MAX,
} from './block-types.ts';

/** Flag of the writing side only: which block id to use. It never reaches the file. */
const FLAG_LARGE_PAYLOAD = 4;
const UNKNOWN_LENGTH = 0xffffffffffffffffn;

export function encodeSection(to: BlockEncoder): void {
  to.begin(SHB);
  to.u32(SECTION_MAGIC);
  to.u16(SECTION_MAJOR);
  to.u16(SECTION_MINOR);
  to.u64(UNKNOWN_LENGTH);
  to.end();
}

/** Copies the record as it is, with other block flags if wanted. */
export function encodeEvent(to: BlockEncoder, record: EventRecord, flags: number = record.flags): void {
  beginEvent(to, record.length, record.cpu, flags);
  to.copy(record.bytes, record.offset, record.offset + record.length);
  to.end();
}

/** Starts the block of a record of `length` bytes, which the caller writes before it ends the block. */
export function beginEvent(to: BlockEncoder, length: number, cpu: number, flags: number): void {
  const fileFlags = flags & ~FLAG_LARGE_PAYLOAD;
  const bodyBytes = 2 + (fileFlags === 0 ? 0 : 4) + length;
  const isLarge = bodyBytes + 3 + BLOCK_TRAILER_BYTES > SMALL_EVENT_BODY_BYTES_MAX;
  if (fileFlags === 0) {
    to.begin(isLarge ? EV_V2_LARGE : EV_V2);
    to.u16(cpu);
  } else {
    to.begin(isLarge ? EVF_V2_LARGE : EVF_V2);
    to.u16(cpu);
    to.u32(fileFlags);
  }
}
