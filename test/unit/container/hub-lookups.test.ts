import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedHub } from '../../helpers/scripted-hub.ts';
import { scriptedContainer as container, settle } from '../../helpers/scripted-runtime.ts';

test('what a runtime knows is found at once: by a peek, then by an inspection', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  docker.peek = (fullId) => docker.peekInto(fullId);
  await bed.start('docker');
  docker.containers.set('c', container('c', { image: 'i' }));
  docker.held = [];
  bed.want('c', 'docker');
  await settle();
  assert.deepEqual(bed.told('c'), ['partial'], 'an inspection may wait until a start is over');
  docker.release();
  await settle();
  assert.deepEqual(bed.told('c'), ['partial', 'found']);
  const { lookups, lookupsFound, lookupsFailed, prefetched } = bed.hub.counters;
  assert.deepEqual([lookups, lookupsFound, lookupsFailed, prefetched], [1, 1, 0, 0]);
  await bed.hub.stop();
});

test('the runtime the type names is asked first, the others only when it does not know', async () => {
  const bed = new ScriptedHub();
  const [docker, podman] = [bed.runtime('docker'), bed.runtime('podman')];
  await bed.start('docker', 'podman');
  docker.containers.set('d', container('d'));
  podman.containers.set('p', container('p'));
  bed.want('d', 'docker');
  await settle();
  assert.equal(podman.countOf('inspect d'), 0);
  bed.want('p', 'docker');
  await settle();
  assert.equal(docker.countOf('inspect p'), 1);
  assert.deepEqual(bed.told('p'), ['found']);
  await bed.hub.stop();
});

test('what nobody knows is asked for again after 10, 20, 40, ... ms, then unknown', async () => {
  const bed = new ScriptedHub({ lookupTimeoutMs: 500 });
  const docker = bed.runtime('docker');
  await bed.start('docker');
  const counts: number[] = [];
  bed.want('c', 'docker');
  for (const ms of [9, 2, 20, 40, 80, 160]) {
    await bed.clock.advance(ms);
    counts.push(docker.countOf('inspect c'));
  }
  assert.deepEqual(counts, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(bed.told('c'), []);
  await bed.clock.advance(189);
  assert.deepEqual(bed.told('c'), ['unknown']);
  assert.equal(bed.hub.counters.lookupsFailed, 1);
  docker.create(container('c'));
  await settle();
  assert.deepEqual(bed.told('c'), ['unknown', 'found'], 'it is not forgotten');
  await bed.hub.stop();
});

test('a container that appears between two tries is found', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  await bed.start('docker');
  bed.want('c', 'docker');
  await bed.clock.advance(35);
  docker.containers.set('c', container('c'));
  await bed.clock.advance(40);
  assert.deepEqual(bed.told('c'), ['found']);
  assert.equal(bed.hub.counters.lookupsFound, 1);
  await bed.hub.stop();
});

test('questions about one container are one, and news of it end the wait for the next try', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  await bed.start('docker');
  docker.held = [];
  for (let i = 0; i < 5; i++) bed.want('c', 'docker');
  await settle();
  assert.equal(docker.countOf('inspect c'), 1);
  assert.equal(bed.hub.counters.lookups, 1);
  docker.release();
  await bed.clock.advance(200);
  const before = docker.countOf('inspect c');
  docker.create(container('c'));
  await settle();
  assert.equal(docker.countOf('inspect c'), before + 1);
  assert.deepEqual(bed.told('c'), ['found']);
  await bed.hub.stop();
});

test('unknown at once where nobody can know', async () => {
  const bed = new ScriptedHub();
  await bed.start();
  bed.want('c', 'docker');
  await settle();
  assert.deepEqual(bed.told('c'), ['unknown']);
  const other = new ScriptedHub();
  other.runtime('docker').faults.set('connect', 'permission');
  await other.start('docker');
  await other.clock.advance(1000);
  other.want('c', 'docker');
  other.want('l', 'lxc');
  await settle();
  assert.deepEqual(other.told('c'), ['unknown'], 'a runtime that has not answered for long will not');
  assert.deepEqual(other.told('l'), ['unknown']);
  await Promise.all([bed.hub.stop(), other.hub.stop()]);
});

test('a runtime that has just broken may come back in time', async () => {
  const bed = new ScriptedHub();
  const docker = bed.runtime('docker');
  await bed.start('docker');
  docker.disconnect();
  docker.faults.set('connect', 'unreachable');
  docker.containers.set('c', container('c'));
  await bed.clock.advance(150);
  assert.equal(bed.status('docker').state, 'degraded');
  bed.want('c', 'docker');
  await bed.clock.advance(50);
  assert.deepEqual(bed.told('c'), []);
  docker.faults.clear();
  await bed.clock.advance(200);
  assert.deepEqual(bed.told('c'), ['found']);
  await bed.hub.stop();
});

