/** Control messages of recvmsg: fds handed over a unix socket. */
import type { EventRecord } from '../event/event-record.ts';

/** Bytes of a control message header: u64 length (its own included), i32 level, i32 type. */
const HEADER_BYTES = 16;
const SCM_RIGHTS = 1;
/** The kernel passes at most this many fds in one message. */
const FDS_PER_MESSAGE_MAX = 253;

/** fd numbers of all SCM_RIGHTS messages in a parameter; a malformed message ends the list. */
export function passedFds(record: EventRecord, index: number): readonly number[] {
  const { view } = record;
  const end = (record.paramOffsets[index] as number) + record.lengthOf(index);
  const fds: number[] = [];
  let at = record.paramOffsets[index] as number;
  while (end - at >= HEADER_BYTES) {
    const length = view.getUint32(at, true);
    // A length beyond 32 bits has a high half, and cannot fit.
    if (view.getUint32(at + 4, true) !== 0 || length < HEADER_BYTES || length > end - at) break;
    if (view.getInt32(at + 12, true) === SCM_RIGHTS) {
      const dataBytes = length - HEADER_BYTES;
      if (dataBytes % 4 !== 0 || dataBytes / 4 > FDS_PER_MESSAGE_MAX) break;
      for (let i = 0; i < dataBytes; i += 4) fds.push(view.getInt32(at + HEADER_BYTES + i, true));
    }
    at += Math.ceil(length / 8) * 8;
  }
  return fds;
}
