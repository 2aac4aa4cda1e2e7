/** What whoever owns a container, or a socket of a user, may try: to read the node's files, to block, to fill, to pass for another. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { ContainerUsers } from '../../server/container/runtime/container-users.ts';
import { usersReader } from '../../server/container/runtime/container-users.ts';
import { eventually } from '../helpers/eventually.ts';
import { fakeContainer, fakeId } from '../helpers/fake-container.ts';
import { FakePodman } from '../helpers/fake-podman.ts';
import { FakeNode } from '../helpers/fake-proc.ts';
import { FakeRuntimes } from '../helpers/fake-runtimes.ts';
import { HubBench } from '../helpers/hub-bench.ts';
import { ParserHarness } from '../helpers/parser-harness.ts';

const TID = 42;
const SECRET = 'secret:x:4711:4711:node:/:/bin/sh\n';
/** No file may keep the reader longer. */
const READ_MS_MAX = 5000;

/** A node with one container, whose root is a folder. */
class Prison {
  readonly node: FakeNode;
  readonly root: string;

  constructor(t: TestContext) {
    this.node = new FakeNode();
    this.root = join(this.node.root, `proc/${TID}/root`);
    mkdirSync(join(this.root, 'etc'), { recursive: true });
    // What must not be read.
    this.node.write('etc/shadow', SECRET);
    this.node.write('etc/passwd', SECRET);
    t.after(() => this.node.remove());
  }

  path(name: string): string {
    return join(this.root, name);
  }

  async users(): Promise<ContainerUsers | undefined> {
    const startMs = performance.now();
    try {
      return await usersReader(this.node.root)('c', TID);
    } finally {
      const ms = performance.now() - startMs;
      assert.ok(ms < READ_MS_MAX, `${ms} ms`);
    }
  }

  async names(): Promise<readonly string[]> {
    return ((await this.users())?.users ?? []).map(({ name }) => name);
  }
}

