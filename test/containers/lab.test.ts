/** The lab itself: every runtime runs a container and says what it was told of it; nothing is left afterwards. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ContainerLab } from './lab/container-lab.ts';
import { labOrSkip } from './lab/lab-permission.ts';
import { mountsOf, processesOf } from './lab/leftovers.ts';

describe('the container lab', labOrSkip(), () => {
  it('runs a container on each runtime, and is gone without a trace', async () => {
    const lab = await ContainerLab.up();
    try {
      for (const driver of lab.drivers()) {
        const name = `first-${driver.kind}`;
        const id = await driver.start({ name, command: ['/bin/sleep', '60'], labels: { made: 'here' } });
        const listed = (await driver.list()).find((container) => container.id === id);
        assert.equal(listed?.name, name);
        assert.match(listed?.image ?? '', /lab\/tools:1$/, driver.kind);
        assert.match(JSON.stringify(await driver.inspect(id)), /"made": ?"here"/, driver.kind);
        assert.match(await driver.exec(id, ['/bin/cat', '/etc/passwd']), /labuser/, driver.kind);
        await driver.remove(id);
      }
    } finally {
      await lab.down();
    }
    assert.deepEqual(processesOf(lab.folder), []);
    assert.deepEqual(mountsOf(lab.folder), []);
    assert.ok(!existsSync(lab.folder));
  });
});
