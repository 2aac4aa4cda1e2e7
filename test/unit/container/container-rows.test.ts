import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../../server/container/container-json.ts';
import {
  bareContainer,
  containerJsonOf,
  isBare,
  shortIdOf,
  storeContainer,
} from '../../../server/container/container-rows.ts';
import type { ContainerRow } from '../../../server/state/container-table.ts';
import { ContainerTable } from '../../../server/state/container-table.ts';
import { UndoLog } from '../../../server/state/undo-log.ts';

const ID = '0123456789abcdef'.repeat(4);

function newTable(): ContainerTable {
  return new ContainerTable(100, new UndoLog({ entriesMax: 0 }));
}

function store(table: ContainerTable, row: ContainerRow): string | undefined {
  const json = parseJson(containerJsonOf(row));
  assert.ok(json !== undefined);
  return storeContainer(table, json);
}

function storeMembers(table: ContainerTable, container: Readonly<Record<string, unknown>>): void {
  storeContainer(table, { container });
}

/** What runtimes say, as a row holds it. */
const text = fc.string({ unit: 'grapheme' }).map((value) => Buffer.from(value, 'utf8').toString('latin1'));
const someText = text.filter((value) => value !== '');
const labels = fc.array(fc.tuple(text, text)).map((entries) => new Map(entries));
const probe = fc.option(fc.record({ exe: someText, args: fc.array(text) }, { noNullPrototype: true }), {
  nil: undefined,
});
const fullId = fc.stringMatching(/^[0-9a-f]{64}$/);
const row: fc.Arbitrary<ContainerRow> = fullId.chain((id) =>
  fc.record(
    {
      id: fc.constant(shortIdOf(id)),
      fullId: fc.constant(id),
      type: fc.oneof(fc.constantFrom('docker', 'podman', 'cri', 'containerd', 'cri-o', 'kata'), text),
      name: text,
      image: text,
      imageId: text,
      imageRepository: text,
      imageTag: text,
      imageDigest: text,
      isPrivileged: fc.boolean(),
      hostPid: fc.boolean(),
      hostNetwork: fc.boolean(),
      hostIpc: fc.boolean(),
      ip: text,
      cniJson: text,
      mounts: fc.array(
        fc.record(
          { source: text, destination: text, mode: text, rdwr: fc.boolean(), propagation: text },
          { noNullPrototype: true },
        ),
      ),
      labels,
      env: fc.array(text),
      podSandboxId: text,
      podSandboxLabels: labels,
      podSandboxCniJson: text,
      isPodSandbox: fc.boolean(),
      createdTimeNs: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      healthcheck: probe,
      livenessProbe: probe,
      readinessProbe: probe,
      cgroupPath: text,
      isComplete: fc.constant(true),
    },
    { noNullPrototype: true },
  ),
);

test('the JSON of a complete row makes the same row', () => {
  fc.assert(
    fc.property(row, (before) => {
      const table = newTable();
      assert.equal(store(table, before), before.fullId);
      assert.deepEqual(table.find(before.fullId), before);
    }),
  );
});

test('the JSON of a partial row makes the same row, partial', () => {
  const words = ['name', 'image', 'imageId', 'imageRepository', 'imageTag', 'imageDigest'] as const;
  fc.assert(
    fc.property(row, (complete) => {
      const before = { ...complete, isComplete: false };
      fc.pre(words.every((word) => before[word] !== 'incomplete'));
      const table = newTable();
      store(table, before);
      assert.deepEqual(table.find(before.fullId), before);
    }),
  );
});

test('members of runtimes are read as old events have them', () => {
  const table = newTable();
  storeMembers(table, {
    id: shortIdOf(ID),
    full_id: ID,
    type: 0,
    image: 'nginx',
    created_time: 1_700_000_000,
    Healthcheck: { exe: '/bin/check', args: ['-x', 7] },
    LivenessProbe: { args: ['no program'] },
    ReadinessProbe: 'nonsense',
  });
  const found = table.find(ID);
  assert.deepEqual(found?.healthcheck, { exe: '/bin/check', args: ['-x', ''] });
  assert.equal(found?.livenessProbe, undefined);
  assert.equal(found?.readinessProbe, undefined);
  assert.equal(found?.createdTimeNs, 1_700_000_000_000_000_000n);
  assert.equal(found?.isComplete, true);
});

test('a look-up that has begun keeps the facts that came with it', () => {
  const table = newTable();
  storeMembers(table, { id: ID, full_id: ID, name: 'web', image: 'incomplete', lookup_state: 0 });
  assert.deepEqual(table.find(ID), { ...bareContainer(ID, ''), name: 'web' });
  storeMembers(table, { id: ID, full_id: ID, image: 'nginx', type: 0, lookup_state: 2 });
  assert.deepEqual(table.find(ID), { ...bareContainer(ID, 'docker'), name: 'web', image: 'nginx' });
});

test('a partial row does not replace a complete one, a newer complete one does', () => {
  const table = newTable();
  const first = { ...bareContainer(ID, 'docker'), name: 'web', isComplete: true };
  store(table, first);
  store(table, { ...first, name: 'other', isComplete: false });
  assert.equal(table.find(ID)?.name, 'web');
  store(table, { ...first, ip: '172.17.0.2' });
  assert.equal(table.find(ID)?.ip, '172.17.0.2');
});

test('an image of the name that stands for none is one all the same once the look-up is over', () => {
  const table = newTable();
  store(table, { ...bareContainer(ID, 'docker'), image: 'incomplete', isComplete: true });
  assert.deepEqual([table.find(ID)?.image, table.find(ID)?.isComplete], ['incomplete', true]);
});

test('names that are ids stay whole, and do not push each other out', () => {
  const table = newTable();
  store(table, { ...bareContainer('nginx-fronte', 'containerd'), isComplete: true });
  store(table, { ...bareContainer('nginx-frontend-2', 'containerd'), isComplete: true });
  assert.equal(bareContainer('nginx-frontend-2', 'lxc').id, 'nginx-frontend-2');
  assert.equal(table.find('nginx-frontend-2')?.id, 'nginx-fronte');
  assert.equal(table.find('nginx-frontend-2')?.fullId, 'nginx-frontend-2');
});

test('a row is bare as long as it says no more than a cgroup does', () => {
  assert.equal(isBare(bareContainer(ID, 'docker')), true);
  assert.equal(isBare({ ...bareContainer(ID, 'docker'), name: 'web' }), false);
  assert.equal(isBare({ ...bareContainer(ID, 'docker'), isComplete: true }), false);
});
