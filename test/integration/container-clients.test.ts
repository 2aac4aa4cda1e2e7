/** Each client of a runtime alone, against every way of answering wrongly: it rejects with a RuntimeError, in bounded time, and goes on after. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ContainerdClient } from '../../server/container/runtime/containerd-client.ts';
import { CriClient } from '../../server/container/runtime/cri-client.ts';
import { DockerClient } from '../../server/container/runtime/docker-client.ts';
import { PodmanClient } from '../../server/container/runtime/podman-client.ts';
import {
  type RuntimeClient,
  RuntimeError,
  type RuntimeEvents,
} from '../../server/container/runtime/runtime-client.ts';
import { checkCrossing, checkRow } from '../fuzz/container-row-check.ts';
import { eventually } from '../helpers/eventually.ts';
import { fakeContainer, fakeId } from '../helpers/fake-container.ts';
import { GRPC_FAULTS } from '../helpers/fake-grpc-runtime.ts';
import { HTTP_FAULTS } from '../helpers/fake-http-runtime.ts';
import { FakeRuntimes } from '../helpers/fake-runtimes.ts';

const CALL_MS = 300;
/** For any call; a client makes several calls one after another for one question. */
const ANSWER_MS_MAX = 20_000;
const HUGE_BYTES_MAX = 128 * 1024 * 1024;

const WEB = fakeContainer({ name: 'web', env: ['A=ä\u{1f600}'], labels: { ä: '\u{1f600}\n' } });

const KINDS = ['docker', 'podman', 'cri', 'containerd'] as const;
type Kind = (typeof KINDS)[number];

interface Bed {
  readonly fakes: FakeRuntimes;
  readonly client: RuntimeClient;
}

function clientOf(kind: Kind, socketPath: string, callTimeoutMs = CALL_MS): RuntimeClient {
  const options = { socketPath, callTimeoutMs };
  switch (kind) {
    case 'docker':
      return new DockerClient(options);
    case 'podman':
      return new PodmanClient(options);
    case 'cri':
      return new CriClient(options);
    case 'containerd':
      return new ContainerdClient(options);
  }
}

async function bed(t: TestContext, kind: Kind, callTimeoutMs = CALL_MS): Promise<Bed> {
  const fakes = new FakeRuntimes();
  await fakes.listen(kind);
  const rows = kind === 'containerd' ? fakes.containerd.containersOf('lab') : fakes[kind].containers;
  rows.set(WEB.id, { ...WEB });
  const client = clientOf(kind, fakes.socketPath(kind), callTimeoutMs);
  t.after(async () => {
    client.close();
    await fakes.close();
  });
  return { fakes, client };
}

/** containerd itself knows no names. */
function nameIn(kind: Kind): string {
  return kind === 'containerd' ? WEB.id.slice(0, 12) : 'web';
}

const NO_EVENTS: RuntimeEvents = {
  onCreated: () => undefined,
  onStarted: () => undefined,
  onEnded: () => undefined,
};

/** The error of a call, or what it gave. Fails when it takes long or rejects with anything else. */
async function outcome<Value>(what: string, work: () => Promise<Value>): Promise<RuntimeError | Value> {
  const startMs = performance.now();
  try {
    return await work();
  } catch (error) {
    assert.ok(error instanceof RuntimeError, `${what}: ${(error as Error).stack}`);
    assert.notEqual(error.message, '');
    assert.doesNotMatch(error.message, /\n/);
    assert.ok(error.message.length < 1000, error.message);
    return error;
  } finally {
    const ms = performance.now() - startMs;
    assert.ok(ms < ANSWER_MS_MAX, `${what} took ${ms} ms`);
  }
}

async function askEverything(client: RuntimeClient): Promise<readonly (RuntimeError | string)[]> {
  const { signal } = new AbortController();
  const version = await outcome('connect', () => client.connect(signal));
  const listed = await outcome('list', () => client.list(signal));
  const inspected = await outcome('inspect', () => client.inspect(WEB.id, signal));
  const peeked = await outcome('peek', async () => client.peek?.(WEB.id, signal));
  const rows = [...(listed instanceof RuntimeError ? [] : listed), inspected, peeked];
  for (const answer of rows) {
    if (answer === undefined || answer instanceof RuntimeError) continue;
    checkRow(answer.row);
    checkCrossing(answer.row);
  }
  return [version, listed, inspected, peeked].map((answer) =>
    answer instanceof RuntimeError ? answer : 'fine',
  );
}

