import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRings } from '../../../../server/capture/ebpf/ring-plan.ts';

const MIB = 1024 * 1024;

test('there is one ring per cpu unless a number is given', () => {
  assert.deepEqual(planRings({ count: 0, bytes: 8 * MIB }, 4, 4096), { count: 4, bytes: 8 * MIB, note: '' });
  assert.equal(planRings({ count: 1, bytes: 8 * MIB }, 4, 4096).count, 1);
  assert.equal(planRings({ count: 0, bytes: 4096 }, 4000, 4096).count, 512);
});

test('a size is rounded up to a power of two and to whole pages', () => {
  assert.equal(planRings({ count: 1, bytes: 5 * MIB }, 1, 4096).bytes, 8 * MIB);
  assert.equal(planRings({ count: 1, bytes: 4096 }, 1, 65_536).bytes, 65_536);
});

test('all rings together have a limit, which is told', () => {
  const plan = planRings({ count: 0, bytes: 8 * MIB }, 256, 4096);
  assert.equal(plan.bytes, 4 * MIB);
  assert.match(plan.note, /4194304 bytes instead of 8388608/);
});
