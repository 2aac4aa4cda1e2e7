/** How many rings there are, and how large: what was asked for, within what the kernel takes and a node can spare. */
import { RINGS_MAX } from './probe-abi.ts';

/** Of all rings together: one per cpu of a large machine must not eat its memory. */
const TOTAL_BYTES_MAX = 1024 * 1024 * 1024;

export interface RingPlan {
  readonly count: number;
  /** Of one ring: a power of two, and whole pages. */
  readonly bytes: number;
  /** In words, when it is less than what was asked for; else ''. */
  readonly note: string;
}

/** `count`: 0 for one per cpu. Pages are a power of two. */
export function planRings(
  wanted: { readonly count: number; readonly bytes: number },
  cpuCount: number,
  pageBytes: number,
): RingPlan {
  const count = Math.min(wanted.count === 0 ? cpuCount : wanted.count, RINGS_MAX);
  let bytes = pageBytes;
  while (bytes < wanted.bytes) bytes *= 2;
  const asked = bytes;
  while (bytes > pageBytes && bytes * count > TOTAL_BYTES_MAX) bytes /= 2;
  const note =
    bytes === asked
      ? ''
      : `rings have ${bytes} bytes instead of ${asked}: ${count} of them have 1 GiB at most`;
  return { count, bytes, note };
}
