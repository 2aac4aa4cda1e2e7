/** Block ids of the capture file, with the older ids that mean the same. */

export const SHB = 0x0a0d0d0a;
export const MI = 0x201;
export const MI_OLD = 0x8002abcd;
export const PL_V1 = 0x202;
export const PL_V9 = 0x215;
export const FDL_V1 = 0x203;
export const FDL_V1_OLD = 0x8001abcd;
export const FDL_V2 = 0x218;
export const IL_V1 = 0x205;
export const IL_V1_OLD = 0x8011abcd;
export const IL_V2 = 0x219;
export const UL_V1 = 0x206;
export const UL_V1_OLD = 0x8012abcd;
export const UL_V2 = 0x220;
export const EV_V1 = 0x204;
export const EV_V1_OLD = 0x8010abcd;
export const EV_V2 = 0x216;
export const EV_V2_LARGE = 0x221;
export const EVF_V1 = 0x208;
export const EVF_V2 = 0x217;
export const EVF_V2_LARGE = 0x222;

/** What the lists of a state cannot say. A block of this project's own: readers skip blocks they do not know. */
export const STATE_SUPPLEMENT = 0x53545201;

/** What the section header block carries first: tells the byte order. */
export const SECTION_MAGIC = 0x1a2b3c4d;
export const SECTION_MAJOR = 1;
export const SECTION_MINOR = 2;

/** Type and total length. */
export const BLOCK_HEADER_BYTES = 8;
/** The total length again. */
export const BLOCK_TRAILER_BYTES = 4;
export const BLOCK_BYTES_MIN = BLOCK_HEADER_BYTES + BLOCK_TRAILER_BYTES;
/** Largest body, trailer included, of an event block that is not of a large kind. */
export const SMALL_EVENT_BODY_BYTES_MAX = 65_536;

/** Version of each kind of thread list. */
const PL_VERSIONS: ReadonlyMap<number, number> = new Map([
  [PL_V1, 1],
  [0x8000abcd, 1],
  [0x207, 2],
  [0x8013abcd, 2],
  [0x209, 3],
  [0x8014abcd, 3],
  [0x210, 4],
  [0x211, 5],
  [0x212, 6],
  [0x213, 7],
  [0x214, 8],
  [PL_V9, 9],
]);

/** Version of a thread list block, 0 when the id is not one. */
export function threadListVersion(type: number): number {
  return PL_VERSIONS.get(type) ?? 0;
}

export function isEventBlock(type: number): boolean {
  switch (type) {
    case EV_V1:
    case EV_V1_OLD:
    case EV_V2:
    case EV_V2_LARGE:
    case EVF_V1:
    case EVF_V2:
    case EVF_V2_LARGE:
      return true;
    default:
      return false;
  }
}

/** `0x` and hexadecimal digits, for messages. */
export function hexId(type: number): string {
  return `0x${type.toString(16).padStart(8, '0')}`;
}
