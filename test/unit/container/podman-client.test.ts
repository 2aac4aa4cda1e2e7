import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { bareContainer } from '../../../server/container/container-rows.ts';
import { PodmanClient } from '../../../server/container/runtime/podman-client.ts';
import {
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvents,
} from '../../../server/container/runtime/runtime-client.ts';
import { AnsweringRuntime } from '../../helpers/answering-runtime.ts';

type Json = Record<string, unknown>;

/** Answers of Podman 4.3.1, without members that nobody reads. */
const RECORDED = JSON.parse(
  readFileSync(new URL('../../fixtures/runtimes/podman.json', import.meta.url), 'utf8'),
) as { version: Json; list: Json[]; member: Json; infra: Json; priv: Json; image: Json };

const API = '/v4.0.0/libpod';
const MEMBER = RECORDED.member['Id'] as string;
const INFRA = RECORDED.infra['Id'] as string;
const PRIV = RECORDED.priv['Id'] as string;
const IMAGE = RECORDED.image['Id'] as string;
const DIGEST = RECORDED.image['Digest'] as string;
const POD = RECORDED.member['Pod'] as string;

const never = new AbortController().signal;

let dir = '';
let runtime: AnsweringRuntime;
let client: PodmanClient;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'podman-client-'));
  runtime = new AnsweringRuntime(join(dir, 'podman.sock'), () => undefined);
  await runtime.listen();
  client = new PodmanClient({ socketPath: runtime.socketPath, callTimeoutMs: 5_000 });
  answerRecorded();
});

afterEach(async () => {
  client.close();
  await runtime.close();
  rmSync(dir, { recursive: true });
});

function answerRecorded(more: Readonly<Record<string, unknown>> = {}): void {
  const bodies: Readonly<Record<string, unknown>> = {
    '/version': RECORDED.version,
    '/containers/json': RECORDED.list,
    [`/containers/${MEMBER}/json`]: RECORDED.member,
    [`/containers/${INFRA}/json`]: RECORDED.infra,
    [`/containers/${PRIV}/json`]: RECORDED.priv,
    [`/images/${IMAGE}/json`]: RECORDED.image,
    ...more,
  };
  runtime.answers = (path) => {
    const body = path.startsWith(API) ? bodies[path.slice(API.length)] : undefined;
    if (body === undefined) return undefined;
    return body instanceof Error ? { status: 500, body: { message: body.message } } : { body };
  };
}

async function inspected(fullId: string): Promise<RuntimeContainer> {
  const container = await client.inspect(fullId, never);
  assert.ok(container);
  return container;
}

async function rejectsWith(fault: string, asked: Promise<unknown>): Promise<void> {
  await assert.rejects(asked, (error) => error instanceof RuntimeError && error.fault === fault);
}

test('says who answers, and refuses what is not Podman', async () => {
  assert.equal(await client.connect(never), 'Podman 4.3.1');
  runtime.answers = () => undefined;
  await rejectsWith('refused', client.connect(never));
  answerRecorded({ '/version': [] });
  await rejectsWith('protocol', client.connect(never));
});

test('an inspection of a container in a pod is a whole row', async () => {
  const { row, pid, isRunning } = await inspected(MEMBER);
  assert.deepEqual(row, {
    ...bareContainer(MEMBER, 'podman'),
    name: 'lpc',
    image: 'localhost/t/busybox:1',
    imageId: IMAGE,
    imageRepository: 'localhost/t/busybox',
    imageTag: '1',
    imageDigest: DIGEST,
    mounts: [{ source: '/srv/data', destination: '/data', mode: '', rdwr: false, propagation: 'rprivate' }],
    labels: new Map([['app', 'web']]),
    env: ['PATH=/bin', 'TERM=xterm', 'container=podman', 'HOSTNAME=lp'],
    podSandboxId: INFRA,
    podSandboxLabels: new Map([['tier', 'front']]),
    createdTimeNs: row.createdTimeNs,
    healthcheck: { exe: '/bin/sh', args: ['-c', 'true x'] },
    cgroupPath: `/libpod_parent/${POD}/libpod-${MEMBER}`,
    isComplete: true,
  });
  const created = new Date(RECORDED.member['Created'] as string).getTime();
  assert.equal(row.createdTimeNs / 1_000_000n, BigInt(created));
  assert.equal(pid, (RECORDED.member['State'] as Json)['Pid']);
  assert.equal(isRunning, true);
  assert.deepEqual(runtime.asked, [`${API}/containers/${MEMBER}/json`, `${API}/containers/${INFRA}/json`]);
});

test('the infra container of a pod is its sandbox', async () => {
  const { row } = await inspected(INFRA);
  assert.equal(row.isPodSandbox, true);
  assert.equal(row.podSandboxId, INFRA);
  assert.deepEqual(row.podSandboxLabels, new Map([['tier', 'front']]));
  assert.deepEqual(row.podSandboxLabels, row.labels);
});

