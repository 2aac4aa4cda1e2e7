import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configWith } from '../../server/config/config.ts';
import type { ContainerRequest, ContainerUpdate } from '../../server/container/container-update.ts';
import type { HubListener, RuntimeStatus } from '../../server/container/runtime/hub-types.ts';
import { ContainerLayer, type Hub } from '../../server/container-layer.ts';
import { runtimeOptions } from '../../server/live-config.ts';

const WANTED: ContainerRequest = { kind: 'wanted', fullId: 'a', type: '', tid: 1 };
const GONE: ContainerUpdate = { kind: 'gone', fullId: 'a' };

function status(state: RuntimeStatus['state'], error = ''): RuntimeStatus {
  return {
    kind: 'docker',
    socketPath: '/run/docker.sock',
    state,
    version: 'Docker 1',
    error,
    containerCount: 0,
    callCount: 0,
    callFailureCount: 0,
    callTimeoutCount: 0,
    eventCount: 0,
    reconnectCount: 0,
    isWatching: true,
  };
}

function bench() {
  const requests: ContainerRequest[] = [];
  const calls: string[] = [];
  const logged: string[] = [];
  const health: boolean[] = [];
  const started = Promise.withResolvers<void>();
  let rows: RuntimeStatus[] = [];
  let listener: HubListener | undefined;
  const hub: Hub = {
    counters: {
      prefetched: 7,
      lookups: 0,
      lookupsFound: 0,
      lookupsFailed: 0,
      lookupsRefused: 0,
      containersRefused: 0,
      usersRead: 0,
      usersFailed: 0,
    },
    start: () => started.promise,
    onRequest: (request) => requests.push(request),
    status: () => rows,
    stop: async () => {
      calls.push('stopped');
    },
  };
  const layer = new ContainerLayer(
    runtimeOptions(configWith({})),
    {
      info: (_facts: unknown, text: string) => logged.push(`info ${text}`),
      warn: (_facts: unknown, text: string) => logged.push(`warn ${text}`),
    } as never,
    (isHealthy) => health.push(isHealthy),
    async (_options, given) => {
      listener = given;
      return hub;
    },
  );
  const sink = {
    update: (updates: readonly ContainerUpdate[]) => calls.push(`update ${updates.length}`),
    listed: () => calls.push('listed'),
  };
  return {
    layer,
    sink,
    requests,
    calls,
    logged,
    health,
    started,
    tell: (updates: ContainerUpdate[]) => listener?.onUpdates(updates),
    change: (next: RuntimeStatus[]) => {
      rows = next;
      listener?.onStatusChanged();
    },
  };
}

test('news and requests wait for the side that comes later', async () => {
  const { layer, sink, requests, calls, started, tell } = bench();
  layer.onRequest(WANTED);
  const running = layer.start();
  await Promise.resolve();
  assert.deepEqual(requests, [WANTED]);
  assert.equal(layer.counters.prefetched, 7);
  tell([GONE, GONE]);
  layer.onInspector(sink);
  tell([GONE]);
  assert.deepEqual(calls, ['update 2', 'update 1']);
  started.resolve();
  await running;
  assert.deepEqual(calls, ['update 2', 'update 1', 'listed']);
  await layer.stop();
  tell([GONE]);
  assert.deepEqual(calls.slice(3), ['stopped']);
});

test('an inspector that comes after the list is told so at once', async () => {
  const { layer, sink, calls, started } = bench();
  started.resolve();
  await layer.start();
  layer.onInspector(sink);
  assert.deepEqual(calls, ['listed']);
});

test('health and log follow the runtimes, each change once', async () => {
  const { layer, health, logged, started, change } = bench();
  started.resolve();
  await layer.start();
  assert.deepEqual(health, [true]);
  change([status('connecting')]);
  change([status('ready')]);
  change([status('ready')]);
  change([status('degraded', 'no answer')]);
  change([status('absent')]);
  assert.deepEqual(health, [true, true, true, true, false, true]);
  assert.deepEqual(logged, [
    'info container runtime ready',
    'warn container runtime degraded',
    'info container runtime absent',
  ]);
});

test('without a hub the inspector is told, and nobody waits', async () => {
  const { sink, calls, logged } = bench();
  const layer = new ContainerLayer(
    runtimeOptions(configWith({})),
    { info: () => undefined, warn: (_: unknown, text: string) => logged.push(text) } as never,
    () => undefined,
    async () => {
      throw new Error('no module');
    },
  );
  layer.onInspector(sink);
  await layer.start();
  layer.onRequest(WANTED);
  assert.deepEqual(calls, ['listed', 'update 1']);
  assert.deepEqual(logged, ['container runtimes cannot be asked']);
});
