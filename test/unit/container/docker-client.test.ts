import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { bareContainer } from '../../../server/container/container-rows.ts';
import { DockerClient } from '../../../server/container/runtime/docker-client.ts';
import { dockerListedOf } from '../../../server/container/runtime/docker-container.ts';
import { listedContainersOf } from '../../../server/container/runtime/http-list.ts';
import {
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvents,
} from '../../../server/container/runtime/runtime-client.ts';
import { AnsweringRuntime, type RuntimeAnswers } from '../../helpers/answering-runtime.ts';

type Json = Record<string, unknown>;

/** Answers of Docker 20.10.24, without members that nobody reads. */
const RECORDED = JSON.parse(
  readFileSync(new URL('../../fixtures/runtimes/docker.json', import.meta.url), 'utf8'),
) as { version: Json; list: Json[]; web: Json; side: Json; image: Json };

const WEB = RECORDED.web['Id'] as string;
const SIDE = RECORDED.side['Id'] as string;
const IMAGE = (RECORDED.image['Id'] as string).slice('sha256:'.length);
const OTHER = 'f'.repeat(64);
const NOW_MS = 1_795_486_000_250;

const never = new AbortController().signal;

let dir = '';
let runtime: AnsweringRuntime;
let client: DockerClient;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'docker-client-'));
  runtime = new AnsweringRuntime(join(dir, 'docker.sock'), () => undefined);
  await runtime.listen();
  client = new DockerClient({ socketPath: runtime.socketPath, callTimeoutMs: 5_000, now: () => NOW_MS });
});

afterEach(async () => {
  client.close();
  await runtime.close();
  rmSync(dir, { recursive: true });
});

/** Answers by path; an Error is a status of 500. */
function answer(bodies: Readonly<Record<string, unknown>>): void {
  runtime.answers = ((path) => {
    const body = bodies[path];
    if (body === undefined) return undefined;
    return body instanceof Error ? { status: 500, body: { message: body.message } } : { body };
  }) satisfies RuntimeAnswers;
}

function answerRecorded(more: Readonly<Record<string, unknown>> = {}): void {
  answer({
    '/version': RECORDED.version,
    '/containers/json': RECORDED.list,
    [`/containers/${WEB}/json`]: RECORDED.web,
    [`/containers/${SIDE}/json`]: RECORDED.side,
    [`/images/${IMAGE}/json`]: RECORDED.image,
    ...more,
  });
}

/** A recorded inspection with other members. */
function webWith(change: (web: Record<string, Json>) => void): Json {
  const web = structuredClone(RECORDED.web);
  change(web as Record<string, Json>);
  return web;
}

async function inspected(fullId: string): Promise<RuntimeContainer> {
  const container = await client.inspect(fullId, never);
  assert.ok(container);
  return container;
}

async function rejectsWith(fault: string, asked: Promise<unknown>): Promise<void> {
  await assert.rejects(asked, (error) => error instanceof RuntimeError && error.fault === fault);
}

test('says who answers, and refuses Podman behind the same API', async () => {
  answerRecorded();
  assert.equal(await client.connect(never), 'Docker 20.10.24+dfsg1');
  answer({ '/version': { Version: '4.3.1', Components: [{ Name: 'Podman Engine', Version: '4.3.1' }] } });
  await rejectsWith('refused', client.connect(never));
  answer({ '/version': { Version: 5 } });
  await rejectsWith('protocol', client.connect(never));
});

test('an inspection is a whole row', async () => {
  answerRecorded();
  const { row, pid, isRunning } = await inspected(WEB);
  assert.deepEqual(row, {
    ...bareContainer(WEB, 'docker'),
    name: 'web',
    image: 'localhost/t/busybox:1',
    imageId: IMAGE,
    imageRepository: 'localhost/t/busybox',
    imageTag: '1',
    isPrivileged: true,
    hostPid: true,
    mounts: [{ source: '/srv/data', destination: '/data', mode: 'ro', rdwr: false, propagation: 'rprivate' }],
    labels: new Map([
      ['app', 'web'],
      ['utf', '\xc3\xbc'],
    ]),
    env: ['FOO=bar', 'PATH=/bin'],
    createdTimeNs: 1_795_486_741_606_014_054n,
    healthcheck: { exe: '/bin/sh', args: ['-c', 'true x'] },
    isComplete: true,
  });
  assert.equal(pid, 557);
  assert.equal(isRunning, true);
});