test('a container with the privileges and namespaces of the host', async () => {
  const { row } = await inspected(PRIV);
  assert.deepEqual([row.isPrivileged, row.hostPid, row.hostNetwork, row.hostIpc], [true, true, true, false]);
  assert.equal(row.podSandboxId, '');
  assert.equal(row.isPodSandbox, false);
});

test('the address of a container in a pod is that of the infra container', async () => {
  const infra = { ...RECORDED.infra, NetworkSettings: { Networks: { podman: { IPAddress: '10.88.0.4' } } } };
  answerRecorded({ [`/containers/${INFRA}/json`]: infra });
  assert.equal((await inspected(MEMBER)).row.ip, '10.88.0.4');
});

test('a digest that is not told with the container is asked of the image', async () => {
  const { ImageDigest: _, ...older } = RECORDED.priv;
  answerRecorded({ [`/containers/${PRIV}/json`]: older });
  assert.equal((await inspected(PRIV)).row.imageDigest, DIGEST);
  answerRecorded({ [`/containers/${PRIV}/json`]: older, [`/images/${IMAGE}/json`]: new Error('x') });
  assert.equal((await inspected(PRIV)).row.imageDigest, DIGEST, 'known already');
});

test('an infra container that cannot be asked leaves the row, marked incomplete', async () => {
  answerRecorded({ [`/containers/${INFRA}/json`]: new Error('lock') });
  const { row } = await inspected(MEMBER);
  assert.equal(row.podSandboxId, INFRA);
  assert.equal(row.isComplete, false);
});

test('a container that is removed meanwhile is unknown', async () => {
  const gone = `container ${PRIV} does not exist in database: no such container`;
  answerRecorded({ [`/containers/${PRIV}/json`]: new Error(gone) });
  assert.equal(await client.inspect(PRIV, never), undefined);
  answerRecorded({ [`/containers/${PRIV}/json`]: new Error('out of memory') });
  await rejectsWith('refused', client.inspect(PRIV, never));
  assert.equal(await client.inspect('e'.repeat(64), never), undefined);
  assert.equal(await client.inspect('priv', never), undefined);
});

test('an answer about another container is a breach of protocol', async () => {
  answerRecorded({ [`/containers/${PRIV}/json`]: RECORDED.infra });
  await rejectsWith('protocol', client.inspect(PRIV, never));
});

test('a list is one of partial rows', async () => {
  const containers = await client.list(never);
  assert.equal(containers.length, 3);
  const infra = containers.find(({ row }) => row.fullId === INFRA);
  assert.deepEqual(infra?.row, {
    ...bareContainer(INFRA, 'podman'),
    name: RECORDED.infra['Name'],
    image: 'localhost/pause:lab',
    imageId: infra?.row.imageId,
    imageRepository: 'localhost/pause',
    imageTag: 'lab',
    labels: new Map([['tier', 'front']]),
    podSandboxId: INFRA,
    podSandboxLabels: new Map([['tier', 'front']]),
    isPodSandbox: true,
    createdTimeNs: 1_795_487_241_801_258_984n,
  });
  const listed = containers.find(({ row }) => row.fullId === MEMBER);
  assert.equal(listed?.row.name, 'lpc');
  assert.equal(listed?.pid, (RECORDED.member['State'] as Json)['Pid']);
  assert.equal(listed?.isRunning, true);
  const filters = new URL(runtime.asked[0] as string, 'http://x').searchParams.get('filters');
  assert.deepEqual(JSON.parse(filters ?? ''), { status: ['created', 'initialized', 'running', 'paused'] });
});

test('events are read until the signal aborts, and an error among them breaks the stream', async () => {
  const lines = [
    `{"Type":"container","Action":"create","Actor":{"ID":"${PRIV}","Attributes":{"name":"priv"}}}`,
    '{"cause":"EOF","message":"no journal","response":500}',
  ];
  runtime.answers = () => (response) => response.write(`${lines.join('\n')}\n`);
  const told: string[] = [];
  const events: RuntimeEvents = {
    onCreated: (_, early) => told.push(`${early?.row.name}`),
    onStarted: assert.fail,
    onEnded: assert.fail,
  };
  let readyCount = 0;
  const watched = client.watch(events, () => readyCount++, never);
  await assert.rejects(watched, /no journal/);
  assert.deepEqual(told, ['priv']);
  assert.equal(readyCount, 1);
  const stop = new AbortController();
  runtime.answers = () => (response) => response.flushHeaders();
  await client.watch(events, () => stop.abort(), stop.signal);
  const query = new URL(runtime.asked[0] as string, 'http://x').searchParams;
  assert.equal(query.get('stream'), 'true');
  assert.equal(query.get('since'), null);
});