describe("a container's own lists of users", () => {
  test('are read', async (t) => {
    const prison = new Prison(t);
    writeFileSync(prison.path('etc/passwd'), 'app:x:1000:1000::/home/app:/bin/sh\n');
    assert.deepEqual(await prison.names(), ['app']);
  });

  for (const [what, target] of [
    ['an absolute link to a file of the node', '/etc/shadow'],
    ['a relative link out of the root', '../../../../etc/shadow'],
    ['a link out of the root and back in', '../../root/../../../etc/shadow'],
    ['a link by way of /proc/self', '/proc/self/root/etc/shadow'],
    ['a link to itself', 'passwd'],
    ['a link to nothing', '/nowhere'],
    ['a link of thousands of parts', `${'./'.repeat(1900)}x`],
  ] as const) {
    test(`${what}: the node's file is not read`, async (t) => {
      const prison = new Prison(t);
      symlinkSync(target, prison.path('etc/passwd'));
      assert.deepEqual(await prison.names(), []);
    });
  }

  test("an absolute link leads to the container's own file", async (t) => {
    const prison = new Prison(t);
    writeFileSync(prison.path('real'), 'app:x:1000:1000::/:/\n');
    symlinkSync('/real', prison.path('etc/passwd'));
    assert.deepEqual(await prison.names(), ['app']);
  });

  test('/etc itself a link out of the root', async (t) => {
    const prison = new Prison(t);
    rmSync(prison.path('etc'), { recursive: true });
    symlinkSync('../../../etc', prison.path('etc'));
    assert.deepEqual(await prison.names(), []);
    rmSync(prison.path('etc'));
    symlinkSync(join(prison.node.root, 'etc'), prison.path('etc'));
    assert.deepEqual(await prison.names(), []);
  });

  test('links that are exchanged while they are followed', async (t) => {
    const prison = new Prison(t);
    writeFileSync(prison.path('good'), 'app:x:1000:1000::/:/\n');
    let isEnd = false;
    const exchanging = (async () => {
      for (let i = 0; !isEnd; i++) {
        symlinkSync(i % 2 === 0 ? '../../../../etc/shadow' : '/good', prison.path(`l${i}`));
        renameSync(prison.path(`l${i}`), prison.path('etc/passwd'));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let i = 0; i < 200; i++) {
      for (const name of await prison.names()) assert.equal(name, 'app');
    }
    isEnd = true;
    await exchanging;
  });

  test('a pipe that nobody writes to, a folder, a socket or a device is no list', async (t) => {
    const prison = new Prison(t);
    execFileSync('mkfifo', [prison.path('etc/passwd')]);
    mkdirSync(prison.path('etc/group'));
    assert.deepEqual(await prison.users(), { users: [], groups: [] });
    rmSync(prison.path('etc/passwd'));
    if (process.getuid?.() !== 0) return;
    for (const [major, minor] of [
      ['1', '5'],
      ['1', '8'],
    ]) {
      try {
        execFileSync('mknod', [prison.path('etc/passwd'), 'c', `${major}`, `${minor}`], { stdio: 'ignore' });
      } catch {
        t.diagnostic('no devices can be made here');
        return;
      }
      assert.deepEqual(await prison.names(), []);
      rmSync(prison.path('etc/passwd'));
    }
  });

  test('of gigabytes, with lines of megabytes, of millions of lines: as much as is taken, no more', async (t) => {
    const prison = new Prison(t);
    const file = prison.path('etc/passwd');
    writeFileSync(file, 'first:x:1:1::/:/\n');
    truncateSync(file, 8 * 1024 ** 3);
    const before = process.memoryUsage().rss;
    assert.deepEqual(await prison.names(), ['first']);
    assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024);
    const line = openSync(file, 'w');
    writeSync(line, `first:x:1:1::/:/\n${'y'.repeat(4 * 1024 * 1024)}:x:2:2::/:/\n`);
    assert.deepEqual(await prison.names(), ['first']);
    writeFileSync(file, Array.from({ length: 300_000 }, (_, i) => `u${i}:x:${i}:1::/:/\n`).join(''));
    const { users = [] } = (await prison.users()) ?? {};
    assert.ok(users.length > 0 && users.length <= 4096, `${users.length}`);
  });

  test('names of control characters, no UTF-8, ids beyond 32 bits, and lines that are none', async (t) => {
    const prison = new Prison(t);
    const lines = [
      '\x1b[31mred:x:1:1::/:/',
      '\xff\xfe:x:2:2::/:/',
      'big:x:99999999999:1::/:/',
      'minus:x:-1:1::/:/',
      ':::::',
      '\0',
    ];
    writeFileSync(prison.path('etc/passwd'), `${lines.join('\n')}\nlast:x:3:3`, 'latin1');
    assert.deepEqual(await prison.names(), ['\x1b[31mred', '\xff\xfe', 'last']);
  });

  test("the node's root is not taken for a container's", async (t) => {
    const prison = new Prison(t);
    rmSync(prison.root, { recursive: true });
    symlinkSync(prison.node.root, prison.root);
    assert.equal(await prison.users(), undefined);
  });
});

async function hubOn(
  t: TestContext,
  prepare: (fakes: FakeRuntimes) => Promise<void>,
): Promise<[FakeRuntimes, HubBench]> {
  const fakes = new FakeRuntimes();
  await prepare(fakes);
  const hub = new HubBench(fakes);
  t.after(async () => {
    await hub.hub.stop();
    await fakes.close();
  });
  await hub.hub.start();
  return [fakes, hub];
}

async function userPodman(t: TestContext, fakes: FakeRuntimes): Promise<FakePodman> {
  const path = join(fakes.node.root, 'run/user/1000/podman/podman.sock');
  mkdirSync(dirname(path), { recursive: true });
  const podman = new FakePodman(path);
  await podman.listen();
  t.after(() => podman.close());
  return podman;
}

function nameIn(json: string): string {
  return (JSON.parse(json) as { readonly container: { readonly name: string } }).container.name;
}

describe("a user's own socket", () => {
  test("cannot say what the node's containers are, nor that they are gone or live on", async (t) => {
    let liar: FakePodman | undefined;
    const real = fakeContainer({ name: 'real' });
    const [fakes, hub] = await hubOn(t, async (made) => {
      await made.listen('docker');
      made.docker.containers.set(real.id, { ...real });
      // Slower than the liar, who is first with everything.
      made.docker.latenciesMs.set('inspect', 200);
      liar = await userPodman(t, made);
      liar.containers.set(real.id, { ...real, name: 'trusted' });
    });
    await hub.state('docker', 'ready');
    await hub.state('podman', 'ready');
    await hub.found(real.id);
    liar?.tell(real, 'died');
    liar?.remove(real.id);
    hub.request({ kind: 'wanted', fullId: real.id, type: 'docker', tid: 1 });
    const later = fakeContainer({ name: 'later' });
    fakes.docker.create(later);
    liar?.create({ ...later, name: 'trusted' });
    fakes.docker.start(later.id);
    await hub.found(later.id);
    for (const update of hub.updates) {
      if (update.kind === 'found') assert.notEqual(nameIn(update.json), 'trusted');
      assert.notEqual(update.kind === 'gone' ? update.fullId : '', real.id);
    }
    // And its word does not keep alive what has ended.
    fakes.docker.die(later.id);
    fakes.docker.remove(later.id);
    await eventually('its end', () => hub.last('gone', later.id));
  });

  test("counts for the user's own containers, told by their user namespace", async (t) => {
    const own = fakeContainer({ name: 'own' });
    const foreign = fakeContainer({ name: 'foreign' });
    const [, hub] = await hubOn(t, async (made) => {
      const podman = await userPodman(t, made);
      for (const container of [own, foreign]) podman.containers.set(container.id, container);
      // Root in the container is the user; the rest are ids lent to them.
      made.node.write(
        'proc/50/uid_map',
        '         0       1000          1\n         1     100000      65536\n',
      );
      // Of the node, of another user, and of one whose thread is gone.
      made.node.write('proc/51/uid_map', '         0          0 4294967295\n');
      made.node.write(
        'proc/52/uid_map',
        '         0       1001          1\n         1     200000      65536\n',
      );
    });
    await hub.state('podman', 'ready');
    for (const tid of [51, 52, 53]) hub.request({ kind: 'wanted', fullId: foreign.id, type: 'podman', tid });
    hub.request({ kind: 'wanted', fullId: own.id, type: 'podman', tid: 50 });
    assert.equal(nameIn((await hub.found(own.id)).json), 'own');
    await eventually('an end of the wait', () => hub.last('unknown', foreign.id));
    assert.equal(hub.last('found', foreign.id), undefined);
  });

  test('cannot take the socket of the node for its own by a link', async (t) => {
    const web = fakeContainer({ name: 'web' });
    const [fakes, hub] = await hubOn(t, async (made) => {
      await made.listen('docker', 'podman');
      made.docker.containers.set(web.id, web);
      const folder = join(made.node.root, 'run/user/1000/podman');
      mkdirSync(folder, { recursive: true });
      symlinkSync(made.socketPath('docker'), join(folder, 'podman.sock'));
      symlinkSync(made.socketPath('podman'), join(folder, '../docker.sock'));
    });
    await hub.found(web.id);
    assert.deepEqual(
      hub.hub
        .status()
        .map(({ kind, socketPath }) => [kind, socketPath])
        .sort(),
      [
        ['docker', fakes.socketPath('docker')],
        ['podman', fakes.socketPath('podman')],
      ],
    );
  });

  test('cannot fill the table', async (t) => {
    const [, hub] = await hubOn(t, async (made) => {
      const liar = await userPodman(t, made);
      for (let i = 0; i < 3000; i++) {
        const container = fakeContainer({ name: `ghost-${i}` });
        liar.containers.set(container.id, container);
      }
    });
    const status = await hub.state('podman', 'ready');
    assert.ok(status.containerCount <= 256, `${status.containerCount}`);
  });

  test('that never answers keeps nobody waiting', async (t) => {
    const web = fakeContainer({ name: 'web' });
    const [, hub] = await hubOn(t, async (made) => {
      await made.listen('docker');
      made.docker.containers.set(web.id, web);
      (await userPodman(t, made)).socket.mode = 'silent';
    });
    await hub.found(web.id);
    assert.equal(hub.status('docker')?.state, 'ready');
  });
});

describe('container events that are not what they seem', () => {
  const ID = fakeId('real');

  function rowsAfter(...json: readonly (object | string)[]): ParserHarness {
    const harness = new ParserHarness({ containersMax: 5 });
    for (const one of json) {
      const text = typeof one === 'string' ? one : JSON.stringify(one);
      harness.send('PPME_ASYNCEVENT_E', {
        plugin_id: 0,
        name: 'container',
        data: Buffer.from(`${text}\0`, 'utf8'),
      });
    }
    return harness;
  }

  test('ids that are paths, keys of objects, empty or enormous are texts like others', () => {
    for (const id of [
      '../../etc/passwd',
      '__proto__',
      'constructor',
      '\n',
      'a'.repeat(100_000),
      '\u{1f600}',
    ]) {
      const { state } = rowsAfter({ container: { id, name: 'x', image: 'y' } });
      assert.equal(state.containers.size, 1, id.slice(0, 20));
    }
    assert.equal(rowsAfter({ container: { id: '' } }).state.containers.size, 0);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });

  test('labels named like parts of the language stay labels', () => {
    const labels = '{"__proto__":"p","constructor":"c","toString":"t"}';
    const { state } = rowsAfter(
      `{"container":{"id":"${ID.slice(0, 12)}","full_id":"${ID}","image":"i","labels":${labels}}}`,
    );
    const row = state.containers.find(ID);
    assert.deepEqual(
      [...(row?.labels ?? [])].sort(),
      [
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['toString', 't'],
      ].sort(),
    );
  });

  test('more containers than the table holds are refused and counted', () => {
    const { state } = rowsAfter(
      ...Array.from({ length: 50 }, (_, i) => ({ container: { id: `c${i}`, image: 'i' } })),
    );
    assert.equal(state.containers.size, 5);
    assert.equal(state.containers.counters.refused, 45);
  });

  test('text that is no JSON, not an object, or cut is counted and changes nothing', () => {
    const bad = ['', '{', 'null', '[]', '5', '"x"', '{"container":', `{"container":{"id":"a"}}x`];
    const { state, parser } = rowsAfter(...bad);
    assert.equal(state.containers.size, 0);
    assert.equal(parser.counters.containerJsonInvalid, bad.length);
  });
});
