/** The hub with its real clients, over fake runtimes that fail in every way a runtime can. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { RuntimeOptions } from '../../server/container/runtime/hub-types.ts';
import { eventually } from '../helpers/eventually.ts';
import { type FakeContainer, fakeContainer, fakeId } from '../helpers/fake-container.ts';
import { GRPC_FAULTS } from '../helpers/fake-grpc-runtime.ts';
import { HTTP_FAULTS } from '../helpers/fake-http-runtime.ts';
import { type FakeKind, FakeRuntimes } from '../helpers/fake-runtimes.ts';
import { HubBench } from '../helpers/hub-bench.ts';

/** `start` returns within this, whatever the runtimes do; the wait for an answer is 500 ms here. */
const START_MS_MAX = 10_000;
/** Of an endless answer no more than this is taken. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

interface Bed {
  readonly fakes: FakeRuntimes;
  readonly hub: HubBench;
}

async function bed(
  t: TestContext,
  kinds: readonly FakeKind[],
  options: Partial<RuntimeOptions> = {},
  prepare: (fakes: FakeRuntimes) => void = () => undefined,
): Promise<Bed> {
  const fakes = new FakeRuntimes();
  await fakes.listen(...kinds);
  prepare(fakes);
  // The only kind that is not found by itself here.
  const criSockets = kinds.includes('cri') ? [fakes.socketPath('cri')] : [];
  const hub = new HubBench(fakes, { criSockets, ...options });
  t.after(async () => {
    await hub.hub.stop();
    await fakes.close();
  });
  const startMs = performance.now();
  await hub.hub.start();
  const ms = performance.now() - startMs;
  assert.ok(ms < START_MS_MAX, `start took ${ms} ms`);
  return { fakes, hub };
}

/** Names by container in what was told. */
function nameOf(json: string): unknown {
  const parsed = JSON.parse(Buffer.from(json, 'latin1').toString('utf8')) as {
    readonly container: { readonly name: unknown };
  };
  return parsed.container.name;
}

function wanted(hub: HubBench, container: FakeContainer, type = ''): void {
  hub.request({ kind: 'wanted', fullId: container.id, type, tid: 1 });
}

const WEB = fakeContainer({ name: 'web' });
const LATER = fakeContainer({ name: 'later' });
const OTHER = fakeContainer({ name: 'other' });

describe('an HTTP runtime that answers wrongly', { concurrency: 4 }, () => {
  for (const fault of HTTP_FAULTS) {
    test(`${fault}: the others go on, status says so, and it comes back by itself`, async (t) => {
      const { fakes, hub } = await bed(t, ['docker', 'podman'], {}, ({ docker, podman }) => {
        docker.containers.set(WEB.id, WEB);
        docker.faults.set('', fault);
        podman.containers.set(OTHER.id, OTHER);
      });
      assert.equal(nameOf((await hub.found(OTHER.id)).json), 'other');
      const status = await hub.state('docker', 'degraded');
      assert.match(status.error, /docker/i, 'the error says whom it is about');
      assert.ok(status.callFailureCount > 0);
      assert.equal(hub.status('podman')?.state, 'ready');
      // A container that only the sick runtime may know does not wait for ever.
      hub.request({ kind: 'wanted', fullId: fakeId('nobody knows'), type: 'docker', tid: 1 });
      await eventually('an end of the wait', () => hub.last('unknown', fakeId('nobody knows')));
      fakes.podman.create(LATER);
      fakes.podman.start(LATER.id);
      await hub.found(LATER.id);
      fakes.docker.faults.clear();
      await hub.state('docker', 'ready');
      assert.equal(hub.status('docker')?.error, '');
      assert.equal(nameOf((await hub.found(WEB.id)).json), 'web');
      assert.ok(fakes.docker.hugeBytes < ANSWER_BYTES_MAX, `${fakes.docker.hugeBytes} bytes were taken`);
    });
  }

  for (const fault of [
    'hang',
    'hang-body',
    'drip',
    'garbage',
    'truncated',
    'reset',
    'refused',
    'huge',
  ] as const) {
    test(`${fault} of inspections alone: looked up in bounded time, and again when wanted again`, async (t) => {
      const { fakes, hub } = await bed(t, ['docker'], { lookupTimeoutMs: 1000 });
      await hub.state('docker', 'ready');
      fakes.docker.faults.set('inspect', fault);
      fakes.docker.containers.set(WEB.id, WEB);
      wanted(hub, WEB, 'docker');
      await eventually('an answer', () => hub.last('found', WEB.id) ?? hub.last('unknown', WEB.id));
      fakes.docker.faults.clear();
      await eventually('the container', () => {
        if (hub.last('found', WEB.id)?.isComplete === true) return true;
        wanted(hub, WEB, 'docker');
        return false;
      });
    });
  }

  for (const fault of ['hang', 'garbage', 'truncated', 'reset', 'refused', 'redirect'] as const) {
    test(`${fault} of the event stream alone: containers are looked up, and events come back`, async (t) => {
      const { fakes, hub } = await bed(t, ['docker'], {}, ({ docker }) => docker.faults.set('events', fault));
      fakes.docker.containers.set(WEB.id, WEB);
      await eventually('the container without events', () => {
        if (hub.last('found', WEB.id)?.isComplete === true) return true;
        wanted(hub, WEB, 'docker');
        return false;
      });
      assert.equal(hub.status('docker')?.isWatching, false);
      fakes.docker.faults.clear();
      await eventually('events', () => hub.status('docker')?.isWatching);
      fakes.docker.create(LATER);
      fakes.docker.start(LATER.id);
      await hub.found(LATER.id);
    });
  }
});