test('mounts are in order of their destinations, however they are told', async () => {
  const destinations = ['/z', '/a', '/m'];
  const web = webWith((all) => {
    all['Mounts'] = destinations.map((Destination) => ({ Destination })) as unknown as Json;
  });
  answerRecorded({ [`/containers/${WEB}/json`]: web });
  const { row } = await inspected(WEB);
  assert.deepEqual(
    row.mounts.map(({ destination }) => destination),
    ['/a', '/m', '/z'],
  );
});

test('names of an image beside its own: digest and, for a container started by id, repository and tag', async () => {
  const image = {
    ...RECORDED.image,
    RepoTags: ['r:5000/x:3', 'y:2'],
    RepoDigests: ['y@sha256:aa', 'r:5000/x@sha256:bb'],
  };
  const named = webWith(({ Config }) => {
    (Config as Json)['Image'] = 'r:5000/x';
  });
  answerRecorded({ [`/containers/${WEB}/json`]: named, [`/images/${IMAGE}/json`]: image });
  const { row } = await inspected(WEB);
  assert.deepEqual([row.imageRepository, row.imageTag, row.imageDigest], ['r:5000/x', '3', 'sha256:bb']);
  const byId = webWith(({ Config }) => {
    (Config as Json)['Image'] = IMAGE.slice(0, 12);
  });
  answerRecorded({ [`/containers/${WEB}/json`]: byId, [`/images/${IMAGE}/json`]: image });
  const { row: other } = await inspected(WEB);
  assert.equal(other.image, IMAGE.slice(0, 12));
  assert.deepEqual([other.imageRepository, other.imageTag, other.imageDigest], ['y', '2', 'sha256:aa']);
  assert.equal(runtime.asked.filter((path) => path.startsWith('/images/')).length, 1, 'asked once');
});

test('a container that shares the network of another has its address', async () => {
  const web = webWith((all) => {
    (all['NetworkSettings'] as Json)['IPAddress'] = '172.17.0.9';
  });
  answerRecorded({ [`/containers/${WEB}/json`]: web });
  assert.equal((await inspected(WEB)).row.ip, '172.17.0.9');
  assert.equal((await inspected(SIDE)).row.ip, '172.17.0.9');
});

test('an address is that of a network of its own where the default one has none', async () => {
  const web = webWith((all) => {
    all['NetworkSettings'] = { Networks: { a: { IPAddress: '' }, b: { IPAddress: '10.1.0.2' } } };
  });
  answerRecorded({ [`/containers/${WEB}/json`]: web });
  assert.equal((await inspected(WEB)).row.ip, '10.1.0.2');
});

test('what a container refers to and cannot be had leaves the row, marked incomplete', async () => {
  answerRecorded({ [`/images/${IMAGE}/json`]: new Error('later') });
  const { row } = await inspected(WEB);
  assert.equal(row.name, 'web');
  assert.equal(row.isComplete, false);
  answerRecorded({ [`/images/${IMAGE}/json`]: undefined });
  assert.equal((await inspected(WEB)).row.isComplete, true, 'an image that is gone says nothing more');
});

