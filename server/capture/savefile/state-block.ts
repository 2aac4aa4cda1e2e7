/** Dispatches one block that holds initial state to its reader. */
import type { SnapshotSink } from '../../event/snapshot.ts';
import { BlockReader } from './block-reader.ts';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_TRAILER_BYTES,
  FDL_V1,
  FDL_V1_OLD,
  FDL_V2,
  IL_V1,
  IL_V1_OLD,
  IL_V2,
  MI,
  MI_OLD,
  SECTION_MAGIC,
  SECTION_MAJOR,
  SHB,
  STATE_SUPPLEMENT,
  threadListVersion,
  UL_V1,
  UL_V1_OLD,
  UL_V2,
} from './block-types.ts';
import { ByteWindow } from './byte-window.ts';
import { readFdList } from './fd-list.ts';
import { readInterfaceList, readMachine, readUserList } from './node-lists.ts';
import { readSupplement } from './state-supplement.ts';
import { readThreadList } from './thread-list.ts';

/** A reader over the body of the block at the window's start, which holds all of it. */
function bodyOf(window: ByteWindow, length: number, what: string): BlockReader {
  const { bytes, view, start, base } = window;
  const end = start + length - BLOCK_TRAILER_BYTES;
  return new BlockReader(bytes, view, start + BLOCK_HEADER_BYTES, end, base, what);
}

/** Checks a section header block. Options after its fields are skipped. */
export function readSectionHeader(window: ByteWindow, length: number): void {
  const body = bodyOf(window, length, 'section header');
  const magicAt = body.at;
  const magic = body.u32('byte order magic');
  if (magic !== SECTION_MAGIC) {
    body.fail(`byte order magic 0x${magic.toString(16)}, expected 0x${SECTION_MAGIC.toString(16)}`, magicAt);
  }
  const majorAt = body.at;
  const major = body.u16('major version');
  if (major > SECTION_MAJOR) {
    body.fail(`format version ${major}.${body.u16('minor version')}, expected 1.x`, majorAt);
  }
  body.u16('minor version');
  body.skip(8, 'section length');
}

/** Whether blocks of this type carry state this reader knows. */
export function isStateBlock(type: number): boolean {
  return STATE_TYPES.has(type) || threadListVersion(type) > 0;
}

const STATE_TYPES: ReadonlySet<number> = new Set([
  SHB,
  MI,
  MI_OLD,
  IL_V1,
  IL_V1_OLD,
  IL_V2,
  UL_V1,
  UL_V1_OLD,
  UL_V2,
  FDL_V1,
  FDL_V1_OLD,
  FDL_V2,
  STATE_SUPPLEMENT,
]);

/** Reads the state block at the window's start into the sink. */
export function readStateBlock(window: ByteWindow, type: number, length: number, sink: SnapshotSink): void {
  switch (type) {
    case MI:
    case MI_OLD:
      sink.onMachine(readMachine(bodyOf(window, length, 'machine block')));
      return;
    case IL_V1:
    case IL_V1_OLD:
    case IL_V2:
      sink.onInterfaces(readInterfaceList(bodyOf(window, length, 'interface list'), type === IL_V2 ? 2 : 1));
      return;
    case UL_V1:
    case UL_V1_OLD:
    case UL_V2:
      readUserList(
        bodyOf(window, length, 'user list'),
        type === UL_V2 ? 2 : 1,
        (entry) => sink.onUser(entry),
        (entry) => sink.onGroup(entry),
      );
      return;
    case FDL_V1:
    case FDL_V1_OLD:
    case FDL_V2:
      readFdList(bodyOf(window, length, 'fd list'), type === FDL_V2 ? 2 : 1, (tid, entries) =>
        sink.onFds(tid, entries),
      );
      return;
    case STATE_SUPPLEMENT:
      readSupplement(bodyOf(window, length, 'state supplement'), sink);
      return;
    default:
      readThreadList(bodyOf(window, length, 'thread list'), threadListVersion(type), (entry) =>
        sink.onThread(entry),
      );
  }
}

/** Reads whole state blocks, one after the other, as an encoder has left them in memory. */
export function readStateBlocks(bytes: Buffer, sink: SnapshotSink): void {
  const window = new ByteWindow(bytes.length);
  window.append(bytes);
  while (window.available > 0) {
    const length = window.view.getUint32(window.start + 4, true);
    readStateBlock(window, window.view.getUint32(window.start, true), length, sink);
    window.start += length;
  }
}
