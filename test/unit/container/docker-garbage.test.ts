/** Docker and Podman may answer anything: rows are well-formed or there are none, and nothing but RuntimeError is thrown. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { DockerClient } from '../../../server/container/runtime/docker-client.ts';
import { DockerEvents } from '../../../server/container/runtime/docker-events.ts';
import { HttpLines } from '../../../server/container/runtime/http-lines.ts';
import { PodmanClient } from '../../../server/container/runtime/podman-client.ts';
import { onPodmanEvent } from '../../../server/container/runtime/podman-events.ts';
import {
  type RuntimeClient,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvents,
} from '../../../server/container/runtime/runtime-client.ts';
import type { HealthProbe } from '../../../server/state/container-table.ts';
import { AnsweringRuntime } from '../../helpers/answering-runtime.ts';

type Json = Record<string, unknown>;

const RUNS = 300;

const DOCKER = recorded('docker');
const PODMAN = recorded('podman');
const ID = 'b'.repeat(64);
/** Text of a row is bytes. */
const BINARY = /^[\0-\xff]*$/;

const never = new AbortController().signal;

let dir = '';
let runtime: AnsweringRuntime;
let clients: readonly RuntimeClient[] = [];

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'docker-garbage-'));
  runtime = new AnsweringRuntime(join(dir, 'any.sock'), () => undefined);
  await runtime.listen();
  const options = { socketPath: runtime.socketPath, callTimeoutMs: 5_000 };
  clients = [new DockerClient(options), new PodmanClient(options)];
});

after(async () => {
  for (const client of clients) client.close();
  await runtime.close();
  rmSync(dir, { recursive: true });
});

function recorded(name: string): Record<string, Json> {
  const url = new URL(`../../fixtures/runtimes/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Record<string, Json>;
}

/** A value of any shape. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    '',
    'container:',
    `container:${ID}`,
    'k8s_POD_x',
    '__proto__',
    '\u{1f600}\0\ud800',
    1e300,
    -1,
  ),
);

/** A recorded answer with some members of other types, or gone, however deep. */
function spoiled(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) {
    return fc.oneof({ weight: 8, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: anything });
  }
  const whole = Array.isArray(value)
    ? fc.tuple(...value.map(spoiled))
    : fc.record(mapValues(value as Json, spoiled), { requiredKeys: [] });
  return fc.oneof({ weight: 12, arbitrary: whole }, { weight: 1, arbitrary: anything });
}

function mapValues<T>(object: Json, map: (value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}

function checkProbe(probe: HealthProbe | undefined): void {
  if (probe === undefined) return;
  assert.notEqual(probe.exe, '');
  for (const text of [probe.exe, ...probe.args]) assert.match(text, BINARY);
}

function checkContainer(container: RuntimeContainer): void {
  const { row, pid, isRunning } = container;
  assert.match(row.fullId, /^[0-9a-f]{64}$/);
  assert.equal(row.id, row.fullId.slice(0, 12));
  assert.equal(typeof isRunning, 'boolean');
  assert.ok(Number.isInteger(pid) && pid >= 0);
  assert.equal(typeof row.createdTimeNs, 'bigint');
  assert.ok(row.createdTimeNs >= 0n);
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'string') assert.match(value, BINARY, name);
    if (/^(?:is|host[PNI])/.test(name)) assert.equal(typeof value, 'boolean', name);
  }
  for (const text of [...row.env, ...row.labels, ...row.podSandboxLabels].flat()) assert.match(text, BINARY);
  for (const mount of row.mounts) {
    assert.equal(typeof mount.rdwr, 'boolean');
    for (const text of [mount.source, mount.destination, mount.mode, mount.propagation])
      assert.match(text, BINARY);
  }
  for (const probe of [row.healthcheck, row.livenessProbe, row.readinessProbe]) checkProbe(probe);
}

async function check(asked: Promise<unknown>): Promise<void> {
  try {
    const answer = await asked;
    if (answer === undefined || typeof answer === 'string') return;
    for (const container of [answer].flat()) checkContainer(container as RuntimeContainer);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
  }
}

/** Everything that may be asked, when all that is answered is this. */
async function checkAnswers(answer: unknown): Promise<void> {
  runtime.answers = () => ({ body: JSON.stringify(answer) });
  for (const client of clients) {
    await check(client.connect(never));
    await check(client.list(never));
    await check(client.inspect(ID, never));
    if (client.peek !== undefined) await check(client.peek(ID, never));
  }
}

test('answers of any shape', async () => {
  await fc.assert(fc.asyncProperty(anything, checkAnswers), { numRuns: RUNS });
});

for (const [name, answer] of [
  ['Docker inspections', DOCKER['web']],
  ['Podman inspections', PODMAN['member']],
] as const) {
  test(`${name} with members of any shape`, async () => {
    const inspections = spoiled(answer).map((value) => Object.assign(Object(value), { Id: ID }) as unknown);
    await fc.assert(fc.asyncProperty(inspections, checkAnswers), { numRuns: RUNS });
  });
}

test('lists with members of any shape', async () => {
  const lists = fc.oneof(spoiled(DOCKER['list']), spoiled(PODMAN['list']));
  await fc.assert(fc.asyncProperty(lists, checkAnswers), { numRuns: RUNS });
});

test('events of any shape, cut anywhere', () => {
  const event = {
    Type: 'container',
    Action: 'create',
    Actor: { ID, Attributes: { image: 'a:1', name: 'x', container: ID } },
  };
  const actions = fc.constantFrom('create', 'start', 'die', 'died', 'destroy', 'rename', 'connect');
  const types = fc.constantFrom('container', 'network', 'image');
  const events = fc.tuple(spoiled(event), types, actions).map(([value, Type, Action]) => {
    return typeof value === 'object' && value !== null ? { ...value, Type, Action } : value;
  });
  const sink: RuntimeEvents = {
    onCreated: (fullId, early) => {
      assert.equal(fullId, early?.row.fullId);
      if (early !== undefined) checkContainer(early);
    },
    onStarted: (fullId) => assert.match(fullId, /^[0-9a-f]{64}$/),
    onEnded: (fullId) => assert.match(fullId, /^[0-9a-f]{64}$/),
  };
  const property = fc.property(fc.array(events), fc.integer({ min: 1, max: 40 }), (values, size) => {
    const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    const lines = new HttpLines('x', 10_000);
    const docker = new DockerEvents(sink, () => undefined);
    let count = 0;
    try {
      for (let at = 0; at < bytes.length; at += size) {
        for (const object of lines.push(bytes.subarray(at, at + size))) {
          assert.deepEqual(object, JSON.parse(JSON.stringify(values[count++])));
          docker.on(object);
          onPodmanEvent(object, sink);
        }
      }
      assert.equal(count, values.length);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      assert.equal(error.fault, 'protocol');
    }
  });
  fc.assert(property, { numRuns: RUNS });
});
