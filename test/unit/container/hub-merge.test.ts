import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedHub, SOCKETS } from '../../helpers/scripted-hub.ts';
import { scriptedContainer as container, settle } from '../../helpers/scripted-runtime.ts';

test('of several runtimes the one that knows most of a container is believed, in whatever order they tell', async () => {
  for (const order of [
    ['docker', 'cri'],
    ['cri', 'docker'],
  ] as const) {
    const bed = new ScriptedHub();
    await bed.start('docker', 'cri');
    for (const kind of order) {
      bed.runtime(kind).create(container('c', { name: kind }));
      await settle();
    }
    assert.equal(bed.nameOf('c'), 'docker');
    bed.runtime('cri').containers.set('c', container('c', { name: 'changed' }));
    bed.runtime('cri').start('c');
    await settle();
    assert.equal(bed.nameOf('c'), 'docker');
    await bed.hub.stop();
  }
});

test('a container has ended when nobody who answers has it any more', async () => {
  const bed = new ScriptedHub();
  const [docker, cri] = [bed.runtime('docker'), bed.runtime('cri')];
  docker.containers.set('c', container('c'));
  cri.containers.set('c', container('c'));
  await bed.start('docker', 'cri');
  docker.end('c');
  await settle();
  assert.ok(bed.known.has('c'));
  assert.equal(bed.nameOf('c'), 'c');
  cri.end('c');
  await settle();
  assert.ok(!bed.known.has('c'));
  assert.equal(bed.told('c').filter((kind) => kind === 'gone').length, 1);
  await bed.hub.stop();
});

test('one that broke does not keep a container alive that others saw end', async () => {
  const bed = new ScriptedHub();
  const [docker, cri] = [bed.runtime('docker'), bed.runtime('cri')];
  docker.containers.set('c', container('c'));
  cri.containers.set('c', container('c'));
  await bed.start('docker', 'cri');
  docker.faults.set('connect', 'unreachable');
  docker.disconnect();
  await settle();
  cri.end('c');
  await settle();
  assert.ok(!bed.known.has('c'));
  await bed.hub.stop();
});

test("containerd's view of a Docker container stands in: partial while there is Docker, everything where there is none", async () => {
  const moby = (id: string) => container(id, { name: '' }, { namespace: 'moby' });
  const both = new ScriptedHub();
  await both.start('docker', 'containerd');
  both.runtime('containerd').create(moby('c'), moby('c'));
  both.want('c', 'docker');
  await settle();
  assert.deepEqual(both.told('c'), ['partial']);
  both.runtime('docker').create(container('c'));
  await both.clock.advance(20);
  assert.deepEqual(both.told('c'), ['partial', 'found']);
  assert.equal(both.nameOf('c'), 'c');
  await both.hub.stop();

  const alone = new ScriptedHub();
  await alone.start('containerd');
  alone.runtime('containerd').create(moby('c'), moby('c'));
  await settle();
  assert.deepEqual(alone.told('c'), ['found']);
  await alone.hub.stop();
});

test('containers of Kubernetes wait for CRI, unless this containerd has none', async () => {
  const pod = container('c', {}, { namespace: 'k8s.io' });
  const bed = new ScriptedHub();
  await bed.start('containerd');
  bed.runtime('containerd').create(pod, pod);
  await settle();
  assert.deepEqual(bed.told('c'), ['partial']);
  bed.runtime('cri', SOCKETS.containerd).create(container('c', { name: 'by cri' }));
  await settle();
  assert.equal(bed.nameOf('c'), 'by cri');
  await bed.hub.stop();

  const without = new ScriptedHub();
  without.runtime('cri', SOCKETS.containerd).faults.set('connect', 'refused');
  without.runtime('containerd').containers.set('c', pod);
  await without.start('containerd');
  assert.deepEqual(without.told('c').at(-1), 'found');
  await without.hub.stop();
});

test('what is known completely is not made partial by a list', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  docker.containers.set('c', container('c', { image: 'i' }));
  docker.isListPartial = true;
  await bed.start('docker');
  const told = bed.told('c');
  assert.deepEqual(told, ['partial', 'found']);
  await bed.clock.advance(20_000);
  assert.deepEqual(bed.told('c'), told);
  assert.equal(docker.countOf('inspect c'), 1, 'there is nothing to ask');
  docker.containers.set('c', container('c', { image: 'i', name: 'renamed' }));
  await bed.clock.advance(10_000);
  assert.equal(bed.nameOf('c'), 'renamed');
  await bed.hub.stop();
});

test('as many containers as may be are followed; those beyond are counted, and room is used again', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  const empty = new Map<string, string>();
  for (let i = 0; i < 65_540; i++) docker.containers.set(`c${i}`, container(`c${i}`, { labels: empty }));
  await bed.start('docker');
  await settle();
  assert.equal(bed.known.size, 65_536);
  assert.equal(bed.hub.counters.containersRefused, 4);
  docker.end('c0');
  docker.create(container('next'), container('next'));
  await settle();
  assert.equal(bed.known.size, 65_536);
  assert.ok(bed.known.has('next'));
  await bed.hub.stop();
});
