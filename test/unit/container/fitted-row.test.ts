import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../../server/container/container-json.ts';
import { bareContainer, containerJsonOf, storeContainer } from '../../../server/container/container-rows.ts';
import { fittedRow } from '../../../server/container/fitted-row.ts';
import { type ContainerRow, ContainerTable } from '../../../server/state/container-table.ts';
import { UndoLog } from '../../../server/state/undo-log.ts';

const ID = 'a'.repeat(64);

function row(members: Partial<ContainerRow>): ContainerRow {
  return { ...bareContainer(ID, 'docker'), name: 'web', image: 'img:1', isComplete: true, ...members };
}

function crossed(sent: ContainerRow): ContainerRow {
  const json = parseJson(containerJsonOf(sent));
  assert.ok(json !== undefined, 'the reader takes it');
  const table = new ContainerTable(1, new UndoLog({ entriesMax: 0 }));
  assert.equal(storeContainer(table, json), ID);
  return table.find(ID) as ContainerRow;
}

const MEGABYTES = '\0'.repeat(8 * 1024 * 1024);
const many = <Item>(make: (i: number) => Item) => Array.from({ length: 100_000 }, (_, i) => make(i));

test('a row of usual size is told as it is', () => {
  const labels = new Map(many((i) => [`l${i}`, ''] as const).slice(0, 10_000));
  const sent = row({ labels, env: ['A=1'] });
  assert.deepEqual([...crossed(sent).labels], [...labels]);
});

test('no part of a container is so large that its name and image are not told', () => {
  const mount = { source: MEGABYTES, destination: '/d', mode: '', rdwr: true, propagation: '' };
  const probe = { exe: MEGABYTES, args: many(() => MEGABYTES.slice(0, 5000)) };
  for (const part of [
    { labels: new Map([['a', MEGABYTES]]) },
    { labels: new Map([[MEGABYTES, 'a']]) },
    { labels: new Map(many((i) => [`${i}`.padEnd(100), MEGABYTES.slice(0, 100)])) },
    { podSandboxLabels: new Map(many((i) => [`${i}`.padEnd(100), 'x'])) },
    { env: [MEGABYTES] },
    { env: many(() => MEGABYTES.slice(0, 100)) },
    { mounts: [mount] },
    { mounts: many(() => ({ ...mount, source: '/s' })) },
    { healthcheck: probe, livenessProbe: probe, readinessProbe: probe },
    { cniJson: MEGABYTES, podSandboxCniJson: MEGABYTES, cgroupPath: MEGABYTES, ip: MEGABYTES },
  ]) {
    const { name, image, isComplete } = crossed(row(part));
    assert.deepEqual([name, image, isComplete], ['web', 'img:1', true], Object.keys(part)[0]);
  }
});

test('everything too large at once', () => {
  const labels = new Map(many((i) => [`${i}\0`, MEGABYTES.slice(0, 1000)]));
  const probe = { exe: MEGABYTES, args: many(() => '\0\0\0') };
  const sent = row({
    labels,
    podSandboxLabels: labels,
    env: many(() => '\0\0'),
    mounts: many(() => ({ source: '\0', destination: '\0', mode: '\0', rdwr: true, propagation: '\0' })),
    healthcheck: probe,
    livenessProbe: probe,
    readinessProbe: probe,
    image: MEGABYTES,
    imageId: MEGABYTES,
    imageRepository: MEGABYTES,
    imageTag: MEGABYTES,
    imageDigest: MEGABYTES,
    cniJson: MEGABYTES,
  });
  assert.equal(crossed(sent).name, 'web');
});

test('what is kept are the first labels, variables and mounts, and texts are cut at their end', () => {
  const long = `begin${'x'.repeat(2_000_000)}`;
  const cut = fittedRow(
    row({
      labels: new Map([
        ['a', long],
        ['b', '1'],
      ]),
      env: [`A=${long}`, 'B=2'],
    }),
  );
  assert.deepEqual([...cut.labels.keys()], ['a', 'b']);
  assert.equal(cut.labels.get('a'), long.slice(0, 4096));
  assert.deepEqual(cut.env, [`A=${long}`.slice(0, 4096), 'B=2']);
});
