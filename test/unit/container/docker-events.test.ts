import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareContainer } from '../../../server/container/container-rows.ts';
import { DockerEvents } from '../../../server/container/runtime/docker-events.ts';
import { onPodmanEvent } from '../../../server/container/runtime/podman-events.ts';
import type { RuntimeContainer, RuntimeEvents } from '../../../server/container/runtime/runtime-client.ts';

const ID = '1ffc9390f879a0838821344272916b9498ce6afe347f11c2bddccfe2dc2d4a8d';
const OTHER = 'a'.repeat(64);

class Recorder implements RuntimeEvents {
  readonly told: string[] = [];
  early: RuntimeContainer | undefined = undefined;

  onCreated(fullId: string, early?: RuntimeContainer): void {
    this.told.push(`created ${fullId.slice(0, 4)}`);
    this.early = early;
  }

  onStarted(fullId: string): void {
    this.told.push(`started ${fullId.slice(0, 4)}`);
  }

  onEnded(fullId: string): void {
    this.told.push(`ended ${fullId.slice(0, 4)}`);
  }
}

function containerEvent(action: string, attributes: object = {}, id = ID): Record<string, unknown> {
  return { Type: 'container', Action: action, Actor: { ID: id, Attributes: attributes } };
}

function networkEvent(action: string, container: string): Record<string, unknown> {
  return { Type: 'network', Action: action, Actor: { ID: 'n', Attributes: { container, name: 'bridge' } } };
}

function docker(): [DockerEvents, Recorder, () => number] {
  const recorder = new Recorder();
  let imageChangeCount = 0;
  return [new DockerEvents(recorder, () => imageChangeCount++), recorder, () => imageChangeCount];
}

test("Docker's create tells name, image and labels", () => {
  const [events, recorder] = docker();
  // As version 20.10 tells it.
  events.on({
    status: 'create',
    id: ID,
    from: 'localhost/t/busybox:1',
    Type: 'container',
    Action: 'create',
    Actor: { ID, Attributes: { a: 'ü', image: 'localhost/t/busybox:1', name: 't1' } },
    scope: 'local',
    time: 1795486767,
  });
  assert.deepEqual(recorder.told, ['created 1ffc']);
  assert.deepEqual(recorder.early, {
    row: {
      ...bareContainer(ID, 'docker'),
      name: 't1',
      image: 'localhost/t/busybox:1',
      imageRepository: 'localhost/t/busybox',
      imageTag: '1',
      labels: new Map([['a', '\xc3\xbc']]),
    },
    pid: 0,
    isRunning: false,
  });
});

test('what follows for a container is told once', () => {
  const [events, recorder] = docker();
  for (const action of [
    'create',
    'attach',
    'start',
    'rename',
    'update',
    'exec_create: x',
    'die',
    'destroy',
  ]) {
    events.on(containerEvent(action));
  }
  assert.deepEqual(recorder.told, [
    'created 1ffc',
    'started 1ffc',
    'started 1ffc',
    'started 1ffc',
    'ended 1ffc',
    'ended 1ffc',
  ]);
});

test('a network counts only when it is connected to a container that runs', () => {
  const [events, recorder] = docker();
  events.on(networkEvent('connect', OTHER));
  events.on(networkEvent('disconnect', OTHER));
  assert.deepEqual(recorder.told.splice(0), ['started aaaa', 'started aaaa']);
  events.on(containerEvent('create'));
  events.on(networkEvent('connect', ID));
  assert.deepEqual(recorder.told.splice(0), ['created 1ffc'], 'its start is told yet');
  events.on(containerEvent('start'));
  events.on(networkEvent('connect', ID));
  assert.deepEqual(recorder.told.splice(0), ['started 1ffc', 'started 1ffc']);
  events.on(containerEvent('die'));
  events.on(networkEvent('disconnect', ID));
  assert.deepEqual(recorder.told.splice(0), ['ended 1ffc']);
  events.on(networkEvent('create', ID));
  assert.deepEqual(recorder.told, []);
});

test('containers remembered as not started are bounded', () => {
  const [events, recorder] = docker();
  for (let index = 0; index <= 4096; index++) {
    events.on(containerEvent('create', {}, index.toString(16).padStart(64, '0')));
  }
  recorder.told.length = 0;
  events.on(networkEvent('connect', '0'.repeat(64)));
  events.on(networkEvent('connect', '1'.padStart(64, '0')));
  assert.deepEqual(recorder.told, ['started 0000'], 'the oldest only is forgotten');
});

test('news of images are passed on, and are no news of containers', () => {
  const [events, recorder, imageChangeCount] = docker();
  events.on({ Type: 'image', Action: 'delete', Actor: { ID } });
  assert.equal(imageChangeCount(), 1);
  assert.deepEqual(recorder.told, []);
});

test('events without a full id are nothing', () => {
  const [events, recorder] = docker();
  for (const id of ['', 'abc', 5, null, [ID]]) {
    const event = containerEvent('create', {}, id as string);
    events.on(event);
    onPodmanEvent(event, recorder);
  }
  for (const event of [{}, { Type: 'container' }, { Type: 'container', Action: 'create', Actor: 'x' }]) {
    events.on(event);
    onPodmanEvent(event, recorder);
  }
  assert.deepEqual(recorder.told, []);
});

test("Podman's words mean the same", () => {
  const recorder = new Recorder();
  // As version 4.3 tells it.
  onPodmanEvent(
    containerEvent('create', {
      a: 'b',
      containerExitCode: '0',
      image: 'localhost/t/busybox:1',
      name: 't1',
      podId: '',
    }),
    recorder,
  );
  assert.deepEqual(recorder.early?.row, {
    ...bareContainer(ID, 'podman'),
    name: 't1',
    image: 'localhost/t/busybox:1',
    imageRepository: 'localhost/t/busybox',
    imageTag: '1',
    labels: new Map([['a', 'b']]),
  });
  for (const action of ['init', 'start', 'attach', 'died', 'cleanup', 'rename', 'remove']) {
    onPodmanEvent(containerEvent(action), recorder);
  }
  onPodmanEvent({ Type: 'image', Action: 'remove', Actor: { ID } }, recorder);
  assert.deepEqual(recorder.told, [
    'created 1ffc',
    'started 1ffc',
    'ended 1ffc',
    'started 1ffc',
    'ended 1ffc',
  ]);
});
