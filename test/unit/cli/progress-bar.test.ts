import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatCount, formatEta } from '../../../client/cli/progress-bar.ts';

describe('formatCount', () => {
  it('groups digits by three', () => {
    assert.equal(formatCount(0), '0');
    assert.equal(formatCount(999), '999');
    assert.equal(formatCount(1234567.4), '1,234,567');
    assert.equal(formatCount(18446744073709551615n), '18,446,744,073,709,551,615');
  });
});

describe('formatEta', () => {
  it('uses the two largest units', () => {
    assert.equal(formatEta(7), 'ETA 7s');
    assert.equal(formatEta(67), 'ETA 1m07s');
    assert.equal(formatEta(3700), 'ETA 1h01m');
  });

  it('shows a dash while unknown', () => {
    assert.equal(formatEta('NULL'), 'ETA -');
    assert.equal(formatEta(Number.POSITIVE_INFINITY), 'ETA -');
  });
});
