import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import pc from 'picocolors';
import { colorTemplate } from '../../../client/cli/colored-presets.ts';
import { wantsColors } from '../../../client/cli/context.ts';

describe('colorTemplate', () => {
  it('paints fields and leaves the text between them alone', () => {
    const painted = colorTemplate('*%evt.num %proc.name (%thread.tid)', pc.createColors(true));
    assert.equal(painted, '*\x1b[2m%evt.num\x1b[22m \x1b[36m%proc.name\x1b[39m (%thread.tid)');
  });
});

describe('wantsColors', () => {
  it('is for terminals whose user has not refused', () => {
    assert.equal(wantsColors(true, {}), true);
    assert.equal(wantsColors(false, {}), false);
    assert.equal(wantsColors(true, { NO_COLOR: '1' }), false);
    assert.equal(wantsColors(true, { NO_COLOR: '' }), true);
    assert.equal(wantsColors(true, { TERM: 'dumb' }), false);
  });
});
