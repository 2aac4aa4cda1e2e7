import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { usersReader } from '../../../server/container/runtime/container-users.ts';
import { IdMap } from '../../../server/container/runtime/id-map.ts';

test('ids of a namespace are those of the node that it maps them to', () => {
  const map = new IdMap('         0       1000          1\n         1     100000      65536\n');
  assert.deepEqual(
    [0, 1, 65536].map((id) => map.outerOf(id)),
    [1000, 100_000, 165_535],
  );
  assert.equal(map.outerOf(65_537), undefined);
});

test('without a namespace of its own, or a map that can be read, ids are what they are', () => {
  for (const text of ['', 'x y z\n', '         0          0 4294967295\n']) {
    assert.equal(new IdMap(text).outerOf(33), 33, text);
  }
});

test('users of a container in a user namespace have the ids of the node', async () => {
  const node = mkdtempSync(join(tmpdir(), 'strata-users-'));
  try {
    const proc = join(node, 'proc/50');
    mkdirSync(join(proc, 'root/etc'), { recursive: true });
    writeFileSync(join(proc, 'uid_map'), '0 1000 1\n1 100000 100\n');
    writeFileSync(join(proc, 'gid_map'), '0 2000 1\n1 200000 100\n');
    const users = 'root:x:0:0::/root:/bin/sh\napp:x:5:6::/:/bin/sh\nfar:x:999:0::/:/bin/sh\n';
    writeFileSync(join(proc, 'root/etc/passwd'), users);
    writeFileSync(join(proc, 'root/etc/group'), 'root:x:0:\napps:x:6:\nfar:x:999:\n');
    const found = await usersReader(node)('c1', 50);
    assert.deepEqual(
      found?.users.map(({ name, uid, gid }) => [name, uid, gid]),
      [
        ['root', 1000, 2000],
        ['app', 100_004, 200_005],
      ],
    );
    assert.deepEqual(
      found?.groups.map(({ name, gid }) => [name, gid]),
      [
        ['root', 2000],
        ['apps', 200_005],
      ],
    );
  } finally {
    rmSync(node, { recursive: true });
  }
});
