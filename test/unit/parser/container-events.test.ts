import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParserHarness } from '../../helpers/parser-harness.ts';

const ID = '0123456789abcdef'.repeat(4);
const SHORT = ID.slice(0, 12);

function json(container: Readonly<Record<string, unknown>>): string {
  // Parameters are written byte by byte.
  return Buffer.from(JSON.stringify({ container }), 'utf8').toString('latin1');
}

const FULL = {
  id: SHORT,
  type: 0,
  name: 'web',
  image: 'nginx:1',
  imagerepo: 'nginx',
  imagetag: '1',
  privileged: true,
  ip: '172.17.0.2',
  created_time: 1_700_000_000,
  labels: { app: 'wéb' },
  env: ['A=1'],
  Mounts: [{ Source: '/a', Destination: '/b', Mode: 'rw', RW: true, Propagation: 'rprivate' }],
};

test('a cgroup alone gives a row with only the id', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000, cgroups: `cpu=/docker/${ID}\0` });
  assert.equal(harness.thread(1000).containerId, ID);
  const row = harness.state.findContainer(ID);
  assert.deepEqual([row?.id, row?.type, row?.isComplete], [SHORT, 'docker', false]);
});

test('metadata with the short id finds the row of the cgroup', () => {
  const harness = new ParserHarness();
  harness.load({ tid: 1000, cgroups: `cpu=/docker/${ID}\0` });
  harness.send('PPME_CONTAINER_JSON_2_E', { json: json(FULL) }, { tid: -1 });
  const row = harness.state.findContainer(ID);
  assert.equal(row?.name, 'web');
  assert.equal(row?.isPrivileged, true);
  assert.equal(row?.createdTimeNs, 1_700_000_000_000_000_000n);
  assert.equal(row?.labels.get('app'), Buffer.from('wéb', 'utf8').toString('latin1'));
  assert.equal(row?.mounts[0]?.destination, '/b');
  assert.equal(harness.state.containers.size, 1);
});

test('metadata and users that come before the first thread are found by its full id', () => {
  const harness = new ParserHarness();
  harness.send('PPME_CONTAINER_JSON_2_E', { json: json(FULL) });
  harness.send('PPME_USER_ADDED_E', {
    uid: 5,
    gid: 5,
    name: 'app',
    home: '/',
    shell: '/sh',
    container_id: SHORT,
  });
  harness.load({ tid: 1000, cgroups: `cpu=/docker/${ID}\0` });
  assert.equal(harness.state.findContainer(ID)?.name, 'web');
  assert.equal(harness.state.findUser(ID, 5)?.name, 'app');
  assert.equal(harness.state.containers.size, 1);
});

test('word that a look-up has begun does not undo what is known', () => {
  const harness = new ParserHarness();
  harness.send('PPME_CONTAINER_JSON_2_E', { json: json(FULL) });
  harness.send('PPME_CONTAINER_JSON_2_E', { json: json({ id: SHORT, type: 0, image: 'incomplete' }) });
  assert.equal(harness.state.findContainer(SHORT)?.name, 'web');
});

test('async events bring and remove containers', () => {
  const harness = new ParserHarness();
  const data = Buffer.from(`${json({ ...FULL, full_id: ID })}\0`, 'latin1');
  harness.send('PPME_ASYNCEVENT_E', { plugin_id: 0, name: 'container', data });
  assert.equal(harness.state.findContainer(ID)?.fullId, ID);
  harness.send('PPME_ASYNCEVENT_E', { plugin_id: 0, name: 'container_removed', data });
  assert.equal(harness.state.findContainer(ID), undefined);
});

for (const text of [
  '',
  '{',
  '[]',
  'null',
  '{"container":5}',
  '{"container":{"id":7,"Mounts":[1],"labels":[]}}',
]) {
  test(`JSON that makes no sense adds nothing: ${text}`, () => {
    const harness = new ParserHarness();
    harness.send('PPME_CONTAINER_JSON_2_E', { json: text });
    assert.equal(harness.state.containers.size, 0);
  });
}

test('a full container table refuses the row and counts it', () => {
  const harness = new ParserHarness({ containersMax: 0 });
  harness.load({ tid: 1000, cgroups: `cpu=/docker/${ID}\0` });
  assert.equal(harness.thread(1000).containerId, ID);
  assert.equal(harness.state.containers.counters.refused, 1);
});
