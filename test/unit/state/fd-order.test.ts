import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FD_FILE_V2, FdInfo } from '../../../server/state/fd-info.ts';
import { BUCKETS_MIN, forkedOrder, nextBucketCount, walkOf } from '../../../server/state/fd-order.ts';
import { FdTable, type FdTableOwner } from '../../../server/state/fd-table.ts';
import { OsState } from '../../../server/state/os-state.ts';

/** The chain of the table that is imitated, one entry at a time. */
class Chain {
  private chain: number[] = [];
  private buckets = BUCKETS_MIN;

  insert(fd: number): void {
    if (this.chain.length === this.buckets) {
      const old = this.chain;
      this.buckets = nextBucketCount(this.buckets);
      this.chain = [];
      for (const each of old) this.link(each);
    }
    this.link(fd);
  }

  remove(fd: number): void {
    this.chain = this.chain.filter((each) => each !== fd);
  }

  /** Whether no other entry has the fd's bucket. */
  isAlone(fd: number): boolean {
    return this.chain.every((each) => each === fd || each % this.buckets !== fd % this.buckets);
  }

  get walk(): readonly number[] {
    return this.chain;
  }

  private link(fd: number): void {
    const first = this.chain.findIndex((each) => each % this.buckets === fd % this.buckets);
    this.chain.splice(Math.max(first, 0), 0, fd);
  }
}

describe('the order in which fds are walked', () => {
  it('is newest first, with fds of one bucket side by side', () => {
    assert.deepEqual(walkOf({ fds: [0, 1, 2, 255, 3], bucketCount: 13 }), [3, 255, 2, 1, 0]);
    assert.deepEqual(
      walkOf({ fds: [251, 10, 2, 1, 0, 255, 3, 4], bucketCount: 13 }),
      [3, 255, 0, 1, 2, 10, 4, 251],
    );
  });

  it('turns round in a forked child', () => {
    assert.deepEqual(forkedOrder({ fds: [0, 1, 2], bucketCount: 13 }), { fds: [2, 1, 0], bucketCount: 13 });
  });

  it('is that of a hash table, over growth, removals and forks', () => {
    let seed = 12345;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const owner: FdTableOwner = new OsState().threads;
    let table = new FdTable(owner);
    let model = new Chain();
    for (let step = 0; step < 3000; step++) {
      const fd = random(80);
      const kind = random(20);
      if (kind === 0) {
        const child = new FdTable(owner);
        child.copyFrom(table);
        const copy = new Chain();
        for (const each of model.walk) copy.insert(each);
        table = child;
        model = copy;
      } else if (table.find(fd) === undefined) {
        table.set(fd, new FdInfo(FD_FILE_V2));
        model.insert(fd);
      } else if (kind < 11 && model.isAlone(fd)) {
        table.delete(fd);
        model.remove(fd);
      }
      assert.deepEqual(table.walk(), model.walk, `step ${step}`);
    }
  });
});