describe('a gRPC runtime that answers wrongly', { concurrency: 4 }, () => {
  for (const kind of ['containerd', 'cri'] as const) {
    for (const fault of GRPC_FAULTS) {
      // Fine as far as the whole of an answer goes: what is of the wrong type is left out.
      if (fault === 'wrong-types' || fault === 'no-json' || fault === 'empty') continue;
      test(`${kind}, ${fault}: the others go on, status says so, and it comes back by itself`, async (t) => {
        const { fakes, hub } = await bed(t, [kind, 'podman'], {}, (made) => {
          const rows = kind === 'cri' ? made.cri.containers : made.containerd.containersOf('lab');
          rows.set(WEB.id, WEB);
          made[kind].faults.set('', fault);
          made.podman.containers.set(OTHER.id, OTHER);
        });
        await hub.found(OTHER.id);
        const status = await hub.state(kind, 'degraded');
        assert.ok(status.error.includes(fakes.socketPath(kind)), status.error);
        assert.ok(status.callFailureCount > 0);
        fakes[kind].faults.clear();
        await hub.state(kind, 'ready');
        await hub.found(WEB.id);
      });
    }
  }

  test('CRI: events bring containers and end them; sandboxes too', async (t) => {
    const { fakes, hub } = await bed(t, ['cri']);
    await eventually('events', () => hub.status('cri')?.isWatching);
    const pod = fakeContainer({ name: 'pod', podName: 'p', podNamespace: 'n', podUid: 'u', isSandbox: true });
    const inside = fakeContainer({ name: 'inside', podId: pod.id });
    fakes.cri.create(pod);
    fakes.cri.create(inside);
    fakes.cri.start(inside.id);
    assert.equal(nameOf((await hub.found(inside.id)).json), 'inside');
    await hub.found(pod.id);
    fakes.cri.die(inside.id);
    await eventually('its end', () => hub.last('gone', inside.id));
  });

  test('CRI without an event stream is followed by look-ups and lists', async (t) => {
    const { fakes, hub } = await bed(t, ['cri'], {}, ({ cri }) => {
      cri.hasEvents = false;
    });
    await hub.state('cri', 'ready');
    assert.equal(hub.status('cri')?.isWatching, false);
    fakes.cri.containers.set(WEB.id, WEB);
    wanted(hub, WEB, 'cri');
    await hub.found(WEB.id);
  });

  test('containerd: events of garbage break the stream, which is opened again', async (t) => {
    const { fakes, hub } = await bed(t, ['containerd']);
    await eventually('events', () => hub.status('containerd')?.isWatching);
    for (const topic of ['/containers/create', '/tasks/start', '/tasks/exit', '/no/such']) {
      for (const value of [Buffer.alloc(0), Buffer.from('ff'.repeat(20), 'hex'), Buffer.from('7f', 'hex')]) {
        fakes.containerd.tell('lab', topic, 'ContainerCreate', value);
      }
    }
    fakes.containerd.send(Buffer.from('7fffff', 'hex'));
    const before = fakes.containerd.requestCount('Events.Subscribe');
    await eventually(
      'another stream',
      () =>
        fakes.containerd.requestCount('Events.Subscribe') > before || hub.status('containerd')?.isWatching,
    );
    fakes.containerd.create('lab', WEB);
    fakes.containerd.start('lab', WEB.id);
    await hub.found(WEB.id);
  });

  for (const fault of ['wrong-types', 'no-json', 'empty'] as const) {
    test(`${fault} within answers: nothing breaks, and the containers of others are told`, async (t) => {
      const { fakes, hub } = await bed(
        t,
        ['containerd', 'cri', 'docker'],
        {},
        ({ containerd, cri, docker }) => {
          containerd.containersOf('lab').set(WEB.id, WEB);
          containerd.faults.set('', fault);
          cri.containers.set(LATER.id, LATER);
          cri.faults.set('', fault);
          docker.containers.set(OTHER.id, OTHER);
        },
      );
      await hub.found(OTHER.id);
      wanted(hub, WEB);
      wanted(hub, LATER);
      await eventually('answers of some kind', () =>
        [WEB, LATER].every(({ id }) => hub.last('found', id) ?? hub.last('unknown', id)),
      );
      fakes.containerd.faults.clear();
      fakes.cri.faults.clear();
      await eventually('the container', () => {
        if (hub.last('found', WEB.id)?.isComplete === true) return true;
        wanted(hub, WEB);
        return false;
      });
    });
  }
});

