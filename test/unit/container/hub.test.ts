import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ScriptedHub, SOCKETS } from '../../helpers/scripted-hub.ts';
import { scriptedContainer as container, settle } from '../../helpers/scripted-runtime.ts';

test('what runs is told when the start is over, row by row completed', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  docker.isListPartial = true;
  for (let i = 0; i < 200; i++) docker.containers.set(`c${i}`, container(`c${i}`, { image: 'i' }));
  docker.held = [];
  await bed.start('docker');
  assert.equal(bed.known.size, 200);
  assert.ok(
    [...bed.known.values()].every(({ isComplete }) => !isComplete),
    'the list alone is partial',
  );
  assert.equal(docker.concurrentMax, 8, 'as many are inspected at a time');
  docker.release();
  await settle();
  assert.ok([...bed.known.values()].every(({ isComplete }) => isComplete));
  assert.equal(bed.hub.counters.prefetched, 200);
  assert.equal(bed.status('docker').state, 'ready');
  assert.equal(bed.status('docker').version, 'docker 1.0');
  assert.equal(bed.status('docker').containerCount, 200);
  await bed.hub.stop();
  assert.ok(docker.isClosed);
});

test('news are followed before the list is asked for, and newer than it', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  docker.containers.set('old', container('old'));
  const list = docker.list.bind(docker);
  docker.list = async () => {
    const listed = await list();
    docker.create(container('new'), container('new'));
    docker.end('old');
    return listed;
  };
  await bed.start('docker');
  assert.deepEqual([...bed.known.keys()], ['new']);
  assert.ok(docker.asked.indexOf('watch') < docker.asked.indexOf('list'));
  await bed.hub.stop();
});

test('a created container is told at once with what came with the news, then completely, then with what its start brings', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  await bed.start('docker');
  const whole = container('c', { image: 'i' });
  docker.create(whole, { ...whole, row: { ...whole.row, image: '', isComplete: false } });
  await settle();
  assert.deepEqual(bed.told('c'), ['partial', 'found']);
  docker.start('c');
  await settle();
  assert.deepEqual(bed.told('c'), ['partial', 'found'], 'the same is not told again');
  docker.containers.set('c', container('c', { image: 'i', ip: '10.0.0.1' }));
  docker.start('c');
  await settle();
  assert.deepEqual(bed.told('c'), ['partial', 'found', 'found']);
  docker.end('c');
  await settle();
  assert.deepEqual(bed.told('c').slice(3), ['gone']);
  assert.equal(bed.hub.counters.prefetched, 1);
  assert.equal(bed.hub.counters.lookups, 0);
  await bed.hub.stop();
});

test('an answer that comes after the end is told, and that it has ended', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  await bed.start('docker');
  docker.held = [];
  docker.create(container('c'));
  bed.want('c', 'docker');
  await settle();
  docker.end('c');
  await settle();
  assert.deepEqual(bed.told('c'), ['gone']);
  docker.release();
  await settle();
  assert.deepEqual(bed.told('c'), ['gone', 'found', 'gone']);
  bed.forget('c');
  assert.equal(bed.hub.size, 0);
  await bed.hub.stop();
});

test('a stream of news that breaks is taken up again, what vanished meanwhile is gone, what came is told', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  docker.containers.set('stays', container('stays'));
  docker.containers.set('goes', container('goes'));
  await bed.start('docker');
  docker.disconnect();
  docker.faults.set('connect', 'unreachable');
  docker.containers.delete('goes');
  docker.containers.set('comes', container('comes'));
  await bed.clock.advance(1000);
  assert.equal(bed.status('docker').state, 'degraded');
  assert.match(bed.status('docker').error, /connect failed .*running/);
  assert.deepEqual([...bed.known.keys()], ['stays', 'goes'], 'nothing is known of them meanwhile');
  assert.ok(bed.statusChanges > 0);
  docker.faults.clear();
  await bed.clock.advance(200);
  assert.equal(bed.status('docker').state, 'ready');
  assert.equal(bed.status('docker').error, '');
  assert.ok(bed.status('docker').reconnectCount >= 5);
  assert.deepEqual([...bed.known.keys()], ['stays', 'comes']);
  assert.deepEqual(bed.told('stays'), ['found']);
  await bed.hub.stop();
});

test('a runtime that hangs holds up nobody: neither the start nor the others', async () => {
  const bed = new ScriptedHub();
  bed.runtime('docker').faults.set('connect', 'hang');
  bed.runtime('podman').containers.set('p', container('p'));
  bed.addSocket(SOCKETS.docker);
  bed.addSocket(SOCKETS.podman);
  let isStarted = false;
  const started = bed.hub.start().then(() => {
    isStarted = true;
  });
  await bed.clock.advance(900);
  assert.equal(isStarted, false);
  assert.deepEqual([...bed.known.keys()], ['p']);
  await bed.clock.advance(1200);
  await started;
  assert.equal(bed.status('docker').state, 'degraded');
  assert.match(bed.status('docker').error, /no answer within/);
  assert.ok(bed.status('docker').callTimeoutCount > 0);
  assert.equal(bed.status('podman').state, 'ready');
  await bed.hub.stop();
});

test('inspections that hang three times in a row mean that the runtime hangs', async () => {
  const bed = new ScriptedHub({ lookupTimeoutMs: 10_000 });
  const docker = bed.runtime('docker');
  await bed.start('docker');
  docker.faults.set('inspect', 'hang');
  docker.faults.set('connect', 'hang');
  bed.want('c');
  await bed.clock.advance(5000);
  assert.equal(bed.status('docker').state, 'degraded');
  await bed.hub.stop();
});