test('a container of a pod has its sandbox, that one its labels, both the probes of the pod', async () => {
  const sandboxId = 'c'.repeat(64);
  const probe = (command: readonly string[]): Json => ({ exec: { command }, periodSeconds: 1 });
  const pod = {
    spec: {
      containers: [
        { name: 'other', livenessProbe: probe(['no']) },
        { name: 'app', livenessProbe: probe(['cat', '/tmp/ok']), readinessProbe: { httpGet: {} } },
      ],
    },
  };
  const member = webWith((web) => {
    (web['Config'] as Json)['Labels'] = {
      'io.kubernetes.sandbox.id': sandboxId,
      'io.kubernetes.container.name': 'app',
    };
    (web['HostConfig'] as Json)['NetworkMode'] = `container:${sandboxId}`;
  });
  const sandboxLabels = {
    'io.kubernetes.docker.type': 'podsandbox',
    'annotation.kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(pod),
  };
  const sandbox = webWith((web) => {
    web['Id'] = sandboxId as unknown as Json;
    web['Name'] = '/k8s_POD_web_default_1_0' as unknown as Json;
    (web['Config'] as Json)['Labels'] = sandboxLabels;
    (web['NetworkSettings'] as Json)['IPAddress'] = '10.88.0.3';
  });
  answerRecorded({ [`/containers/${WEB}/json`]: member, [`/containers/${sandboxId}/json`]: sandbox });
  const { row } = await inspected(WEB);
  assert.equal(row.podSandboxId, sandboxId);
  assert.deepEqual(row.podSandboxLabels, new Map(Object.entries(sandboxLabels)));
  assert.deepEqual(row.livenessProbe, { exe: 'cat', args: ['/tmp/ok'] });
  assert.equal(row.readinessProbe, undefined);
  assert.equal(row.ip, '10.88.0.3');
  assert.equal(row.isPodSandbox, false);
  assert.equal(runtime.asked.filter((path) => path.includes(sandboxId)).length, 1, 'asked once for both');
  const { row: own } = await inspected(sandboxId);
  assert.equal(own.isPodSandbox, true);
  assert.equal(own.podSandboxId, sandboxId);
  assert.deepEqual(own.podSandboxLabels, own.labels);
});

test('unknown containers are undefined, and what is no full id is not asked for', async () => {
  answerRecorded();
  assert.equal(await client.inspect(OTHER, never), undefined);
  const askedCount = runtime.asked.length;
  for (const id of ['web', WEB.slice(0, 12), '../images', '', WEB.toUpperCase()]) {
    assert.equal(await client.inspect(id, never), undefined);
    assert.equal(await client.peek(id, never), undefined);
  }
  assert.equal(runtime.asked.length, askedCount);
});

test('an answer about another container is a breach of protocol', async () => {
  answer({ [`/containers/${WEB}/json`]: RECORDED.side });
  await rejectsWith('protocol', client.inspect(WEB, never));
  answer({ [`/containers/${WEB}/json`]: [RECORDED.web] });
  await rejectsWith('protocol', client.inspect(WEB, never));
  answer({ [`/containers/${WEB}/json`]: 'nonsense' });
  await rejectsWith('protocol', client.inspect(WEB, never));
});

test('a list is one of partial rows', async () => {
  answerRecorded();
  const containers = await client.list(never);
  assert.deepEqual(
    containers.map(({ row, isRunning }) => [row.name, isRunning]),
    RECORDED.list.map((element) => [String(element['Names']).slice(1), element['State'] === 'running']),
  );
  const web = containers.find(({ row }) => row.fullId === WEB);
  assert.deepEqual(web?.row, {
    ...bareContainer(WEB, 'docker'),
    name: 'web',
    image: 'localhost/t/busybox:1',
    imageId: IMAGE,
    imageRepository: 'localhost/t/busybox',
    imageTag: '1',
    mounts: [{ source: '/srv/data', destination: '/data', mode: 'ro', rdwr: false, propagation: 'rprivate' }],
    labels: new Map([
      ['app', 'web'],
      ['utf', '\xc3\xbc'],
    ]),
    createdTimeNs: 1_795_486_741_000_000_000n,
  });
  const [asked] = runtime.asked;
  const filters = new URL(asked as string, 'http://x').searchParams.get('filters');
  assert.deepEqual(JSON.parse(filters ?? ''), { status: ['created', 'running', 'paused', 'restarting'] });
});

test('of a list what names no container is left out; a list of nothing else is a breach of protocol', async () => {
  answer({ '/containers/json': [null, { Id: 'short' }, ...RECORDED.list] });
  assert.equal((await client.list(never)).length, RECORDED.list.length);
  answer({ '/containers/json': [] });
  assert.deepEqual(await client.list(never), []);
  for (const body of [[null], { a: 1 }, null]) {
    answer({ '/containers/json': body });
    await rejectsWith('protocol', client.list(never));
  }
});