describe('the socket of a runtime', { concurrency: 4 }, () => {
  for (const kind of ['docker', 'podman', 'containerd', 'cri'] as const) {
    for (const mode of ['silent', 'reset', 'noise'] as const) {
      test(`${kind}, ${mode}: degraded, and back by itself`, async (t) => {
        const { fakes, hub } = await bed(t, [kind], {}, (all) => {
          all[kind].socket.mode = mode;
        });
        const status = await hub.state(kind, 'degraded');
        assert.ok(status.error.includes(fakes.socketPath(kind)), status.error);
        fakes[kind].socket.mode = 'serve';
        fakes[kind].socket.drop();
        await hub.state(kind, 'ready');
      });
    }

    test(`${kind}: killed and started again, its containers are listed anew`, async (t) => {
      const { fakes, hub } = await bed(t, [kind]);
      await hub.state(kind, 'ready');
      await fakes[kind].socket.vanish();
      await eventually('not ready', () => hub.status(kind)?.state !== 'ready');
      const rows = kind === 'containerd' ? fakes.containerd.containersOf('lab') : fakes[kind].containers;
      rows.set(WEB.id, { ...WEB, state: 'running' });
      await fakes[kind].socket.comeBack();
      await hub.state(kind, 'ready');
      await hub.found(WEB.id);
      assert.ok((hub.status(kind)?.reconnectCount ?? 0) > 0);
    });

    test(`${kind}: a file that nobody listens on is no reason to stop trying`, async (t) => {
      const { fakes, hub } = await bed(t, [kind]);
      await hub.state(kind, 'ready');
      await fakes[kind].socket.vanish(true);
      const status = await hub.state(kind, 'degraded');
      assert.notEqual(status.error, '');
      await fakes[kind].socket.comeBack();
      await hub.state(kind, 'ready');
    });

    test(`${kind}: one that appears later is found`, async (t) => {
      if (kind === 'cri') return t.skip('is named, not found');
      const { fakes, hub } = await bed(t, []);
      await fakes.listen(kind);
      await hub.state(kind, 'ready');
    });
  }
});

test('what a runtime calls itself, and why it refuses, is shown on one line of bounded length', async (t) => {
  const { fakes, hub } = await bed(t, ['cri']);
  await hub.state('cri', 'ready');
  fakes.cri.version = `1\u001b[2J\n\u202e${'x'.repeat(100_000)}`;
  fakes.cri.socket.drop();
  await eventually('the new version', () => hub.status('cri')?.version.includes('xxx'));
  fakes.cri.details = `\u001b[2J\n${'y'.repeat(3000)}`;
  fakes.cri.faults.set('', 'refused');
  fakes.cri.socket.drop();
  await eventually('the reason', () => hub.status('cri')?.error.includes('yyy'));
  const { version = '', error = '' } = hub.status('cri') ?? {};
  for (const text of [version, error]) assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]/u);
  assert.ok(version.length < 200 && error.length < 1000, `${version.length} ${error.length}`);
});

// Not beside others: the whole process gives up its rights for a moment.
test('without leave to connect, status says what is missing; with it, the runtime is used', {
  skip: process.getuid?.() === 0 ? false : 'only root can give up its rights and take them back',
}, async (t) => {
  const { fakes, hub } = await bed(t, ['docker']);
  await hub.state('docker', 'ready');
  // The rights of the file bind everybody but root.
  fakes.docker.socket.chmod(0o600);
  process.seteuid?.(65534);
  try {
    fakes.docker.socket.drop();
    await eventually('the reason', () => /EACCES|permission/i.test(hub.status('docker')?.error ?? ''));
    assert.equal(hub.status('docker')?.state, 'degraded');
  } finally {
    process.seteuid?.(0);
  }
  await hub.state('docker', 'ready');
});

