/** What many nodes ask of an API server that is back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateReturn } from '../../../scripts/kube-return.ts';

const SCENE = { clients: 100, lists: 20, awaySeconds: 600, seconds: 1300, isSpread: true };

test('chance spreads the return: no second sees more than a fiftieth of all requests', () => {
  const { answered } = simulateReturn(SCENE);
  const all = answered.reduce((sum, count) => sum + count, 0);
  assert.equal(all, 3 * SCENE.clients * (SCENE.lists + 1));
  assert.equal(
    answered.slice(0, SCENE.awaySeconds).some((count) => count > 0),
    false,
  );
  assert.ok(Math.max(...answered) < all / 50, `${Math.max(...answered)} of ${all}`);
});

test('without chance they would all come in two seconds', () => {
  const { answered } = simulateReturn({ ...SCENE, isSpread: false });
  assert.ok(Math.max(...answered) >= 2 * SCENE.clients * SCENE.lists);
});

test('everybody is back after five minutes and the pods after one', () => {
  const { answered } = simulateReturn({ ...SCENE, lists: 0 });
  assert.equal(
    answered.slice(SCENE.awaySeconds + 62).some((count) => count > 0),
    false,
  );
  const all = simulateReturn(SCENE).answered;
  assert.equal(
    all.slice(SCENE.awaySeconds + 302).some((count) => count > 0),
    false,
  );
});
