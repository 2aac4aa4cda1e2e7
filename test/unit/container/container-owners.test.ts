import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerOwners } from '../../../server/container/runtime/container-owners.ts';

const ROOTLESS = '         0       1000          1\n         1     100000      65536\n';
const NODE = '         0          0 4294967295\n';

function owners(maps: Readonly<Record<number, string>>): ContainerOwners {
  return new ContainerOwners(async (tid) => {
    const text = maps[tid];
    if (text === undefined) throw new Error('gone');
    return text;
  });
}

test('a container belongs to the users whose ids its user namespace maps', async () => {
  const known = owners({ 1: ROOTLESS });
  assert.equal(await known.learn('a', 1), true);
  assert.deepEqual(
    [1000, 1001, 999, 100_000, 165_535, 165_536].map((userId) => known.has('a', userId)),
    [true, false, false, true, true, false],
  );
  assert.equal(known.has('b', 1000), false);
});

test("in the node's own user namespace a container is nobody's", async () => {
  const known = owners({ 1: NODE });
  assert.equal(await known.learn('a', 1), false);
  assert.deepEqual([known.has('a', 0), known.has('a', 1000), known.size], [false, false, 0]);
});

test('a thread that is gone, and text that is no map, tell nothing; the next thread may', async () => {
  const known = owners({ 2: 'x\n0 y 1\n0 5 -1\n0\n', 3: ROOTLESS });
  for (const tid of [1, 2]) assert.equal(await known.learn('a', tid), false);
  assert.equal(await known.learn('a', 3), true);
  // Once known it is not read again.
  assert.equal(await known.learn('a', 3), false);
});

test('what is forgotten is not known, and leaves nothing behind', async () => {
  const known = owners({ 1: ROOTLESS });
  await known.learn('a', 1);
  known.forget('a');
  assert.deepEqual([known.has('a', 1000), known.size], [false, 0]);
});