test('a list of thousands lets others have their turn', async () => {
  const [first] = RECORDED.list as [Json];
  const list = Array.from({ length: 2000 }, (_, index) => ({
    ...first,
    Id: index.toString(16).padStart(64, '0'),
  }));
  answer({ '/containers/json': list });
  const ids = (await client.list(never)).map(({ row }) => row.fullId);
  assert.deepEqual(
    ids,
    list.map(({ Id }) => Id),
  );
  let turnCount = 0;
  let isDone = false;
  const countTurns = (): void => {
    turnCount++;
    if (!isDone) setImmediate(countTurns);
  };
  setImmediate(countTurns);
  await listedContainersOf('x', list, (element) => dockerListedOf(element, () => undefined));
  isDone = true;
  assert.ok(turnCount >= 19, String(turnCount));
});

test('a peek asks for one container of the list', async () => {
  answerRecorded({ '/containers/json': RECORDED.list.filter((element) => element['Id'] === WEB) });
  const container = await client.peek(WEB, never);
  assert.equal(container?.row.name, 'web');
  assert.equal(container?.row.isComplete, false);
  const query = new URL(runtime.asked.at(-1) as string, 'http://x').searchParams;
  assert.deepEqual(JSON.parse(query.get('filters') ?? ''), { id: [WEB] });
  assert.equal(query.get('all'), '1');
  assert.equal(await client.peek(OTHER, never), undefined);
});

test('a peek does not wait behind inspections that are blocked', async () => {
  runtime.answers = (path) => (path === '/containers/json' ? { body: [] } : () => undefined);
  const stop = new AbortController();
  const blocked = Array.from({ length: 50 }, () => client.inspect(WEB, stop.signal).catch(() => undefined));
  assert.equal(await client.peek(WEB, never), undefined);
  stop.abort();
  await Promise.all(blocked);
});

test('events are asked for by type and action, from before the stream begins', async () => {
  const stop = new AbortController();
  runtime.answers = () => (response) => response.flushHeaders();
  const nothing: RuntimeEvents = { onCreated: assert.fail, onStarted: assert.fail, onEnded: assert.fail };
  await client.watch(nothing, () => stop.abort(), stop.signal);
  const query = new URL(runtime.asked[0] as string, 'http://x').searchParams;
  assert.equal(query.get('since'), '1795486000.250');
  const filters = JSON.parse(query.get('filters') ?? '') as Record<string, string[]>;
  assert.deepEqual(filters['type'], ['container', 'network', 'image']);
  assert.ok(filters['event']?.includes('create'));
  assert.ok(!filters['event']?.some((action) => action.startsWith('exec') || action.startsWith('health')));
});

test('news of images make what is known of them void', async () => {
  const stop = new AbortController();
  const digests = (digest: string): Json => ({
    ...RECORDED.image,
    RepoDigests: [`localhost/t/busybox@${digest}`],
  });
  let tell: (line: string) => void = () => undefined;
  const serve = (digest: string): void => {
    runtime.answers = (path) => {
      if (path === '/events') {
        return (response) => {
          response.flushHeaders();
          tell = (line) => response.write(line);
        };
      }
      return { body: path.startsWith('/images/') ? digests(digest) : RECORDED.web };
    };
  };
  serve('sha256:aa');
  const started = Promise.withResolvers<void>();
  const events: RuntimeEvents = {
    onCreated: assert.fail,
    onStarted: () => started.resolve(),
    onEnded: assert.fail,
  };
  const ready = Promise.withResolvers<void>();
  const watched = client.watch(events, () => ready.resolve(), stop.signal);
  await ready.promise;
  assert.equal((await inspected(WEB)).row.imageDigest, 'sha256:aa');
  serve('sha256:bb');
  assert.equal((await inspected(WEB)).row.imageDigest, 'sha256:aa');
  tell('{"Type":"image","Action":"tag","Actor":{"ID":"sha256:67"}}\n');
  tell(`{"Type":"container","Action":"start","Actor":{"ID":"${WEB}"}}\n`);
  await started.promise;
  assert.equal((await inspected(WEB)).row.imageDigest, 'sha256:bb');
  stop.abort();
  await watched;
});