for (const kind of KINDS) {
  const faults = kind === 'docker' || kind === 'podman' ? HTTP_FAULTS : GRPC_FAULTS;
  describe(kind, { concurrency: 4 }, () => {
    for (const fault of faults) {
      test(`${fault}: refused with a reason, in time, and over when it is over`, async (t) => {
        const { fakes, client } = await bed(t, kind);
        (fakes[kind].faults as Map<string, string>).set('', fault);
        const answers = await askEverything(client);
        const isMild = ['wrong-types', 'no-json', 'empty'].includes(fault);
        if (!isMild)
          for (const answer of answers.slice(0, 3)) assert.ok(answer instanceof RuntimeError, `${answers}`);
        const watch = new AbortController();
        setTimeout(() => watch.abort(), 2 * CALL_MS);
        await outcome('watch', () => client.watch(NO_EVENTS, () => undefined, watch.signal));
        if (kind === 'docker' || kind === 'podman') {
          assert.ok(fakes[kind].hugeBytes < 4 * HUGE_BYTES_MAX, `${fakes[kind].hugeBytes}`);
        }
        fakes[kind].faults.clear();
        const { signal } = new AbortController();
        await eventually('an answer', async () => {
          const answer = await outcome('connect', () => client.connect(signal));
          return typeof answer === 'string' ? answer : undefined;
        });
        // On a busy machine one of its calls may still be too late.
        const found = await eventually('the container', async () => {
          const answer = await outcome('inspect', () => client.inspect(WEB.id, signal));
          return answer instanceof RuntimeError ? undefined : answer;
        });
        assert.equal(found.row.name, nameIn(kind));
        const [label] = found.row.labels.entries();
        assert.deepEqual(
          label,
          ['ä', '\u{1f600}\n'].map((text) => Buffer.from(text, 'utf8').toString('latin1')),
        );
      });
    }

    for (const mode of ['silent', 'reset', 'noise'] as const) {
      test(`a socket that is ${mode}`, async (t) => {
        const { fakes, client } = await bed(t, kind);
        fakes[kind].socket.mode = mode;
        for (const answer of (await askEverything(client)).slice(0, 3))
          assert.ok(answer instanceof RuntimeError);
        fakes[kind].socket.mode = 'serve';
        fakes[kind].socket.drop();
        const { signal } = new AbortController();
        await eventually('an answer', async () => {
          const answer = await outcome('connect', () => client.connect(signal));
          return typeof answer === 'string' ? answer : undefined;
        });
      });
    }

    test('a runtime that is killed ends its watch, and is reached again when it is back', async (t) => {
      const { fakes, client } = await bed(t, kind);
      const { signal } = new AbortController();
      await client.connect(signal);
      let isReady = false;
      const watching = outcome('watch', () =>
        client.watch(
          NO_EVENTS,
          () => {
            isReady = true;
          },
          signal,
        ),
      );
      await eventually('events', () => isReady);
      await fakes[kind].socket.vanish();
      assert.ok((await watching) instanceof RuntimeError);
      const gone = await outcome('connect', () => client.connect(signal));
      assert.ok(gone instanceof RuntimeError && gone.fault === 'unreachable', `${gone}`);
      await fakes[kind].socket.comeBack();
      await eventually('an answer', async () => {
        const answer = await outcome('connect', () => client.connect(signal));
        return typeof answer === 'string' ? answer : undefined;
      });
      assert.equal((await client.inspect(WEB.id, signal))?.row.name, nameIn(kind));
    });

    test('ids that are paths, names or nonsense are not known, and no other path is asked for', async (t) => {
      const { fakes, client } = await bed(t, kind);
      const { signal } = new AbortController();
      await client.connect(signal);
      const ids = [
        '',
        '.',
        '..',
        '../version',
        'a/../../version',
        'web',
        '%2e%2e',
        'x\0y',
        'x\r\nHost: y',
        '\xff',
        'x?y=z',
        'é'.repeat(5000),
      ];
      for (const id of ids) {
        const answer = await outcome(`inspect ${JSON.stringify(id)}`, () => client.inspect(id, signal));
        assert.ok(answer === undefined || answer instanceof RuntimeError, `${JSON.stringify(id)}: ${answer}`);
      }
      if (kind === 'docker' || kind === 'podman') {
        for (const path of fakes[kind].paths) assert.match(path, /^\/[\w.=%&?/,-]*$/, path);
      }
      assert.equal(await client.inspect(fakeId('nobody'), signal), undefined);
    });

    test('given up: every call ends at once', async (t) => {
      const { fakes, client } = await bed(t, kind);
      (fakes[kind].faults as Map<string, string>).set('', 'hang');
      const stop = new AbortController();
      const calls = [
        client.connect(stop.signal),
        client.list(stop.signal),
        client.inspect(WEB.id, stop.signal),
      ];
      const all = Promise.allSettled(calls);
      stop.abort();
      for (const { status } of await all) assert.equal(status, 'rejected');
      client.close();
      const { signal } = new AbortController();
      assert.ok((await outcome('connect', () => client.connect(signal))) instanceof RuntimeError);
    });
  });
}

test('Docker: a container with a million labels, one with a label of megabytes, and names of control characters', async (t) => {
  const { fakes, client } = await bed(t, 'docker', 20_000);
  const many = Object.fromEntries(Array.from({ length: 1_000_000 }, (_, i) => [`l${i}`, '']));
  const rows = [
    fakeContainer({ name: 'many', labels: many }),
    fakeContainer({ name: 'long', labels: { a: 'x'.repeat(8 * 1024 * 1024) } }),
    fakeContainer({ name: 'x\n\r\0\u001b[2J\u202e' }),
  ];
  for (const row of rows) fakes.docker.containers.set(row.id, row);
  const { signal } = new AbortController();
  for (const { id, name } of rows) {
    const answer = await outcome(name, () => client.inspect(id, signal));
    if (answer === undefined || answer instanceof RuntimeError) {
      // Larger than an answer may be: said, not shortened in silence.
      assert.ok(answer instanceof RuntimeError && answer.fault === 'protocol', `${name}: ${answer}`);
      continue;
    }
    assert.equal(answer.row.name, Buffer.from(name, 'utf8').toString('latin1'));
    checkRow(answer.row);
    checkCrossing(answer.row);
  }
});
