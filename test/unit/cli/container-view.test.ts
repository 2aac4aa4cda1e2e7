import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerPairs } from '../../../client/cli/container-view.ts';
import { stateJsonLine } from '../../../client/cli/state-views.ts';
import { Container } from '../../../proto/gen/strata/v1/state.ts';

const ID = '0123456789abcdef'.repeat(4);

test('of a container that is only an id, that is shown', () => {
  const pairs = containerPairs(Container.create({ id: ID.slice(0, 12), fullId: ID, type: 'docker' }));
  assert.deepEqual(pairs, [
    ['id', ID],
    ['type', 'docker'],
    ['state', 'its runtime has not told everything'],
  ]);
});

test('all that is known is shown', () => {
  const container = Container.create({
    fullId: ID,
    name: 'web',
    isComplete: true,
    isPrivileged: true,
    hasHostNetwork: true,
    createdTimestampNs: 1_700_000_000_000_000_001n,
    labels: { b: '2', a: '1' },
    mounts: [
      { source: '/a', destination: '/b', mode: 'rw', isWritable: true, propagation: '' },
      { source: '/c', destination: '/d', mode: '', isWritable: false, propagation: '' },
    ],
    healthcheck: { exe: '/bin/sh', args: ['-c', 'check'] },
    cgroupPath: '/prod/web',
  });
  const pairs = new Map(containerPairs(container));
  assert.equal(pairs.get('privileges'), 'privileged, host network');
  assert.equal(pairs.get('created'), '2023-11-14T22:13:20.000000001Z');
  assert.equal(pairs.get('labels'), 'a=1 b=2');
  assert.equal(pairs.get('health check'), '/bin/sh -c check');
  assert.equal(pairs.get('cgroup'), '/prod/web');
  assert.equal(pairs.has('state'), false);
  const mounts = containerPairs(container).filter(([name]) => name === 'mount');
  assert.deepEqual(
    mounts.map(([, text]) => text),
    ['/a on /b (rw)', '/c on /d (read-only)'],
  );
  const json = JSON.parse(stateJsonLine(container)) as Record<string, unknown>;
  assert.deepEqual(json['healthcheck'], { exe: '/bin/sh', args: ['-c', 'check'] });
});