test('a container that has ended is asked for once more, not to the last', async () => {
  const bed = new ScriptedHub({ lookupTimeoutMs: 60_000 });
  const docker = bed.runtime('docker');
  await bed.start('docker');
  docker.create(container('c', { isComplete: false }));
  await settle();
  bed.want('c', 'docker');
  await settle();
  docker.end('c');
  await bed.clock.advance(1000);
  assert.deepEqual(bed.told('c'), ['partial', 'gone', 'unknown']);
  assert.equal(bed.hub.counters.lookupsFailed, 1);
  const asked = docker.countOf('inspect c');
  await bed.clock.advance(5000);
  assert.equal(docker.countOf('inspect c'), asked);
  await bed.hub.stop();
});

test('look-ups are bounded; those beyond are refused, counted and answered', async () => {
  const bed = new ScriptedHub();
  await bed.start('docker');
  for (let i = 0; i < 1100; i++) bed.want(`c${i}`, 'docker');
  await settle();
  assert.equal(bed.hub.counters.lookupsRefused, 1100 - 1024);
  assert.deepEqual(bed.told('c1099'), ['unknown']);
  assert.deepEqual(bed.told('c0'), []);
  await bed.clock.advance(600);
  assert.deepEqual(bed.told('c0'), ['unknown']);
  assert.equal(bed.hub.counters.lookupsFailed, 1024);
  assert.ok(bed.runtime('docker').concurrentMax <= 16);
  await bed.hub.stop();
});

test('who asks for what was told long ago is told again; what is on its way is not repeated', async () => {
  const bed = new ScriptedHub();
  bed.runtime('docker').containers.set('c', container('c'));
  await bed.start('docker');
  bed.want('c', 'docker');
  await settle();
  assert.deepEqual(bed.told('c'), ['found']);
  await bed.clock.advance(3000);
  bed.want('c', 'docker');
  await settle();
  assert.deepEqual(bed.told('c'), ['found', 'found']);
  bed.forget('c');
  bed.want('c', 'docker');
  await settle();
  assert.deepEqual(bed.told('c'), ['found', 'found', 'found']);
  assert.equal(bed.hub.counters.prefetched, 1);
  await bed.hub.stop();
});

test('a hanging runtime does not keep those who wait from being told', async () => {
  const bed = new ScriptedHub({ lookupTimeoutMs: 500, callTimeoutMs: 5000 });
  const docker = bed.runtime('docker');
  await bed.start('docker', 'podman');
  docker.faults.set('inspect', 'hang');
  bed.want('c', 'docker');
  await bed.clock.advance(499);
  assert.deepEqual(bed.told('c'), []);
  await bed.clock.advance(1);
  assert.deepEqual(bed.told('c'), ['unknown']);
  await bed.hub.stop();
});

test('users are read when a container is first wanted, and whenever that is asked for', async () => {
  const reads: string[] = [];
  const bed = new ScriptedHub(
    {},
    {
      readUsers: async (fullId, tid) => {
        reads.push(`${fullId} ${tid}`);
        if (tid === 13) throw new Error('no such thread');
        if (tid === 14) return undefined;
        return { users: [{ uid: 1, gid: 2, name: 'u', homedir: '/', shell: 'sh' }], groups: [] };
      },
    },
  );
  await bed.start('docker');
  const want = (tid: number) => bed.hub.onRequest({ kind: 'wanted', fullId: 'c', type: '', tid });
  want(13);
  await settle();
  want(14);
  await settle();
  assert.equal(bed.hub.counters.usersFailed, 1);
  assert.ok(!bed.updates.some(({ kind }) => kind === 'users'));
  want(15);
  await settle();
  want(16);
  await settle();
  bed.hub.onRequest({ kind: 'users', fullId: 'c', tid: 17 });
  bed.hub.onRequest({ kind: 'users', fullId: '', tid: 1 });
  await settle();
  assert.deepEqual(reads, ['c 13', 'c 14', 'c 15', 'c 17', ' 1']);
  assert.equal(bed.hub.counters.usersRead, 3);
  assert.deepEqual(
    bed.updates.flatMap((update) => (update.kind === 'users' ? [update.fullId, update.users.length] : [])),
    ['c', 1, 'c', 1, '', 1],
  );
  await bed.hub.stop();
});

test('sockets of the same kind are all asked', async () => {
  const bed = new ScriptedHub({ podmanSockets: ['/a.sock', '/b.sock'] });
  bed.addSocket('/a.sock');
  bed.addSocket('/b.sock');
  await bed.start();
  bed.runtime('podman', '/b.sock').containers.set('c', container('c'));
  bed.want('c', 'podman');
  await settle();
  assert.deepEqual(bed.told('c'), ['found']);
  assert.equal(bed.hub.status().length, 2);
  await bed.hub.stop();
});
