/** Which ids of the node those of a user namespace are: /proc/TID/uid_map and gid_map. */

/** Ids `inner`... of the namespace are `outer`... of the node, as many as `count`. */
interface IdRange {
  readonly inner: number;
  readonly outer: number;
  readonly count: number;
}

/** Ranges taken of one map; the kernel allows 340. */
const RANGES_MAX = 340;

export class IdMap {
  private readonly ranges: readonly IdRange[];

  /** `text`: lines of three numbers. Without any all ids are what they are. */
  constructor(text: string) {
    this.ranges = text.split('\n').slice(0, RANGES_MAX).flatMap(rangeOf);
  }

  /** Undefined when the id is none of the node's. */
  outerOf(id: number): number | undefined {
    if (this.ranges.length === 0) return id;
    const range = this.ranges.find(({ inner, count }) => id >= inner && id < inner + count);
    return range === undefined ? undefined : range.outer + (id - range.inner);
  }
}

function rangeOf(line: string): IdRange[] {
  const [inner, outer, count] = line.trim().split(/\s+/).map(Number);
  if (!Number.isSafeInteger(inner) || !Number.isSafeInteger(outer) || !Number.isSafeInteger(count)) return [];
  return [{ inner: inner as number, outer: outer as number, count: count as number }];
}
