/**
 * The order in which the reference walks the fds of a process, which lists in its output show: that of a hash table with
 * one chain of entries, new ones first, and entries of the same bucket side by side.
 *
 * Not followed: when two fds share a bucket and the older one is closed, the reference leaves the other in its place, while
 * here it goes by its own age.
 */

/** Sizes the table grows through. It grows when an entry comes in and there are as many as buckets. */
const BUCKET_COUNTS: readonly number[] = [
  13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229,
];

/** What decides the walk: fd numbers oldest first, and how many buckets the table has. */
export interface FdOrder {
  readonly fds: readonly number[];
  readonly bucketCount: number;
}

/** Buckets of a new table. */
export const BUCKETS_MIN = 13;

export function nextBucketCount(bucketCount: number): number {
  return BUCKET_COUNTS.find((count) => count > bucketCount) ?? bucketCount * 2 + 1;
}

/** The fds in walking order. */
export function walkOf({ fds, bucketCount }: FdOrder): number[] {
  const walk: number[] = [];
  if (fds.every((fd) => fd < bucketCount)) {
    for (let i = fds.length - 1; i >= 0; i--) walk.push(fds[i] as number);
    return walk;
  }
  const buckets = new Map<number, number[]>();
  for (const fd of fds) {
    const bucket = buckets.get(fd % bucketCount);
    if (bucket === undefined) buckets.set(fd % bucketCount, [fd]);
    else bucket.push(fd);
  }
  for (const bucket of [...buckets.values()].reverse()) {
    for (let i = bucket.length - 1; i >= 0; i--) walk.push(bucket[i] as number);
  }
  return walk;
}

/** The order of a forked child's table: it takes the fds over as it walks its parent's. Growing links all entries anew. */
export function forkedOrder(parent: FdOrder): FdOrder {
  let fds: number[] = [];
  let bucketCount = BUCKETS_MIN;
  for (const fd of walkOf(parent)) {
    if (fds.length === bucketCount) {
      fds = walkOf({ fds, bucketCount });
      bucketCount = nextBucketCount(bucketCount);
    }
    fds.push(fd);
  }
  return { fds, bucketCount };
}