test('without permission, status says which one is needed', async () => {
  const bed = new ScriptedHub();
  bed.runtime('docker').faults.set('connect', 'permission');
  await bed.start('docker');
  assert.match(bed.status('docker').error, /CAP_DAC_OVERRIDE.*group/);
  await bed.hub.stop();
});

test('a runtime without news is listed every second', async () => {
  const bed = new ScriptedHub();
  const cri = bed.runtime('cri');
  cri.faults.set('watch', 'refused');
  await bed.start('cri');
  assert.equal(bed.status('cri').state, 'ready');
  assert.equal(bed.status('cri').isWatching, false);
  cri.containers.set('c', container('c'));
  await bed.clock.advance(1000);
  assert.ok(bed.known.has('c'));
  cri.containers.delete('c');
  await bed.clock.advance(1000);
  assert.ok(!bed.known.has('c'));
  await bed.hub.stop();
});

test('news that fail leave the runtime degraded, listed and asked, until they come back', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  docker.faults.set('watch', 'protocol');
  await bed.start('docker');
  assert.equal(bed.status('docker').state, 'degraded');
  assert.match(bed.status('docker').error, /no events/);
  docker.containers.set('c', container('c'));
  bed.want('c');
  await settle();
  assert.deepEqual(bed.told('c'), ['found']);
  docker.faults.clear();
  await bed.clock.advance(4000);
  assert.equal(bed.status('docker').state, 'ready');
  assert.equal(bed.status('docker').isWatching, true);
  await bed.hub.stop();
});

test('lost news are made up for by lists from time to time', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  docker.containers.set('lost', container('lost'));
  await bed.start('docker');
  docker.containers.delete('lost');
  docker.containers.set('unheard', container('unheard'));
  await bed.clock.advance(10_000);
  assert.deepEqual([...bed.known.keys()], ['unheard']);
  await bed.hub.stop();
});

test('runtimes that appear later are found, and those made anew are taken up at once', async () => {
  const bed = new ScriptedHub({}, { reconnectBackoff: { next: () => ({ duration: 1e9, next }) } });
  await bed.start();
  assert.deepEqual(bed.hub.status(), []);
  const podman = bed.runtime('podman');
  podman.containers.set('p', container('p'));
  bed.addSocket(SOCKETS.podman);
  await bed.clock.advance(2000);
  assert.ok(bed.known.has('p'));
  podman.faults.set('connect', 'unreachable');
  podman.disconnect();
  bed.sockets.delete(SOCKETS.podman);
  await bed.clock.advance(4000);
  assert.equal(bed.status('podman').state, 'connecting', 'its next attempt is far away');
  podman.faults.clear();
  bed.addSocket(SOCKETS.podman, 'anew');
  await bed.clock.advance(2000);
  assert.equal(bed.status('podman').state, 'ready');
  await bed.hub.stop();
});

test('a socket that is gone for a minute is no fault, and what ran there is gone', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  docker.containers.set('c', container('c'));
  await bed.start('docker');
  docker.faults.set('connect', 'unreachable');
  docker.disconnect();
  bed.sockets.clear();
  await bed.clock.advance(30_000);
  assert.equal(bed.status('docker').state, 'degraded');
  assert.ok(bed.known.has('c'));
  await bed.clock.advance(40_000);
  assert.equal(bed.status('docker').state, 'absent');
  assert.equal(bed.known.size, 0);
  docker.faults.clear();
  bed.addSocket(SOCKETS.docker);
  await bed.clock.advance(2000);
  assert.equal(bed.status('docker').state, 'ready');
  assert.ok(bed.known.has('c'));
  await bed.hub.stop();
});

test('a containerd without CRI is no fault; one that was named for CRI is', async () => {
  const found = new ScriptedHub();
  found.runtime('cri', SOCKETS.containerd).faults.set('connect', 'refused');
  await found.start('containerd');
  assert.equal(found.status('containerd').state, 'ready');
  assert.equal(found.status('cri').state, 'absent');
  await found.hub.stop();
  const named = new ScriptedHub({ criSockets: ['/c.sock'] });
  named.runtime('cri', '/c.sock').faults.set('connect', 'refused');
  await named.start();
  assert.equal(named.status('cri').state, 'degraded');
  await named.hub.stop();
});

test('off means that nobody is asked', async () => {
  const bed = new ScriptedHub({ isEnabled: false });
  await bed.start('docker');
  assert.deepEqual(bed.hub.status(), []);
  bed.want('c', 'docker');
  await settle();
  assert.deepEqual(bed.told('c'), ['unknown']);
  await bed.hub.stop();
});

test('100,000 containers that come and go leave nothing behind', async () => {
  const churn = fileURLToPath(new URL('../../helpers/hub-churn.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [churn, '100000']);
  const left = JSON.parse(stdout) as Readonly<Record<string, number>>;
  assert.equal(left['known'], 0);
  assert.equal(left['rows'], 0);
  assert.equal(left['size'], 0);
  assert.ok((left['timers'] ?? 1) <= 1, stdout);
  assert.ok((left['prefetched'] ?? 0) > 0, stdout);
  // Of two rounds, and those who have just ended.
  assert.ok((left['sizeMax'] ?? 1e9) < 1000, stdout);
});

function next(): { readonly duration: number; next: typeof next } {
  return { duration: 1e9, next };
}
