/**
 * Which users containers belong to, as the kernel says: those whose ids are mapped into the user namespace of a thread in it. What a
 * runtime of a user says counts for that user's containers only.
 */
import { readFile } from 'node:fs/promises';

/** Text of a thread's uid_map; rejects when it is gone. */
export type ReadUidMap = (tid: number) => Promise<string>;

interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** As many as follow one another: the node's own namespace, which maps everything to itself. */
const ALL_IDS = 0xffffffff;
/** Ranges of one container, as the kernel takes at most. */
const RANGES_MAX = 340;
/** Containers remembered; the oldest go first. */
const CONTAINERS_MAX = 65_536;

/** `hostRoot`: where the node's root is mounted, '' for '/'. */
export function uidMapReader(hostRoot: string): ReadUidMap {
  return (tid) => readFile(`${hostRoot}/proc/${tid}/uid_map`, 'latin1');
}

export class ContainerOwners {
  private readonly read: ReadUidMap;
  private readonly ranges: Map<string, readonly IdRange[]>;

  constructor(read: ReadUidMap) {
    this.read = read;
    this.ranges = new Map();
  }

  /** Containers remembered. */
  get size(): number {
    return this.ranges.size;
  }

  has(fullId: string, userId: number): boolean {
    const ranges = this.ranges.get(fullId) ?? [];
    return ranges.some(({ first, count }) => userId >= first && userId < first + count);
  }

  /** Looks through a thread in the container. Whether it belongs to users; does not reject. */
  async learn(fullId: string, tid: number): Promise<boolean> {
    if (this.ranges.has(fullId)) return false;
    try {
      const ranges = rangesOf(await this.read(tid));
      if (ranges.length === 0) return false;
      const [oldest] = this.ranges.keys();
      if (this.ranges.size >= CONTAINERS_MAX && oldest !== undefined) this.ranges.delete(oldest);
      this.ranges.set(fullId, ranges);
      return true;
    } catch {
      // The thread is gone: another will be seen, or nobody needs it any more.
      return false;
    }
  }

  forget(fullId: string): void {
    this.ranges.delete(fullId);
  }
}

/** Ids of the node in lines `inside outside count`. */
function rangesOf(text: string): readonly IdRange[] {
  const ranges: IdRange[] = [];
  for (const line of text.split('\n').slice(0, RANGES_MAX)) {
    const [, first, count] = line.trim().split(/\s+/).map(Number);
    if (first === undefined || count === undefined || !(first >= 0 && count > 0) || count >= ALL_IDS)
      continue;
    ranges.push({ first, count });
  }
  return ranges;
}
