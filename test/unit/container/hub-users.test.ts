import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UserReads, usersReader } from '../../../server/container/runtime/container-users.ts';
import { readRootedFile } from '../../../server/container/runtime/rooted-path.ts';
import { settle } from '../../helpers/scripted-runtime.ts';

const PASSWD = '/etc/passwd';

/** A folder that is a node's root, with a thread 5 whose root is a folder in it. */
function node(t: TestContext): { readonly root: string; write(path: string, text: string): void } {
  const root = mkdtempSync(join(tmpdir(), 'hub-users-'));
  t.after(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, 'latin1');
  };
  write(PASSWD, 'host:x:0:0::/root:/bin/bash\n');
  mkdirSync(join(root, 'proc/5/root/etc'), { recursive: true });
  return { root, write };
}

function read(root: string): Promise<string | undefined> {
  return readRootedFile(join(root, 'proc/5/root'), PASSWD, 1024);
}

test('users and groups of a container are those of its own files; of the node, those of its root', async (t) => {
  const { root, write } = node(t);
  write('proc/5/root/etc/passwd', 'app\xe9:x:100:101::/app:/bin/sh\nbroken\n');
  write('proc/5/root/etc/group', 'app:x:101:\n');
  const readUsers = usersReader(root);
  assert.deepEqual(await readUsers('c', 5), {
    users: [{ uid: 100, gid: 101, name: 'app\xe9', homedir: '/app', shell: '/bin/sh' }],
    groups: [{ gid: 101, name: 'app' }],
  });
  assert.deepEqual(
    (await readUsers('', 1))?.users.map(({ name }) => name),
    ['host'],
  );
});

test('a container without such files has no users; one whose thread is gone cannot be read', async (t) => {
  const { root } = node(t);
  assert.deepEqual(await usersReader(root)('c', 5), { users: [], groups: [] });
  await assert.rejects(usersReader(root)('c', 6), /ENOENT/);
});

test("while its root is still the node's, a container has no users of its own", async (t) => {
  const { root } = node(t);
  mkdirSync(join(root, 'proc/7'), { recursive: true });
  symlinkSync(root, join(root, 'proc/7/root'));
  assert.equal(await usersReader(root)('c', 7), undefined);
});

test('links are followed within the root of the container, never out of it', async (t) => {
  const { root, write } = node(t);
  write('proc/5/root/usr/lib/passwd', 'inside:x:1:1:::\n');
  const passwd = join(root, 'proc/5/root/etc/passwd');
  for (const [target, text] of [
    ['/usr/lib/passwd', 'inside:x:1:1:::\n'],
    ['../usr/lib/passwd', 'inside:x:1:1:::\n'],
    ['../../../../../../usr/./lib//passwd', 'inside:x:1:1:::\n'],
    ['../../../../etc/passwd', undefined],
    [join(root, 'etc/passwd'), undefined],
    ['/etc/passwd', undefined],
    ['passwd', undefined],
    ['/usr/lib', undefined],
    ['/usr/lib/passwd/more', undefined],
    [`/${'usr/../'.repeat(500)}usr/lib/passwd`, undefined],
  ] as const) {
    rmSync(passwd, { force: true });
    symlinkSync(target, passwd);
    assert.equal(await read(root), text, target.slice(0, 60));
  }
});

test('a folder on the way may be a link, too', async (t) => {
  const { root, write } = node(t);
  rmSync(join(root, 'proc/5/root/etc'), { recursive: true });
  symlinkSync('/run/../data/etc', join(root, 'proc/5/root/etc'));
  mkdirSync(join(root, 'proc/5/root/run'));
  write('proc/5/root/data/etc/passwd', 'inside:x:1:1:::\n');
  assert.equal(await read(root), 'inside:x:1:1:::\n');
});

test('what is no regular file is not opened, however it would block', async (t) => {
  const { root } = node(t);
  const passwd = join(root, 'proc/5/root/etc/passwd');
  execFileSync('mkfifo', [passwd]);
  assert.equal(await read(root), undefined);
  rmSync(passwd);
  mkdirSync(passwd);
  assert.equal(await read(root), undefined);
  rmSync(passwd, { recursive: true });
  // A device reached by the container's own link to its own name for it.
  mkdirSync(join(root, 'proc/5/root/dev'));
  try {
    execFileSync('mknod', [join(root, 'proc/5/root/dev/zero'), 'c', '1', '5']);
  } catch {
    t.diagnostic('no leave to make a device');
    return;
  }
  symlinkSync('/dev/zero', passwd);
  assert.equal(await read(root), undefined);
});

test('of a large file no more than the bound is read, of many users no more than the bound is taken', async (t) => {
  const { root, write } = node(t);
  write('proc/5/root/etc/passwd', 'x'.repeat(5000));
  assert.equal((await read(root))?.length, 1024);
  const lines = Array.from({ length: 20_000 }, (_, i) => `u${i}:x:${i}:${i}::/:`);
  write('proc/5/root/etc/passwd', lines.join('\n'));
  assert.equal((await usersReader(root)('c', 5))?.users.length, 4096);
});

test('no more than two are read at a time, each container once, and none after the end', async () => {
  const waiting: (() => void)[] = [];
  const told: string[] = [];
  let running = 0;
  let runningMax = 0;
  const reads = new UserReads(
    async () => {
      runningMax = Math.max(runningMax, ++running);
      await new Promise<void>((resolve) => waiting.push(resolve));
      running--;
      return { users: [], groups: [] };
    },
    { onUsers: (fullId) => told.push(fullId), onRead: () => {} },
  );
  for (const id of ['a', 'b', 'c', 'c', 'd']) reads.again(id, 1);
  await settle();
  assert.equal(runningMax, 2);
  for (let i = 0; i < 4; i++) {
    waiting.shift()?.();
    await settle();
  }
  assert.deepEqual(told, ['a', 'b', 'c', 'd']);
  reads.first('a', 1);
  assert.equal(waiting.length, 0, 'it is known');
  reads.forget('a');
  reads.first('a', 1);
  await settle();
  reads.stop();
  waiting.shift()?.();
  await settle();
  assert.equal(told.length, 4);
  assert.equal(reads.size, 0);
});

test('reads that wait are bounded; those beyond fail', () => {
  let failed = 0;
  const reads = new UserReads(() => new Promise(() => {}), {
    onUsers: () => {},
    onRead: (isRead) => {
      if (!isRead) failed++;
    },
  });
  for (let i = 0; i < 5000; i++) reads.again(`c${i}`, 1);
  assert.equal(failed, 5000 - 4096 - 2);
});