describe('many and strange containers', () => {
  test('2,000 containers listed at the start are all told, also where each must be inspected', async (t) => {
    const { hub } = await bed(t, ['docker', 'podman'], {}, ({ docker, podman }) => {
      for (let i = 0; i < 1000; i++) {
        for (const [fake, name] of [
          [docker, `d${i}`],
          [podman, `p${i}`],
        ] as const) {
          const container = fakeContainer({ name });
          fake.containers.set(container.id, container);
        }
      }
    });
    for (const name of ['d', 'p']) {
      for (let i = 0; i < 1000; i++) await hub.found(fakeId(`${name}${i}`));
    }
    assert.equal(hub.status('docker')?.containerCount, 1000);
    assert.equal(hub.status('podman')?.containerCount, 1000);
  });

  test('events out of order end in what is true', async (t) => {
    const { fakes, hub } = await bed(t, ['docker']);
    await eventually('events', () => hub.status('docker')?.isWatching);
    const { docker } = fakes;
    // Gone before it came; started before it was made; made twice.
    docker.tell(WEB, 'die');
    docker.tell(WEB, 'destroy');
    docker.containers.set(LATER.id, LATER);
    docker.tell(LATER, 'start');
    docker.tell(LATER, 'create');
    docker.tell(LATER, 'create');
    docker.containers.set(WEB.id, WEB);
    docker.tell(WEB, 'create');
    docker.tell(WEB, 'start');
    await hub.found(WEB.id);
    await hub.found(LATER.id);
    docker.die(LATER.id);
    await eventually('its end', () => hub.last('gone', LATER.id));
  });

  test('a flood of events of containers that nobody knows costs a bounded number of calls', async (t) => {
    const { fakes, hub } = await bed(t, ['docker'], { lookupTimeoutMs: 500 });
    await eventually('events', () => hub.status('docker')?.isWatching);
    const before = fakes.docker.requestCount('inspect');
    for (let i = 0; i < 20_000; i++) fakes.docker.tell(fakeContainer({ name: `ghost-${i}` }), 'create');
    fakes.docker.create(WEB);
    fakes.docker.start(WEB.id);
    // Perhaps not by its event, but when a thread is seen.
    await eventually('the real one', () => {
      if (hub.last('found', WEB.id)?.isComplete === true) return true;
      wanted(hub, WEB, 'docker');
      return false;
    });
    assert.equal(hub.status('docker')?.state, 'ready');
    const calls = fakes.docker.requestCount('inspect') - before;
    t.diagnostic(`${calls} inspections for 20,000 events`);
    assert.ok(calls <= 40_100, `${calls} inspections`);
  });

  test('a line of events without end is given up', async (t) => {
    const { fakes, hub } = await bed(t, ['docker']);
    await eventually('events', () => hub.status('docker')?.isWatching);
    const before = process.memoryUsage().arrayBuffers;
    const piece = Buffer.alloc(1024 * 1024, 0x61);
    for (let i = 0; i < 64 && fakes.docker.watcherCount > 0; i++) {
      fakes.docker.push(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually('the stream opened again', () => fakes.docker.requestCount('events') > 1);
    assert.ok(process.memoryUsage().arrayBuffers - before < 256 * 1024 * 1024);
    fakes.docker.create(WEB);
    await eventually('the container', () => {
      if (hub.last('found', WEB.id)?.isComplete === true) return true;
      wanted(hub, WEB, 'docker');
      return false;
    });
  });

  test('events cut anywhere are put together again', async (t) => {
    const { fakes, hub } = await bed(t, ['docker']);
    await eventually('events', () => hub.status('docker')?.isWatching);
    const names = ['a', 'ä\u{1f600}', 'c"\\\n'];
    for (const name of names) {
      const container = fakeContainer({ name });
      fakes.docker.containers.set(container.id, container);
      const { dockerEvent } = await import('../helpers/fake-docker.ts');
      const bytes = Buffer.from(`${JSON.stringify(dockerEvent(container, 'create'))}\n`, 'utf8');
      for (let at = 0; at < bytes.length; at += 7) {
        fakes.docker.push(bytes.subarray(at, at + 7));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(nameOf((await hub.found(container.id)).json), name);
    }
  });
});
